import MedicalImaging
public import Torch

/// Scores images with a trained detector: the one path from images to figures, in training and afterwards.
public final class Scorer {
  /// The detector, on `device`.
  public let detector: any AnomalyDetector
  /// What the detector takes.
  public let specification: InputSpecification
  /// Distributions of normal training images.
  public internal(set) var calibration: Calibration
  /// Of an ensemble, what scores with each of its members; empty of a single detector.
  let members: [Scorer]
  let device: Device
  /// Views that are scored at once.
  private(set) var batchSize: Int
  /// Whether that was asked for.
  private(set) var hasGivenBatchSize = false
  private let precision: MixedPrecision

  /// Why images are not scored in the number format that was asked for, a sentence; usually nil.
  public var warning: String? { precision.warning }

  /// A scorer around a detector.
  init(
    _ detector: any AnomalyDetector, specification: InputSpecification, calibration: Calibration, device: Device,
    precision: MixedPrecision? = nil
  ) {
    let fits = precision?.format == .float32 || detector.scoresInMixedPrecision
    self.precision = precision.flatMap { fits ? $0 : nil } ?? MixedPrecision(.float32, on: device)
    (self.detector, self.specification, self.calibration) = (detector, specification, calibration)
    (self.device, batchSize) = (device, detector.scoringBatchSize(on: device))
    let inputs = specification.members ?? []
    members = zip((detector as? EnsembleDetector)?.members ?? [], inputs).map { member, input in
      Scorer(member, specification: input, calibration: Calibration(scores: [:], mapRanges: [:]), device: device)
    }
  }

  /// A scorer from a checkpoint file. Its weights are frozen: norms are folded into convolutions, and matrices cast, once.
  /// - Parameter precision: the number format to score in; nil: that of the training.
  /// - Throws: `CheckpointError`, `ConfigurationError`, `StateMismatch` or `TorchError`.
  public convenience init(
    checkpoint: Checkpoint, device: Device, precision: TrainingConfiguration.Precision? = nil
  ) throws {
    let configuration = checkpoint.metadata.configuration
    let detector = try checkpoint.makeDetector()
    try detector.network.move(to: device)
    detector.fitted = try detector.fitted.mapValues { try $0.to(device) }
    let precision = MixedPrecision.scoring(
      detector, in: precision ?? configuration.training.precision, on: device, isAsked: precision != nil)
    try detector.network.freeze(as: precision.dtype)
    self.init(
      detector, specification: configuration.inputSpecification, calibration: checkpoint.metadata.calibration,
      device: device, precision: precision)
  }

  /// What is needed to read what a scorer says, away from its detector.
  public struct Reading: Sendable {
    /// What the detector takes.
    public let specification: InputSpecification
    /// Distributions of normal training images.
    public let calibration: Calibration
  }

  /// Scores so many images at once from here on; nil: as many as suit the detector.
  /// - Parameters:
  ///   - images: how many there are to score.
  ///   - explains: whether maps and reconstructions will be wanted.
  /// - Returns: the choice, where it was made here.
  /// - Throws: `BatchSizeError`; `TorchError` when memory or device fail.
  public func setBatchSize(_ wanted: BatchSize?, images: Int, explains: Bool) throws -> BatchSize.Choice? {
    switch wanted {
    case nil: return nil
    case .fixed(let size):
      for scorer in [self] + members { (scorer.batchSize, scorer.hasGivenBatchSize) = (size, true) }
      return nil
    case .automatic:
      let choice = try fastestBatch(images: images, explains: explains)
      (batchSize, hasGivenBatchSize) = (choice.size, true)
      return choice
    }
  }

  /// What is needed to read the results.
  public var reading: Reading { Reading(specification: specification, calibration: calibration) }

