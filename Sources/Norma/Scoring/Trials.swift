public import Foundation
public import Torch

/// Training and evaluating the same configuration under several seeds: what a table's mean ± sd stands on.
public enum Trials {
  /// One trained and evaluated detector.
  public struct Outcome: Sendable {
    /// The detector's file.
    public let file: URL
    /// What the checkpoint tells about itself.
    public let metadata: Checkpoint.Metadata
    /// Figures on the test images.
    public let test: Evaluator.Result
    /// How well the maps find what the test images' masks mark; without figures where there are no masks.
    public let localisation: Localisation
    /// Figures on the validation images; nil without labelled ones.
    public let validation: Evaluator.Result?
    /// AUROC per epoch, where the run logged it.
    public let curves: [LearningCurve]
    /// Losses per epoch, where the run logged them.
    public let losses: [LossCurve]
    /// Test images scored per second.
    public let imagesPerSecond: Double
    /// What people should know: images that were skipped, duplicates, a training that went wrong.
    public internal(set) var warnings: [String]
  }

  /// Evaluates a checkpoint on the test and validation images of a data set, split as in its training.
  /// - Parameter precision: the number format to score in; nil: that of the training.
  /// - Throws: `CheckpointError`, `DataSetError`, or `EvaluationError` when test images lack a class.
  public static func evaluate(
    _ file: URL, folder: String, device: Device, precision: TrainingConfiguration.Precision? = nil,
    progress: @escaping ProgressHandler = { _ in }
  ) async throws -> Outcome {
    let checkpoint = try Checkpoint(contentsOf: file)
    let data = try await TrainingData(
      folder: folder, configuration: checkpoint.metadata.configuration, readsTraining: false, progress: progress)
    return try evaluate(file, checkpoint, data: data, device: device, precision: precision, progress: progress)
  }

  /// Evaluates a checkpoint on images that are in memory.
  static func evaluate(
    _ file: URL, _ checkpoint: Checkpoint, data: TrainingData, device: Device,
    precision: TrainingConfiguration.Precision? = nil, progress: ProgressHandler = { _ in }
  ) throws -> Outcome {
    guard let test = data.test else { throw EvaluationImagesError.noTestImages }
    let scorer = try Scorer(checkpoint: checkpoint, device: device, precision: precision)
    let start = Date()
    let result = try Evaluator.evaluate(scorer, on: test)
    let seconds = Date().timeIntervalSince(start)
    let validation = try data.validation.flatMap { images in
      Set(images.abnormalities ?? []).count == 2 ? try Evaluator.evaluate(scorer, on: images) : nil
    }
    let localisation = try Localisation.evaluate(scorer, on: test, progress: progress)
    let events = TrainingLog.events(in: file.deletingLastPathComponent())
    return Outcome(
      file: file, metadata: checkpoint.metadata, test: result, localisation: localisation, validation: validation,
      curves: LearningCurve.curves(of: events), losses: LossCurve.curves(of: events),
      imagesPerSecond: Double(test.count) / max(seconds, 1e-9),
      warnings: data.warnings + localisation.warnings + (scorer.warning.map { [$0] } ?? []))
  }

  /// How a series of trials ended.
  public enum Ending: Sendable {
    /// All trials are trained and evaluated.
    case finished([Outcome])
    /// Interrupted; the same call continues.
    case interrupted
  }

  /// Trains one run per seed below `output` (`seed-1`, `seed-2`, …) and evaluates each. Finished runs are not trained
  /// again, and interrupted ones are resumed. TensorBoard's event files go into folders of the same names.
  /// - Throws: `TrainingError.otherConfiguration` where a run was made with other settings, `runElsewhere` where another process
  ///   works on one, and whatever training and
  ///   evaluation throw.
  public static func run(
    _ configuration: RunConfiguration, seeds: [Int], folder: String, output: URL, device: Device,
    watchesTest: Bool = false, tensorBoard: URL? = nil, progress: @escaping ProgressHandler = { _ in },
    isInterrupted: @escaping () -> Bool = { false }
  ) async throws -> Ending {
    var outcomes: [Outcome] = []
    var data: TrainingData?
    for seed in seeds {
      var configuration = configuration
      configuration.seed = seed
      let images = try await TrainingData(
        folder: folder, configuration: configuration, reusing: data, progress: progress)
      data = images
      let run = output.appendingPathComponent("seed-\(seed)")
      let lock = try RunLock.taken(in: run)
      defer { withExtendedLifetime(lock) {} }
      let outcome = try outcome(
        of: configuration, on: images, in: run, device: device,
        watchesTest: watchesTest, tensorBoard: tensorBoard?.appendingPathComponent("seed-\(seed)"), progress: progress,
        isInterrupted: isInterrupted)
      guard let outcome else { return .interrupted }
      outcomes.append(outcome)
    }
    return .finished(outcomes)
  }

  /// The name of a run's detector.
  static let model = "model.safetensors"

  /// Trains one run in `folder`, unless it is finished already, and evaluates it; nil when interrupted.
  static func outcome(
    of configuration: RunConfiguration, on data: TrainingData, in folder: URL, device: Device,
    watchesTest: Bool = false, tensorBoard: URL? = nil, progress: @escaping ProgressHandler,
    isInterrupted: @escaping () -> Bool
  ) throws -> Outcome? {
    let model = folder.appendingPathComponent(Self.model)
    var trainingWarnings: [String] = []
    if !FileManager.default.fileExists(atPath: model.path) {
      let trainer = try Trainer(
        configuration, data: data, folder: folder, device: device, watchesTest: watchesTest, tensorBoard: tensorBoard,
        progress: progress, isInterrupted: isInterrupted)
      if Trainer.hasState(in: folder) {
        guard try Trainer.configuration(in: folder) == configuration else {
          throw TrainingError.otherConfiguration(path: folder.path)
        }
        try trainer.resume()
      }
      guard case .finished = try trainer.run() else { return nil }
      trainingWarnings = trainer.warnings
    }
    let checkpoint = try Checkpoint(contentsOf: model)
    guard checkpoint.metadata.configuration == configuration else {
      throw TrainingError.otherConfiguration(path: folder.path)
    }
    guard checkpoint.metadata.origin.dataFingerprint == data.fingerprint else {
      throw TrainingError.otherData(path: folder.path)
    }
    var outcome = try evaluate(model, checkpoint, data: data, device: device, progress: progress)
    outcome.warnings += trainingWarnings
    return outcome
  }
}

/// A data set that cannot be evaluated on.
public enum EvaluationImagesError: Error, Equatable, CustomStringConvertible, Sendable {
  /// It has no test images.
  case noTestImages

  /// The sentence.
  public var description: String {
    "the data set has no test images; put labelled images below test/, one folder per class"
  }
}
