/// Everything that defines a MemMC-MAE detector; the defaults are the published preset (`paper`).
///
/// Sources: Tian et al. 2023, arXiv 2203.11725; masked autoencoders (MAE), He et al. 2022; the two operators, Meshed-Memory
/// Transformer (M²), Cornia et al. 2020.
public struct MemMCMAEConfiguration: DetectorConfiguration {
  /// What the decoder's cross-attention reads.
  public enum CrossAttention: String, Codable, CaseIterable, Sendable {
    /// Every meshed encoder level through a gate of its own.
    case multiLevel
    /// The last encoder level, without a gate.
    case lastLevel
    /// Nothing: there is no cross-attention, as in plain MAE.
    case none
  }
  /// How the masks of scoring are drawn.
  public enum MaskSelection: String, Codable, CaseIterable, Sendable {
    /// Each mask by itself.
    case random
    /// In groups that partition the patches: each patch is visible in exactly one mask of a group.
    case complementary
  }
  /// Where a reconstruction stands in for the image before the two are compared.
  public enum ReconstructionMode: String, Codable, CaseIterable, Sendable {
    /// In hidden patches; the others are the image's own.
    case hidden
    /// Everywhere.
    case full
  }

  // MARK: Network

  /// Image side in pixels, a multiple of `patchSize`.
  public var imageSize = 256
  /// Patch side in pixels.
  public var patchSize = 16
  /// Encoder blocks, L (ViT-B).
  public var encoderDepth = 12
  /// Encoder features, D.
  public var encoderWidth = 768
  /// Encoder attention heads, h.
  public var encoderHeads = 12
  /// Decoder blocks, L′ (MAE).
  public var decoderDepth = 8
  /// Decoder features, D′.
  public var decoderWidth = 512
  /// Decoder attention heads.
  public var decoderHeads = 16
  /// Learned keys and values that the encoder's attention reads beside the tokens, m (M²); 0: plain attention.
  public var memorySlots = 40
  /// What the decoder's cross-attention reads.
  public var crossAttention = CrossAttention.multiLevel
  /// Encoder levels that `multiLevel` reads, evenly spaced up to the last; 0: all.
  public var meshedLevels = 0

  // MARK: Training

  /// Share of the patches that is hidden, r.
  public var maskRatio = 0.75
  /// Whether every patch of the target is standardised by its own mean and variance (MAE §3, "reconstruction target").
  public var normalisesPatches = false
  /// Learning rate for a batch of 256 images; the rate is this times batch / 256.
  public var baseLearningRate = 1.5e-4
  /// Epochs of linear warm-up before the cosine.
  public var warmUpEpochs = 40
  /// Decoupled decay of matrices; biases and norms do not decay.
  public var weightDecay = 0.05

  // MARK: Scoring

  /// The score that ranks images.
  public var scoring = MemMCMAEScore.default
  /// Passes with a mask each over every image, K.
  public var masks = 10
  /// How the masks of scoring are drawn.
  public var maskSelection = MaskSelection.random
  /// Seeds the masks of scoring: a score is a function of model, image and this.
  public var maskSeed = 1
  /// Where a reconstruction stands in for the image.
  public var reconstruction = ReconstructionMode.hidden

  /// The `paper` preset.
  public init() {}

  /// Patches of one image, n.
  var patches: Int { (imageSize / patchSize) * (imageSize / patchSize) }
  /// Patches that stay visible, v.
  var visiblePatches: Int { PatchMask.visibleCount(of: patches, ratio: maskRatio) }

  /// Checks what the types cannot.
  /// - Throws: `ConfigurationError` naming the key, what it holds and what it may hold.
  public func validate() throws(ConfigurationError) {
    try require(patchSize >= 1, "patchSize", patchSize, "1 or more")
    try require(
      imageSize >= 16 && imageSize % patchSize == 0, "imageSize", imageSize,
      "at least 16 and a multiple of patchSize (\(patchSize))")
    for (side, depth, width, heads) in [
      ("encoder", encoderDepth, encoderWidth, encoderHeads), ("decoder", decoderDepth, decoderWidth, decoderHeads),
    ] {
      try require(depth >= 1, "\(side)Depth", depth, "1 or more")
      try require(heads >= 1, "\(side)Heads", heads, "1 or more")
      try require(
        width >= 4 && width % 4 == 0 && width % heads == 0, "\(side)Width", width,
        "a multiple of 4 and of \(side)Heads (\(heads))")
    }
    try require(memorySlots >= 0, "memorySlots", memorySlots, "0 (no memory) or a number of slots")
    try require(
      (0...encoderDepth).contains(meshedLevels), "meshedLevels", meshedLevels,
      "0 (all) to encoderDepth (\(encoderDepth))")
    try require(maskRatio > 0 && maskRatio < 1, "maskRatio", maskRatio, "above 0, below 1")
    try require(
      (1..<patches).contains(visiblePatches), "maskRatio", maskRatio,
      "such that at least one of \(patches) patches is hidden and one visible")
    try require(baseLearningRate > 0, "baseLearningRate", baseLearningRate, "above 0")
    try require(warmUpEpochs >= 0, "warmUpEpochs", warmUpEpochs, "0 or more")
    try require(weightDecay >= 0, "weightDecay", weightDecay, "0 or more")
    try require(masks >= 1, "masks", masks, "1 or more")
    try require(maskSeed >= 0, "maskSeed", maskSeed, "0 or more")
    guard maskSelection == .complementary else { return }
    let group = patches / visiblePatches
    try require(
      patches % visiblePatches == 0, "maskSelection", maskSelection.rawValue,
      "random, as \(visiblePatches) visible patches do not divide \(patches)")
    try require(masks % group == 0, "masks", masks, "a multiple of \(group), the masks of one partition")
  }
}

extension MemMCMAEConfiguration {
  /// `memmc-mae`.
  public static var method: DetectionMethod { .memMCMAE }

  /// The score's range is the input's.
  public func validate(within run: RunConfiguration) throws(ConfigurationError) {
    guard run.input.intensity != .unit else {
      throw .invalidValue(
        key: "input.intensity", value: "unit", allowed: "symmetric or standardised: the score compares −1 ... 1")
    }
  }
  /// Fresh weights.
  public func makeDetector(in run: RunConfiguration) throws -> any AnomalyDetector {
    try MemMCMAEDetector(self, seed: run.seed, training: run.training)
  }
}
