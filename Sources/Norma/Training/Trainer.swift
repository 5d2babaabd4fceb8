public import Foundation
import Evaluation
public import Torch

/// Trains any detector: stages, batches, precision, schedules, weight average, log, checkpoints, resuming.
///
/// A method never writes an epoch loop of its own. All random numbers of an epoch follow from seed, stage and epoch, so a
/// resumed run continues to the same weights as an unbroken one.
public final class Trainer {
  let configuration: RunConfiguration
  let detector: any AnomalyDetector
  let data: TrainingData
  let folder: URL
  let device: Device
  let average: WeightAverage?
  let log: TrainingLog
  let tensorBoard: TensorBoardLog?
  private let precision: MixedPrecision
  private let augmentation: Augmentation
  private let specification: InputSpecification
  private let progress: ProgressHandler
  private let isInterrupted: () -> Bool
  private let watchesTest: Bool
  private let source: Device?

  /// The current stage with its optimisers.
  var runner: StageRunner?
  /// Where the run stands.
  var position = Position()
  /// What people should know about the run so far, each sentence once.
  public private(set) var warnings: [String] = []
  /// The losses of the current epoch so far.
  var tally = LossTally()
  /// The weights with the best validation AUROC so far, under the rule that asks for it.
  var best: (auroc: Double, epoch: Int, checkpoint: Checkpoint)?

  /// Where a run stands: the next iteration to do.
  struct Position: Codable, Equatable {
    var stage = 0
    var epoch = 0
    var iteration = 0
    var averageUpdates = 0
    var seconds = 0.0
    /// Of the processor; nil in runs of a Norma that did not count them.
    var processorSeconds: Double?
    var bestAUROC: Double?
    var bestEpoch: Int?
    var losses: [LossTally.Count] = []
    /// Whether the stage has been prepared; nil in runs of a Norma that knew no preparation.
    var isPrepared: Bool?
    /// Epochs of all stages; nil in runs of a Norma that knew one stage.
    var epochsTrained: Int?

    /// Counts the time that work took.
    mutating func add(_ watch: Stopwatch) {
      seconds += watch.seconds
      processorSeconds = (processorSeconds ?? 0) + watch.processorSeconds
    }
  }

