public import Torch

/// f-AnoGAN (Medical Image Analysis 2019): a GAN learns to make normal images, then an encoder learns to find each image's
/// latent vector; what the generator makes of it differs where an image is unusual.
public final class FAnoGANDetector: AnomalyDetector {
  private let configuration: FAnoGANConfiguration
  private let gan: FAnoGANNetwork
  private let smoothing: MapSmoothing

  /// Creates the networks with fresh weights.
  public init(_ configuration: FAnoGANConfiguration, seed: Int) throws {
    self.configuration = configuration
    gan = try FAnoGANNetwork(configuration, random: Generator(seed: UInt64(seed)))
    smoothing = try MapSmoothing(sigma: configuration.smoothing, sides: configuration.inputExtents)
  }

  /// Generator, critic and encoder.
  public var network: Module { gan }

  // MARK: Training

  /// WGAN-GP, where the critic moves in every iteration and the generator in every `criticIterations`-th; then the encoder, while
  /// both stay as they are.
  public var stages: [TrainingStage] {
    let options = AdamOptions(learningRate: configuration.learningRate, beta1: 0, beta2: 0.9)
    let critic = TrainingUpdate(
      name: "critic", module: gan.critic, options: options, schedule: .constant, interval: 1)
    let generator = TrainingUpdate(
      name: "generator", module: gan.generator, options: options, schedule: .constant,
      interval: configuration.criticIterations)
    let encoder = TrainingUpdate(
      name: "encoder", module: gan.encoder,
      options: AdamOptions.rmsProp(learningRate: configuration.encoderLearningRate),
      schedule: .constant, interval: 1)
    return [
      TrainingStage(name: "adversarial", updates: [critic, generator], givesScores: false),
      TrainingStage(
        name: "encoder", updates: [encoder],
        epochs: configuration.encoderEpochs > 0 ? configuration.encoderEpochs : nil),
    ]
  }

  /// The critic's, the generator's or the encoder's losses. Each update of critic and generator draws latent vectors of its own.
  public func losses(of update: TrainingUpdate, on batch: Tensor, step: TrainingStep) throws -> Losses {
    switch update.name {
    case "critic": try criticLosses(batch, step.random)
    case "generator": try generatorLosses(count: batch.extent(0), step.random)
    case "encoder": try encoderLosses(batch)
    default: throw TorchError("losses", "the update '\(update.name)' is none of this method's")
    }
  }

  /// Images of new latent vectors.
  private func generated(_ count: Int, _ random: Generator) throws(TorchError) -> Tensor {
    try gan.generator(random.normal(shape: [count, configuration.latentWidth]), mode: .training)
  }

  private func criticLosses(_ images: Tensor, _ random: Generator) throws(TorchError) -> Losses {
    let count = images.extent(0)
    let generated = try withoutGradients { () throws(TorchError) in try self.generated(count, random) }
    let distance = try FAnoGANLosses.critic(real: gan.criticised(images), fake: gan.criticised(generated))
    let penalty = try FAnoGANLosses.gradientPenalty(
      images: images, generated: generated, shares: random.uniform(shape: [count, 1, 1, 1]), critic: gan.criticised)
    return Losses(
      total: try distance + penalty * configuration.penaltyWeight,
      parts: [("critic", distance), ("gradientPenalty", penalty)])
  }

  private func generatorLosses(count: Int, _ random: Generator) throws -> Losses {
    let generated = try generated(count, random)
    let loss = try gan.critic.frozen { try FAnoGANLosses.generator(fake: gan.criticised(generated)) }
    return Losses(total: loss, parts: [("generator", loss)])
  }

  /// L_izif: residuals of the image and of the critic's features.
  private func encoderLosses(_ images: Tensor) throws -> Losses {
    let latents = try gan.latents(of: images, mode: .training)
    let (reconstructions, features) = try gan.generator.frozen {
      try gan.critic.frozen {
        let reconstructions = try gan.generator(latents, mode: .evaluation)
        return (reconstructions, try gan.features(of: reconstructions))
      }
    }
    let imageFeatures = try withoutGradients { () throws(TorchError) in try gan.features(of: images) }
    let image = try FAnoGANLosses.residuals(images, reconstructions).mean()
    let feature = try FAnoGANLosses.residuals(imageFeatures, features).mean()
    return Losses(
      total: try image + feature * configuration.featureWeight,
      parts: [("imageResidual", image), ("featureResidual", feature)])
  }

  // MARK: Scoring

  /// All scores, the configured one first.
  public var scoreNames: [String] {
    FAnoGANScore.all(startingWith: configuration.scoring).map(\.rawValue)
  }

  /// G(E(x)).
  private func reconstruction(of images: Tensor) throws(TorchError) -> Tensor {
    try gan.generator(gan.latents(of: images, mode: .evaluation), mode: .evaluation)
  }

  /// Residuals of the image and of the critic's features, and their weighted sum.
  public func scores(_ batch: Tensor, named names: Set<String>, areReferences: ReferenceMatch) throws -> [String:
    Tensor]
  {
    try withoutGradients {
      let reconstructions = try reconstruction(of: batch)
      let image = try FAnoGANLosses.residuals(batch, reconstructions)
      var scores = [FAnoGANScore.imageResidual: image]
      if names != [FAnoGANScore.imageResidual.rawValue] {
        let feature = try FAnoGANLosses.residuals(gan.features(of: batch), gan.features(of: reconstructions))
        scores[.featureResidual] = feature
        scores[.anomalyScore] = try image + feature * configuration.featureWeight
      }
      return Dictionary(
        uniqueKeysWithValues: scores.filter { names.contains($0.key.rawValue) }.map { ($0.rawValue, $1) })
    }
  }

  /// |x − G(E(x))| of every pixel, smoothed, and the reconstruction.
  public func explanation(of batch: Tensor) throws -> Explanation {
    try withoutGradients {
      let reconstructions = try reconstruction(of: batch)
      let errors = try (batch - reconstructions).abs().squeezed(1)
      return Explanation(maps: [("imageResidual", try smoothing(errors))], reconstruction: reconstructions)
    }
  }
}
