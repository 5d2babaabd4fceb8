/// Everything that defines GANomaly; the defaults are the published ones.
///
/// Sources: Akcay, Atapour-Abarghouei and Breckon, ACCV 2018 (arXiv 1805.06725), §3 and §4, and the authors' code.
public struct GANomalyConfiguration: AdversarialConfiguration {
  /// How much each of the generator's losses counts.
  public struct LossWeights: Codable, Equatable, Sendable {
    /// w_adv, of the discriminator's features.
    public var adversarial = 1.0
    /// w_con, of the image.
    public var contextual = 50.0
    /// w_enc, of the latent vector.
    public var encoder = 1.0
    /// The published weights (§4).
    public init() {}
  }

  // MARK: Network

  /// Image side in pixels, a power of two.
  public var imageSize = 64
  /// Channels of the outermost convolution; each one further in has twice as many.
  public var width = 64
  /// Numbers that an image is squeezed into (§4).
  public var latentWidth = 100

  // MARK: Training

  /// Loss weights.
  public var lossWeights = LossWeights()
  /// Adam's learning rate of generator and discriminator (§4); β₁ = 0.5 and β₂ = 0.999.
  public var learningRate = 2e-4
  /// The discriminator starts anew when its loss falls below this (authors' code); 0: never.
  public var restartThreshold = 1e-5

  // MARK: Scoring

  /// The score that ranks images.
  public var scoring = GANomalyScore.default
  /// Standard deviation in pixels of the Gaussian that smooths the map; 0: the map is not smoothed.
  public var smoothing = 1.0

  /// The published network.
  public init() {}

  /// Checks what the types cannot.
  /// - Throws: `ConfigurationError` naming the key, what it holds and what it may hold.
  public func validate() throws(ConfigurationError) {
    try validateNetworks()
    for (key, weight) in [
      ("adversarial", lossWeights.adversarial), ("contextual", lossWeights.contextual),
      ("encoder", lossWeights.encoder),
    ] {
      try require(weight >= 0 && weight.isFinite, "lossWeights.\(key)", weight, "0 or more")
    }
    try require((0..<1).contains(restartThreshold), "restartThreshold", restartThreshold, "0 (never) to below 1")
  }
}

/// The scores that GANomaly can give; larger is more unusual. None is scaled by the images under test.
public enum GANomalyScore: String, Codable, CaseIterable, Sendable {
  /// The paper's A(x), ‖G_E(x) − E(G(x))‖₁.
  case latentDistance
  /// What the authors' code has in its place: the mean square of G_E(x) − E(G(x)).
  case squaredLatentDistance
  /// Mean of |x − G(x)| over the pixels.
  case reconstructionError

  /// The paper's.
  public static let `default` = GANomalyScore.latentDistance
}

extension GANomalyConfiguration {
  /// `ganomaly`.
  public static var method: DetectionMethod { .ganomaly }

  /// Fresh weights.
  public func makeDetector(in run: RunConfiguration) throws -> any AnomalyDetector {
    try GANomalyDetector(self, seed: run.seed)
  }
}
