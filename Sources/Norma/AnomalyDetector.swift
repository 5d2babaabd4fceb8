public import Torch

/// A method that learns what normal looks like and scores images against it.
///
/// It declares stages of training and their losses; `Trainer` owns loops, optimisers, schedules and checkpoints. What is
/// fitted rather than trained (reference features, statistics) is kept in `fitted`.
public protocol AnomalyDetector: AnyObject {
  /// All trained weights and their statistics.
  var network: Module { get }

  /// Tensors that `fit` computed, by key; empty before.
  var fitted: [String: Tensor] { get set }

  /// Takes up weights of others that the configuration names as files. Called when a run begins, never when a checkpoint is
  /// loaded: what a file held is in the checkpoint.
  /// - Throws: an error naming the file and what is wrong with it.
  func readGivenWeights() throws

  /// Whether calibration tells which of the fitted images each one is (`ReferenceMatch.among`), as parts of them are kept;
  /// otherwise it may say no more than that it is one of them.
  var tellsReferencesApart: Bool { get }

  /// The stages of training, in order; none for methods without gradients.
  var stages: [TrainingStage] { get }

  /// The losses of one update on a batch in network scale: `[B, 1, H, W]`, `[B, 1, D, H, W]` of volumes, with a second
  /// channel where the configuration `readsPaired`. Updates of one iteration come in the stage's order, on the same batch.
  func losses(of update: TrainingUpdate, on batch: Tensor, step: TrainingStep) throws -> Losses

  /// What an epoch's mean losses say that people should know, each a sentence; usually nothing.
  func warnings(about losses: [String: Double]) -> [String]

  /// Called after the optimiser has moved the update's weights.
  func didApply(_ update: TrainingUpdate) throws

  /// Called before a stage is trained; it may look at the training images, and may find that the stage is not needed.
  func prepare(_ stage: TrainingStage, from images: TrainingImages) throws -> StagePreparation

  /// Called after every epoch of a stage; returns figures for the log.
  func endEpoch(of stage: TrainingStage) throws -> [(name: String, value: Double)]

  /// Called when a stage is trained, and again when a run that was stopped then is resumed.
  func end(_ stage: TrainingStage) throws

  /// How the weights are chosen where the configuration asks for the last ones, in words.
  var weightChoice: String { get }

  /// What a run resumes from beside weights and optimisers, by key; usually nothing.
  func trainingState() throws -> [String: Tensor]

  /// Takes up what `trainingState` gave.
  func resume(from state: [String: Tensor]) throws

  /// Computes `fitted` from normal training images.
  /// - Parameter batches: calls its argument with batches in network scale, without augmentation, in order.
  func fit(_ batches: ((Tensor) throws -> Void) throws -> Void) throws

  /// Images that are best scored at once: as many as fit into the processor's caches, or the device's memory.
  func scoringBatchSize(on device: Device) -> Int

  /// Whether scores are known to rank images as before when the networks' products are rounded to bfloat16: AUROC moves by
  /// 0.002 at most.
  var scoresInMixedPrecision: Bool { get }

  /// The scores that `scores` gives; the first is the default.
  var scoreNames: [String] { get }

  /// Scores `[B]` by name, larger for more unusual images, of a batch in network scale.
  /// - Parameters:
  ///   - names: the scores that are wanted; nothing else need be computed.
  ///   - areReferences: whether the images are among those that `fit` saw: none may be compared with itself.
  func scores(_ batch: Tensor, named names: Set<String>, areReferences: ReferenceMatch) throws -> [String: Tensor]

  /// Anomaly maps and reconstructions of a batch in network scale.
  func explanation(of batch: Tensor) throws -> Explanation
}

extension AnomalyDetector {
  /// 32.
  public func scoringBatchSize(on device: Device) -> Int { 32 }

  /// There are none.
  public func readGivenWeights() throws {}

  /// No.
  public var tellsReferencesApart: Bool { false }

  /// Nothing is fitted.
  public var fitted: [String: Tensor] {
    get { [:] }
    set {}
  }

  /// Nothing is fitted.
  public func fit(_ batches: ((Tensor) throws -> Void) throws -> Void) throws {}

  /// Nothing follows an update.
  public func didApply(_ update: TrainingUpdate) throws {}

  /// Not known.
  public var scoresInMixedPrecision: Bool { false }

  /// Nothing.
  public func warnings(about losses: [String: Double]) -> [String] { [] }

  /// The last.
  public var weightChoice: String { "last epoch" }

  /// Every stage is ready.
  public func prepare(_ stage: TrainingStage, from images: TrainingImages) throws -> StagePreparation { .ready(nil) }

  /// No figures.
  public func endEpoch(of stage: TrainingStage) throws -> [(name: String, value: Double)] { [] }

