public import Torch

/// CutPaste, a baseline: a network learns to tell patches pasted into normal images, and what lies far from the embeddings of
/// normal images is unusual (Li et al., CVPR 2021).
public final class CutPasteDetector: AnomalyDetector {
  private let configuration: CutPasteConfiguration
  private let features: FeatureNetwork
  private let pretext: CutPastePretext
  private let enlargement: MapEnlargement
  /// Of pooled embeddings.
  private var embeddings: GaussianDensity?
  /// Of the last layer's features wherever they are.
  private var positions: GaussianDensity?

  /// Creates the network with fresh weights.
  public init(_ configuration: CutPasteConfiguration, in run: RunConfiguration) throws {
    self.configuration = configuration
    features = try FeatureNetwork(
      configuration.backbone, background: run.inputSpecification.background, hasHead: true, seed: run.seed)
    pretext = CutPastePretext(features, configuration.task, in: run)
    enlargement = try MapEnlargement(to: configuration.inputExtents, smoothing: 0)
  }

  /// Backbone and head.
  public var network: Module { features }

  /// The Gaussians of embeddings and positions.
  public var fitted: [String: Tensor] {
    get {
      (embeddings?.state(prefix: "embeddings") ?? [:])
        .merging(positions?.state(prefix: "positions") ?? [:]) { first, _ in first }
    }
    set {
      embeddings = GaussianDensity(newValue, prefix: "embeddings")
      positions = GaussianDensity(newValue, prefix: "positions")
    }
  }

  // MARK: Training

  /// Reads the backbone's weights where they are given.
  public func readGivenWeights() throws { try features.readGivenWeights() }

  /// The three-way task.
  public var stages: [TrainingStage] { [pretext.stage()] }

  /// Cross entropy of the three classes.
  public func losses(of update: TrainingUpdate, on batch: Tensor, step: TrainingStep) throws -> Losses {
    try pretext.losses(on: batch, random: step.random)
  }

  /// Learns mean and covariance of the normal images' embeddings, and of the features at all their positions.
  public func fit(_ batches: ((Tensor) throws -> Void) throws -> Void) throws {
    var pooled: [Tensor] = []
    var tally = GaussianTally()
    try batches { batch in
      let map = try self.lastMap(batch)
      pooled.append(try map.mean([2, 3]))
      try tally.add(Self.features(of: map).reshaped([-1, 1, map.extent(1)]))
    }
    let all = try Tensor.concatenated(pooled, axis: 0)
    var whole = GaussianTally()
    try whole.add(all.unsqueezed(1))
    embeddings = try whole.density(ridge: 0, shrinkage: GaussianTally.ledoitWolfShrinkage(of: all))
    positions = try tally.density(ridge: 0, shrinkage: Self.localShrinkage)
  }

  /// Shrinkage of the covariance of positions, of which there are many: against channels that hardly vary.
  private static let localShrinkage = 1e-3

  // MARK: Scoring

  /// Both scores, the configured one first.
  public var scoreNames: [String] {
    CutPasteScore.all(startingWith: configuration.scoring).map(\.rawValue)
  }

  /// Distance of the embedding, and probability that something was pasted.
  public func scores(_ batch: Tensor, named names: Set<String>, areReferences: ReferenceMatch) throws -> [String:
    Tensor]
  {
    try withoutGradients {
      let map = try lastMap(batch)
      var scores: [String: Tensor] = [:]
      for score in CutPasteScore.allCases where names.contains(score.rawValue) {
        scores[score.rawValue] =
          switch score {
          case .mahalanobis:
            try fittedGaussian(embeddings)
              .distances(of: map.mean([2, 3]).unsqueezed(1), areReferences: areReferences != .others).squeezed(1)
          case .pastedProbability:
            try 1 - features.logits(map, mode: .evaluation).softmax(axis: 1).selected(0, axis: 1)
          }
      }
      return scores
    }
  }

  /// Both maps, the configured one first; no reconstruction.
  public func explanation(of batch: Tensor) throws -> Explanation {
    try withoutGradients {
      let map = try lastMap(batch)
      let maps = try CutPasteConfiguration.Localisation.allCases.map { localisation in
        let values =
          switch localisation {
          case .gradCAM: try gradCAM(map)
          case .local: try localDistances(map)
          }
        return (name: localisation.rawValue, values: try enlargement(values))
      }
      return Explanation(
        maps: configuration.localisation == .gradCAM ? maps : maps.reversed(), reconstruction: nil)
    }
  }

  /// GradCAM (Selvaraju et al. 2017, eq. 1 and 2) of the squared distance D²: the embedding is the mean of the map, so the
  /// gradient, pooled, is that of D² by the embedding, `2 · Σ⁻¹ · (f − μ)`, over the number of positions.
  func gradCAM(_ map: Tensor) throws(TorchError) -> Tensor {
    let weights = try fittedGaussian(embeddings).direction(of: map.mean([2, 3]).unsqueezed(1)).squeezed(1)
    let scale = 2 / Double(map.extent(2) * map.extent(3))
    return try (map * weights.unsqueezed(2).unsqueezed(3)).sum([1]).relu() * scale
  }

  /// Distance of every position's features from those of normal images, `[B, h, w]`.
  private func localDistances(_ map: Tensor) throws(TorchError) -> Tensor {
    let found = try Self.features(of: map).reshaped([-1, 1, map.extent(1)])
    return try fittedGaussian(positions).distances(of: found, areReferences: false)
      .reshaped([map.extent(0), map.extent(2), map.extent(3)])
  }

  /// The last layer's features, `[B, C, h, w]`.
  private func lastMap(_ batch: Tensor) throws -> Tensor {
    guard let map = try features.features(batch, depth: 4, mode: .evaluation).last else {
      throw TorchError("cutpaste", "the backbone has no layers")
    }
    return map
  }

  /// Feature vectors by position, `[B, h, w, C]`.
  private static func features(of map: Tensor) throws(TorchError) -> Tensor { try map.permuted([0, 2, 3, 1]) }

  private func fittedGaussian(_ density: GaussianDensity?) throws(TorchError) -> GaussianDensity {
    guard let density else { throw TorchError("cutpaste", "the detector has not been fitted to normal images") }
    return density
  }
}
