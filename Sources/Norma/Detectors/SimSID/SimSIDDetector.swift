public import Torch

/// SimSID (arXiv 2403.08689) and SQUID (arXiv 2111.13495): one adversarial stage, the discriminator scores.
public final class SimSIDDetector: ReferenceComparing {
  let configuration: SimSIDConfiguration
  let simSID: SimSIDNetwork
  private let schedule: LearningRateSchedule
  let energies: UnexplainedEnergy
  /// Band energies of normal images; nil before `fit`.
  var normal: UnexplainedEnergy.Normal?
  /// Discriminator features of normal images; nil before `fit`.
  var features: NearestNormals?
  /// Reconstruction of the running iteration, shared by its two updates.
  private var output: SimSIDGenerator.Output?

  /// Creates the networks with fresh weights.
  /// - Parameter epochs: the length of the run, which the cosine schedule spans unless the configuration says otherwise.
  public init(_ configuration: SimSIDConfiguration, seed: Int, epochs: Int) throws {
    self.configuration = configuration
    simSID = try SimSIDNetwork(configuration, random: Generator(seed: UInt64(seed)))
    let scale = Double(configuration.imageSize) / 64
    energies = UnexplainedEnergy(
      views: [
        try .init("pixels", sigmas: [1, 2, 4, 8].map { $0 * scale }, side: configuration.imageSize),
        try .init("features", sigmas: [1, 2, 4].map { $0 * scale }, side: configuration.imageSize / 2),
      ], floor: 1e-3, scoresEdges: true)
    schedule = .cosine(
      period: configuration.cosinePeriod > 0 ? configuration.cosinePeriod : epochs,
      floor: configuration.finalLearningRate / configuration.learningRate)
  }

  /// Generator and discriminator.
  public var network: Module { simSID }

  // MARK: Training

  /// Adversarial training: the discriminator moves in every iteration, the generator in every `criticIterations`-th.
  public var stages: [TrainingStage] {
    let rate = configuration.learningRate
    let discriminator = TrainingUpdate(
      name: "discriminator", module: simSID.discriminator,
      options: AdamOptions(learningRate: rate, beta1: 0.5, beta2: 0.999, epsilon: 1e-8),
      schedule: configuration.discriminatorFollowsSchedule ? schedule : .constant, interval: 1)
    let generator = TrainingUpdate(
      name: "generator", module: simSID.generator,
      options: AdamOptions(
        learningRate: rate, beta1: 0.5, beta2: 0.999, epsilon: 1e-7, weightDecay: configuration.weightDecay),
      schedule: schedule, interval: configuration.criticIterations)
    return [TrainingStage(name: "adversarial", updates: [discriminator, generator])]
  }

  /// The discriminator's or the generator's losses (§3.5). Where only the discriminator moves, the student runs without a
  /// graph and the teacher not at all.
  public func losses(of update: TrainingUpdate, on batch: Tensor, step: TrainingStep) throws -> Losses {
    if update.name == "discriminator" {
      let output = try reconstruct(batch, step: step)
      self.output = output
      return try discriminatorLosses(batch, output.reconstruction.detached())
    }
    defer { output = nil }
    guard let output else { throw TorchError("generator", "its update must follow the discriminator's") }
    return try generatorLosses(batch, output)
  }

  private func reconstruct(_ batch: Tensor, step: TrainingStep) throws(TorchError) -> SimSIDGenerator.Output {
    let moves = step.due.contains("generator")
    let visible = try hidingCells(of: batch, random: step.random)
    guard moves else {
      return try withoutGradients { () throws(TorchError) in
        try simSID.generator(visible, mode: .training, runsTeacher: false, random: step.random)
      }
    }
    return try simSID.generator(visible, mode: .training, runsTeacher: true, random: step.random)
  }

  private func discriminatorLosses(_ images: Tensor, _ reconstruction: Tensor) throws -> Losses {
    let real = try simSID.discriminator(images, mode: .training).logits
    let fake = try simSID.discriminator(reconstruction, mode: .training).logits
    let loss = try SimSIDLosses.discriminator(real: real, fake: fake)
    return Losses(
      total: try loss * configuration.lossWeights.discriminator,
      parts: [("discriminator", loss), ("realLogit", try real.mean()), ("fakeLogit", try fake.mean())])
  }

  private func generatorLosses(_ images: Tensor, _ output: SimSIDGenerator.Output) throws -> Losses {
    let weights = configuration.lossWeights
    let student = try SimSIDLosses.reconstruction(output.reconstruction, images)
    let adversarial = try simSID.discriminator.frozen {
      try SimSIDLosses.generator(simSID.discriminator(output.reconstruction, mode: .training).logits)
    }
    var total = try student * weights.student + adversarial * weights.generator
    let spread = try output.reconstruction.detached().variance([0]).mean()
    var parts = [("student", student), ("generator", adversarial), ("reconstructionSpread", spread)]
    if let teacher = output.teacher {
      let taught = try SimSIDLosses.reconstruction(teacher.image, images)
      let distance = try SimSIDLosses.distillation(output.studentFeatures, teacher.features)
      total = try total + taught * weights.teacher + distance * weights.distillation
      parts += [("teacher", taught), ("distillation", distance)]
    }
    return Losses(total: total, parts: parts)
  }

  /// Adversarial training that has lost its signal: a discriminator that cannot tell (its loss near 2 · ln 2), or a student
  /// that returns one image for all.
  public func warnings(about losses: [String: Double]) -> [String] {
    var warnings: [String] = []
    if let loss = losses["discriminator"], loss > 1.3 {
      warnings.append(
        "the discriminator no longer tells images from reconstructions (loss near 1.39); the scores 'reconstructionLogit' and 'inputLogit' carry no signal"
      )
    }
    if let spread = losses["reconstructionSpread"], spread < 1e-4 {
      warnings.append(
        "the student returns nearly the same image for every input; train longer, or raise detector.lossWeights.student"
      )
    }
    return warnings
  }

  /// Writes the generator's batch into the memory queue.
  public func didApply(_ update: TrainingUpdate) throws {
    if update.name == "generator" { try simSID.generator.enqueuePending() }
  }

  /// Pixel-level in-painting (Table II): zeroes 8×8 cells of the input with a probability, in training.
  private func hidingCells(of batch: Tensor, random: Generator) throws(TorchError) -> Tensor {
    guard configuration.pixelMaskRatio > 0 else { return batch }
    let cells = batch.extent(2) / 8
    let kept = try random.bernoulli(1 - configuration.pixelMaskRatio, shape: [batch.extent(0), 1, cells, cells])
    return try batch * kept.resized(to: [batch.extent(2), batch.extent(3)], .nearest)
  }
}
