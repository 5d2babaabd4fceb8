/// Everything that defines a memory-augmented autoencoder; the defaults are the published numbers for colour images.
///
/// Source: MemAE, Gong et al. 2019 (ICCV; arXiv 1904.02639), §3 and §4.1, for CIFAR-10.
public struct MemAEConfiguration: DetectorConfiguration {
  /// How alike an encoding and a memory item are.
  public enum Similarity: String, Codable, CaseIterable, Sendable {
    /// Cosine (eq. 5).
    case cosine
    /// Dot product, as in the authors' code.
    case product
  }

  // MARK: Network (§4.1)

  /// Image side in pixels, a multiple of 2 to the number of `channels`; published: 28 and 32.
  public var imageSize = 128
  /// Channels of the encoder's convolutions, each of which halves the sides; the last is the width of the memory's items.
  public var channels = [64, 128, 128, 256]
  /// Side of the kernels, odd.
  public var kernelSize = 3

  // MARK: Memory (§3.3)

  /// Items in memory, N; published: 100 for MNIST, 500 for CIFAR-10.
  public var items = 500
  /// How alike an encoding and an item are.
  public var similarity = Similarity.cosine
  /// λ of the hard shrinkage (eq. 6, 7) as a multiple of the even weight 1/N; published: 1 to 3; 0: no shrinkage.
  public var shrinkage = 1.0

  // MARK: Training (§3.4)

  /// α, the weight of the addressing's entropy (eq. 10).
  public var entropyWeight = 0.0002
  /// Adam's learning rate.
  public var learningRate = 1e-4
  /// Where half a cosine over all epochs brings the rate; the same as `learningRate`: it stays, as published.
  public var finalLearningRate = 1e-4

  // MARK: Scoring

  /// The score that ranks images.
  public var scoring = ReconstructionScore.default
  /// Standard deviation in pixels of the Gaussian that smooths the map; 0: the map is not smoothed.
  public var smoothing = 1.0

  /// The published network.
  public init() {}

  /// Checks what the types cannot.
  /// - Throws: `ConfigurationError` naming the key, what it holds and what it may hold.
  public func validate() throws(ConfigurationError) {
    try require(
      (2...10).contains(channels.count) && channels.allSatisfy { $0 >= 1 }, "channels", channels,
      "2 to 10 numbers of 1 or more")
    let reduction = 1 << channels.count
    try require(
      imageSize >= 16 && imageSize % reduction == 0, "imageSize", imageSize,
      "at least 16 and a multiple of \(reduction), as \(channels.count) channels halve it as often")
    try require(kernelSize >= 3 && kernelSize % 2 == 1, "kernelSize", kernelSize, "an odd number from 3")
    try require(items >= 2, "items", items, "2 or more")
    try require(
      shrinkage >= 0 && shrinkage < Double(items), "shrinkage", shrinkage,
      "0 (none) to below items (\(items)); published: 1 to 3")
    try require(entropyWeight >= 0, "entropyWeight", entropyWeight, "0 or more")
    try require(learningRate > 0, "learningRate", learningRate, "above 0")
    try require(
      finalLearningRate >= 0 && finalLearningRate <= learningRate, "finalLearningRate", finalLearningRate,
      "0 to learningRate (\(learningRate))")
    try require((0...Double(imageSize)).contains(smoothing), "smoothing", smoothing, "0 (none) to imageSize")
  }
}

extension MemAEConfiguration {
  /// `memae`.
  public static var method: DetectionMethod { .memAE }

  /// Fresh weights.
  public func makeDetector(in run: RunConfiguration) throws -> any AnomalyDetector {
    try MemAEDetector(self, seed: run.seed, training: run.training)
  }
}
