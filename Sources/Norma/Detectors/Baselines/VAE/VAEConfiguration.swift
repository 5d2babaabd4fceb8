/// Everything that defines a variational autoencoder; the defaults are the network and sizes of Baur et al. 2021 with the
/// likelihood of An & Cho 2015.
///
/// Sources: Kingma & Welling 2014 (arXiv 1312.6114); An & Cho 2015 (SNU Data Mining Center, special lecture on IE);
/// Baur et al. 2021 (Medical Image Analysis 69:101952).
public struct VAEConfiguration: DetectorConfiguration {
  /// What the decoder says about the spread of a pixel.
  public enum Variance: String, Codable, CaseIterable, Sendable {
    /// A variance of its own for every pixel of every image (An & Cho, algorithm 4).
    case learned
    /// One for all, `deviation`: the squared error in other units.
    case fixed
  }

  // MARK: Network (Baur et al. 2021)

  /// Image side in pixels, a multiple of 2 to the number of `channels`.
  public var imageSize = 128
  /// Channels of the encoder's convolutions, each of which halves the sides; the decoder has the same in reverse.
  public var channels = [32, 64, 128, 128]
  /// Side of the kernels, odd.
  public var kernelSize = 5
  /// Numbers that an image is squeezed into.
  public var codeWidth = 128
  /// What stands between convolutions.
  public var normalisation = AutoencoderConfiguration.Normalisation.batch

  // MARK: Likelihood

  /// The variance of a pixel around the reconstruction.
  public var variance = Variance.learned
  /// Standard deviation of a pixel in network scale: of all pixels where `variance` is fixed, the smallest where it is
  /// learned, which keeps densities finite.
  public var deviation = 0.05

  // MARK: Training

  /// β, the weight of the divergence; 1: the lower bound of Kingma & Welling.
  public var divergenceWeight = 1.0
  /// Adam's learning rate.
  public var learningRate = 1e-4
  /// Where half a cosine over all epochs brings the rate; the same as `learningRate`: it stays.
  public var finalLearningRate = 1e-4

  // MARK: Scoring

  /// The score that ranks images.
  public var scoring = VAEScore.default
  /// L, codes that are drawn for each image (An & Cho, algorithm 4).
  public var samples = 10
  /// Seeds what they are drawn by, the same for every image.
  public var sampleSeed = 1
  /// Standard deviation in pixels of the Gaussian that smooths maps; 0: maps are not smoothed.
  public var smoothing = 1.0

  /// The published network.
  public init() {}

  /// The plain autoencoder with the same encoder and decoder.
  var autoencoder: AutoencoderConfiguration {
    var plain = AutoencoderConfiguration()
    (plain.imageSize, plain.channels, plain.kernelSize) = (imageSize, channels, kernelSize)
    (plain.codeWidth, plain.normalisation) = (codeWidth, normalisation)
    (plain.learningRate, plain.finalLearningRate, plain.smoothing) = (learningRate, finalLearningRate, smoothing)
    return plain
  }

  /// Checks what the types cannot.
  /// - Throws: `ConfigurationError` naming the key, what it holds and what it may hold.
  public func validate() throws(ConfigurationError) {
    try autoencoder.validate()
    try require((1e-3...10).contains(deviation), "deviation", deviation, "0.001 to 10")
    try require((0...1e6).contains(divergenceWeight), "divergenceWeight", divergenceWeight, "0 to 1000000")
    try require((1...1000).contains(samples), "samples", samples, "1 to 1000")
    try require(sampleSeed >= 0, "sampleSeed", sampleSeed, "0 or more")
  }
}

/// The scores that a variational autoencoder can give; larger is more unusual.
public enum VAEScore: String, Codable, CaseIterable, Sendable {
  /// −log of the reconstruction probability, in nats per pixel: the mean over L codes drawn from the posterior (An & Cho).
  case reconstructionProbability
  /// The negative of the lower bound, in nats per pixel: the same, and the code's divergence from the prior.
  case negativeELBO
  /// Mean squared error of all pixels, reconstructed from the code's mean (Baur et al.).
  case reconstructionError
  /// Mean of the highest hundredth of the pixels' squared errors.
  case topPercent

  /// An & Cho's.
  public static let `default` = VAEScore.reconstructionProbability
}

extension VAEConfiguration {
  /// `vae`.
  public static var method: DetectionMethod { .vae }

  /// Fresh weights.
  public func makeDetector(in run: RunConfiguration) throws -> any AnomalyDetector {
    try VAEDetector(self, seed: run.seed, training: run.training)
  }
}
