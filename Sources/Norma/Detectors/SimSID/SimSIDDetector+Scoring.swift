public import Torch

// Scores, and why: what a trained SimSID says of images.
extension SimSIDDetector {
  /// All scores, the configured one first.
  public var scoreNames: [String] {
    SimSIDScore.all(startingWith: configuration.scoring).map(\.rawValue)
  }

  /// No: the default scores compare energies of small differences, x − r. Rounded, they moved AUROC on phantoms by 0.04.
  public var scoresInMixedPrecision: Bool { false }

  /// What the scores know of normal images.
  public var fitted: [String: Tensor] {
    get {
      let known = features?.state(prefix: SimSIDScore.featureDistance.rawValue) ?? [:]
      return known.merging(normal?.state ?? [:]) { _, new in new }
    }
    set {
      normal = UnexplainedEnergy.Normal(newValue, of: energies)
      features = NearestNormals(newValue, prefix: SimSIDScore.featureDistance.rawValue, neighbours: 5)
    }
  }

  /// Learns what band energies and discriminator features of normal images are like.
  public func fit(_ batches: ((Tensor) throws -> Void) throws -> Void, subjects: [Int]) throws {
    var measured: [UnexplainedEnergy.Measurement] = []
    var features: [Tensor] = []
    try batches { batch in
      try withoutGradients {
        measured.append(try self.measurement(batch, self.reconstruction(of: batch)))
        features.append(try self.signature(of: batch))
      }
    }
    normal = try UnexplainedEnergy.Normal(.joined(measured), of: energies, subjects: subjects)
    self.features = try NearestNormals(fitting: .concatenated(features, axis: 0), neighbours: 5)
  }

  private var mode: Mode { configuration.discriminatorStatistics == .perImage ? .perSample : .evaluation }

  /// Scores of a batch by name; those that compare with normal images only after `fit`. Only what the names need is
  /// computed: the default score takes the student and the discriminator's first convolution.
  public func scores(_ batch: Tensor, named names: Set<String>, areReferences: ReferenceMatch) throws -> [String:
    Tensor]
  {
    let wanted = Set(names.compactMap(SimSIDScore.init))
    return try withoutGradients {
      var scores: [SimSIDScore: Tensor] = [:]
      let energyScores: Set<SimSIDScore> = [.combined, .unexplainedEnergy, .unexplainedPeak, .nearestNormals]
      let wantsEnergies = normal != nil && !wanted.isDisjoint(with: energyScores)
      if wantsEnergies || wanted.contains(.reconstructionLogit) {
        let reconstruction = try reconstruction(of: batch)
        if wanted.contains(.reconstructionLogit) {
          scores[.reconstructionLogit] = try -simSID.discriminator(reconstruction, mode: mode).logits
        }
        if wantsEnergies, let normal {
          let measured = try measurement(batch, reconstruction)
          let (unexplained, distance) = try normal.scores(measured, areReferences: areReferences)
          scores[.unexplainedEnergy] = unexplained
          scores[.nearestNormals] = distance
          scores[.combined] = try unexplained + distance
          scores[.unexplainedPeak] = try normal.map(measured).maximum([1, 2])
        }
      }
      if wanted.contains(.inputLogit) { scores[.inputLogit] = try -simSID.discriminator(batch, mode: mode).logits }
      if wanted.contains(.featureDistance), let features {
        scores[.featureDistance] = try features.nearest(to: signature(of: batch), areReferences: areReferences)
          .distances
      }
      return Dictionary(uniqueKeysWithValues: scores.filter { wanted.contains($0.key) }.map { ($0.rawValue, $1) })
    }
  }

  /// Band energies of images against their reconstructions, x against x − r, and of the discriminator's first feature maps of
  /// both, a(x) against a(x) − a(r).
  private func measurement(
    _ images: Tensor, _ reconstructions: Tensor
  ) throws(TorchError) -> UnexplainedEnergy.Measurement {
    let features = try simSID.discriminator.firstFeatures(of: images)
    let reproduced = try simSID.discriminator.firstFeatures(of: reconstructions)
    let (pixelBands, featureBands) = (energies.views[0].bands, energies.views[1].bands)
    return try energies([
      (pixelBands(images), pixelBands(images - reconstructions)),
      (featureBands(features), featureBands(features - reproduced)),
    ])
  }

  /// Log mean energies of every channel of every discriminator level on a grid of at most 4×4 cells, `[B, d]`.
  private func signature(of images: Tensor) throws(TorchError) -> Tensor {
    var parts: [Tensor] = []
    for level in try simSID.discriminator(images, mode: mode).features {
      let cells = min(4, level.extent(2))
      let energy = try level.to(.float32).squared().averagePooled(to: [cells, cells])
      parts.append(try (energy + 1e-6).log().reshaped([level.extent(0), -1]))
    }
    return try .concatenated(parts, axis: 1)
  }

  /// The student's image of a batch; neither teacher nor gradients are needed.
  func reconstruction(of batch: Tensor) throws(TorchError) -> Tensor {
    try simSID.generator(batch, mode: .evaluation, runsTeacher: false, random: Generator(seed: 0)).reconstruction
  }

  /// Unexplained energy and distance to the nearest normal images per cell, the absolute reconstruction difference, and
  /// Grad-CAM of the discriminator on the reconstruction (Figure 7).
  public func explanation(of batch: Tensor) throws -> Explanation {
    let reconstruction = try withoutGradients { () throws(TorchError) in try self.reconstruction(of: batch) }
    var maps = [
      ("difference", try (batch - reconstruction).abs().squeezed(1)), ("gradCAM", try gradCAM(reconstruction)),
    ]
    if let normal {
      let measured = try withoutGradients { try measurement(batch, reconstruction) }
      let unexplained = ("unexplainedEnergy", try normal.map(measured))
      let nearest = ("nearestNormals", try normal.nearestMap(measured))
      maps = (configuration.scoring == .nearestNormals ? [nearest, unexplained] : [unexplained, nearest]) + maps
    }
    return Explanation(maps: maps, reconstruction: reconstruction)
  }

  /// Evidence against "real" (−z) of images, by the last feature map: ReLU(Σ α F) with α the spatial mean of ∂(−z)/∂F.
  private func gradCAM(_ images: Tensor) throws -> Tensor {
    let features = try withoutGradients { () throws(TorchError) in
      try simSID.discriminator(images, mode: mode).features
    }
    let last = try features[features.count - 1].requiringGradient()
    let gradient = try (-simSID.discriminator.logits(of: last)).gradients(of: [last])[0]
    let importance = try gradient.mean([2, 3], keepingAxes: true)
    let map = try (importance * last.detached()).sum([1], keepingAxes: true).relu()
    return try map.resized(to: [images.extent(2), images.extent(3)]).squeezed(1)
  }
}
