import MedicalImaging
public import Torch

/// Scores images with a trained detector: the one path from images to figures, in training and afterwards.
public final class Scorer {
  /// The detector, on `device`.
  public let detector: any AnomalyDetector
  /// What the detector takes.
  public let specification: InputSpecification
  /// Distributions of normal training images.
  public private(set) var calibration: Calibration
  private let device: Device
  private let batchSize: Int

  /// A scorer around a detector.
  init(
    _ detector: any AnomalyDetector, specification: InputSpecification, calibration: Calibration, device: Device
  ) {
    (self.detector, self.specification, self.calibration) = (detector, specification, calibration)
    (self.device, batchSize) = (device, detector.scoringBatchSize(on: device))
  }

  /// A scorer from a checkpoint file.
  /// - Throws: `CheckpointError`, `ConfigurationError`, `StateMismatch` or `TorchError`.
  public convenience init(checkpoint: Checkpoint, device: Device) throws {
    let configuration = checkpoint.metadata.configuration
    let detector = try checkpoint.makeDetector()
    try detector.network.move(to: device)
    detector.fitted = try detector.fitted.mapValues { try $0.to(device) }
    self.init(
      detector, specification: configuration.inputSpecification, calibration: checkpoint.metadata.calibration,
      device: device)
  }

  /// Fits a detector to normal training images and calibrates its scores and maps on them.
  /// - Parameters:
  ///   - heldOut: images set aside from training; the normal ones among them, if there are enough, give the threshold.
  ///   - calibrates: false stops after fitting, where only raw scores are wanted.
  static func fitted(
    _ detector: any AnomalyDetector, to images: PreparedImages, heldOut: PreparedImages? = nil,
    configuration: RunConfiguration, device: Device, calibrates: Bool = true
  ) throws -> Scorer {
    let scorer = Scorer(
      detector, specification: images.specification, calibration: Calibration(scores: [:], mapRanges: [:]),
      device: device)
    try withoutGradients {
      try detector.fit { body in try scorer.forEachBatch(of: images) { batch, _ in try body(batch) } }
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
      mapRanges: try scorer.mapRanges(of: (unseen ?? images).prefix(scorer.imagesForMapRanges)))
    return scorer
  }

  /// Normal images that display ranges are taken from: of volumes as many as make 16 million values, at least 4.
  private var imagesForMapRanges: Int {
    specification.isVolume ? min(128, max(4, 1 << 24 / specification.count)) : 128
  }

  /// Fewer held-out normal images than this give no usable quantile.
  private static let smallestHeldOut = 20

  // MARK: Scores

  /// Raw scores of all images by name.
  public func rawScores(of images: PreparedImages, areReferences: Bool = false) throws -> [String: [Double]] {
    var all: [String: [Double]] = [:]
    try forEachBatch(of: images) { batch, _ in
      let scores = try withoutGradients { try self.detector.scores(batch, areReferences: areReferences) }
      for (name, values) in scores { all[name, default: []] += try values.values(as: Double.self) }
    }
    return all
  }

  /// Raw scores of augmented images: what the official calibration is taken of.
  private func rawScores(
    of images: PreparedImages, augmentation: Augmentation, random: Generator
  ) throws -> [String: [Double]] {
    var all: [String: [Double]] = [:]
    try forEachBatch(of: images) { batch, _ in
      let moved = try augmentation(batch, background: self.specification.background, random: random)
      for (name, values) in try self.detector.scores(moved, areReferences: false) {
        all[name, default: []] += try values.values(as: Double.self)
      }
    }
    return all
  }

  /// Everything about each image, handed over batch by batch so that maps need not all fit into memory.
  /// - Parameters:
  ///   - explains: whether maps and reconstructions are wanted.
  ///   - allScores: whether every score of the method is wanted, not just the default one, which is faster.
  public func score(
    _ images: PreparedImages, explains: Bool, allScores: Bool = false, progress: ProgressHandler = { _ in },
    _ handle: (AnomalyResult) throws -> Void
  ) throws {
    var done = 0
    try forEachBatch(of: images) { batch, indices in
      for result in try self.results(batch, images, indices, explains: explains, allScores: allScores) {
        try handle(result)
      }
      done += indices.count
      progress(WorkProgress("scoring", done: done, total: images.count, unit: "images"))
    }
  }

