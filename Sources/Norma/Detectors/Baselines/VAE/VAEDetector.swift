public import Torch

/// The variational autoencoder, a baseline: what it gives little probability is unusual.
public final class VAEDetector: AnomalyDetector {
  private let configuration: VAEConfiguration
  private let autoencoder: VAENetwork
  private let training: TrainingConfiguration
  private let smoothing: MapSmoothing

  /// Creates the network with fresh weights.
  /// - Parameter training: the epochs, which the learning rate follows.
  public init(_ configuration: VAEConfiguration, seed: Int, training: TrainingConfiguration) throws {
    (self.configuration, self.training) = (configuration, training)
    autoencoder = try VAENetwork(configuration, generator: Generator(seed: UInt64(seed)))
    smoothing = try MapSmoothing(sigma: configuration.smoothing, sides: configuration.inputExtents)
  }

  /// Encoder and decoder.
  public var network: Module { autoencoder }

  // MARK: Training

  /// The lower bound under Adam, at a constant rate or along a cosine.
  public var stages: [TrainingStage] {
    [
      .reconstruction(
        autoencoder, named: "vae", AdamOptions(learningRate: configuration.learningRate),
        finalLearningRate: configuration.finalLearningRate, epochs: training.epochs)
    ]
  }

  /// The negative lower bound, with one code drawn for each image.
  public func losses(of update: TrainingUpdate, on batch: Tensor, step: TrainingStep) throws -> Losses {
    let posterior = try autoencoder.posterior(of: batch, mode: .training)
    let noise = try step.random.normal(shape: posterior.mean.shape)
    let likelihood = try autoencoder.likelihood(of: posterior.sample(noise), mode: .training)
    let bound = try VAELosses.bound(
      posterior, likelihood, of: batch, divergenceWeight: configuration.divergenceWeight)
    return Losses(
      total: bound.total, parts: [("reconstruction", bound.reconstruction), ("divergence", bound.divergence)])
  }

  /// Codes that say next to nothing about their image.
  public func warnings(about losses: [String: Double]) -> [String] {
    guard let divergence = losses["divergence"], divergence < 0.1 else { return [] }
    return [
      "the codes say next to nothing about their images (divergence below 0.1 nats), so all are reconstructed alike; "
        + "lower detector.divergenceWeight (\(configuration.divergenceWeight))"
    ]
  }

  // MARK: Scoring

  /// So many that about 32 images are decoded at once.
  public func scoringBatchSize(on device: Device) -> Int { max(1, 32 / configuration.samples) }

  /// All scores, the configured one first.
  public var scoreNames: [String] {
    VAEScore.all(startingWith: configuration.scoring).map(\.rawValue)
  }

  /// Probability, bound and error of every image.
  public func scores(_ batch: Tensor, named names: Set<String>, areReferences: ReferenceMatch) throws -> [String:
    Tensor]
  {
    try withoutGradients {
      let wanted = VAEScore.allCases.filter { names.contains($0.rawValue) }
      let posterior = try autoencoder.posterior(of: batch, mode: .evaluation)
      var scores: [String: Tensor] = [:]
      if wanted.contains(.reconstructionProbability) || wanted.contains(.negativeELBO) {
        let surprise = try surprise(at: batch, posterior).mean([1, 2, 3])
        let pixels = Double(batch.count / batch.extent(0))
        scores[VAEScore.reconstructionProbability.rawValue] = surprise
        scores[VAEScore.negativeELBO.rawValue] = try surprise + posterior.divergence() / pixels
      }
      if wanted.contains(.reconstructionError) || wanted.contains(.topPercent) {
        let errors = try (reconstructions(posterior) - batch).squared()
        scores[VAEScore.reconstructionError.rawValue] = try ReconstructionScore.reconstructionError(errors)
        scores[VAEScore.topPercent.rawValue] = try ReconstructionScore.topPercent(errors)
      }
      return scores.filter { names.contains($0.key) }
    }
  }

  /// −log of every pixel's reconstruction probability and its squared error, both smoothed, and the reconstruction from the
  /// code's mean.
  public func explanation(of batch: Tensor) throws -> Explanation {
    try withoutGradients {
      let posterior = try autoencoder.posterior(of: batch, mode: .evaluation)
      let reconstructions = try reconstructions(posterior)
      let maps = [
        (VAEScore.reconstructionProbability, try surprise(at: batch, posterior)),
        (VAEScore.reconstructionError, try (reconstructions - batch).squared()),
      ]
      return Explanation(
        maps: try maps.map { ($0.0.rawValue, try smoothing($0.1.squeezed(1))) }, reconstruction: reconstructions)
    }
  }

  /// What the code's mean stands for, `[B, 1, H, W]`.
  private func reconstructions(_ posterior: DiagonalGaussian) throws(TorchError) -> Tensor {
    try autoencoder.likelihood(of: posterior.mean, mode: .evaluation).mean
  }

  /// −log of the reconstruction probability of every pixel (An & Cho, algorithm 4), `[B, 1, H, W]`: the mean over L codes.
  /// They are drawn by the same numbers for every image, on the processor, so that neither batch nor device has a say.
  private func surprise(at images: Tensor, _ posterior: DiagonalGaussian) throws(TorchError) -> Tensor {
    let (count, width) = (configuration.samples, configuration.codeWidth)
    let noise = try Generator(seed: UInt64(configuration.sampleSeed)).normal(shape: [count, 1, width])
    let codes = try posterior.sample(noise.to(images.device)).reshaped([-1, width])
    let likelihood = try autoencoder.likelihood(of: codes, mode: .evaluation)
    let drawn = [count] + images.shape
    let each = DiagonalGaussian(
      mean: try likelihood.mean.reshaped(drawn), logVariance: try likelihood.logVariance.reshaped(drawn))
    return try each.negativeLogDensity(of: images).mean([0])
  }
}
