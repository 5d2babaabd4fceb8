public import Torch

/// Iterative latent token masking (ICCVW 2023): a VQ-VAE, then a transformer over its codes, trained round after round without
/// the tokens that the round before suspects.
public final class TokenMaskingDetector: ReferenceComparing {
  let configuration: TokenMaskingConfiguration
  let tokens: TokenMaskingNetwork
  /// The ends of the network's scale of intensities.
  let range: ClosedRange<Double>
  let seed: Int
  let energies: UnexplainedEnergy?
  /// What the rounds have found so far.
  var history = TokenHistory()
  /// What the scores know of normal images.
  var usual = UsualTokens()
  /// Reconstruction of the running iteration, shared by the updates of VQ-VAE and discriminator.
  private var reconstruction: Tensor?

  /// Creates the networks with fresh weights.
  /// - Parameter range: the ends of the network's scale of intensities.
  public init(_ configuration: TokenMaskingConfiguration, seed: Int, range: ClosedRange<Double>) throws {
    (self.configuration, self.seed, self.range) = (configuration, seed, range)
    tokens = try TokenMaskingNetwork(configuration, seed: seed)
    let scale = Double(configuration.imageSize) / 64
    energies =
      configuration.volume.isEmpty
      ? UnexplainedEnergy(
        views: [
          try .init("pixels", sigmas: [1, 2, 4, 8].map { $0 * scale }, side: configuration.imageSize)
        ], floor: 1e-4, scoresEdges: false) : nil
  }

  /// All networks.
  public var network: Module { tokens }

  // MARK: Training

  /// The VQ-VAE (and that of the paired volume), then a transformer for each round: round 0 on everything, the others without
  /// what the round before suspects.
  public var stages: [TrainingStage] {
    var stages = [autoencoderStage("autoencoder", tokens.autoencoder)]
    if let paired = tokens.contextAutoencoder { stages.append(autoencoderStage("contextAutoencoder", paired)) }
    let rounds = configuration.rounds.count
    // The last round's checkpoint is the run's own.
    for round in 0...rounds { stages.append(transformerStage("round-\(round)", keepsCheckpoint: round < rounds)) }
    return stages
  }

  /// The transformers that every round trains: with cross-fitting, also one for each half of the images.
  private var trained: [(name: String, transformer: TokenTransformer)] {
    tokens.folds.enumerated().map { ("fold-\($0)", $1) } + [("transformer", tokens.transformer)]
  }

  private func autoencoderStage(_ name: String, _ module: VectorQuantisedAutoencoder) -> TrainingStage {
    let settings = configuration.autoencoder
    let schedule = LearningRateSchedule.exponential(
      epochs: settings.epochs, floor: settings.finalLearningRate / settings.learningRate)
    var updates = [
      TrainingUpdate(
        name: name, module: module, options: AdamOptions(learningRate: settings.learningRate), schedule: schedule,
        interval: 1)
    ]
    if name == "autoencoder", let discriminator = tokens.discriminator {
      updates.append(
        TrainingUpdate(
          name: "discriminator", module: discriminator,
          options: AdamOptions(learningRate: settings.discriminatorLearningRate), schedule: schedule, interval: 1))
    }
    return TrainingStage(
      name: name, updates: updates, epochs: settings.epochs, batchSize: settings.batchSize, givesScores: false)
  }

  private func transformerStage(_ name: String, keepsCheckpoint: Bool) -> TrainingStage {
    let settings = configuration.transformer
    let options = AdamOptions(
      learningRate: settings.learningRate, weightDecay: settings.weightDecay, decoupledWeightDecay: true,
      decaysVectors: false)
    let schedule = LearningRateSchedule.exponential(
      epochs: settings.epochs, floor: settings.finalLearningRate / settings.learningRate)
    return TrainingStage(
      name: name,
      updates: trained.map {
        TrainingUpdate(name: $0.name, module: $0.transformer, options: options, schedule: schedule, interval: 1)
      }, epochs: settings.epochs, batchSize: settings.batchSize, readsImages: false,
      checkpoint: keepsCheckpoint ? name : nil)
  }

  /// The losses of the VQ-VAE and its discriminator on images, or of a transformer on the stored codes of the batch's images.
  public func losses(of update: TrainingUpdate, on batch: Tensor, step: TrainingStep) throws -> Losses {
    switch update.module {
    case let autoencoder as VectorQuantisedAutoencoder:
      let isPaired = autoencoder === tokens.contextAutoencoder
      return try autoencoderLosses(
        autoencoder, isPaired ? tokens.pairedImage(of: batch) : tokens.image(of: batch), step)
    case let discriminator as PatchDiscriminator:
      return try discriminatorLosses(discriminator, tokens.image(of: batch))
    case let transformer as TokenTransformer: return try transformerLosses(transformer, step)
    default: throw TorchError("losses", "the update '\(update.name)' is none of this method's")
    }
  }

  private func autoencoderLosses(
    _ autoencoder: VectorQuantisedAutoencoder, _ images: Tensor, _ step: TrainingStep
  ) throws -> Losses {
    let settings = configuration.autoencoder
    let latents = try autoencoder.encoded(images, random: step.random)
    let coded = try autoencoder.quantiser(
      latents,
      update: VectorQuantiser.Update(
        decay: decay(step), restartsDeadCodes: step.iteration == 0, random: step.random))
    let decoded = try autoencoder.decoded(coded.quantised.to(images.dtype), random: step.random)
    let pixels = try TokenMaskingLosses.pixels(decoded, images, settings.pixelLoss)
    var total = try pixels + coded.commitment
    var parts = [("pixels", pixels), ("commitment", coded.commitment)]
    if settings.spectralWeight > 0 {
      let spectrum = try TokenMaskingLosses.spectrum(decoded, images)
      total = try total + spectrum * settings.spectralWeight
      parts.append(("spectrum", spectrum))
    }
    if step.due.contains("discriminator"), let discriminator = tokens.discriminator {
      reconstruction = try decoded.detached()
      if step.share >= settings.adversarialStart {
        let adversarial = try discriminator.frozen { try TokenMaskingLosses.generator(fake: discriminator(decoded)) }
        let weight = try adversarialWeight(reconstruction: total, adversarial, autoencoder)
        total = try total + adversarial * weight
        parts.append(("adversarial", adversarial))
      }
    }
    return Losses(total: total, parts: parts + [("perplexity", coded.perplexity)])
  }

