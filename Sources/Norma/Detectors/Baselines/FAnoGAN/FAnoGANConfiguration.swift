/// Everything that defines f-AnoGAN; the defaults are the published ones.
///
/// Sources: Schlegl et al., Medical Image Analysis 54:30–44, 2019, and the authors' code; its GAN is WGAN-GP (Gulrajani et al.,
/// NeurIPS 2017, arXiv 1704.00028).
public struct FAnoGANConfiguration: AdversarialConfiguration {
  /// What generator, critic and encoder are made of.
  public enum Architecture: String, Codable, CaseIterable, Sendable {
    /// Residual blocks, as published.
    case residual
    /// Strided convolutions, as in DCGAN: a sixteenth of the work.
    case convolutional
  }

  // MARK: Network

  /// Image side in pixels, a power of two.
  public var imageSize = 64
  /// What generator, critic and encoder are made of.
  public var architecture = Architecture.residual
  /// Channels of the outermost convolution.
  public var width = 64
  /// Numbers that an image is made of, from N(0, 1) in the first stage.
  public var latentWidth = 128
  /// Whether the encoder ends in tanh (published) or is linear.
  public var boundedLatents = true

  // MARK: Training

  /// Adam's learning rate of generator and critic; β₁ = 0 and β₂ = 0.9.
  public var learningRate = 1e-4
  /// n_critic: the generator moves in every so many iterations, the critic in each.
  public var criticIterations = 5
  /// λ of the gradient penalty.
  public var penaltyWeight = 10.0
  /// RMSprop's learning rate of the encoder.
  public var encoderLearningRate = 5e-5
  /// Passes over the training images for the encoder; 0: as many as `training.epochs`, which is how many the first stage takes.
  public var encoderEpochs = 0
  /// κ: what the residual of the critic's features counts, in training and in the score.
  public var featureWeight = 1.0

  // MARK: Scoring

  /// The score that ranks images.
  public var scoring = FAnoGANScore.default
  /// Standard deviation in pixels of the Gaussian that smooths the map; 0: the map is not smoothed.
  public var smoothing = 1.0

  /// The published network.
  public init() {}

  /// Checks what the types cannot.
  /// - Throws: `ConfigurationError` naming the key, what it holds and what it may hold.
  public func validate() throws(ConfigurationError) {
    try validateNetworks()
    try require(criticIterations >= 1, "criticIterations", criticIterations, "1 or more")
    try require(penaltyWeight >= 0 && penaltyWeight.isFinite, "penaltyWeight", penaltyWeight, "0 or more")
    try require(encoderLearningRate > 0, "encoderLearningRate", encoderLearningRate, "above 0")
    try require(encoderEpochs >= 0, "encoderEpochs", encoderEpochs, "0 (as training.epochs) or a number of epochs")
    try require(featureWeight >= 0 && featureWeight.isFinite, "featureWeight", featureWeight, "0 or more")
  }
}

/// The scores that f-AnoGAN can give; larger is more unusual.
public enum FAnoGANScore: String, Codable, CaseIterable, Sendable {
  /// A(x) = A_R(x) + κ · A_D(x), the paper's.
  case anomalyScore
  /// A_R: mean square of x − G(E(x)).
  case imageResidual
  /// A_D: mean square of f(x) − f(G(E(x))), of the critic's features.
  case featureResidual

  /// The paper's.
  public static let `default` = FAnoGANScore.anomalyScore
}

extension FAnoGANConfiguration {
  /// `f-anogan`.
  public static var method: DetectionMethod { .fAnoGAN }

  /// Fresh weights.
  public func makeDetector(in run: RunConfiguration) throws -> any AnomalyDetector {
    try FAnoGANDetector(self, seed: run.seed)
  }
}
