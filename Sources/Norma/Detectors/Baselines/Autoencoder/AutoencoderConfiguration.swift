/// Everything that defines a plain autoencoder; the defaults are the published network at its published size.
///
/// Source of the network: the dense autoencoder of Baur et al. 2021 (Medical Image Analysis 69:101952), as their code has it.
public struct AutoencoderConfiguration: DetectorConfiguration {
  /// How the difference of a pixel counts.
  public enum Measure: String, Codable, CaseIterable, Sendable {
    /// Its square (L2).
    case squared
    /// Its absolute value (L1), as published.
    case absolute
    /// 1 − SSIM of the window of 11 pixels around it (Bergmann et al. 2019).
    case ssim
  }
  /// What stands between convolutions.
  public enum Normalisation: String, Codable, CaseIterable, Sendable {
    /// Batch norm.
    case batch
    /// Nothing.
    case none
  }

  // MARK: Network

  /// Image side in pixels, a multiple of 2 to the number of `channels`.
  public var imageSize = 128
  /// Channels of the encoder's convolutions, each of which halves the sides; the decoder has the same in reverse.
  public var channels = [32, 64, 128, 128]
  /// Side of the kernels, odd.
  public var kernelSize = 5
  /// Numbers that an image is squeezed into.
  public var codeWidth = 128
  /// What stands between convolutions.
  public var normalisation = Normalisation.batch

  // MARK: Training

  /// What training minimises; published: `absolute`.
  public var loss = Measure.squared
  /// Adam's learning rate; published: 1e-4.
  public var learningRate = 1e-3
  /// Where half a cosine over all epochs brings the rate; the same as `learningRate`: it stays.
  public var finalLearningRate = 1e-3

  // MARK: Scoring

  /// The score that ranks images.
  public var scoring = ReconstructionScore.default
  /// The error of a pixel that scores and the map are made of.
  public var error = Measure.squared
  /// Standard deviation in pixels of the Gaussian that smooths the map; 0: the map is not smoothed.
  public var smoothing = 1.0

  /// The published network, squared error.
  public init() {}

  /// Checks what the types cannot.
  /// - Throws: `ConfigurationError` naming the key, what it holds and what it may hold.
  public func validate() throws(ConfigurationError) {
    try require(
      (1...10).contains(channels.count) && channels.allSatisfy { $0 >= 1 }, "channels", channels,
      "1 to 10 numbers of 1 or more")
    let reduction = 1 << channels.count
    try require(
      imageSize >= 16 && imageSize % reduction == 0, "imageSize", imageSize,
      "at least 16 and a multiple of \(reduction), as \(channels.count) channels halve it as often")
    try require(kernelSize >= 3 && kernelSize % 2 == 1, "kernelSize", kernelSize, "an odd number from 3")
    try require(codeWidth >= 1, "codeWidth", codeWidth, "1 or more")
    try require(learningRate > 0, "learningRate", learningRate, "above 0")
    try require(
      finalLearningRate >= 0 && finalLearningRate <= learningRate, "finalLearningRate", finalLearningRate,
      "0 to learningRate (\(learningRate))")
    try require((0...Double(imageSize)).contains(smoothing), "smoothing", smoothing, "0 (none) to imageSize")
  }
}

extension AutoencoderConfiguration {
  /// `autoencoder`.
  public static var method: DetectionMethod { .autoencoder }

  /// Fresh weights.
  public func makeDetector(in run: RunConfiguration) throws -> any AnomalyDetector {
    try AutoencoderDetector(
      self, seed: run.seed, training: run.training, range: run.inputSpecification.background...1)
  }
}