  /// Fits a detector to normal training images and calibrates its scores and maps on them.
  /// - Parameters:
  ///   - heldOut: images set aside from training; the normal ones among them, if there are enough, give the threshold.
  ///   - precision: the number format to compute in; nil: float32.
  ///   - calibrates: false stops after fitting, where only raw scores are wanted.
  static func fitted(
    _ detector: any AnomalyDetector, to images: PreparedImages, heldOut: PreparedImages? = nil,
    configuration: RunConfiguration, device: Device, precision: MixedPrecision? = nil, calibrates: Bool = true
  ) throws -> Scorer {
    let scorer = Scorer(
      detector, specification: images.specification, calibration: Calibration(scores: [:], mapRanges: [:]),
      device: device, precision: precision)
    try scorer.inPrecision {
      try withoutGradients {
        let batches: ((Tensor) throws -> Void) throws -> Void = { body in
          try scorer.forEachBatch(of: images) { try body($0.values) }
        }
        if let comparing = detector as? any ReferenceComparing {
          try comparing.fit(batches, subjects: images.specification.isCut ? images.views.map(\.image) : [])
        } else {
          try detector.fit(batches)
        }
      }
    }
    let fitted = detector.fitted
    // What is kept is float32, whatever it was measured in.
    if fitted.values.contains(where: { $0.dtype == .bfloat16 }) {
      detector.fitted = try fitted.mapValues { try $0.dtype == .bfloat16 ? $0.to(.float32) : $0 }
    }
    guard calibrates else { return scorer }
    let raw = try scorer.rawScores(of: images, areReferences: true)
    let normals = heldOut?.selecting { $0.label == .normal }
    let unseen = normals.flatMap { $0.count >= smallestHeldOut ? $0 : nil }
    let unseenScores = try unseen.map { try scorer.rawScores(of: $0) } ?? [:]
    let moments =
      configuration.calibration.moments == .official
      ? try scorer.rawScores(
        of: images.prefix(201), augmentation: Augmentation(configuration.augmentation),
        random: Generator(seed: UInt64(configuration.seed), on: device)) : raw
    let quantile = configuration.calibration.quantile
    let source = unseen.map { "\($0.count) held-out normal images" } ?? "\(images.count) training images"
    scorer.calibration = Calibration(
      scores: Dictionary(
        uniqueKeysWithValues: raw.map {
          ($0, .init(of: $1, heldOut: unseenScores[$0] ?? [], moments: moments[$0], quantile: quantile))
        }),
      thresholdSource: "\(quantile * 100) % of \(source)",
      mapRanges: try scorer.mapRanges(of: unseen ?? images))
    return scorer
  }

  /// What display ranges are taken from: the first 128 normal images; of volumes as many as make 16 million values, at least
  /// 4; of slices and patches as many as make that, from all volumes.
  private func viewsForMapRanges(of images: PreparedImages) -> [Int] {
    let most = max(4, 1 << 24 / specification.count)
    let all = images.views.indices
    guard specification.isCut else { return Array(all.prefix(specification.isVolume ? min(128, most) : 128)) }
    let count = min(most, all.count)
    return (0..<count).map { $0 * all.count / count }
  }

  /// Fewer held-out normal images than this give no usable quantile.
  static let smallestHeldOut = 20

  // MARK: Scores

  /// Raw scores of all images by name.
  /// - Parameters:
  ///   - names: the scores that are wanted; nil: all.
  ///   - areReferences: the images are those that the detector was fitted to.
  public func rawScores(
    of images: PreparedImages, named names: Set<String>? = nil, areReferences: Bool = false
  ) throws -> [String: [Double]] {
    if let ensemble = detector as? EnsembleDetector {
      return try ensemble.scores(of: memberScores(of: images, areReferences: areReferences))
        .filter { names?.contains($0.key) ?? true }
    }
    let names = names ?? Set(detector.scoreNames)
    let tellsApart = specification.isCut || detector.tellsReferencesApart
    let subjects = areReferences && tellsApart ? images.views.map(\.image) : nil
    var all: [String: [Double]] = [:]
    try forEachBatch(of: images) { batch in
      let match: ReferenceMatch = subjects.map { .among($0, at: batch.indices) } ?? (areReferences ? .itself : .others)
      let scores = try self.inPrecision {
        try withoutGradients { try self.detector.scores(batch.values, named: names, areReferences: match) }
      }
      for (name, values) in scores { all[name, default: []] += try values.values(as: Double.self) }
    }
    return all.mapValues(images.gathered)
  }

  /// Raw scores of augmented images: what the official calibration is taken of.
  private func rawScores(
    of images: PreparedImages, augmentation: Augmentation, random: Generator
  ) throws -> [String: [Double]] {
    var all: [String: [Double]] = [:]
    try forEachBatch(of: images) { batch in
      let moved = try augmentation(batch.values, background: self.specification.background, random: random)
      for (name, values) in try self.inPrecision({ try self.detector.scores(moved, areReferences: false) }) {
        all[name, default: []] += try values.values(as: Double.self)
      }
    }
    return all.mapValues(images.gathered)
  }

  /// Everything about each image, handed over batch by batch so that maps need not all fit into memory.
  /// - Parameters:
  ///   - explains: whether maps and reconstructions are wanted.
  ///   - allScores: whether every score of the method is wanted, not just the default one, which is faster.
  public func score(
    _ images: PreparedImages, explains: Bool, allScores: Bool = false, progress: ProgressHandler = { _ in },
    _ handle: (AnomalyResult) throws -> Void
  ) throws {
    try forEachFinding(of: images, explains: explains, allScores: allScores, progress: progress) {
      try handle(self.result($1, about: $0, at: $2))
    }
  }

