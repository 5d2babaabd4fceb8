/// Everything that defines a detector by iterative latent token masking; the defaults are the published preset (`paper`).
///
/// Sources: Patel et al., ICCVW 2023, "Self-Supervised Anomaly Detection from Anomalous Training Data via Iterative Latent
/// Token Masking"; Patel et al., MELBA 2023:006; sections are those of our specification.
public struct TokenMaskingConfiguration: DetectorConfiguration {
  // MARK: Images

  /// Image side in pixels, a multiple of 2^levels; not looked at where `volume` is given.
  public var imageSize = 128
  /// Sides of a volume in voxels, [depth, height, width], each a multiple of 2^levels; empty: two-dimensional images.
  public var volume: [Int] = []
  /// Whether the tokens of a paired volume (CT beside PET) are read by cross-attention (§3.4).
  public var conditioned = false

  /// The VQ-VAE.
  public var autoencoder = Autoencoder()
  /// The transformer.
  public var transformer = Transformer()
  /// Flags, healing and maps.
  public var detection = Detection()
  /// Rounds of masking and retraining.
  public var rounds = Rounds()
  /// The score that ranks images.
  public var scoring = TokenMaskingScore.default

  /// The `paper` preset.
  public init() {}

  // MARK: VQ-VAE (§2)

  /// The VQ-VAE and its training.
  public struct Autoencoder: Codable, Equatable, Sendable {
    /// Pixel losses.
    public enum PixelLoss: String, Codable, CaseIterable, Sendable {
      /// Mean squared difference.
      case squared
      /// Mean absolute difference.
      case absolute
    }
    /// Times that sides are halved, n; an image has 1 / 2^n of its side as tokens.
    public var levels = 3
    /// Channels at the last level, C_h; half of them before.
    public var width = 256
    /// Residual units a level, R.
    public var residualUnits = 3
    /// Codes, K.
    public var codes = 256
    /// Width of a code, E.
    public var codeWidth = 64
    /// Weight of the commitment loss, β.
    public var commitment = 0.25
    /// Decays γ of the codebook's averages: the first at the start, the last from `decayShare` of the epochs on.
    public var decays = [0.5, 0.7, 0.8, 0.95, 0.99]
    /// Share of the epochs after which the last decay holds.
    public var decayShare = 0.4
    /// Whether codes start and die as in the authors' code: normal numbers, never restarted.
    public var parity = false
    /// Share of channels dropped before the encoder's end, p_enc.
    public var encoderDropout = 0.0
    /// Share of channels dropped before the decoder's last layer, p_dec; dropout decodings need it above 0.
    public var decoderDropout = 0.05
    /// Whether residual units drop channels as well (the authors' `dropout_at_end` false).
    public var dropsInUnits = false
    /// The pixel loss.
    public var pixelLoss = PixelLoss.squared
    /// Weight of the spectral loss.
    public var spectralWeight = 1.0
    /// Weight of the least-squares adversarial loss; 0: no discriminator.
    public var adversarialWeight = 0.005
    /// Whether the adversarial weight follows the ratio of gradients at the decoder's last layer.
    public var adaptiveAdversarialWeight = false
    /// Share of the epochs before the discriminator comes in.
    public var adversarialStart = 0.0
    /// Learning rate of the discriminator.
    public var discriminatorLearningRate = 5e-4
    /// Learning rate at the start.
    public var learningRate = 3e-4
    /// Learning rate at the end; it falls exponentially.
    public var finalLearningRate = 1e-5
    /// Epochs.
    public var epochs = 200
    /// Images an iteration.
    public var batchSize = 16
  }

  // MARK: Transformer (§3)

