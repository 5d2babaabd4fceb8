import Torch

/// One stage of a detector with its optimisers: what an iteration is, for training and for benchmarks.
struct StageRunner {
  /// What is trained.
  let stage: TrainingStage
  /// Optimisers by update name.
  let optimisers: [String: Adam]
  private let detector: any AnomalyDetector
  private let precision: DType?
  private let device: Device

  /// Makes the optimisers of a stage; the detector's weights stay where they are from here on.
  init(
    _ stage: TrainingStage, of detector: any AnomalyDetector, precision: TrainingConfiguration.Precision,
    on device: Device
  ) throws {
    (self.stage, self.detector, self.device) = (stage, detector, device)
    self.precision = precision == .bfloat16 ? .bfloat16 : nil
    var optimisers: [String: Adam] = [:]
    for update in stage.updates { optimisers[update.name] = try Adam(update.module, update.options) }
    self.optimisers = optimisers
  }

  /// Sets every learning rate to what its schedule says of `epoch`, which counts from 0.
  func begin(epoch: Int) {
    for update in stage.updates {
      optimisers[update.name]?.learningRateScale = update.schedule.factor(at: Double(epoch))
    }
  }

  /// Moves the weights of all updates that are due in `iteration` on a batch in network scale.
  /// - Returns: the parts of their losses.
  func run(iteration: Int, on batch: Tensor, random: Generator) throws -> [(name: String, value: Tensor)] {
    let due = stage.updates.filter { iteration % $0.interval == 0 }
    let step = TrainingStep(due: Set(due.map(\.name)), random: random)
    var parts: [(name: String, value: Tensor)] = []
    for update in due {
      let losses = try withAutocast(precision, on: device) {
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
