public import MedicalImaging

/// What a detector says about one image.
public struct AnomalyResult: Sendable {
  /// The image.
  public let item: DataItem
  /// The image as it was read, where it was read just now and is small enough to be kept; else nil.
  public var source: MedicalImage?
  /// Raw scores by name, larger for more unusual images.
  public let scores: [String: Double]
  /// The default score.
  public let score: Double
  /// The default score in standard deviations above the mean of normal training images; nil before calibration.
  public let standardised: Double?
  /// Eq. 2: the logistic function of `standardised`, 0 ... 1; nil before calibration.
  public let probability: Double?
  /// Whether the score exceeds the threshold learned from normal images; nil before calibration.
  public let isAbnormal: Bool?
  /// Maps by name on the image's own grid, zero where the network did not look (see `AnomalyMap`); empty unless asked for.
  public let maps: [(name: String, map: AnomalyMap)]
  /// The image as the method thinks it normal, over the image's own space: at network size without padding or, where the network
  /// sees only a part, on the image's own grid. Nil unless asked for, or where the method makes none.
  public let reconstruction: MedicalImage?
  /// Other pictures of how the method came to that, by caption, like the reconstruction; empty unless asked for.
  public let steps: [(name: String, image: MedicalImage)]
}