  private func results(
    _ batch: Tensor, _ images: PreparedImages, _ indices: [Int], explains: Bool, allScores: Bool
  ) throws -> [AnomalyResult] {
    let main = detector.scoreNames[0]
    let names = allScores ? Set(detector.scoreNames) : [main]
    let scores = try withoutGradients {
      try detector.scores(batch, named: names, areReferences: false).mapValues { try $0.values(as: Double.self) }
    }
    let placements = indices.map { images.placements[$0] }
    var maps: [(name: String, maps: [AnomalyMap])] = []
    var reconstructions: [MedicalImage]?
    var steps: [(name: String, images: [MedicalImage])] = []
    if explains {
      let explanation = try detector.explanation(of: batch)
      maps = try explanation.maps.map { ($0.name, try AnomalyMap.maps($0.values.detached(), at: placements)) }
      reconstructions = try explanation.reconstruction.map { try specification.images($0, at: placements) }
      steps = try explanation.steps.map { ($0.name, try specification.images($0.images, at: placements)) }
    }
    return try indices.enumerated().map { position, index in
      guard let score = scores[main]?[position] else {
        throw TorchError("score", "the detector gave no '\(main)'; calibrate it on normal images first")
      }
      let normal = calibration.scores[main]
      return AnomalyResult(
        item: images.items[index], scores: scores.mapValues { $0[position] }, score: score,
        standardised: normal?.standardised(score), probability: normal?.probability(score),
        isAbnormal: normal.map { score > $0.threshold }, maps: maps.map { ($0.name, $0.maps[position]) },
        reconstruction: reconstructions?[position], steps: steps.map { ($0.name, $0.images[position]) })
    }
  }

  // MARK: Batches

  /// Calls `body` with batches in network scale and the indices of their images, in order, without augmentation.
  private func forEachBatch(of images: PreparedImages, _ body: (Tensor, [Int]) throws -> Void) throws {
    let loader = BatchLoader(images, order: Array(0..<images.count), batchSize: batchSize)
    while let (values, indices) = try loader.next() {
      try body(images.batch(values, at: indices, on: device), indices)
    }
  }

  /// Median and 99.5 % of each map's values over normal images, padding left out.
  private func mapRanges(of images: PreparedImages) throws -> [String: [Double]] {
    var values: [String: [Float]] = [:]
    try forEachBatch(of: images) { batch, indices in
      let placements = indices.map { images.placements[$0] }
      for (name, map) in try self.detector.explanation(of: batch).maps {
        guard placements.contains(where: \.isPadded) else {
          values[name, default: []] += try map.detached().values()
          continue
        }
        for (position, placement) in placements.enumerated() {
          let shown = try placement.covered(map.detached().selected(position, axis: 0))
          values[name, default: []] += try shown.contiguous().values()
        }
      }
    }
    return values.mapValues { values in
      let sorted = values.sorted()
      return [0.5, 0.995].map { Double(sorted[Int($0 * Double(sorted.count - 1))]) }
    }
  }
}

extension Checkpoint {
  /// The same weights, fitted to and calibrated on the normal training images of a data set.
  public func calibrated(on data: TrainingData, device: Device) throws -> Checkpoint {
    let detector = try makeDetector()
    try detector.network.move(to: device)
    let scorer = try Scorer.fitted(
      detector, to: data.training, heldOut: data.validation, configuration: metadata.configuration, device: device)
    var metadata = metadata
    metadata.calibration = scorer.calibration
    return try Checkpoint(of: detector, metadata: metadata)
  }
}

extension RunConfiguration {
  /// What the detector takes.
  public var inputSpecification: InputSpecification {
    let settings = detector.settings
    return InputSpecification(
      extents: settings.inputExtents, channels: settings.readsPaired ? 2 : 1, intensity: input)
  }
}
