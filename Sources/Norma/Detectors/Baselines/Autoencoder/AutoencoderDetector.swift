public import Torch

/// The plain autoencoder, a baseline: what it cannot reconstruct is unusual.
public final class AutoencoderDetector: ReconstructionDetector {
  private let configuration: AutoencoderConfiguration
  private let autoencoder: AutoencoderNetwork
  private let training: TrainingConfiguration
  /// The values that images may have.
  private let range: ClosedRange<Double>
  private let smoothing: MapSmoothing

  /// Creates the network with fresh weights.
  /// - Parameters:
  ///   - training: the epochs, which the learning rate follows.
  ///   - range: the values that images may have, for structural similarity.
  public init(
    _ configuration: AutoencoderConfiguration, seed: Int, training: TrainingConfiguration,
    range: ClosedRange<Double> = -1...1
  ) throws {
    (self.configuration, self.training, self.range) = (configuration, training, range)
    let extents = [configuration.imageSize, configuration.imageSize]
    autoencoder = try AutoencoderNetwork(configuration, extents: extents, generator: Generator(seed: UInt64(seed)))
    smoothing = try MapSmoothing(sigma: configuration.smoothing, sides: extents)
  }

  /// Encoder and decoder.
  public var network: Module { autoencoder }

  // MARK: Training

  /// Reconstruction under Adam, at a constant rate or along a cosine.
  public var stages: [TrainingStage] {
    [
      .reconstruction(
        autoencoder, named: "autoencoder", AdamOptions(learningRate: configuration.learningRate),
        finalLearningRate: configuration.finalLearningRate, epochs: training.epochs)
    ]
  }

  /// Mean error of all pixels.
  public func losses(of update: TrainingUpdate, on batch: Tensor, step: TrainingStep) throws -> Losses {
    let loss = try AutoencoderLosses.reconstruction(
      autoencoder(batch, mode: .training), batch, configuration.loss, range: range)
    return Losses(total: loss, parts: [("reconstruction", loss)])
  }

  // MARK: Scoring

  /// The score that ranks images.
  public var scoring: ReconstructionScore { configuration.scoring }

  /// The images as the network gives them back, shaped like them.
  public func reconstructions(of images: Tensor) throws -> Tensor { try autoencoder(images, mode: .evaluation) }

  /// The error of every pixel by the configured measure, shaped like the images.
  public func errors(of reconstructions: Tensor, _ images: Tensor) throws -> Tensor {
    try AutoencoderLosses.errors(of: reconstructions, images, configuration.error, range: range)
  }

  /// Errors `[B, H, W]`, smoothed.
  public func map(of errors: Tensor) throws -> Tensor { try smoothing(errors) }
}
