public import MedicalImaging

/// The settings of one method.
public protocol DetectorConfiguration: Codable, Equatable, Sendable {
  /// The method that these are the settings of.
  static var method: DetectionMethod { get }
  /// Switches that take the method's parts away one by one; usually those of its paper's ablations.
  static var ablations: [Ablation] { get }
  /// The published preset.
  init()
  /// Image side in pixels that the method works at.
  var imageSize: Int { get }
  /// Sides of what the method works on, slowest first: `[height, width]`, or `[depth, height, width]` of volumes.
  var inputExtents: [Int] { get }
  /// Whether the method also reads the paired image, of another modality on the same grid, as a second channel.
  var readsPaired: Bool { get }
  /// Checks what the types cannot.
  /// - Throws: `ConfigurationError` naming the key.
  func validate() throws(ConfigurationError)
  /// Checks what the rest of a run's configuration must be for this method; usually anything.
  /// - Throws: `ConfigurationError` naming the key.
  func validate(within run: RunConfiguration) throws(ConfigurationError)
  /// Builds the detector with fresh weights.
  /// - Parameter run: the configuration that these settings are part of: seed, epochs, range of the input.
  /// - Throws: `TorchError` when memory or device fail.
  func makeDetector(in run: RunConfiguration) throws -> any AnomalyDetector
}

extension DetectorConfiguration {
  /// Square images.
  public var inputExtents: [Int] { [imageSize, imageSize] }
  /// No.
  public var readsPaired: Bool { false }
  /// Anything.
  public func validate(within run: RunConfiguration) throws(ConfigurationError) {}

  /// Refuses one of the method's settings unless it holds what it may.
  /// - Parameters:
  ///   - key: the setting's, below `detector`.
  ///   - allowed: what it may be, for people.
  func require(
    _ holds: Bool, _ key: String, _ value: some Sendable, _ allowed: String
  ) throws(ConfigurationError) {
    guard holds else { throw .invalidValue(key: "detector.\(key)", value: "\(value)", allowed: allowed) }
  }
}

/// Everything that defines a training run; it travels whole in the checkpoint.
public struct RunConfiguration: Equatable, Sendable {
  /// Seeds weights, order, augmentation and splits.
  public var seed = 1
  /// How images become network input.
  public var input = InputConfiguration()
  /// Random changes of training images.
  public var augmentation = AugmentationConfiguration()
  /// How long and how to train.
  public var training = TrainingConfiguration()
  /// Which images to train on.
  public var data = DataConfiguration()
  /// Threshold and display range from normal training images.
  public var calibration = CalibrationConfiguration()
  /// The method and its own settings.
  public var detector: DetectorSettings

  /// The defaults around a method's settings.
  public init(detector: DetectorSettings) {
    self.detector = detector
  }

  /// Checks every part.
  /// - Throws: `ConfigurationError` naming the key.
  public func validate() throws(ConfigurationError) {
    func require(_ holds: Bool, _ key: String, _ value: some Sendable, _ allowed: String) throws(ConfigurationError) {
      guard holds else { throw .invalidValue(key: key, value: "\(value)", allowed: allowed) }
    }
    try require(seed >= 0, "seed", seed, "0 or more")
    try require(
      (0...0.5).contains(augmentation.translation), "augmentation.translation", augmentation.translation, "0 to 0.5")
    try require((0..<1).contains(augmentation.scale), "augmentation.scale", augmentation.scale, "0 to below 1")
    try require(
      augmentation.smallestCrop > 0 && augmentation.smallestCrop <= 1, "augmentation.smallestCrop",
      augmentation.smallestCrop, "above 0, up to 1 (no cropping)")
    try input.validate(extents: detector.settings.inputExtents)
    try require(training.epochs >= 1, "training.epochs", training.epochs, "1 or more")
    try require(training.batchSize >= 2, "training.batchSize", training.batchSize, "2 or more")
    try require(
      (0..<1).contains(training.weightAverage), "training.weightAverage", training.weightAverage, "0 to below 1")
    try require(
      training.checkpoint != .average || training.weightAverage > 0, "training.checkpoint", "average",
      "last or bestValidation while training.weightAverage is 0")
    try require(
      training.checkpointInterval >= 0, "training.checkpointInterval", training.checkpointInterval,
      "0 (none before the end) or a number of epochs")
    if !data.set.isEmpty { try data.publishedSet() }
    try require(data.validationNormal >= 0, "data.validationNormal", data.validationNormal, "0 or more")
    try require(data.validationAbnormal >= 0, "data.validationAbnormal", data.validationAbnormal, "0 or more")
    try require((0...1).contains(data.contamination), "data.contamination", data.contamination, "0 to 1")
    try require(
      data.trainingImages >= 0, "data.trainingImages", data.trainingImages, "0 (as many as are normal) or a number")
    try require(data.limit >= 0, "data.limit", data.limit, "0 (all) or a number of images")
    try require(
      (0...1_000_000_000).contains(data.memoryLimit), "data.memoryLimit", data.memoryLimit,
      "0 to 1000000000 megabytes")
    try require(
      training.checkpoint != .bestValidation || (data.validationNormal > 0 && data.validationAbnormal > 0),
      "training.checkpoint", "bestValidation",
      "last or average unless data.validationNormal and data.validationAbnormal are above 0")
    try require((0..<1).contains(calibration.quantile), "calibration.quantile", calibration.quantile, "0 to below 1")
    try detector.settings.validate()
    try detector.settings.validate(within: self)
    let side = detector.settings.imageSize
    try require(side <= Self.largestImageSize, "detector.imageSize", side, "at most \(Self.largestImageSize)")
  }

