public import Torch

/// The denoising autoencoder, a baseline: what a U-Net that learnt to take coarse noise away takes away is unusual.
public final class DenoisingAutoencoderDetector: ReconstructionDetector {
  private let configuration: DenoisingAutoencoderConfiguration
  private let denoiser: UNet
  private let training: TrainingConfiguration
  private let noise: CoarseNoise
  private let losses: DenoisingAutoencoderLosses

  /// Creates the network with fresh weights.
  /// - Parameters:
  ///   - training: the epochs, which the learning rate follows unless the configuration says otherwise.
  ///   - range: the values that images may have; the lower end is black.
  public init(
    _ configuration: DenoisingAutoencoderConfiguration, seed: Int, training: TrainingConfiguration,
    range: ClosedRange<Double> = -1...1
  ) throws {
    (self.configuration, self.training) = (configuration, training)
    denoiser = try UNet(
      inputChannels: 1, outputChannels: 1, width: configuration.width, depth: configuration.levels,
      generator: Generator(seed: UInt64(seed)))
    let extent = range.upperBound - range.lowerBound
    noise = CoarseNoise(side: configuration.noiseSide, deviation: configuration.noiseDeviation * extent)
    losses = DenoisingAutoencoderLosses(range: range, foreground: configuration.foreground)
  }

  /// The U-Net.
  public var network: Module { denoiser }

  // MARK: Training

  /// Denoising under Adam, along a cosine.
  public var stages: [TrainingStage] {
    [
      .reconstruction(
        denoiser, named: "denoiser",
        AdamOptions(learningRate: configuration.learningRate, weightDecay: configuration.weightDecay),
        finalLearningRate: configuration.finalLearningRate,
        epochs: configuration.cosinePeriod > 0 ? configuration.cosinePeriod : training.epochs)
    ]
  }

  /// Mean squared error of the denoised images.
  public func losses(of update: TrainingUpdate, on batch: Tensor, step: TrainingStep) throws -> Losses {
    let noisy = try losses.noisy(batch, noise(shape: batch.shape, random: step.random))
    let loss = try losses.reconstruction(denoiser(noisy), batch)
    return Losses(total: loss, parts: [("reconstruction", loss)])
  }

  // MARK: Scoring

  /// The score that ranks images.
  public var scoring: ReconstructionScore { configuration.scoring }

  /// The images as the network gives them back without any noise added, shaped like them.
  public func reconstructions(of images: Tensor) throws -> Tensor { try denoiser(images) }

  /// The absolute error of every pixel after erosion and median, shaped like the images.
  public func errors(of reconstructions: Tensor, _ images: Tensor) throws -> Tensor {
    try losses.errors(
      of: reconstructions, images, erosion: configuration.erosion, median: configuration.median)
  }

  /// The errors as they are: the median has smoothed them.
  public func map(of errors: Tensor) throws -> Tensor { errors }
}
