/// Everything that defines a SimSID or SQUID detector; the defaults are the published preset (`paper`).
///
/// Sources: SimSID, arXiv 2403.08689, §3 and §4.2; switches of its Table II and Figure 8.
public struct SimSIDConfiguration: DetectorConfiguration {
  /// How the weights of memory items are made sparse (§3.2).
  public enum Shrinkage: String, Codable, CaseIterable, Sendable {
    /// Gumbel shrinkage: of the softmax weights the largest survive, gradients pass straight through.
    case topItems
    /// Raw products below `hardThreshold` vanish, as in MemAE.
    case hard
    /// Plain softmax.
    case none
  }
  /// What the in-painting block reads.
  public enum InpaintMemory: String, Codable, CaseIterable, Sendable {
    /// Learned items (SimSID).
    case matrix
    /// Recent training features (SQUID).
    case queue
  }
  /// Which part of a decoder feature map goes to which memory block.
  public enum DecoderMemory: String, Codable, CaseIterable, Sendable {
    /// Every patch is cut into `decoderWindows` windows; a block serves its window of every patch (official code, V1).
    case windows
    /// A block serves one patch location (the paper's description, V3).
    case perPatch
    /// No memory at this level.
    case none
  }
  /// How much of the in-painting block is there.
  public enum Inpainting: String, Codable, CaseIterable, Sendable {
    /// Memory read and neighbourhood mixing.
    case full
    /// Memory read only.
    case memoryOnly
    /// The decoder receives the encoder's bottleneck.
    case off
  }
  /// How a patch looks at its neighbours.
  public enum InpaintMixer: String, Codable, CaseIterable, Sendable {
    /// Multi-head attention with feed-forward layer.
    case attention
    /// A 3×3 convolution over the patch grid whose centre is zero.
    case convolution
  }
  /// What is cut from the teacher's gradient.
  public enum TeacherStopGradient: String, Codable, CaseIterable, Sendable {
    /// Bottleneck and skips: the teacher never trains the encoder.
    case bottleneckAndSkips
    /// Skips only (the official code with its switch off).
    case skips
    /// Nothing.
    case none
  }
  /// The last non-linearity, and with it the range of the input.
  public enum Output: String, Codable, CaseIterable, Sendable {
    /// Input and output in −1 ... 1.
    case tanh
    /// Input and output in 0 ... 1.
    case sigmoid
  }
  /// Which statistics the discriminator's batch norms use in scoring (§3.4 and the official code).
  public enum DiscriminatorStatistics: String, Codable, CaseIterable, Sendable {
    /// Of the scored image alone: independent of the batch, and what the official code amounts to.
    case perImage
    /// Running statistics of training.
    case running
  }

  // MARK: Network

  /// Image side in pixels, a multiple of 16 · `patchGrid`, and a power of two (§4.2).
  public var imageSize = 128
  /// Patches along each side (Figure 8: best at 4).
  public var patchGrid = 4
  /// Channels of the outermost level; each level doubles them.
  public var width = 32
  /// Items per memory block (Figure 8: best at 100).
  public var slots = 100
  /// k of the Gumbel shrinkage (Figure 8: best at 5).
  public var activeItems = 5
  /// Whether the k-th item itself is dropped, as the official code does, so that k − 1 remain.
  public var strictThreshold = true
  /// Sparsity of the memory read.
  public var shrinkage = Shrinkage.topItems
  /// λ of hard shrinkage.
  public var hardThreshold = 0.005
  /// Whether each location has its own block (Table II, first row).
  public var spaceAware = true
  /// In-painting memory (Table II, "w/ Memory Queue").
  public var inpaintMemory = InpaintMemory.matrix
  /// In-painting block (Table II, "w/o in-painting block").
  public var inpainting = Inpainting.full
  /// Neighbourhood mixing (Table II, "convolution layers instead of transformer").
  public var inpaintMixer = InpaintMixer.attention
  /// Memories after the two inner decoder levels, deepest first (Table II, "w/o hierarchical memory").
  public var decoderMemories = [DecoderMemory.windows, .windows]
  /// Windows per patch of a `windows` memory: 1, 4 or 16.
  public var decoderWindows = 4
  /// Width that decoder features are brought down to before a memory and up from after it; 0: not at all (as published).
  public var decoderReducedWidth = 0
  /// Skips from the two inner encoder levels (Table II, "w/o skip connection").
  public var skips = true
  /// Decoder levels that work on the recombined image, 1 or 2.
  public var recombinedLevels = 2
  /// Teacher decoder and distillation (Table II, "w/o knowledge distillation").
  public var distillation = true
  /// Stop-gradient to the teacher (Table II, "w/o stop gradient").
  public var teacherStopGradient = TeacherStopGradient.bottleneckAndSkips
  /// ρ of the in-painting block's masked shortcut in training; 1 is none.
  public var inpaintRetention = 1.0
  /// ρ of the decoder memories' masked shortcut in training; 1 is none.
  public var decoderRetention = 1.0
  /// Share of 8×8 input cells set to zero in training (Table II, "pixel-level in-painting": 0.25, inpainting off).
  public var pixelMaskRatio = 0.0
  /// Last non-linearity.
  public var output = Output.tanh
  /// Most channels of the discriminator: 256, in SQUID 128.
  public var discriminatorChannels = 256