  /// The transformer and its training.
  public struct Transformer: Codable, Equatable, Sendable {
    /// Kinds of attention.
    public enum Attention: String, Codable, CaseIterable, Sendable {
      /// Softmax attention through the fused kernel.
      case exact
      /// FAVOR+: random features, linear in the number of tokens.
      case linear
    }
    /// The curve along which the grid is read.
    public var order = TokenCurve.raster
    /// Width of a token.
    public var width = 256
    /// Blocks.
    public var layers = 10
    /// Attention heads.
    public var heads = 8
    /// Width of a head; the authors' is 64 whatever the token's width.
    public var headWidth = 64
    /// The kind of attention.
    public var attention = Attention.exact
    /// Random features of a head for `linear`.
    public var features = 266
    /// Training iterations after which the random features are drawn anew; 0: never.
    public var redrawInterval = 1000
    /// Whether each token also carries its place in the grid, axis by axis.
    public var spatialPositions = true
    /// Whether masked tokens become a token of their own; otherwise their code still reaches its own slot (§4.2).
    public var masksInput = true
    /// Share of elements dropped before each residual sum.
    public var dropout = 0.0
    /// Learning rate at the start.
    public var learningRate = 5e-4
    /// Learning rate at the end; it falls exponentially.
    public var finalLearningRate = 1e-5
    /// Decoupled weight decay of matrices.
    public var weightDecay = 0.01
    /// Epochs of every round.
    public var epochs = 100
    /// Images an iteration.
    public var batchSize = 16
    /// Share of the training images that is left out and chooses the epoch by cross entropy over kept tokens; 0: the last.
    public var validationShare = 0.1
  }

  // MARK: Detection (§5)

  /// Flags, healing and maps.
  public struct Detection: Codable, Equatable, Sendable {
    /// How tokens are flagged.
    public enum Flagging: String, Codable, CaseIterable, Sendable {
      /// Where their likelihood is below `threshold`.
      case likelihood
      /// Where it is below that quantile of the training images' likelihoods at the same place.
      case quantile
    }
    /// Bandwidths of the kernel density estimate.
    public enum Bandwidth: String, Codable, CaseIterable, Sendable {
      /// 1.06 σ̂ n^(−1/5) + floor.
      case added
      /// The larger of 1.06 σ̂ n^(−1/5) and the floor.
      case atLeast
      /// Improved Sheather–Jones, at least the floor.
      case sheatherJones
    }
    /// What the anomaly map measures.
    public enum Map: String, Codable, CaseIterable, Sendable {
      /// −log of the density of healed intensities at the observed one, relative to the kernel's peak.
      case density
      /// Distance to the mean healed image.
      case residual
      /// Distance to the mean healed image in standard deviations over the samples.
      case zScore
    }
    /// How tokens are flagged.
    public var flagging = Flagging.likelihood
    /// τ.
    public var threshold = 5e-3
    /// Healed sequences, S.
    public var samples = 20
    /// Dropout decodings of each, D.
    public var decodings = 20
    /// Of the transformer's distribution when it heals.
    public var temperature = 1.0
    /// What the anomaly map measures.
    public var map = Map.density
    /// Bandwidth of the density.
    public var bandwidth = Bandwidth.added
    /// Least or added bandwidth, in units of the image's 0 ... 1.
    public var bandwidthFloor = 0.025
    /// Standard deviation of the Gaussian that widens flagged tokens, in tokens.
    public var maskSpread = 0.75
    /// Standard deviation of the Gaussian that smooths maps, in pixels; 0: none.
    public var smoothing = 1.0
    /// Megabytes of reconstructions to hold at once; beyond, they are decoded again for each part of the image.
    public var memoryLimit = 2048
    /// Seeds healing and decoding: a score is a function of model, image and this.
    public var seed = 1
  }

  // MARK: Rounds (§4)

  /// Rounds of masking and retraining.
  public struct Rounds: Codable, Equatable, Sendable {
    /// How masks of rounds follow each other.
    public enum Accumulation: String, Codable, CaseIterable, Sendable {
      /// Each round's own: tokens can return.
      case replaced
      /// With those of the rounds before.
      case union
    }
    /// How much a token that is not masked counts in the loss.
    public enum Weighting: String, Codable, CaseIterable, Sendable {
      /// All alike.
      case hard
      /// By Tukey's biweight of its standardised suspicion.
      case biweight
    }
    /// Rounds of masking after the first training, T; 0 trains once, on everything.
    public var count = 5
    /// Rounds end when at most this share of the masked tokens changes (1 − intersection over union).
    public var tolerance = 0.05
    /// Standard deviations (1.4826 MAD) above the median that make a pixel suspicious.
    public var deviations = 6.0
    /// A fixed threshold of the map instead; 0: the robust one.
    public var mapThreshold = 0.0
    /// Share of a token's pixels that must be suspicious.
    public var cellShare = 0.1
    /// Whether neighbours of suspected tokens are masked as well.
    public var dilates = false
    /// At most this share of an image's tokens is masked, the worst.
    public var cap = 0.5
    /// How masks of rounds follow each other.
    public var accumulation = Accumulation.replaced
    /// How much kept tokens count.
    public var weighting = Weighting.hard
    /// Whether a round starts from the weights of the one before.
    public var warmStart = false
    /// Whether two halves of the training images are each judged by the model of the other.
    public var crossFit = false
    /// Healed sequences of a training image, S.
    public var samples = 8
    /// Dropout decodings of each, D.
    public var decodings = 4
    /// Whether the maps of all training images are kept in a file per round.
    public var keepsMaps = true
  }
}

