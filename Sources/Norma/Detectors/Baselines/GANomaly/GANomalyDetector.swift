public import Torch

/// GANomaly (ACCV 2018): one adversarial stage; an image whose reconstruction has another latent vector is unusual.
public final class GANomalyDetector: AnomalyDetector {
  private let configuration: GANomalyConfiguration
  private let ganomaly: GANomalyNetwork
  private let smoothing: MapSmoothing
  /// What the generator made in the running iteration, shared by its two updates.
  private var output: GANomalyGenerator.Output?
  /// The discriminator's last loss, and where new weights would be drawn from.
  private var lastLoss: (value: Tensor, random: Generator)?

  /// Creates the networks with fresh weights.
  public init(_ configuration: GANomalyConfiguration, seed: Int) throws {
    self.configuration = configuration
    ganomaly = try GANomalyNetwork(configuration, random: Generator(seed: UInt64(seed)))
    smoothing = try MapSmoothing(sigma: configuration.smoothing, sides: configuration.inputExtents)
  }

  /// Generator and discriminator.
  public var network: Module { ganomaly }

  // MARK: Training

  /// Adversarial training: the discriminator moves, then the generator, on the same batch.
  public var stages: [TrainingStage] {
    let options = AdamOptions(learningRate: configuration.learningRate, beta1: 0.5, beta2: 0.999)
    let modules = [("discriminator", ganomaly.discriminator as Module), ("generator", ganomaly.generator)]
    return [
      TrainingStage(
        name: "adversarial",
        updates: modules.map {
          TrainingUpdate(name: $0, module: $1, options: options, schedule: .constant, interval: 1)
        })
    ]
  }

  /// The discriminator's or the generator's losses.
  public func losses(of update: TrainingUpdate, on batch: Tensor, step: TrainingStep) throws -> Losses {
    if update.name == "discriminator" {
      let output = try ganomaly.generator(batch, mode: .training)
      self.output = output
      return try discriminatorLosses(batch, output.reconstruction.detached(), step)
    }
    defer { output = nil }
    guard let output else { throw TorchError("generator", "its update must follow the discriminator's") }
    return try generatorLosses(batch, output)
  }

  private func discriminatorLosses(
    _ images: Tensor, _ reconstructions: Tensor, _ step: TrainingStep
  ) throws(TorchError) -> Losses {
    let loss = try GANomalyLosses.discriminator(
      real: ganomaly.discriminator(images, mode: .training).numbers,
      fake: ganomaly.discriminator(reconstructions, mode: .training).numbers)
    lastLoss = (try loss.detached(), step.random)
    let restarted = try loss.detached().less(configuration.restartThreshold).to(.float32)
    return Losses(total: loss, parts: [("discriminator", loss), ("restarted", restarted)])
  }

  private func generatorLosses(_ images: Tensor, _ output: GANomalyGenerator.Output) throws -> Losses {
    let weights = configuration.lossWeights
    let discriminator = ganomaly.discriminator
    let imageFeatures = try withoutGradients { () throws(TorchError) in
      try discriminator(images, mode: .training).features
    }
    let adversarial = try discriminator.frozen {
      try GANomalyLosses.adversarial(
        discriminator(output.reconstruction, mode: .training).features, imageFeatures)
    }
    let contextual = try GANomalyLosses.contextual(output.reconstruction, images)
    let encoder = try GANomalyLosses.encoder(output.secondLatents, output.latents)
    let total =
      try adversarial * weights.adversarial + contextual * weights.contextual + encoder * weights.encoder
    return Losses(
      total: total, parts: [("adversarial", adversarial), ("contextual", contextual), ("encoder", encoder)])
  }

  /// Starts the discriminator anew where its loss says that it has nothing left to learn; its optimiser keeps what it knows.
  public func didApply(_ update: TrainingUpdate) throws {
    guard update.name == "discriminator", let (loss, random) = lastLoss else { return }
    lastLoss = nil
    guard configuration.restartThreshold > 0, try loss.item() < configuration.restartThreshold else { return }
    try ganomaly.discriminator.initialise(random)
  }

  /// A discriminator that starts anew again and again.
  public func warnings(about losses: [String: Double]) -> [String] {
    guard let share = losses["restarted"], share > 0.1 else { return [] }
    return [
      "the discriminator started anew in more than a tenth of an epoch's iterations, so that its features say little; lower detector.learningRate, or detector.restartThreshold"
    ]
  }

  // MARK: Scoring

  /// All scores, the configured one first.
  public var scoreNames: [String] {
    GANomalyScore.all(startingWith: configuration.scoring).map(\.rawValue)
  }

  /// Distances of the two latent vectors of each image, and the mean error of its pixels.
  public func scores(_ batch: Tensor, named names: Set<String>, areReferences: ReferenceMatch) throws -> [String:
    Tensor]
  {
    try withoutGradients {
      let output = try ganomaly.generator(batch, mode: .evaluation)
      let distances = try output.latents - output.secondLatents
      var scores: [String: Tensor] = [:]
      for score in GANomalyScore.allCases where names.contains(score.rawValue) {
        scores[score.rawValue] =
          switch score {
          case .latentDistance: try distances.abs().sum([1])
          case .squaredLatentDistance: try distances.squared().mean([1])
          case .reconstructionError: try (batch - output.reconstruction).abs().mean([1, 2, 3])
          }
      }
      return scores
    }
  }

  /// |x − G(x)| of every pixel, smoothed, and the reconstruction.
  public func explanation(of batch: Tensor) throws -> Explanation {
    try withoutGradients {
      let reconstructions = try ganomaly.generator(batch, mode: .evaluation).reconstruction
      let errors = try (batch - reconstructions).abs().squeezed(1)
      return Explanation(maps: [("reconstructionError", try smoothing(errors))], reconstruction: reconstructions)
    }
  }
}
