import Torch

/// One stage of a detector with its optimisers: what an iteration is, for training and for benchmarks.
struct StageRunner {
  /// What is trained.
  let stage: TrainingStage
  /// Optimisers by update name.
  let optimisers: [String: any Optimiser]
  private let detector: any AnomalyDetector
  private let precision: MixedPrecision

  /// Makes the optimisers of a stage; the detector's weights stay where they are from here on.
  init(
    _ stage: TrainingStage, of detector: any AnomalyDetector, precision: MixedPrecision
  ) throws {
    (self.stage, self.detector, self.precision) = (stage, detector, precision)
    var optimisers: [String: any Optimiser] = [:]
    for update in stage.updates { optimisers[update.name] = try update.options.makeOptimiser(of: update.module) }
    self.optimisers = optimisers
  }

  /// Sets every learning rate to what its schedule says of `epoch`, which counts from 0, when `share` of it is done.
  func begin(epoch: Int, share: Double = 0) {
    for update in stage.updates {
      let time = Double(epoch) + (update.schedule.changesWithinEpochs ? share : 0)
      optimisers[update.name]?.learningRateScale = update.schedule.factor(at: time)
    }
  }

  /// Names of the updates that are due in an iteration of an epoch.
  func due(in iteration: Int) -> Set<String> {
    Set(stage.updates.filter { iteration % $0.interval == 0 }.map(\.name))
  }

  /// Moves the weights of all updates that are due on a batch in network scale. An iteration that bfloat16 stops is done
  /// again in float32, with the same random numbers; updates before the one that failed have then moved twice.
  /// - Returns: the parts of their losses.
  func run(_ step: TrainingStep, on batch: Tensor) throws -> [(name: String, value: Tensor)] {
    guard precision.format != .float32 else { return try iterate(step, on: batch) }
    let random = try step.random.state()
    return try precision.retrying {
      try iterate(step, on: batch)
    } restore: {
      for update in stage.updates { try update.module.clearGradients() }
      try step.random.restore(random)
    }
  }

  private func iterate(_ step: TrainingStep, on batch: Tensor) throws -> [(name: String, value: Tensor)] {
    var parts: [(name: String, value: Tensor)] = []
    for update in stage.updates where step.due.contains(update.name) {
      let losses = try precision {
        try detector.losses(of: update, on: batch, step: step)
      }
      try losses.total.backward()
      try optimisers[update.name]?.step()
      try detector.didApply(update)
      parts += losses.parts
    }
    return parts
  }
}