// MARK: - Derived and checked

extension TokenMaskingConfiguration {
  /// Sides of an image, outermost first.
  public var inputExtents: [Int] { volume.isEmpty ? [imageSize, imageSize] : volume }
  /// Whether paired volumes are read.
  public var readsPaired: Bool { conditioned }
  /// Pixels along a token's side, f.
  var cell: Int { 1 << autoencoder.levels }
  /// Tokens along each side.
  var grid: [Int] { inputExtents.map { $0 / cell } }
  /// Tokens of an image, L.
  var tokens: Int { grid.reduce(1, *) }

  /// Checks what the types cannot.
  /// - Throws: `ConfigurationError` naming the key, what it holds and what it may hold.
  public func validate() throws(ConfigurationError) {
    try require((1...6).contains(autoencoder.levels), "autoencoder.levels", autoencoder.levels, "1 to 6")
    let side = "at least \(2 * cell) and a multiple of \(cell), which is 2^levels"
    if volume.isEmpty {
      try require(imageSize >= 2 * cell && imageSize % cell == 0, "imageSize", imageSize, side)
      try require(!conditioned, "conditioned", true, "false for two-dimensional images")
    } else {
      try require(
        !scoring.comparesBands, "scoring", scoring.rawValue,
        TokenMaskingScore.allCases.filter { !$0.comparesBands }.map(\.rawValue).joined(separator: ", ") + " for volumes"
      )
      try require(volume.count == 3, "volume", volume, "three sides, [depth, height, width], or nothing")
      for extent in volume { try require(extent >= 2 * cell && extent % cell == 0, "volume", volume, "sides " + side) }
    }
    try autoencoder.validate(require)
    try transformer.validate(require)
    try detection.validate(require)
    try rounds.validate(require)
    try require(
      detection.decodings == 1 || autoencoder.decoderDropout > 0, "detection.decodings", detection.decodings,
      "1 while autoencoder.decoderDropout is 0: all decodings would be the same")
  }
}

/// Throws when something does not hold.
private typealias Requirement = (Bool, String, any Sendable, String) throws(ConfigurationError) -> Void

extension TokenMaskingConfiguration.Autoencoder {
  fileprivate func validate(_ require: Requirement) throws(ConfigurationError) {
    try require(width >= 2 && width % 2 == 0, "autoencoder.width", width, "an even number")
    try require(residualUnits >= 0, "autoencoder.residualUnits", residualUnits, "0 or more")
    try require((2...32_000).contains(codes), "autoencoder.codes", codes, "2 to 32000")
    try require(codeWidth >= 1, "autoencoder.codeWidth", codeWidth, "1 or more")
    try require(commitment >= 0, "autoencoder.commitment", commitment, "0 or more")
    try require(
      !decays.isEmpty && decays.allSatisfy { (0..<1).contains($0) }, "autoencoder.decays", decays,
      "one or more numbers from 0 to below 1")
    try require((0...1).contains(decayShare), "autoencoder.decayShare", decayShare, "0 to 1")
    for (key, share) in [("encoderDropout", encoderDropout), ("decoderDropout", decoderDropout)] {
      try require((0..<1).contains(share), "autoencoder.\(key)", share, "0 to below 1")
    }
    try require(spectralWeight >= 0, "autoencoder.spectralWeight", spectralWeight, "0 or more")
    try require(adversarialWeight >= 0, "autoencoder.adversarialWeight", adversarialWeight, "0 or more")
    try require(
      discriminatorLearningRate > 0, "autoencoder.discriminatorLearningRate", discriminatorLearningRate, "above 0")
    try require(learningRate > 0, "autoencoder.learningRate", learningRate, "above 0")
    try require(
      finalLearningRate > 0 && finalLearningRate <= learningRate, "autoencoder.finalLearningRate", finalLearningRate,
      "above 0, at most learningRate (\(learningRate))")
    try require(epochs >= 1, "autoencoder.epochs", epochs, "1 or more")
    try require(batchSize >= 2, "autoencoder.batchSize", batchSize, "2 or more")
  }
}

