import Foundation
public import Torch

/// Pieces of token masking to be timed, by the names that `Benchmarks/pytorch/bench_token_masking.py` gives them.
public final class TokenMaskingWorkload {
  /// Steps of the transformer and of the VQ-VAE on a batch; healing, density maps, and scoring whole images.
  public enum Task: String, CaseIterable, Sendable {
    /// Steps of the transformer on stored codes.
    case train
    /// Steps of the VQ-VAE on images.
    case trainAutoencoder = "train-vqvae"
    /// Healing of the least likely 3 % of the tokens of images.
    case heal
    /// Density maps of images from S · D reconstructions.
    case density = "kde"
    /// Healing and density map of one image.
    case healAndMap = "heal-kde"
    /// Images from pixels to map.
    case score
    /// One image from pixels to map: what somebody waits who has one image.
    case scoreOne = "score-one"
  }

  /// Tokens of an image.
  public var tokens: Int { settings.tokens }

  private let detector: TokenMaskingDetector
  private let settings: TokenMaskingConfiguration
  private let device: Device
  private let random: Generator
  private let images: Tensor
  private let precision: MixedPrecision
  /// Why the work is not done in the number format that was asked for; usually nil.
  public var warning: String? { precision.warning }
  private var runners: [String: StageRunner] = [:]
  /// Images that are healed, mapped or scored together.
  private static let together = 8
  /// Share of the tokens that is healed: random weights put none below a threshold.
  private static let flagged = 0.03

  /// Builds networks with fresh weights, and images of noise.
  /// - Throws: `TorchError` when memory or device fail.
  public init(_ settings: TokenMaskingConfiguration, training: TrainingConfiguration, device: Device) throws {
    var settings = settings
    settings.transformer.validationShare = 0
    (self.settings, self.device) = (settings, device)
    detector = try TokenMaskingDetector(settings, seed: 1, range: 0...1)
    try detector.network.move(to: device)
    try detector.network.preferChannelsLast()
    random = try Generator(seed: 1, on: device)
    let count = max(settings.autoencoder.batchSize, Self.together)
    images = try random.uniform(shape: [count, settings.readsPaired ? 2 : 1] + settings.inputExtents)
    detector.history.codes = try random.integers(
      in: 0..<settings.autoencoder.codes, shape: [settings.transformer.batchSize, settings.tokens]
    ).to(.int16).to(.cpu)
    precision = MixedPrecision(training.precision, on: device)
    for stage in detector.stages where ["autoencoder", "round-0"].contains(stage.name) {
      runners[stage.name] = try StageRunner(stage, of: detector, precision: precision)
    }
  }

  /// Does a task `count` times.
  /// - Returns: the time and the images that were worked on.
  public func run(_ task: Task, count: Int) throws -> (seconds: Double, images: Int) {
    let start = Date()
    var done = 0
    for index in 0..<count {
      done +=
        try [.train, .trainAutoencoder].contains(task)
        ? work(task, index) : precision.retrying { try precision { try work(task, index) } }
    }
    try device.finish()
    return (Date().timeIntervalSince(start), done)
  }

  private func work(_ task: Task, _ index: Int) throws -> Int {
    switch task {
    case .train:
      let rows = Array(0..<settings.transformer.batchSize)
      try step("round-0", on: .zeros([0], on: device), rows, index)
      return rows.count
    case .trainAutoencoder:
      let batch = try images.sliced(0..<settings.autoencoder.batchSize, axis: 0)
      try step("autoencoder", on: batch, [], index)
      return settings.autoencoder.batchSize
    case .heal:
      try withoutGradients { _ = try heal(Self.together) }
      return Self.together
    case .density:
      try map(Self.together)
      return Self.together
    case .healAndMap:
      try withoutGradients { _ = try heal(1).values(as: Int.self) }
      try map(1)
      return 1
    case .score, .scoreOne:
      let count = task == .score ? Self.together : 1
      try withoutGradients {
        let batch = try images.sliced(0..<count, axis: 0)
        let sequences = try detector.tokens.sequences(of: batch).tokens
        let logits = try detector.tokens.transformer.logits(of: sequences)
        let surprise = try TokenMaskingLosses.negativeLogLikelihoods(logits, of: sequences)
        let threshold = try TokenMaskingDetector.upperQuantile(surprise.reshaped([-1, 1]), share: Self.flagged)
        let found = try detector.findings(
          in: batch, with: detector.tokens.transformer, settings.detection,
          threshold: threshold.expanded([settings.tokens]))
        _ = try found.map(.density).values(as: Float.self)
      }
      return count
    }
  }

  private func step(_ stage: String, on batch: Tensor, _ rows: [Int], _ index: Int) throws {
    guard let runner = runners[stage] else { throw TorchError("benchmark", "there is no stage '\(stage)'") }
    let step = TrainingStep(
      due: runner.due(in: 0), random: random, indices: rows, iteration: 1 + index, count: 1 + index)
    _ = try runner.run(step, on: batch)
  }

  /// Density maps of images, each among S · D reconstructions.
  private func map(_ count: Int) throws {
    let pixels = settings.inputExtents.reduce(1, *)
    let samples = try random.uniform(shape: [settings.detection.samples * settings.detection.decodings, pixels])
    let density = KernelDensity(rule: settings.detection.bandwidth, floor: settings.detection.bandwidthFloor)
    for _ in 0..<count {
      _ = try density.surprise(of: random.uniform(shape: [pixels]), among: samples).values(as: Float.self)
    }
  }

  private func heal(_ images: Int) throws -> Tensor {
    let transformer = detector.tokens.transformer
    let tokens = try random.integers(in: 0..<settings.autoencoder.codes, shape: [images, settings.tokens])
    let count = max(1, Int((Self.flagged * Double(settings.tokens)).rounded()))
    let noise = try random.uniform(shape: [images, settings.tokens])
    let least = try noise.top(count, axis: 1).values.minimum([1], keepingAxes: true)
    let healer = TokenHealer(transformer: transformer, temperature: 1)
    let reading = try healer.read(tokens, context: nil)
    return try healer.heal(
      tokens, flags: noise.greaterOrEqual(least), reading: reading, samples: settings.detection.samples,
      keys: (0..<UInt64(images)).map { $0 }, context: nil)
  }
}
