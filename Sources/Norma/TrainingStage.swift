public import Torch

/// A part of training with its own optimisers.
public struct TrainingStage {
  /// What the stage trains, for the log and checkpoints.
  public let name: String
  /// What moves in each iteration, in this order.
  public let updates: [TrainingUpdate]
  /// Passes over the training images; nil: as the run's configuration says.
  public let epochs: Int?
  /// Images per iteration; nil: as the run's configuration says.
  public let batchSize: Int?
  /// Whether losses look at images; otherwise they get an empty batch, and `TrainingStep.indices` tell which images it is.
  public let readsImages: Bool
  /// Whether the detector can score images while the stage is trained.
  public let givesScores: Bool
  /// The name of a checkpoint that is written when the stage is trained; nil: none before the end.
  public let checkpoint: String?

  /// A stage that follows the run's configuration, unless told otherwise.
  init(
    name: String, updates: [TrainingUpdate], epochs: Int? = nil, batchSize: Int? = nil, readsImages: Bool = true,
    givesScores: Bool = true, checkpoint: String? = nil
  ) {
    (self.name, self.updates, self.epochs, self.batchSize) = (name, updates, epochs, batchSize)
    (self.readsImages, self.givesScores, self.checkpoint) = (readsImages, givesScores, checkpoint)
  }
}

/// What a detector finds of a stage before it is trained.
public enum StagePreparation {
  /// It can be trained.
  case ready(StageRecord?)
  /// It is not needed any more.
  case unneeded(StageRecord?)
  /// The pass over the training images was interrupted; the detector's training state knows how far it came.
  case interrupted
}

/// What preparing a stage found, for people.
public struct StageRecord {
  /// The name of the file of the arrays, and of the event in the log.
  public let name: String
  /// Figures for the log.
  public let figures: [(name: String, value: Double)]
  /// Arrays that are kept in a file of their own; none: no file.
  public let arrays: [String: Tensor]
}

/// The training images between stages: in order, without augmentation, in network scale.
public struct TrainingImages {
  /// The volume that each image is a part of, in order; empty where each is whole.
  public let subjects: [Int]
  private let visit: (Int, Int, (Tensor, Range<Int>) throws -> Void) throws -> Bool

  init(subjects: [Int] = [], visit: @escaping (Int, Int, (Tensor, Range<Int>) throws -> Void) throws -> Bool) {
    (self.subjects, self.visit) = (subjects, visit)
  }

  /// Calls `body` with batches of `size` images, from image `start` on, and their indices; false when interrupted between two.
  public func forEachBatch(
    from start: Int, size: Int, _ body: (Tensor, Range<Int>) throws -> Void
  ) throws -> Bool {
    try visit(start, size, body)
  }
}
