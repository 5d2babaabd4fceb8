public import Torch

/// PatchCore, a baseline: an image is as unusual as the patch that is farthest from a memory bank of normal patch features (Roth
/// et al., CVPR 2022).
public final class PatchCoreDetector: AnomalyDetector {
  private let configuration: PatchCoreConfiguration
  private let features: FeatureNetwork
  private let pretext: CutPastePretext
  private let enlargement: MapEnlargement
  private let seed: Int
  private var bank: MemoryBank?

  /// Creates the network with fresh weights.
  public init(_ configuration: PatchCoreConfiguration, in run: RunConfiguration) throws {
    (self.configuration, seed) = (configuration, run.seed)
    features = try FeatureNetwork(
      configuration.backbone, background: run.inputSpecification.background,
      hasHead: configuration.backbone.learnsPretext,
      seed: run.seed)
    pretext = CutPastePretext(features, configuration.task, in: run)
    enlargement = try MapEnlargement(to: configuration.inputExtents, smoothing: configuration.smoothing)
  }

  /// The backbone, with the pretext task's head where it learns one.
  public var network: Module { features }

  /// The memory bank.
  public var fitted: [String: Tensor] {
    get { bank?.state ?? [:] }
    set { bank = MemoryBank(newValue) }
  }

  /// Images are compared with patches of others alone.
  public var tellsReferencesApart: Bool { true }

  // MARK: Training

  /// Reads the backbone's weights where they are given.
  public func readGivenWeights() throws { try features.readGivenWeights() }

  /// The pretext task, where no weights are given.
  public var stages: [TrainingStage] { configuration.backbone.learnsPretext ? [pretext.stage()] : [] }

  /// The pretext task's.
  public func losses(of update: TrainingUpdate, on batch: Tensor, step: TrainingStep) throws -> Losses {
    try pretext.losses(on: batch, random: step.random)
  }

  /// Chooses the memory bank from the patches of the normal images. All of them are in memory while it does.
  public func fit(_ batches: ((Tensor) throws -> Void) throws -> Void) throws {
    var (all, images, positions) = ([Tensor](), 0, 0)
    try batches { batch in
      let patches = try self.patches(batch).features
      all.append(try patches.reshaped([-1, patches.extent(2)]).copy())
      (images, positions) = (images + patches.extent(0), patches.extent(1))
    }
    let patches = try Tensor.concatenated(all, axis: 0)
    all = []
    let random = try Generator(seed: UInt64(seed))
    let start = Int(try random.integers(in: 0..<patches.extent(0), shape: [1]).item())
    let size = max(1, Int((configuration.bankShare * Double(patches.extent(0))).rounded()))
    let searched = try Coreset.projected(patches, error: configuration.projectionError, random: random)
    let chosen = try Coreset.greedy(searched, size: size, start: start)
    bank = MemoryBank(
      features: try patches.selecting(Tensor(chosen, on: patches.device), axis: 0),
      owners: try Tensor(chosen.map { $0 / positions }, on: patches.device))
  }

  // MARK: Scoring

  /// The scores, the configured one first.
  public var scoreNames: [String] {
    PatchCoreScore.all(startingWith: configuration.scoring).map(\.rawValue)
  }

  /// Distances of patches from the memory bank.
  public func scores(_ batch: Tensor, named names: Set<String>, areReferences: ReferenceMatch) throws -> [String:
    Tensor]
  {
    try withoutGradients {
      let bank = try fittedBank()
      let hidden = try bank.hidden(from: areReferences)
      let patches = try patches(batch).features
      let nearest = try bank.nearest(to: patches, hidden: hidden)
      var scores: [String: Tensor] = [:]
      for score in PatchCoreScore.allCases where names.contains(score.rawValue) {
        scores[score.rawValue] =
          switch score {
          case .reweightedDistance:
            try bank.reweighted(nearest, patches: patches, neighbours: configuration.neighbours, hidden: hidden)
          case .largestDistance: try nearest.distances.maximum([1])
          case .meanDistance: try nearest.distances.mean([1])
          }
      }
      return scores
    }
  }

  /// The distance of every patch, enlarged and smoothed; no reconstruction.
  public func explanation(of batch: Tensor) throws -> Explanation {
    try withoutGradients {
      let patches = try patches(batch)
      let distances = try fittedBank().nearest(to: patches.features, hidden: nil).distances
      let map = try enlargement(distances.reshaped([batch.extent(0)] + patches.grid))
      return Explanation(maps: [("patchDistance", map)], reconstruction: nil)
    }
  }

  /// Locally aware features of every patch of the second layer's grid (§3.1): both layers averaged over the neighbourhood, the
  /// third brought to the second's sides, `[B, h · w, C₂ + C₃]`.
  private func patches(_ batch: Tensor) throws(TorchError) -> (features: Tensor, grid: [Int]) {
    let maps = try features.features(batch, depth: 3, mode: .evaluation)
    let (side, fine) = (configuration.patchSize, maps[1])
    func averaged(_ map: Tensor) throws(TorchError) -> Tensor {
      try map.pooled(.average, kernel: [side, side], stride: [1, 1], padding: [side / 2, side / 2])
    }
    let grid = Array(fine.shape.suffix(2))
    let joined = try Tensor.concatenated([averaged(fine), averaged(maps[2]).resized(to: grid)], axis: 1)
    return (try joined.reshaped([batch.extent(0), joined.extent(1), -1]).transposed(1, 2), grid)
  }

  private func fittedBank() throws(TorchError) -> MemoryBank {
    guard let bank else { throw TorchError("patchcore", "the detector has not been fitted to normal images") }
    return bank
  }
}