  /// Nothing.
  public func end(_ stage: TrainingStage) throws {}

  /// Nothing.
  public func trainingState() throws -> [String: Tensor] { [:] }

  /// Nothing.
  public func resume(from state: [String: Tensor]) throws {}

  /// All scores of a batch.
  func scores(_ batch: Tensor, areReferences: ReferenceMatch) throws -> [String: Tensor] {
    try scores(batch, named: Set(scoreNames), areReferences: areReferences)
  }
}

extension CaseIterable where Self: Equatable {
  /// All cases, this one first: how scores are listed, the configured one before the others.
  static func all(startingWith first: Self) -> [Self] { [first] + allCases.filter { $0 != first } }
}

/// A detector whose fitting compares normal images with each other, and that must know which of them show the same volume.
public protocol ReferenceComparing: AnomalyDetector {
  /// Computes `fitted` from normal training images.
  /// - Parameters:
  ///   - batches: as for `AnomalyDetector.fit`.
  ///   - subjects: of every image in order, the volume that it is a part of, so that none is compared with its own; empty
  ///     where each image is whole.
  func fit(_ batches: ((Tensor) throws -> Void) throws -> Void, subjects: [Int]) throws
}

extension ReferenceComparing {
  /// Fits to whole images.
  public func fit(_ batches: ((Tensor) throws -> Void) throws -> Void) throws { try fit(batches, subjects: []) }
}

/// Whether a batch holds images that `AnomalyDetector.fit` saw, so that none is compared with itself.
public enum ReferenceMatch: Equatable, Sendable, ExpressibleByBooleanLiteral {
  /// They are others.
  case others
  /// Each is one of them.
  case itself
  /// Each is one of them, at these places of all, which are of these subjects: slices of one volume are as good as the same
  /// image, and none is compared with another. Where there is one volume only, with itself alone.
  case among(_ subjects: [Int], at: [Int])

  /// Images that `fit` sees, at these places of all; `subjects` are empty where each is its own.
  static func fitted(_ subjects: [Int], at places: [Int]) -> ReferenceMatch {
    subjects.isEmpty ? .itself : .among(subjects, at: places)
  }

  /// `itself` or `others`.
  public init(booleanLiteral value: Bool) { self = value ? .itself : .others }
}

/// Why images were scored as they were.
public struct Explanation {
  /// Maps by name, `[B, h, w]`, of volumes `[B, d, h, w]`, larger where more unusual; the first is shown by default.
  public let maps: [(name: String, values: Tensor)]
  /// The images as the method thinks them normal, shaped like the batch, in network scale; the first channel is shown. Nil
  /// for methods that do not say.
  public let reconstruction: Tensor?
  /// Other pictures of how the method came to that, by caption, like the reconstruction; usually none.
  public let steps: [(name: String, images: Tensor)]

  /// Puts an explanation together.
  init(maps: [(name: String, values: Tensor)], reconstruction: Tensor?, steps: [(name: String, images: Tensor)] = []) {
    (self.maps, self.reconstruction, self.steps) = (maps, reconstruction, steps)
  }
}

/// Named losses of one update.
public struct Losses {
  /// What is minimised.
  public let total: Tensor
  /// The parts, for the log, before weighting.
  public let parts: [(name: String, value: Tensor)]
}

/// Weights that move together.
public struct TrainingUpdate {
  /// The update's name, for the log and checkpoints.
  public let name: String
  /// Whose weights move.
  public let module: Module
  /// The optimiser's settings.
  public let options: any OptimiserOptions
  /// The learning rate over the epochs.
  public let schedule: LearningRateSchedule
  /// The update is due in every so many iterations, the first included.
  public let interval: Int
}

/// One iteration, as a detector sees it.
public struct TrainingStep {
  /// Names of the updates that are due.
  public let due: Set<String>
  /// The source of random numbers for masks and the like.
  public let random: Generator
  /// Which of the training images the batch holds, in its order.
  public let indices: [Int]
  /// Iterations of the epoch before this one.
  public let iteration: Int
  /// Iterations of the stage before this one.
  public let count: Int
  /// How much of the stage is done, by epochs: 0 in the first, below 1 in the last.
  public let share: Double

  /// An iteration; a first one unless told otherwise.
  init(
    due: Set<String>, random: Generator, indices: [Int] = [], iteration: Int = 0, count: Int = 0, share: Double = 0
  ) {
    (self.due, self.random, self.indices) = (due, random, indices)
    (self.iteration, self.count, self.share) = (iteration, count, share)
  }
}

extension RunConfiguration {
  /// Builds the detector with fresh weights.
  /// - Throws: `TorchError` when memory or device fail.
  public func makeDetector() throws -> any AnomalyDetector {
    try detector.settings.makeDetector(in: self)
  }
}
