public import Torch

/// The plain autoencoder, a baseline: what it cannot reconstruct is unusual.
public final class AutoencoderDetector: AnomalyDetector {
  private let configuration: AutoencoderConfiguration
  private let autoencoder: AutoencoderNetwork
  private let training: TrainingConfiguration
  /// Smooths the map; nil: it is not smoothed.
  private let filter: GaussianFilter?

  /// Creates the network with fresh weights.
  /// - Parameter training: the epochs, which the learning rate follows.
  public init(_ configuration: AutoencoderConfiguration, seed: Int, training: TrainingConfiguration) throws {
    (self.configuration, self.training) = (configuration, training)
    let extents = [configuration.imageSize, configuration.imageSize]
    autoencoder = try AutoencoderNetwork(configuration, extents: extents, generator: Generator(seed: UInt64(seed)))
    filter =
      configuration.smoothing > 0
      ? try GaussianFilter(sigma: configuration.smoothing, sides: extents, dtype: .float32, on: .cpu) : nil
  }

  /// Encoder and decoder.
  public var network: Module { autoencoder }

  /// Nothing is fitted.
  public var fitted: [String: Tensor] {
    get { [:] }
    set {}
  }

  // MARK: Training

  /// Reconstruction under Adam, at a constant rate or along a cosine.
  public var stages: [TrainingStage] {
    let floor = configuration.finalLearningRate / configuration.learningRate
    let update = TrainingUpdate(
      name: "autoencoder", module: autoencoder, options: AdamOptions(learningRate: configuration.learningRate),
      schedule: floor == 1 ? .constant : .cosine(period: training.epochs, floor: floor), interval: 1)
    return [TrainingStage(name: "reconstruction", updates: [update])]
  }

  /// Mean error of all pixels.
  public func losses(of update: TrainingUpdate, on batch: Tensor, step: TrainingStep) throws -> Losses {
    let loss = try AutoencoderLosses.reconstruction(
      autoencoder(batch, mode: .training), batch, configuration.loss)
    return Losses(total: loss, parts: [("reconstruction", loss)])
  }

  /// Nothing follows an update.
  public func didApply(_ update: TrainingUpdate) throws {}

  /// Nothing is fitted.
  public func fit(_ batches: ((Tensor) throws -> Void) throws -> Void) throws {}

  // MARK: Scoring

  /// Both scores, the configured one first.
  public var scoreNames: [String] {
    ([configuration.scoring] + AutoencoderScore.allCases.filter { $0 != configuration.scoring }).map(\.rawValue)
  }

  /// Mean error of an image's pixels, and of the highest hundredth of them.
  public func scores(_ batch: Tensor, named names: Set<String>, areReferences: ReferenceMatch) throws -> [String:
    Tensor]
  {
    try withoutGradients {
      let errors = try AutoencoderLosses.errors(
        of: autoencoder(batch, mode: .evaluation), batch, configuration.error
      ).reshaped([batch.extent(0), -1])
      var scores: [String: Tensor] = [:]
      for score in AutoencoderScore.allCases where names.contains(score.rawValue) {
        scores[score.rawValue] =
          switch score {
          case .reconstructionError: try errors.mean([1])
          case .topPercent: try errors.top(max(1, errors.extent(1) / 100), axis: 1).values.mean([1])
          }
      }
      return scores
    }
  }

  /// The error of every pixel, smoothed, and the reconstruction.
  public func explanation(of batch: Tensor) throws -> Explanation {
    try withoutGradients {
      let reconstructions = try autoencoder(batch, mode: .evaluation)
      let errors = try AutoencoderLosses.errors(of: reconstructions, batch, configuration.error).squeezed(1)
      let map = try filter.map { try $0.moved(to: errors.device)(errors) } ?? errors
      return Explanation(maps: [("reconstructionError", map)], reconstruction: reconstructions)
    }
  }
}
