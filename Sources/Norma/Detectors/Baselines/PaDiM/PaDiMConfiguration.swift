/// Everything that defines PaDiM; the defaults are the published values (Defard et al., ICPR workshops 2020, §III and §IV).
public struct PaDiMConfiguration: DetectorConfiguration {
  /// Image side in pixels.
  public var imageSize = 224
  /// The network whose first three layers features are taken from.
  public var backbone = BackboneConfiguration()
  /// The pretext task that the backbone learns where no weights are given.
  public var task = CutPasteTaskConfiguration()
  /// Channels that are drawn at random from those of the three layers: 100 of a ResNet-18, 550 of a Wide ResNet-50-2.
  public var channels = 100
  /// What is added to the variances (ε, eq. 1).
  public var ridge = 0.01
  /// Standard deviation in pixels of the Gaussian that smooths the map; 0: the map is not smoothed.
  public var smoothing = 4.0
  /// The score that ranks images.
  public var scoring = PaDiMScore.default

  /// ResNet-18 and its hundred channels, without given weights.
  public init() {}

  /// Checks what the types cannot.
  /// - Throws: `ConfigurationError` naming the key, what it holds and what it may hold.
  public func validate() throws(ConfigurationError) {
    try require(imageSize >= 32, "imageSize", imageSize, "32 or more")
    try backbone.validate()
    try task.validate()
    let all = backbone.featureChannels.prefix(3).reduce(0, +)
    try require(
      (1...all).contains(channels), "channels", channels, "1 to \(all), as many as the backbone's three layers have")
    try require(ridge > 0, "ridge", ridge, "above 0")
    try require((0...Double(imageSize)).contains(smoothing), "smoothing", smoothing, "0 (none) to imageSize")
  }
}

/// The scores that PaDiM can give; larger is more unusual.
public enum PaDiMScore: String, Codable, CaseIterable, Sendable {
  /// The largest value of the map (§III-C).
  case largestDistance
  /// The mean value of the map: for what is spread over the image.
  case meanDistance

  /// The paper's.
  public static let `default` = PaDiMScore.largestDistance
}

extension PaDiMConfiguration {
  /// `padim`.
  public static var method: DetectionMethod { .padim }

  /// Fresh weights.
  public func makeDetector(in run: RunConfiguration) throws -> any AnomalyDetector {
    try PaDiMDetector(self, in: run)
  }
}