extension TokenMaskingConfiguration.Transformer {
  fileprivate func validate(_ require: Requirement) throws(ConfigurationError) {
    try require(width >= 1, "transformer.width", width, "1 or more")
    try require(layers >= 1, "transformer.layers", layers, "1 or more")
    try require(heads >= 1, "transformer.heads", heads, "1 or more")
    try require(headWidth >= 1, "transformer.headWidth", headWidth, "1 or more")
    try require(features >= 1, "transformer.features", features, "1 or more")
    try require(
      redrawInterval >= 0, "transformer.redrawInterval", redrawInterval, "0 (never) or a number of iterations")
    try require((0..<1).contains(dropout), "transformer.dropout", dropout, "0 to below 1")
    try require(learningRate > 0, "transformer.learningRate", learningRate, "above 0")
    try require(
      finalLearningRate > 0 && finalLearningRate <= learningRate, "transformer.finalLearningRate", finalLearningRate,
      "above 0, at most learningRate (\(learningRate))")
    try require(weightDecay >= 0, "transformer.weightDecay", weightDecay, "0 or more")
    try require(epochs >= 1, "transformer.epochs", epochs, "1 or more")
    try require(batchSize >= 2, "transformer.batchSize", batchSize, "2 or more")
    try require(
      (0...0.5).contains(validationShare), "transformer.validationShare", validationShare, "0 (none) to 0.5")
  }
}

extension TokenMaskingConfiguration.Detection {
  fileprivate func validate(_ require: Requirement) throws(ConfigurationError) {
    try require(threshold > 0 && threshold < 1, "detection.threshold", threshold, "above 0, below 1")
    try require(samples >= 1, "detection.samples", samples, "1 or more")
    try require(decodings >= 1, "detection.decodings", decodings, "1 or more")
    try require(temperature >= 0, "detection.temperature", temperature, "0 (the likeliest token) or more")
    try require(bandwidthFloor > 0, "detection.bandwidthFloor", bandwidthFloor, "above 0")
    try require(maskSpread > 0, "detection.maskSpread", maskSpread, "above 0")
    try require(smoothing >= 0, "detection.smoothing", smoothing, "0 (none) or more")
    try require(memoryLimit >= 1, "detection.memoryLimit", memoryLimit, "1 or more megabytes")
    try require(seed >= 0, "detection.seed", seed, "0 or more")
  }
}

extension TokenMaskingConfiguration.Rounds {
  fileprivate func validate(_ require: Requirement) throws(ConfigurationError) {
    try require(count >= 0, "rounds.count", count, "0 (train once) or more")
    try require((0...1).contains(tolerance), "rounds.tolerance", tolerance, "0 to 1")
    try require(deviations > 0, "rounds.deviations", deviations, "above 0")
    try require(mapThreshold >= 0, "rounds.mapThreshold", mapThreshold, "0 (robust) or a value of the map")
    try require(cellShare > 0 && cellShare <= 1, "rounds.cellShare", cellShare, "above 0, up to 1")
    try require(cap > 0 && cap <= 1, "rounds.cap", cap, "above 0, up to 1")
    try require(samples >= 1, "rounds.samples", samples, "1 or more")
    try require(decodings >= 1, "rounds.decodings", decodings, "1 or more")
  }
}

extension TokenMaskingConfiguration {
  /// `token-masking`.
  public static var method: DetectionMethod { .tokenMasking }

  /// Every round has weights of its own, and the stages choose their epochs.
  public func validate(within run: RunConfiguration) throws(ConfigurationError) {
    guard run.training.weightAverage == 0 else {
      throw .invalidValue(
        key: "training.weightAverage", value: "\(run.training.weightAverage)",
        allowed: "0: every round has weights of its own")
    }
    guard run.training.checkpoint == .last else {
      throw .invalidValue(
        key: "training.checkpoint", value: run.training.checkpoint.rawValue,
        allowed: "last; detector.transformer.validationShare chooses the epoch")
    }
  }
  /// Fresh weights.
  public func makeDetector(in run: RunConfiguration) throws -> any AnomalyDetector {
    try TokenMaskingDetector(self, seed: run.seed, range: run.inputSpecification.background...1)
  }
}
