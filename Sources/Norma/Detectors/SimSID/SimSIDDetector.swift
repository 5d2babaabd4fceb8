public import Torch

/// SimSID (arXiv 2403.08689) and SQUID (arXiv 2111.13495): one adversarial stage, the discriminator scores.
public final class SimSIDDetector: AnomalyDetector {
  private let configuration: SimSIDConfiguration
  private let simSID: SimSIDNetwork
  private let schedule: LearningRateSchedule
  private let energies: UnexplainedEnergy
  private var normal: UnexplainedEnergy.Normal?
  private var features: NearestNormals?
  /// Reconstruction of the running iteration, shared by its two updates.
  private var output: SimSIDGenerator.Output?

  /// Creates the networks with fresh weights.
  /// - Parameter epochs: the length of the run, which the cosine schedule spans unless the configuration says otherwise.
  public init(_ configuration: SimSIDConfiguration, seed: Int, epochs: Int) throws {
    self.configuration = configuration
    simSID = try SimSIDNetwork(configuration, random: Generator(seed: UInt64(seed)))
    energies = try UnexplainedEnergy(imageSize: configuration.imageSize)
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
    var parts = [("student", student), ("generator", adversarial)]
    if let teacher = output.teacher {
      let taught = try SimSIDLosses.reconstruction(teacher.image, images)
      let distance = try SimSIDLosses.distillation(output.studentFeatures, teacher.features)
      total = try total + taught * weights.teacher + distance * weights.distillation
      parts += [("teacher", taught), ("distillation", distance)]
    }
    return Losses(total: total, parts: parts)
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

  // MARK: Scoring

  /// All scores, the configured one first.
  public var scoreNames: [String] {
    ([configuration.scoring] + SimSIDScore.allCases.filter { $0 != configuration.scoring }).map(\.rawValue)
  }

  /// What the scores know of normal images.
  public var fitted: [String: Tensor] {
    get {
      let known = features?.state(prefix: SimSIDScore.featureDistance.rawValue) ?? [:]
      return known.merging(normal?.state ?? [:]) { _, new in new }
    }
    set {
      normal = UnexplainedEnergy.Normal(newValue)
      features = NearestNormals(newValue, prefix: SimSIDScore.featureDistance.rawValue, neighbours: 5)
    }
  }

  /// Learns what band energies and discriminator features of normal images are like.
  public func fit(_ batches: ((Tensor) throws -> Void) throws -> Void) throws {
    var measured: [UnexplainedEnergy.Measurement] = []
    var features: [Tensor] = []
    try batches { batch in
      let pass = try self.pass(batch)
      measured.append(pass.measurement)
      features.append(pass.features)
    }
    normal = try UnexplainedEnergy.Normal(.joined(measured))
    self.features = try NearestNormals(fitting: .concatenated(features, axis: 0), neighbours: 5)
  }

  private var mode: Mode { configuration.discriminatorStatistics == .perImage ? .perSample : .evaluation }

  /// All that scoring needs of a batch.
  private struct Pass {
    let inputLogits: Tensor
    let reconstructionLogits: Tensor
    let measurement: UnexplainedEnergy.Measurement
    let features: Tensor
  }

  /// One pass of student and discriminator, without gradients.
  private func pass(_ batch: Tensor) throws(TorchError) -> Pass {
    try withoutGradients { () throws(TorchError) in
      let reconstruction = try reconstruction(of: batch)
      let own = try simSID.discriminator(batch, mode: mode)
      let theirs = try simSID.discriminator(reconstruction, mode: mode)
      let measurement = try energies(
        images: batch, reconstructions: reconstruction, features: own.features[0],
        reconstructedFeatures: theirs.features[0])
      return Pass(
        inputLogits: own.logits, reconstructionLogits: theirs.logits, measurement: measurement,
        features: try Self.signature(of: own.features))
    }
  }

  /// Log mean energies of every channel of every level on a grid of at most 4×4 cells, `[B, d]`.
  private static func signature(of levels: [Tensor]) throws(TorchError) -> Tensor {
    var parts: [Tensor] = []
    for level in levels {
      let cells = min(4, level.extent(2))
      let energy = try level.squared().averagePooled(to: [cells, cells])
      parts.append(try (energy + 1e-6).log().reshaped([level.extent(0), -1]))
    }
    return try .concatenated(parts, axis: 1)
  }

  /// All scores of a batch; those that compare with normal images only after `fit`.
  public func scores(_ batch: Tensor, areReferences: Bool) throws -> [String: Tensor] {
    let pass = try pass(batch)
    var scores: [SimSIDScore: Tensor] = [
      .inputLogit: try -pass.inputLogits, .reconstructionLogit: try -pass.reconstructionLogits,
    ]
    if let features {
      scores[.featureDistance] = try features.nearest(to: pass.features, areReferences: areReferences).distances
    }
    if let normal {
      let (unexplained, distance) = try normal.scores(pass.measurement, areReferences: areReferences)
      scores[.unexplainedEnergy] = unexplained
      scores[.nearestNormals] = distance
      scores[.combined] = try unexplained + distance
      scores[.unexplainedPeak] = try normal.map(pass.measurement).maximum([1, 2])
    }
    return Dictionary(uniqueKeysWithValues: scores.map { ($0.rawValue, $1) })
  }

  /// The student's image of a batch; neither teacher nor gradients are needed.
  func reconstruction(of batch: Tensor) throws(TorchError) -> Tensor {
    try simSID.generator(batch, mode: .evaluation, runsTeacher: false, random: Generator(seed: 0)).reconstruction
  }

  /// Unexplained energy per cell, the absolute reconstruction difference, and Grad-CAM of the discriminator on the
  /// reconstruction (Figure 7).
  public func explanation(of batch: Tensor) throws -> Explanation {
    let reconstruction = try withoutGradients { () throws(TorchError) in try self.reconstruction(of: batch) }
    var maps = [
      ("difference", try (batch - reconstruction).abs().squeezed(1)), ("gradCAM", try gradCAM(reconstruction)),
    ]
    if let normal { maps.insert(("unexplainedEnergy", try normal.map(pass(batch).measurement)), at: 0) }
    return Explanation(maps: maps, reconstruction: reconstruction)
  }

  /// Evidence against "real" (−z) of images, by the last feature map: ReLU(Σ α F) with α the spatial mean of ∂(−z)/∂F.
  private func gradCAM(_ images: Tensor) throws -> Tensor {
    let features = try withoutGradients { () throws(TorchError) in
      try simSID.discriminator(images, mode: mode).features
    }
    let last = try features[features.count - 1].requiringGradient()
    let gradient = try (-simSID.discriminator.logits(of: last)).gradients(of: [last])[0]
    let importance = try gradient.mean([2, 3], keepingAxes: true)
    let map = try (importance * last.detached()).sum([1], keepingAxes: true).relu()
    return try map.resized(to: [images.extent(2), images.extent(3)]).squeezed(1)
  }
}
