/// Everything that defines PatchCore; the defaults are the published values (Roth et al., CVPR 2022, §3 and §4.1).
public struct PatchCoreConfiguration: DetectorConfiguration {
  /// Image side in pixels.
  public var imageSize = 224
  /// The network, as published a Wide ResNet-50-2, whose second and third layer features are taken from.
  public var backbone = BackboneConfiguration()
  /// The pretext task that the backbone learns where no weights are given.
  public var task = CutPasteTaskConfiguration()
  /// Side of the neighbourhood over which features are averaged, odd (p, §3.1).
  public var patchSize = 3
  /// Share of the training images' patches that the memory bank keeps, 0.1 or 0.01 as published.
  public var bankShare = 0.1
  /// How much distances may change under the random projection that patches are chosen in (ε of Johnson and Lindenstrauss).
  public var projectionError = 0.9
  /// Neighbours in the memory bank that the score of an image is re-weighted by (b, eq. 7); 1: it is not.
  public var neighbours = 9
  /// Standard deviation in pixels of the Gaussian that smooths the map; 0: the map is not smoothed.
  public var smoothing = 4.0
  /// The score that ranks images.
  public var scoring = PatchCoreScore.default

  /// The published network and numbers, without given weights.
  public init() { backbone.architecture = .wideResNet50 }

  /// Checks what the types cannot.
  /// - Throws: `ConfigurationError` naming the key, what it holds and what it may hold.
  public func validate() throws(ConfigurationError) {
    try require(imageSize >= 32, "imageSize", imageSize, "32 or more")
    try backbone.validate()
    try task.validate()
    try require(
      (1...15).contains(patchSize) && patchSize % 2 == 1, "patchSize", patchSize, "an odd number of 1 to 15")
    try require(bankShare > 0 && bankShare <= 1, "bankShare", bankShare, "above 0, up to 1")
    try require(
      projectionError > 0 && projectionError < 1, "projectionError", projectionError, "above 0 and below 1")
    try require(neighbours >= 1, "neighbours", neighbours, "1 (no re-weighting) or more")
    try require((0...Double(imageSize)).contains(smoothing), "smoothing", smoothing, "0 (none) to imageSize")
  }
}

/// The scores that PatchCore can give; larger is more unusual.
public enum PatchCoreScore: String, Codable, CaseIterable, Sendable {
  /// The largest distance of a patch from the memory bank, less where the bank is dense (eq. 6 and 7).
  case reweightedDistance
  /// The largest distance of a patch (eq. 6).
  case largestDistance
  /// The mean distance of all patches: for what is spread over the image.
  case meanDistance

  /// The paper's.
  public static let `default` = PatchCoreScore.reweightedDistance
}

extension PatchCoreConfiguration {
  /// `patchcore`.
  public static var method: DetectionMethod { .patchCore }

  /// Fresh weights.
  public func makeDetector(in run: RunConfiguration) throws -> any AnomalyDetector {
    try PatchCoreDetector(self, in: run)
  }
}
