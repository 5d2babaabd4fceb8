public import Torch

// Scores, and why: what a trained MemMC-MAE says of images.
extension MemMCMAEDetector {
  /// All scores, the configured one first.
  public var scoreNames: [String] {
    ([configuration.scoring] + MemMCMAEScore.allCases.filter { $0 != configuration.scoring }).map(\.rawValue)
  }

  /// What the scores know of normal images.
  public var fitted: [String: Tensor] {
    get { normal?.state ?? [:] }
    set { normal = UnexplainedEnergy.Normal(newValue, of: energies) }
  }

  /// Learns what band energies of normal images and of their unpredicted rest are like.
  public func fit(_ batches: ((Tensor) throws -> Void) throws -> Void) throws {
    var measured: [UnexplainedEnergy.Measurement] = []
    try batches { batch in
      try withoutGradients { measured.append(try self.measurement(self.maskedReconstructions(of: batch))) }
    }
    normal = try UnexplainedEnergy.Normal(.joined(measured), of: energies)
  }

  /// Scores of a batch by name; those that compare with normal images only after `fit`. The K passes are made once, and
  /// only what the names need is computed from them.
  public func scores(_ batch: Tensor, named names: Set<String>, areReferences: Bool) throws -> [String: Tensor] {
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
      if wanted.contains(.multiScaleSimilarity) {
        let similarity = try comparison(passes).multiScale.reshaped([passes.masks, -1])
        scores[.multiScaleSimilarity] = try 1 - similarity.mean([0])
      }
      if wanted.contains(.squaredError) { scores[.squaredError] = try passes.squaredError() }
      return Dictionary(uniqueKeysWithValues: scores.filter { wanted.contains($0.key) }.map { ($0.rawValue, $1) })
    }
  }

  /// Band energies of images, and of the errors of prediction in hidden patches, averaged over the masks.
  private func measurement(_ passes: MaskedReconstructions) throws(TorchError) -> UnexplainedEnergy.Measurement {
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

  /// 1 − SSIM pooled over scales and the squared error, each averaged over the masks that hid the pixel (§5), and per cell
  /// the unexplained energy and the distance to the nearest normal images. The reconstruction is the mean of what was
  /// predicted where it was hidden; the first mask, hidden patches grey, and its prediction are shown beside it.
  public func explanation(of batch: Tensor) throws -> Explanation {
    try withoutGradients {
      let passes = try maskedReconstructions(of: batch)
      let pixels = passes.reconstructions.shape
      let dissimilarity = try comparison(passes).map().reshaped(pixels)
      let errors = try (passes.reconstructions - batch).squared()
      var maps = [
        ("dissimilarity", try passes.meanWhereHidden(dissimilarity).squeezed(1)),
        ("squaredError", try passes.meanWhereHidden(errors).squeezed(1)),
      ]
      if let normal {
        let measured = try measurement(passes)
        maps += [
          ("unexplainedEnergy", try normal.map(measured)), ("nearestNormals", try normal.nearestMap(measured)),
        ]
      }
      return Explanation(
        maps: maps, reconstruction: try passes.meanWhereHidden(passes.reconstructions),
        steps: [
          ("First mask", try batch * (1 - passes.hidden.selected(0, axis: 0))),
          ("Its prediction", try passes.reconstructions.selected(0, axis: 0)),
        ])
    }
  }
}