  /// γ: rises step by step over the first epochs.
  func decay(_ step: TrainingStep) -> Double {
    let settings = configuration.autoencoder
    let last = settings.decays.count - 1
    guard last > 0, settings.decayShare > 0 else { return settings.decays[last] }
    return settings.decays[min(last, Int(step.share / settings.decayShare * Double(last)))]
  }

  /// The weight as configured, or that times the ratio of the gradients at the decoder's last layer, at most 10⁴.
  private func adversarialWeight(
    reconstruction: Tensor, _ adversarial: Tensor, _ autoencoder: VectorQuantisedAutoencoder
  ) throws(TorchError) -> Double {
    let settings = configuration.autoencoder
    guard settings.adaptiveAdversarialWeight else { return settings.adversarialWeight }
    let kernel = autoencoder.lastKernel
    let ratio = try reconstruction.gradientNorm(of: kernel) / (adversarial.gradientNorm(of: kernel) + 1e-4)
    return settings.adversarialWeight * min(max(ratio, 0), 1e4)
  }

  private func discriminatorLosses(_ discriminator: PatchDiscriminator, _ images: Tensor) throws -> Losses {
    guard let reconstruction else {
      throw TorchError("discriminator", "its update must follow that of the VQ-VAE")
    }
    self.reconstruction = nil
    let loss = try TokenMaskingLosses.discriminator(
      real: discriminator(images), fake: discriminator(reconstruction))
    return Losses(total: try loss * configuration.autoencoder.adversarialWeight, parts: [("discriminator", loss)])
  }

  private func transformerLosses(_ transformer: TokenTransformer, _ step: TrainingStep) throws -> Losses {
    let interval = configuration.transformer.redrawInterval
    if configuration.transformer.attention == .linear, interval > 0, step.count % interval == interval - 1 {
      try transformer.redrawFeatures(step.random)
    }
    let fold = tokens.folds.firstIndex { $0 === transformer }
    let rows = step.indices.filter { isTrained(on: $0, fold: fold) }
    guard !rows.isEmpty else {
      let nothing = try transformer.namedParameters[0].parameter.tensor.sum() * 0
      return Losses(total: nothing, parts: [])
    }
    let loss = try crossEntropy(transformer, of: rows, random: step.random)
    return Losses(total: loss, parts: [(fold.map { "crossEntropy-\($0)" } ?? "crossEntropy", loss)])
  }

  /// Masked cross entropy of stored sequences.
  func crossEntropy(_ transformer: TokenTransformer, of rows: [Int], random: Generator?) throws -> Tensor {
    let device = transformer.namedParameters[0].parameter.tensor.device
    let stored = try history.rows(rows, on: device)
    let context = try stored.context.map { rows throws(TorchError) in try transformer.contextVectors(rows) }
    let keep = try stored.weights?.greater(0).to(.float32)
    let logits = try transformer.logits(of: stored.tokens, keep: keep, context: context, random: random)
    return try TokenMaskingLosses.crossEntropy(logits, of: stored.tokens, weights: stored.weights)
  }

  /// Whether a stored image trains a transformer: those held out for validation do not, nor those of the other half.
  private func isTrained(on index: Int, fold: Int?) -> Bool {
    !isHeldOut(index) && (fold.map { self.fold(of: index) == $0 } ?? true)
  }

  /// Whether a stored image is left out to choose the epoch.
  func isHeldOut(_ index: Int) -> Bool {
    Double(CounterRandom.uniform(UInt64(seed), index, 7)) < configuration.transformer.validationShare
  }

  /// The half that an image belongs to, 0 or 1.
  func fold(of index: Int) -> Int {
    if let halves = history.halves, halves.indices.contains(index) { return halves[index] }
    return CounterRandom.uniform(UInt64(seed), index, 8) < 0.5 ? 0 : 1
  }

  /// The half of each part of volumes, with all parts of a volume in one, and as many volumes in one half as in the other; nil
  /// where there are not two volumes.
  static func halves(of subjects: [Int], seed: Int) -> [Int]? {
    let volumes = Set(subjects).map { (CounterRandom.uniform(UInt64(seed), $0, 8), $0) }.sorted { $0 < $1 }
    guard volumes.count > 1 else { return nil }
    let first = Set(volumes.prefix((volumes.count + 1) / 2).map(\.1))
    return subjects.map { first.contains($0) ? 0 : 1 }
  }

  /// Codes that are hardly used.
  public func warnings(about losses: [String: Double]) -> [String] {
    guard let perplexity = losses["perplexity"], perplexity < 0.05 * Double(configuration.autoencoder.codes) else {
      return []
    }
    return [
      "the VQ-VAE uses few of its \(configuration.autoencoder.codes) codes (perplexity \(Int(perplexity))); lower detector.autoencoder.codes, or train longer"
    ]
  }
}

extension Tensor {
  /// The length of this number's gradient with respect to a weight.
  fileprivate func gradientNorm(of weight: Tensor) throws(TorchError) -> Double {
    try gradients(of: [weight]).first.map { gradient throws(TorchError) in try gradient.norm().item() } ?? 0
  }
}