  // MARK: Training (§3.5, §4.2)

  /// Loss weights λ.
  public struct LossWeights: Codable, Equatable, Sendable {
    /// Teacher reconstruction.
    public var teacher = 0.01
    /// Student reconstruction.
    public var student = 10.0
    /// Distillation.
    public var distillation = 0.001
    /// Adversarial, for the generator.
    public var generator = 0.005
    /// Adversarial, for the discriminator.
    public var discriminator = 0.005
  }
  /// Loss weights.
  public var lossWeights = LossWeights()
  /// Learning rate of generator and discriminator at the start.
  public var learningRate = 1e-4
  /// Learning rate that the cosine schedule ends at.
  public var finalLearningRate = 2e-5
  /// Epochs of half a cosine; 0 is the whole run.
  public var cosinePeriod = 0
  /// Whether the discriminator follows the schedule (paper) or keeps its rate (official code).
  public var discriminatorFollowsSchedule = true
  /// Coupled L2 decay of the generator.
  public var weightDecay = 1e-5
  /// The generator moves every so many iterations.
  public var criticIterations = 2

  // MARK: Scoring

  /// The score that ranks images.
  public var scoring = SimSIDScore.default
  /// Statistics of the discriminator's batch norms in scoring.
  public var discriminatorStatistics = DiscriminatorStatistics.perImage

  /// The `paper` preset.
  public init() {}

  /// Channels that the in-painting block reduces the bottleneck to: a quarter, 128 at the published width.
  public var inpaintChannels: Int { 4 * width }
  /// Width of the in-painting features of one patch: its reduced bottleneck map, flattened.
  public var inpaintWidth: Int { inpaintChannels * bottleneckSide * bottleneckSide }
  /// Side of one patch's bottleneck map.
  public var bottleneckSide: Int { imageSize / patchGrid / 16 }
  /// Number of patches.
  public var patches: Int { patchGrid * patchGrid }

  /// Checks what the types cannot.
  /// - Throws: `ConfigurationError` naming the key, what it holds and what it may hold.
  public func validate() throws(ConfigurationError) {
    try require([1, 2, 4, 8].contains(patchGrid), "patchGrid", patchGrid, "1, 2, 4 or 8")
    try require(
      imageSize >= 32 && imageSize % (16 * patchGrid) == 0 && imageSize.nonzeroBitCount == 1, "imageSize", imageSize,
      "a power of two, at least 32, that 16 × patchGrid (\(16 * patchGrid)) divides")
    try require(width >= 2 && width % 2 == 0, "width", width, "an even number, so that 8 heads divide the attention")
    try require(slots >= 1, "slots", slots, "1 or more")
    let fewest = strictThreshold ? 2 : 1
    try require(
      shrinkage != .topItems || (fewest...max(slots, fewest)).contains(activeItems), "activeItems", activeItems,
      "\(fewest) to slots (\(slots)); with strictThreshold one item fewer survives")
    try require(decoderMemories.count == 2, "decoderMemories", decoderMemories.map(\.rawValue), "two levels")
    let root = [1: 1, 4: 2, 16: 4][decoderWindows]
    try require(root != nil, "decoderWindows", decoderWindows, "1, 4 or 16")
    try require(
      decoderMemories[0] != .windows || (2 * bottleneckSide) % (root ?? 1) == 0, "decoderWindows", decoderWindows,
      "a grid that divides the first decoder map of \(2 * bottleneckSide) × \(2 * bottleneckSide)")
    try require(
      decoderReducedWidth >= 0, "decoderReducedWidth", decoderReducedWidth, "0 (no reduction) or a number of features")
    try require((1...2).contains(recombinedLevels), "recombinedLevels", recombinedLevels, "1 or 2")
    try require((0...1).contains(inpaintRetention), "inpaintRetention", inpaintRetention, "0 to 1")
    try require((0...1).contains(decoderRetention), "decoderRetention", decoderRetention, "0 to 1")
    try require((0..<1).contains(pixelMaskRatio), "pixelMaskRatio", pixelMaskRatio, "0 to below 1")
    try require(learningRate > 0, "learningRate", learningRate, "above 0")
    try require(
      (0...learningRate).contains(finalLearningRate), "finalLearningRate", finalLearningRate, "0 to learningRate")
    try require(cosinePeriod >= 0, "cosinePeriod", cosinePeriod, "0 (the whole run) or a number of epochs")
    try require(criticIterations >= 1, "criticIterations", criticIterations, "1 or more")
  }
}

extension SimSIDConfiguration {
  /// `simsid`.
  public static var method: DetectionMethod { .simSID }

  /// The output's range decides the input's.
  public func validate(within run: RunConfiguration) throws(ConfigurationError) {
    guard (output == .sigmoid) == (run.input.intensity == .unit) else {
      throw .invalidValue(
        key: "input.intensity", value: run.input.intensity.rawValue,
        allowed: output == .sigmoid
          ? "unit, as detector.output is sigmoid" : "symmetric or standardised, as detector.output is tanh")
    }
  }
  /// Fresh weights.
  public func makeDetector(in run: RunConfiguration) throws -> any AnomalyDetector {
    try SimSIDDetector(self, seed: run.seed, epochs: run.training.epochs)
  }
}
