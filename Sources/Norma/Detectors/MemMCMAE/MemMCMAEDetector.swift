public import Torch

/// MemMC-MAE (arXiv 2203.11725): one stage of masked reconstruction; multi-scale structural similarity scores.
public final class MemMCMAEDetector: ReferenceComparing {
  let configuration: MemMCMAEConfiguration
  let autoencoder: MemMCMAENetwork
  let layout: PatchLayout
  let similarity = StructuralSimilarity(range: -1...1)
  let energies: UnexplainedEnergy
  /// Band energies of normal images; nil before `fit`.
  var normal: UnexplainedEnergy.Normal?
  /// Pixel maps of normal images; nil before `fit`.
  var usual: UsualMaps?
  /// Smooths errors before they are compared with those of normal images.
  let errorFilter: GaussianFilter
  private let training: TrainingConfiguration

  /// Creates the network with fresh weights.
  /// - Parameter training: batch size and epochs, which the learning rate follows.
  public init(_ configuration: MemMCMAEConfiguration, seed: Int, training: TrainingConfiguration) throws {
    (self.configuration, self.training) = (configuration, training)
    layout = PatchLayout(
      extents: [configuration.imageSize, configuration.imageSize], patchSize: configuration.patchSize, channels: 1)
    let scale = Double(configuration.imageSize) / 64
    energies = UnexplainedEnergy(
      views: [try .init("pixels", sigmas: [1, 2, 4, 8].map { $0 * scale }, side: configuration.imageSize)],
      floor: 1e-4, scoresEdges: false)
    errorFilter = try GaussianFilter(sigma: scale, sides: layout.extents, dtype: .float32, on: .cpu)
    autoencoder = try MemMCMAENetwork(configuration, layout: layout, generator: Generator(seed: UInt64(seed)))
  }

  /// The masked autoencoder.
  public var network: Module { autoencoder }

  // MARK: Training

  /// Masked reconstruction under AdamW with linear warm-up and a cosine to zero (§4).
  public var stages: [TrainingStage] {
    let warmUp = min(configuration.warmUpEpochs, training.epochs - 1)
    let update = TrainingUpdate(
      name: "autoencoder", module: autoencoder,
      options: AdamOptions(
        learningRate: configuration.baseLearningRate * Double(training.batchSize) / 256, beta1: 0.9, beta2: 0.95,
        weightDecay: configuration.weightDecay, decoupledWeightDecay: true, decaysVectors: false),
      schedule: .warmUp(epochs: warmUp, then: .cosine(period: training.epochs - warmUp, floor: 0)), interval: 1)
    return [TrainingStage(name: "reconstruction", updates: [update])]
  }

  /// Mean squared error of hidden patches under a fresh mask for every image.
  public func losses(of update: TrainingUpdate, on batch: Tensor, step: TrainingStep) throws -> Losses {
    let patches = try layout.patches(of: batch)
    let mask = try PatchMask.random(
      rows: batch.extent(0), patches: layout.count, ratio: configuration.maskRatio, random: step.random)
    let prediction = try autoencoder(patches, mask: mask)
    let loss = try MemMCMAELosses.hiddenPatches(prediction, target(patches), hidden: mask.hidden)
    return Losses(total: loss, parts: [("reconstruction", loss)])
  }

  /// What the network is to predict of patches.
  private func target(_ patches: Tensor) throws(TorchError) -> Tensor {
    guard configuration.normalisesPatches else { return patches }
    let (mean, deviation) = try MemMCMAELosses.moments(of: patches)
    return try (patches - mean) / deviation
  }
}