  /// What the detector says about every view of a batch.
  func findings(_ batch: Tensor, explains: Bool, allScores: Bool) throws -> [Finding] {
    let names = allScores ? Set(detector.scoreNames) : [detector.scoreNames[0]]
    let scores = try inPrecision {
      try withoutGradients {
        try detector.scores(batch, named: names, areReferences: false).mapValues { try $0.values(as: Double.self) }
      }
    }
    let explanation = explains ? try inPrecision { try detector.explanation(of: batch) } : nil
    func single(_ tensor: Tensor) throws -> Tensor { try tensor.detached().to(.float32) }
    let maps = try (explanation?.maps ?? []).map { (name: $0.name, values: try single($0.values)) }
    let reconstruction = try (explanation?.reconstruction).map { try specification.greys(single($0)) }
    let steps = try (explanation?.steps ?? []).map { ($0.name, try specification.greys(single($0.images))) }
    return try (0..<batch.extent(0)).map { position in
      Finding(
        scores: scores.mapValues { $0[position] },
        maps: try maps.map { ($0.name, try $0.values.selected(position, axis: 0)) },
        reconstruction: try reconstruction.map { try $0.selected(position, axis: 0) },
        steps: try steps.map { ($0.0, try $0.1.selected(position, axis: 0)) })
    }
  }

  /// What is said about an image, calibrated.
  func result(
    _ finding: Finding, about image: StreamedImage, at placement: GridPlacement
  ) throws -> AnomalyResult {
    let main = detector.scoreNames[0]
    guard let score = finding.scores[main] else {
      throw TorchError("score", "the detector gave no '\(main)'; calibrate it on normal images first")
    }
    let normal = calibration.scores[main]
    return AnomalyResult(
      item: image.item, source: image.source, scores: finding.scores, score: score,
      standardised: normal?.standardised(score),
      probability: normal?.probability(score), isAbnormal: normal.map { score > $0.threshold },
      maps: try finding.maps.map { ($0.name, try AnomalyMap($0.values, at: placement)) },
      reconstruction: try finding.reconstruction.map { try InputSpecification.image($0, at: placement) },
      steps: try finding.steps.map { ($0.name, try InputSpecification.image($0.values, at: placement)) })
  }

  /// Runs what the detector does with a batch in the scorer's number format, or in float32 where that lacks an operator.
  private func inPrecision<Result>(_ body: () throws -> Result) throws -> Result {
    try precision.retrying { try precision(body) }
  }

  // MARK: Maps

  /// Median and 99.5 % of each map's values over normal images.
  private func mapRanges(of images: PreparedImages) throws -> [String: [Double]] {
    Dictionary(uniqueKeysWithValues: try mapValues(of: images).map { ($0.name, Self.range(of: $0.values)) })
  }

  /// Median and 99.5 %.
  static func range(of values: [Float]) -> [Double] {
    let sorted = values.sorted()
    return [0.5, 0.995].map { Double(sorted[Int($0 * Double(sorted.count - 1))]) }
  }

  /// Each map's values over images, padding left out; the maps are in the method's order.
  func mapValues(of images: PreparedImages) throws -> [(name: String, values: [Float])] {
    var maps: [(name: String, values: [Float])] = []
    try forEachBatch(of: images, views: viewsForMapRanges(of: images)) { batch in
      let placements = batch.views.map(\.placement)
      let explanation = try self.inPrecision { try self.detector.explanation(of: batch.values) }
      for (number, map) in explanation.maps.enumerated() {
        if number == maps.count { maps.append((map.name, [])) }
        guard placements.contains(where: \.isPadded) else {
          maps[number].values += try map.values.detached().values()
          continue
        }
        for (position, placement) in placements.enumerated() {
          let shown = try placement.covered(map.values.detached().selected(position, axis: 0))
          maps[number].values += try shown.contiguous().values()
        }
      }
    }
    return maps
  }
}

extension Checkpoint {
  /// The same weights, fitted to and calibrated on the normal training images of a data set.
  public func calibrated(on data: TrainingData, device: Device) throws -> Checkpoint {
    if let ensemble = metadata.configuration.detector.settings as? EnsembleConfiguration {
      return try Checkpoint.fused(members, fusion: ensemble.fusion, on: data, device: device)
    }
    let detector = try makeDetector()
    try detector.network.move(to: device)
    let scorer = try Scorer.fitted(
      detector, to: data.training, heldOut: data.validation, configuration: metadata.configuration, device: device,
      precision: MixedPrecision(metadata.configuration.training.precision, on: device))
    var metadata = metadata
    metadata.calibration = scorer.calibration
    return try Checkpoint(of: detector, metadata: metadata)
  }
}

extension RunConfiguration {
  /// What the detector takes.
  public var inputSpecification: InputSpecification {
    let settings = detector.settings
    if let ensemble = settings as? EnsembleConfiguration, !ensemble.members.isEmpty {
      return InputSpecification(members: ensemble.members.map(\.configuration.inputSpecification))
    }
    return InputSpecification(
      extents: settings.inputExtents, channels: settings.readsPaired ? 2 : 1, intensity: input)
  }
}
