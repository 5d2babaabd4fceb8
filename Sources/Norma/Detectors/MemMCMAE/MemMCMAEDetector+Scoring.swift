public import Torch

// Scores, and why: what a trained MemMC-MAE says of images.
extension MemMCMAEDetector {
  /// All scores, the configured one first.
  public var scoreNames: [String] {
    MemMCMAEScore.all(startingWith: configuration.scoring).map(\.rawValue)
  }

  /// Yes: attention, band energies and structural similarity are computed in float32 whatever the format.
  public var scoresInMixedPrecision: Bool { true }

  /// What the scores know of normal images.
  public var fitted: [String: Tensor] {
    get { (normal?.state ?? [:]).merging(usual?.state ?? [:]) { _, new in new } }
    set {
      normal = UnexplainedEnergy.Normal(newValue, of: energies)
      usual = UsualMaps(newValue)
    }
  }

  /// Learns what band energies of normal images and of their unpredicted rest are like, then what their maps are like.
  public func fit(_ batches: ((Tensor) throws -> Void) throws -> Void, subjects: [Int]) throws {
    var measured: [UnexplainedEnergy.Measurement] = []
    try batches { batch in
      try withoutGradients { measured.append(try self.measurement(self.maskedReconstructions(of: batch))) }
    }
    let normal = try UnexplainedEnergy.Normal(.joined(measured), of: energies, subjects: subjects)
    var tally = UsualMaps.Tally()
    var done = 0
    try batches { batch in
      try withoutGradients {
        let passes = try self.maskedReconstructions(of: batch)
        let match = ReferenceMatch.fitted(subjects, at: Array(done..<done + batch.extent(0)))
        done += batch.extent(0)
        try tally.add(self.pixelMaps(passes, against: normal, areReferences: match).map(\.values))
      }
    }
    (self.normal, usual) = (normal, try tally.usual())
  }

  /// Scores of a batch by name; those that compare with normal images only after `fit`. The K passes are made once, and
  /// only what the names need is computed from them.
  public func scores(_ batch: Tensor, named names: Set<String>, areReferences: ReferenceMatch) throws -> [String:
    Tensor]
  {
    let wanted = Set(names.compactMap(MemMCMAEScore.init))
    return try withoutGradients {
      let passes = try maskedReconstructions(of: batch)
      var scores: [MemMCMAEScore: Tensor] = [:]
      if let normal, !wanted.isDisjoint(with: [.combined, .unexplainedEnergy, .nearestNormals]) {
        let (unexplained, distance) = try normal.scores(measurement(passes), areReferences: areReferences)
        scores[.unexplainedEnergy] = unexplained
        scores[.nearestNormals] = distance
        scores[.combined] = try unexplained + distance
      }
      if let normal, let usual, wanted.contains(.anomalyPeak) {
        let map = try usual.standardisedSum(pixelMaps(passes, against: normal, areReferences: areReferences))
          .reshaped([batch.extent(0), -1])
        scores[.anomalyPeak] = try map.top(max(1, map.extent(1) / 100), axis: 1).values.mean([1])
      }
      if wanted.contains(.multiScaleSimilarity) {
        let similarity = try comparison(passes).multiScale.reshaped([passes.masks, -1])
        scores[.multiScaleSimilarity] = try 1 - similarity.mean([0])
      }
      if wanted.contains(.squaredError) { scores[.squaredError] = try passes.squaredError() }
      return Dictionary(uniqueKeysWithValues: scores.filter { wanted.contains($0.key) }.map { ($0.rawValue, $1) })
    }
  }

  /// Band energies of images, and of the errors of prediction in hidden patches, averaged over the masks.
  func measurement(_ passes: MaskedReconstructions) throws(TorchError) -> UnexplainedEnergy.Measurement {
    let (bands, count) = (energies.views[0].bands, passes.images.extent(0))
    let errors = try (passes.reconstructions - passes.images).reshaped([-1] + passes.images.shape.dropFirst())
    let rest = try bands(errors, weights: passes.hidden.squeezed(1).repeatingEach(count, axis: 0))
    let mean = try rest.reshaped([passes.masks, count] + rest.shape.dropFirst()).mean([0])
    return try energies([(whole: bands(passes.images), rest: mean)])
  }

  /// Structural similarity of the images with each of their reconstructions.
  private func comparison(_ passes: MaskedReconstructions) throws(TorchError) -> StructuralSimilarity.Comparison {
    try similarity.comparison(
      of: similarity.reference(passes.images), with: passes.composed(configuration.reconstruction))
  }

  /// What the anomaly map is made of, each `[B, H, W]`: 1 − SSIM, the smoothed absolute error, and, at half the weight as it is
  /// coarse, the distance of a cell's energies to those of the nearest normal images.
  func pixelMaps(
    _ passes: MaskedReconstructions, against normal: UnexplainedEnergy.Normal, areReferences: ReferenceMatch
  ) throws(TorchError) -> [(values: Tensor, weight: Double)] {
    let errors = try passes.meanWhereHidden((passes.reconstructions - passes.images).abs()).squeezed(1)
    let cells = try normal.nearestMap(measurement(passes), areReferences: areReferences).unsqueezed(1)
    return [
      (try dissimilarity(passes), 1), (try errorFilter.moved(to: errors.device)(errors), 1),
      (try cells.resized(to: layout.extents).squeezed(1), 0.5),
    ]
  }

  /// 1 − SSIM pooled over scales, averaged over the masks that hid the pixel (§5), `[B, H, W]`.
  private func dissimilarity(_ passes: MaskedReconstructions) throws(TorchError) -> Tensor {
    try passes.meanWhereHidden(comparison(passes).map().reshaped(passes.reconstructions.shape)).squeezed(1)
  }

  /// The anomaly map: 1 − SSIM, error and distance to the nearest normal images, each in standard deviations of normal
  /// images at its pixel, added up; then 1 − SSIM alone (§5), the squared error, and cell by cell the unexplained energy and
  /// the distance to the nearest normal images. The reconstruction is the mean of what was predicted where it was hidden;
  /// the first mask, hidden patches grey, and what the network fills in are shown beside it.
  public func explanation(of batch: Tensor) throws -> Explanation {
    try withoutGradients {
      let passes = try maskedReconstructions(of: batch)
      let errors = try (passes.reconstructions - batch).squared()
      var maps = [
        ("dissimilarity", try dissimilarity(passes)),
        ("squaredError", try passes.meanWhereHidden(errors).squeezed(1)),
      ]
      if let normal, let usual {
        let anomaly = try usual.standardisedSum(pixelMaps(passes, against: normal, areReferences: false))
        let measured = try measurement(passes)
        maps =
          [("anomaly", anomaly)] + maps
          + [("unexplainedEnergy", try normal.map(measured)), ("nearestNormals", try normal.nearestMap(measured))]
      }
      let shown = try batch * (1 - passes.hidden.selected(0, axis: 0))
      let filled = try shown + passes.reconstructions.selected(0, axis: 0) * passes.hidden.selected(0, axis: 0)
      return Explanation(
        maps: maps, reconstruction: try passes.meanWhereHidden(passes.reconstructions),
        steps: [("First mask", shown), ("Filled in", filled)])
    }
  }
}
