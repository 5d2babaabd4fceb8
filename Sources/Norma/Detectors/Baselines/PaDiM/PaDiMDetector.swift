public import Torch

/// PaDiM, a baseline: at every position, a Gaussian of a backbone's features of normal images (Defard et al. 2020).
public final class PaDiMDetector: AnomalyDetector {
  private let configuration: PaDiMConfiguration
  private let features: FeatureNetwork
  private let pretext: CutPastePretext
  private let enlargement: MapEnlargement
  /// Channels that were drawn, ascending, of the three layers' one after the other, `[d]`, int64.
  private var channels: Tensor
  private var density: GaussianDensity?

  /// Creates the network with fresh weights, and draws channels.
  public init(_ configuration: PaDiMConfiguration, in run: RunConfiguration) throws {
    self.configuration = configuration
    features = try FeatureNetwork(
      configuration.backbone, background: run.inputSpecification.background,
      hasHead: configuration.backbone.learnsPretext,
      seed: run.seed)
    pretext = CutPastePretext(features, configuration.task, in: run)
    enlargement = try MapEnlargement(to: configuration.inputExtents, smoothing: configuration.smoothing)
    let all = configuration.backbone.featureChannels.prefix(3).reduce(0, +)
    channels = try Generator(seed: UInt64(run.seed)).permutation(all).sliced(0..<configuration.channels, axis: 0)
      .sorted(axis: 0).values
  }

  /// The backbone, with the pretext task's head where it learns one.
  public var network: Module { features }

  /// The Gaussians, and which channels they are of.
  public var fitted: [String: Tensor] {
    get { density.map { $0.state(prefix: "positions").merging(["channels": channels]) { first, _ in first } } ?? [:] }
    set {
      density = GaussianDensity(newValue, prefix: "positions")
      channels = newValue["channels"] ?? channels
    }
  }

  // MARK: Training

  /// Reads the backbone's weights where they are given.
  public func readGivenWeights() throws { try features.readGivenWeights() }

  /// The pretext task, where no weights are given.
  public var stages: [TrainingStage] { configuration.backbone.learnsPretext ? [pretext.stage()] : [] }

  /// The pretext task's.
  public func losses(of update: TrainingUpdate, on batch: Tensor, step: TrainingStep) throws -> Losses {
    try pretext.losses(on: batch, random: step.random)
  }

  /// Learns mean and covariance of the normal images' features at every position (§III-B), in one pass.
  public func fit(_ batches: ((Tensor) throws -> Void) throws -> Void) throws {
    var tally = GaussianTally()
    try batches { try tally.add(self.embeddings(of: $0).values) }
    density = try tally.density(ridge: configuration.ridge)
  }

  // MARK: Scoring

  /// Both scores, the configured one first.
  public var scoreNames: [String] {
    PaDiMScore.all(startingWith: configuration.scoring).map(\.rawValue)
  }

  /// The largest and the mean value of the map.
  public func scores(_ batch: Tensor, named names: Set<String>, areReferences: ReferenceMatch) throws -> [String:
    Tensor]
  {
    try withoutGradients {
      let map = try map(of: batch, areReferences: areReferences != .others)
      var scores: [String: Tensor] = [:]
      for score in PaDiMScore.allCases where names.contains(score.rawValue) {
        scores[score.rawValue] =
          switch score {
          case .largestDistance: try map.maximum([1, 2])
          case .meanDistance: try map.mean([1, 2])
          }
      }
      return scores
    }
  }

  /// The distance of every position from its Gaussian, enlarged and smoothed; no reconstruction.
  public func explanation(of batch: Tensor) throws -> Explanation {
    try withoutGradients {
      Explanation(
        maps: [("mahalanobis", try map(of: batch, areReferences: false))], reconstruction: nil)
    }
  }

  /// Mahalanobis distances (eq. 2) at the image's sides, `[B, H, W]`.
  private func map(of batch: Tensor, areReferences: Bool) throws -> Tensor {
    guard let density else { throw TorchError("padim", "the detector has not been fitted to normal images") }
    let (values, grid) = try embeddings(of: batch)
    let distances = try density.distances(of: values, areReferences: areReferences)
    return try enlargement(distances.reshaped([batch.extent(0)] + grid))
  }

  /// The drawn channels of every position of the first layer's grid, each coarser layer's feature standing at all positions that
  /// it covers (§III-A), `[B, h · w, d]`.
  private func embeddings(of batch: Tensor) throws(TorchError) -> (values: Tensor, grid: [Int]) {
    let maps = try features.features(batch, depth: 3, mode: .evaluation)
    let grid = Array(maps[0].shape.suffix(2))
    let joined = try Tensor.concatenated(
      maps.map { map throws(TorchError) in try map.resized(to: grid, .nearest) }, axis: 1)
    let drawn = try joined.selecting(channels.to(joined.device), axis: 1)
    return (try drawn.reshaped([batch.extent(0), drawn.extent(1), -1]).transposed(1, 2), grid)
  }
}
