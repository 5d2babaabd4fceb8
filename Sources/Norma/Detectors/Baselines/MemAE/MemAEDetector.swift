public import Torch

/// The memory-augmented autoencoder, a baseline: what cannot be put together from remembered normal parts is unusual.
public final class MemAEDetector: ReconstructionDetector {
  private let configuration: MemAEConfiguration
  private let autoencoder: MemAENetwork
  private let training: TrainingConfiguration
  private let smoothing: MapSmoothing

  /// Creates the network with fresh weights.
  /// - Parameter training: the epochs, which the learning rate follows.
  public init(_ configuration: MemAEConfiguration, seed: Int, training: TrainingConfiguration) throws {
    (self.configuration, self.training) = (configuration, training)
    autoencoder = try MemAENetwork(configuration, generator: Generator(seed: UInt64(seed)))
    smoothing = try MapSmoothing(sigma: configuration.smoothing, sides: configuration.inputExtents)
  }

  /// Encoder, memory and decoder.
  public var network: Module { autoencoder }

  // MARK: Training

  /// Everything at once, the memory included, under Adam (§3.4).
  public var stages: [TrainingStage] {
    [
      .reconstruction(
        autoencoder, named: "memae", AdamOptions(learningRate: configuration.learningRate),
        finalLearningRate: configuration.finalLearningRate, epochs: training.epochs)
    ]
  }

  /// Mean squared error, and the addressing's entropy times α (eq. 10).
  public func losses(of update: TrainingUpdate, on batch: Tensor, step: TrainingStep) throws -> Losses {
    let output = try autoencoder(batch, mode: .training)
    let reconstruction = try AutoencoderLosses.reconstruction(output.reconstructions, batch, .squared)
    let entropy = try MemAELosses.entropy(of: output.weights)
    return Losses(
      total: try reconstruction + entropy * configuration.entropyWeight,
      parts: [
        ("reconstruction", reconstruction), ("entropy", entropy),
        ("activeItems", try MemAELosses.activeItems(of: output.weights)),
      ])
  }

  /// A memory that most positions read nothing from.
  public func warnings(about losses: [String: Double]) -> [String] {
    guard let items = losses["activeItems"], items < 0.5 else { return [] }
    return [
      "most positions read nothing from memory, as no item is alike enough; lower detector.shrinkage "
        + "(\(configuration.shrinkage))"
    ]
  }

  // MARK: Scoring

  /// The score that ranks images.
  public var scoring: ReconstructionScore { configuration.scoring }

  /// The images as the memory's items give them back, shaped like them.
  public func reconstructions(of images: Tensor) throws -> Tensor {
    try autoencoder(images, mode: .evaluation).reconstructions
  }

  /// Squared error of every pixel, shaped like the images.
  public func errors(of reconstructions: Tensor, _ images: Tensor) throws -> Tensor {
    try AutoencoderLosses.errors(of: reconstructions, images, .squared)
  }

  /// Errors `[B, H, W]`, smoothed.
  public func map(of errors: Tensor) throws -> Tensor { try smoothing(errors) }
}