  /// Prepares a run in `folder`, which is made.
  /// - Parameters:
  ///   - watchesTest: whether the AUROC of the test images is logged after every epoch, to be shown, never to choose by.
  ///   - tensorBoard: a folder for TensorBoard's event files; nil: none are written.
  ///   - source: where random numbers are drawn; nil: on the device, which draws its own.
  ///   - isInterrupted: asked after every iteration; true saves the state and stops.
  /// - Throws: `TrainingError`, `ConfigurationError` or `TorchError`.
  public init(
    _ configuration: RunConfiguration, data: TrainingData, folder: URL, device: Device, watchesTest: Bool = false,
    tensorBoard: URL? = nil, drawsOn source: Device? = nil, progress: @escaping ProgressHandler = { _ in },
    isInterrupted: @escaping () -> Bool = { false }
  ) throws {
    try configuration.validate()
    guard data.training.views.count >= 2 else {
      throw TrainingError.tooFewImages(count: data.training.count, batchSize: configuration.training.batchSize)
    }
    (self.configuration, self.data, self.folder, self.device) = (configuration, data, folder, device)
    (self.progress, self.isInterrupted, self.watchesTest) = (progress, isInterrupted, watchesTest)
    self.source = source
    do { try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true) } catch {
      throw TrainingError.cannotWrite(path: folder.path, reason: error.localizedDescription)
    }
    specification = configuration.inputSpecification
    augmentation = Augmentation(configuration.augmentation)
    log = TrainingLog(in: folder)
    self.tensorBoard = tensorBoard.map { TensorBoardLog(in: $0) }
    precision = MixedPrecision(configuration.training.precision, on: device)
    warnings = precision.warning.map { [$0] } ?? []
    detector = try configuration.makeDetector()
    try detector.readGivenWeights()
    try detector.network.move(to: device)
    try detector.network.preferChannelsLast()
    let decay = configuration.training.weightAverage
    average = decay > 0 ? try WeightAverage(detector.network, decay: decay) : nil
  }

  /// How a run ended.
  public enum Outcome: Sendable {
    /// The trained detector was written to this file.
    case finished(URL)
    /// The run was interrupted; its state was written to this file.
    case interrupted(URL)
  }

  /// Trains to the end, or until interrupted, and writes the checkpoint.
  /// - Throws: `TrainingError.diverged`, `TorchError`, `ImageError` or `SerialisationError`.
  public func run() throws -> Outcome {
    try log.append(
      "start",
      [
        "method": configuration.detector.method.rawValue, "seed": configuration.seed,
        "images": data.training.count, "parameters": detector.network.parameterCount, "device": device.description,
        "hardware": Hardware.description(device: device), "resumedAtEpoch": position.epoch,
        "precision": precision.format.rawValue,
      ])
    try beginTensorBoard()
    for warning in warnings { try log.append("warning", ["epoch": position.epoch + 1, "text": warning]) }
    let stages = detector.stages
    for (index, stage) in stages.enumerated() where index >= position.stage {
      position.stage = index
      guard try train(stage) else {
        let file = try saveState()
        try log.append("interrupted", ["epoch": position.epoch + 1, "iteration": position.iteration])
        return .interrupted(file)
      }
      if index + 1 < stages.count { (position.epoch, position.isPrepared) = (0, false) }
    }
    return .finished(try finish())
  }

  /// Trains the rest of a stage; false when interrupted.
  private func train(_ stage: TrainingStage) throws -> Bool {
    if position.isPrepared != true {
      runner = nil
      switch try detector.prepare(stage, from: trainingImages) {
      case .interrupted: return false
      case .unneeded(let record):
        try keep(record)
        return true
      case .ready(let record):
        try keep(record)
        position.isPrepared = true
      }
    }
    if runner?.stage.name != stage.name { runner = try runner(of: stage) }
    while position.epoch < epochs(of: stage) {
      guard try runEpoch(of: stage) else { return false }
      position.epoch += 1
      position.epochsTrained = (position.epochsTrained ?? position.epoch - 1) + 1
      position.iteration = 0
      try afterEpoch(of: stage)
    }
    try detector.end(stage)
    if let name = stage.checkpoint { try checkpoint().write(to: folder.appendingPathComponent("\(name).safetensors")) }
    return true
  }

  /// The stage with fresh optimisers, or with those of the interrupted run.
  private func runner(of stage: TrainingStage) throws -> StageRunner {
    let runner = try StageRunner(stage, of: detector, precision: precision)
    for (name, optimiser) in runner.optimisers {
      if let state = pausedOptimisers[name] { try load(state, into: optimiser.state) }
    }
    pausedOptimisers = [:]
    return runner
  }

  /// Optimisers of an interrupted run, by name.
  var pausedOptimisers: [String: [String: StoredArray]] = [:]

  /// Passes over the training images in a stage.
  private func epochs(of stage: TrainingStage) -> Int { stage.epochs ?? configuration.training.epochs }

  // MARK: Between the stages

  /// The training images as stages see them before they are trained; a pass over them saves the state every minute.
  private var trainingImages: TrainingImages {
    TrainingImages(subjects: specification.isCut ? data.training.views.map(\.image) : []) { [self] start, size, body in
      let count = data.training.views.count
      let loader = BatchLoader(data.training, order: Array(start..<max(start, count)), batchSize: size)
      var (saved, begun) = (Date(), Stopwatch())
      defer { position.add(begun) }
      while let (values, indices) = try loader.next(), let first = indices.first {
        if isInterrupted() { return false }
        try body(data.training.batch(values, at: indices, on: device), first..<first + indices.count)
        progress(WorkProgress("preparing", done: first + indices.count, total: count, unit: specification.unit))
        guard Date().timeIntervalSince(saved) > 60 else { continue }
        position.add(begun)
        (saved, begun) = (Date(), Stopwatch())
        _ = try saveState()
      }
      return true
    }
  }

  /// Keeps what preparing a stage found.
  private func keep(_ record: StageRecord?) throws {
    guard let record else { return }
    try log.append(record.name, Dictionary(record.figures) { first, _ in first })
    guard !record.arrays.isEmpty else { return }
    let arrays = try record.arrays.map { try StoredArray(name: $0.key, $0.value) }
    try SafetensorsFile.write(arrays, to: folder.appendingPathComponent("\(record.name).safetensors"))
  }

  // MARK: One epoch

  /// Runs the rest of the current epoch; false when interrupted.
  private func runEpoch(of stage: TrainingStage) throws -> Bool {
    guard let runner else { return false }
    let size = stage.batchSize ?? configuration.training.batchSize
    let order = epochOrder()
    let loader = BatchLoader(
      data.training, order: order, batchSize: size, skipped: position.iteration, smallestBatch: 2,
      readsImages: stage.readsImages)
    let random = try epochGenerator()
    let iterations = max(1, order.count / size)
    var images = 0
    let watch = Stopwatch()
    while let (values, indices) = try loader.next() {
      runner.begin(epoch: position.epoch, share: Double(position.iteration) / Double(iterations))
      let batch =
        try stage.readsImages
        ? augmentation(
          data.training.batch(values, at: indices, on: device), background: specification.background,
          random: random) : .zeros([0], on: device)
      let step = TrainingStep(
        due: runner.due(in: position.iteration), random: random, indices: indices, iteration: position.iteration,
        count: position.epoch * iterations + position.iteration,
        share: Double(position.epoch) / Double(epochs(of: stage)))
      do { try tally.add(runner.run(step, on: batch)) } catch let error as TorchError where error.isOutOfMemory {
        throw BatchSizeError.outOfMemory(size: indices.count, isTraining: true)
      }
      try warnAboutPrecision()
      try average?.update()
      position.iteration += 1
      images += indices.count
      if isInterrupted() {
        position.add(watch)
        pausedGenerator = try random.state()
        return false
      }
    }
    position.add(watch)
    try record(
      tally.means() + detector.endEpoch(of: stage), stage: stage, images: images, seconds: watch.seconds,
      waited: loader.waited)
    tally = LossTally()
    return true
  }

  /// The generator of the current epoch, or the one of the interrupted epoch where it stood.
  private func epochGenerator() throws -> Generator {
    let random = try Generator(seed: epochSeed(purpose: 1), on: device, drawnOn: source)
    if let state = pausedGenerator {
      try random.restore(state)
      pausedGenerator = nil
    }
    return random
  }

  /// State of the random generator in the middle of an interrupted epoch.
  var pausedGenerator: Tensor?

  // MARK: After an epoch

  private func record(
    _ losses: [(name: String, value: Double)], stage: TrainingStage, images: Int, seconds: Double, waited: Double
  ) throws {
    let epoch = position.epoch + 1
    if let bad = losses.first(where: { !$0.value.isFinite }) {
      throw TrainingError.diverged(loss: bad.name, epoch: epoch)
    }
    let rate = Double(images) / max(seconds, 1e-9)
    let share = waited / max(seconds, 1e-9)
    try log.append(
      "epoch",
      [
        "stage": stage.name, "epoch": epoch, "losses": Dictionary(losses) { first, _ in first },
        "learningRates": (runner?.optimisers ?? [:]).mapValues { $0.learningRates[0] }, "imagesPerSecond": rate,
        "waitingShare": share, "seconds": position.seconds,
      ])
    try tellTensorBoard(losses: losses, stage: stage, imagesPerSecond: rate)
    for warning in detector.warnings(about: Dictionary(losses) { first, _ in first }) {
      try log.append("warning", ["epoch": epoch, "text": warning])
      if !warnings.contains(warning) { warnings.append(warning) }
    }
    let total = epochs(of: stage)
    let activity = detector.stages.count > 1 ? "training \(stage.name)" : "training"
    var message = WorkProgress(activity, done: epoch, total: total, unit: "epochs")
    message.imagesPerSecond = rate
    message.secondsLeft = seconds * Double(total - epoch)
    message.figures = losses + [("waiting", share)]
    progress(message)
  }

  /// Says, once, that the run does not have the precision that was asked for.
  private func warnAboutPrecision() throws {
    guard let warning = precision.warning, !warnings.contains(warning) else { return }
    try log.append("warning", ["epoch": position.epoch + 1, "text": warning])
    warnings.append(warning)
  }

  private func afterEpoch(of stage: TrainingStage) throws {
    let choosing = stage.givesScores && configuration.training.checkpoint == .bestValidation
    let watchesTest = watchesTest && stage.givesScores
    let watched: [(String, PreparedImages?)] = [
      ("validation", choosing || watchesTest ? data.validation : nil), ("test", watchesTest ? data.test : nil),
    ]
    let shows = showsPictures(after: stage, isLast: position.epoch == epochs(of: stage))
    if shows || watched.contains(where: { $0.1 != nil }) {
      try withChosenWeights {
        let scorer = try Scorer.fitted(
          detector, to: data.training, heldOut: data.validation, configuration: configuration, device: device,
          precision: precision, calibrates: choosing)
        for case (let name, let images?) in watched { try monitor(name, images, scorer, choosing: choosing) }
        if shows { try showPictures() }
        detector.fitted = [:]
      }
    }
    let interval = configuration.training.checkpointInterval
    if interval > 0, position.epoch % interval == 0 { _ = try saveState() }
  }

  private func monitor(_ name: String, _ images: PreparedImages, _ scorer: Scorer, choosing: Bool) throws {
    guard let labels = images.abnormalities, labels.contains(true), labels.contains(false) else { return }
    var aurocs: [String: Double] = [:]
    for (score, values) in try scorer.rawScores(of: images) where values.allSatisfy(\.isFinite) {
      aurocs[score] = try auroc(LabelledScores(scores: values, labels: labels))
    }
    try log.append("monitor", ["epoch": position.epoch, "set": name, "auroc": aurocs])
    try tellTensorBoard(aurocs: aurocs, of: name)
    guard choosing, name == "validation", let value = aurocs[detector.scoreNames[0]] else { return }
    if value > position.bestAUROC ?? -1 {
      (position.bestAUROC, position.bestEpoch) = (value, position.epoch)
      best = (value, position.epoch, try Checkpoint(of: detector, metadata: metadata(scorer.calibration)))
    }
  }

  // MARK: The end

  /// Runs `body` with the weights that the checkpoint rule keeps.
  private func withChosenWeights<Result>(_ body: () throws -> Result) throws -> Result {
    guard configuration.training.checkpoint == .average, let average else { return try body() }
    try average.exchange()
    let result = Swift.Result { try body() }
    try average.exchange()
    return try result.get()
  }

  private func finish() throws -> URL {
    let model = folder.appendingPathComponent("model.safetensors")
    if let best {
      try best.checkpoint.write(to: model)
    } else {
      try withChosenWeights { try checkpoint().write(to: model) }
    }
    _ = try saveState()
    try log.append("finished", ["seconds": position.seconds, "checkpoint": checkpointRule])
    return model
  }

  /// The detector as it stands, fitted and calibrated.
  private func checkpoint() throws -> Checkpoint {
    progress(WorkProgress("calibrating", done: 0, total: 1, unit: "steps"))
    let watch = Stopwatch()
    let scorer = try Scorer.fitted(
      detector, to: data.training, heldOut: data.validation, configuration: configuration, device: device,
      precision: precision)
    position.add(watch)
    return try Checkpoint(of: detector, metadata: metadata(scorer.calibration))
  }

  /// How the weights are chosen, in words.
  private var checkpointRule: String {
    switch configuration.training.checkpoint {
    case .last: detector.weightChoice
    case .average: "moving average of the weights (decay \(configuration.training.weightAverage)) after the last epoch"
    case .bestValidation:
      if let epoch = position.bestEpoch {
        "best AUROC on labelled validation images (epoch \(epoch)); uses labels of anomalies"
      } else {
        "last epoch, as there was no AUROC on labelled validation images"
      }
    }
  }

  func metadata(_ calibration: Calibration) -> Checkpoint.Metadata {
    var origin = Checkpoint.Origin()
    origin.dataFingerprint = data.fingerprint
    origin.trainingImages = data.training.count
    origin.contamination = configuration.data.contamination
    origin.epochs = detector.stages.isEmpty ? 0 : position.epochsTrained ?? position.epoch
    origin.checkpointRule = detector.stages.isEmpty ? "fitted, not trained" : checkpointRule
    origin.seconds = position.seconds
    origin.processorSeconds = position.processorSeconds
    origin.precision = precision.format.rawValue
    origin.hardware = Hardware.description(device: device)
    return Checkpoint.Metadata(configuration: configuration, calibration: calibration, origin: origin)
  }
}