  private static let largestImageSize = 8192
}

/// Random changes of training images (SimSID §4.2: ±5 % translation, 0.95 to 1.05 scale, no rotation). Flipping and
/// cropping are off unless a preset says otherwise: a mirrored chest is not a normal one.
public struct AugmentationConfiguration: Codable, Equatable, Sendable {
  /// Largest shift as a share of the side, in whole pixels.
  public var translation = 0.05
  /// Largest relative change of size.
  public var scale = 0.05
  /// Whether half of the images are mirrored left to right; not for anatomy that has sides.
  public var horizontalFlip = false
  /// Smallest share of an image's area that a random crop, resized to the whole, keeps; 1 crops nothing.
  public var smallestCrop = 1.0
  /// How moved images are read; the official code takes the nearest pixel.
  public var interpolation = Sampling.linear

  /// How moved images are read.
  public enum Sampling: String, Codable, CaseIterable, Sendable {
    /// The nearest pixel.
    case nearest
    /// Bilinear.
    case linear
  }

  /// The published amounts, read bilinearly.
  public init() {}
}

/// How long and how to train.
public struct TrainingConfiguration: Codable, Equatable, Sendable {
  /// Which weights a finished run keeps.
  public enum CheckpointRule: String, Codable, CaseIterable, Sendable {
    /// Those of the last epoch.
    case last
    /// Their exponential moving average at the end.
    case average
    /// Those of the epoch with the best AUROC on labelled validation images: uses labels of anomalies.
    case bestValidation
  }
  /// Number formats of matrix products and convolutions.
  public enum Precision: String, Codable, CaseIterable, Sendable {
    /// Single precision throughout.
    case float32
    /// Mixed precision with bfloat16.
    case bfloat16
  }
  /// Passes over the training images.
  public var epochs = 200
  /// Images per iteration; a last batch of one image is dropped.
  public var batchSize = 16
  /// Decay of the weight average per update; 0 keeps none.
  public var weightAverage = 0.0
  /// Which weights a finished run keeps.
  public var checkpoint = CheckpointRule.last
  /// Number formats.
  public var precision = Precision.float32
  /// Epochs between two checkpoints to resume from; 0: none before the end.
  public var checkpointInterval = 10

  /// 200 epochs, last weights.
  public init() {}
}

/// Which images to train on.
public struct DataConfiguration: Codable, Equatable, Sendable {
  /// The published data set that the folder is, by its name (`PublishedDataSet`); empty: told from how the files lie.
  public var set = ""
  /// What part of a published data set is used, for example `bottle` of MVTec AD or `t2` of BraTS; empty: its usual one.
  public var part = ""
  /// What images are whose findings are uncertain at most (CheXpert).
  public var uncertain = UncertainFindings.ignore
  /// The class folder of normal images; empty: found by its name. Of a NumPy archive, the labels that are normal, separated
  /// by commas.
  public var normalClass = ""
  /// Normal images set aside from training for validation.
  public var validationNormal = 0
  /// Abnormal images set aside from training for validation.
  public var validationAbnormal = 0
  /// Share of abnormal images put among the training images in place of normal ones.
  public var contamination = 0.0
  /// Where the abnormal images come from that `contamination` and `validationAbnormal` take.
  public var abnormalPool = AbnormalPool.train
  /// Images to train on, abnormal ones included; 0: as many as there are normal ones.
  public var trainingImages = 0
  /// Images of each label and split to use; 0: all.
  public var limit = 0
  /// Megabytes of prepared images to keep in memory; the rest is read again each epoch.
  public var memoryLimit = 4096

  /// All images, none set aside.
  public init() {}

  /// Where abnormal images among the training images come from.
  public enum AbnormalPool: String, Codable, CaseIterable, Sendable {
    /// The data set's training split; no test image is ever trained on.
    case train
    /// Half of the abnormal test images, which are then not tested on: for data sets such as MVTec AD, whose training split has
    /// normal images alone. The other half stays, the same in all runs.
    case halfTest = "half-test"
  }
}

/// Threshold and display range from normal training images.
public struct CalibrationConfiguration: Codable, Equatable, Sendable {
  /// Which images give mean and standard deviation of a score.
  public enum Moments: String, Codable, CaseIterable, Sendable {
    /// All normal training images, as they are (eq. 2).
    case training
    /// The first 201 training images, augmented, as the official code does.
    case official
  }
  /// Share of normal images below the threshold.
  public var quantile = 0.95
  /// Which images give mean and standard deviation of a score.
  public var moments = Moments.training

  /// 95 %.
  public init() {}
}
