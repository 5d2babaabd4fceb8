public import Torch

// Scores, and why (§5).
extension TokenMaskingDetector {
  /// All scores, the configured one first; those of band energies for two-dimensional images only.
  public var scoreNames: [String] {
    let all = TokenMaskingScore.allCases.filter {
      energies != nil || !$0.comparesBands
    }
    return ([configuration.scoring] + all.filter { $0 != configuration.scoring }).map(\.rawValue)
  }

  /// What the scores know of normal images, and what the rounds masked.
  public var fitted: [String: Tensor] {
    get { usual.state.merging((try? history.record) ?? [:]) { _, new in new } }
    set {
      usual = UsualTokens(state: newValue, energies: energies)
      guard history.codes == nil else { return }
      history.images = newValue["rounds.images"]
      history.suspected = try? newValue["rounds.suspected"]?.equal(1)
      if let summary = try? newValue["rounds.summary"]?.values(as: Double.self), summary.count == 2 {
        (history.mapThreshold, history.round) = (summary[0], Int(summary[1]))
      }
    }
  }

  /// Images whose attention caches fit into 256 MB of keys and values.
  public func scoringBatchSize(on device: Device) -> Int { batchSize(healing: true) }

  /// Images at once, with or without a cache for every sample.
  func batchSize(healing: Bool) -> Int {
    let settings = configuration.transformer
    let slot = 2 * settings.layers * settings.heads * settings.headWidth * 4
    let rows = healing ? max(configuration.detection.samples, configuration.rounds.samples) : 1
    return min(max(1, (256 << 20) / (slot * configuration.tokens * rows)), 32)
  }

  /// Where the networks are.
  var device: Device { tokens.transformer.namedParameters[0].parameter.tensor.device }

  // MARK: What is found in a batch

  /// What is found in images.
  struct Findings {
    /// −log p of each token in sequence order, `[B, L]`.
    let surprise: Tensor
    /// The flagged tokens in sequence order, `[B, L]`, `bool`.
    let flags: Tensor
    /// Where maps were made, `[B, P]`, `bool`.
    let valid: Tensor
    /// Maps of each image.
    let maps: [TokenMaps.Maps]
    /// The healed sequences of each image, `[B, S, L]`.
    let healed: Tensor

    /// Maps of one kind, `[B, P]`.
    func map(_ kind: TokenMaskingConfiguration.Detection.Map) throws(TorchError) -> Tensor {
      try .stacked(maps.map { $0[kind] })
    }
  }

  /// Reads the tokens of images, heals those that are flagged, and compares the images with what healing makes of them.
  /// - Parameter threshold: of −log p at each place, `[L]`; nil: τ as configured.
  func findings(
    in batch: Tensor, with transformer: TokenTransformer, _ detection: TokenMaskingConfiguration.Detection,
    threshold: Tensor?
  ) throws -> Findings {
    let (sequences, context) = try contextualised(batch, transformer)
    let healer = TokenHealer(transformer: transformer, temperature: detection.temperature)
    let reading = try healer.read(sequences, context: context)
    let flags = try flagged(reading.surprise, threshold)
    let keys = try keys(of: sequences)
    let healed = try healer.heal(
      sequences, flags: flags, reading: reading, samples: detection.samples, keys: keys, context: context)
    let maker = try TokenMaps(
      decoder: DropoutDecoder(network: tokens, settings: configuration.autoencoder, decodings: detection.decodings),
      settings: detection, sides: configuration.inputExtents, range: range, device: batch.device)
    let valid = try maker.validPixels(tokens.order.grids(of: flags))
    let images = try tokens.image(of: batch).reshaped([batch.extent(0), -1])
    let maps = try keys.indices.map { row in
      try maker.maps(
        of: images.selected(row, axis: 0), valid: valid.selected(row, axis: 0), healed: healed.selected(row, axis: 0),
        key: keys[row])
    }
    return Findings(
      surprise: reading.surprise, flags: flags, valid: valid, maps: maps, healed: healed)
  }

  private func contextualised(
    _ batch: Tensor, _ transformer: TokenTransformer
  ) throws(TorchError) -> (tokens: Tensor, context: Tensor?) {
    let (sequences, paired) = try tokens.sequences(of: batch)
    guard let paired else { return (sequences, nil) }
    return (sequences, try transformer.contextVectors(paired))
  }

  private func flagged(_ surprise: Tensor, _ threshold: Tensor?) throws(TorchError) -> Tensor {
    if let threshold { return try surprise.greater(threshold) }
    return try (-surprise).exp().less(configuration.detection.threshold)
  }

  private func surprise(of batch: Tensor) throws(TorchError) -> Tensor {
    let (sequences, context) = try contextualised(batch, tokens.transformer)
    return try TokenMaskingLosses.negativeLogLikelihoods(
      tokens.transformer.logits(of: sequences, context: context), of: sequences)
  }

  // MARK: Normal images

  /// Learns thresholds of flags where they go by quantile, then what maps of −log p and band energies of normal images are.
  /// Images in which the rounds masked something are no example of normality, unless hardly any others are left.
  public func fit(_ batches: ((Tensor) throws -> Void) throws -> Void, subjects: [Int]) throws {
    var suspects = try suspectedImages()
    var (surprise, kept) = try surprises(in: batches, without: suspects)
    if surprise.isEmpty, !suspects.isEmpty {  // other images than those of the training, all of them suspects
      suspects = []
      (surprise, kept) = try surprises(in: batches, without: suspects)
    }
    let keptSubjects = subjects.isEmpty ? [] : kept.map { subjects[$0] }
    guard !surprise.isEmpty else { throw TorchError("fit", "there are no images to learn from") }
    let all = try Tensor.concatenated(surprise, axis: 0)
    var usual = UsualTokens()
    if configuration.detection.flagging == .quantile {
      usual.flagThresholds = try Self.upperQuantile(all, share: configuration.detection.threshold)
    }
    usual.surprise = try NearestNormals(fitting: smoothed(all), neighbours: 5, subjects: keptSubjects)
    self.usual = usual
    guard let energies else { return }
    var measured: [UnexplainedEnergy.Measurement] = []
    try batches { batch in
      try withoutGradients {
        guard let batch = try self.withoutSuspects(batch, suspects)?.images else { return }
        measured.append(try self.measurement(of: batch, self.findings(in: batch), energies))
      }
    }
    self.usual.energies = try UnexplainedEnergy.Normal(.joined(measured), of: energies, subjects: keptSubjects)
  }

  /// −log p of the tokens of all images that are not among suspects, batch by batch, and the places of these images among all.
  private func surprises(
    in batches: ((Tensor) throws -> Void) throws -> Void, without suspects: Set<Int>
  ) throws -> (values: [Tensor], places: [Int]) {
    var (surprise, places): ([Tensor], [Int]) = ([], [])
    var done = 0
    try batches { batch in
      defer { done += batch.extent(0) }
      try withoutGradients {
        guard let (images, kept) = try self.withoutSuspects(batch, suspects) else { return }
        surprise.append(try self.surprise(of: images))
        places += kept.map { done + $0 }
      }
    }
    return (surprise, places)
  }

  /// What identifies the training images of which something is masked; none where fewer than a tenth are left without.
  private func suspectedImages() throws(TorchError) -> Set<Int> {
    guard let images = history.images, let suspected = history.suspected else { return [] }
    let keys = try images.values(as: Int.self)
    let isMasked = try suspected.to(.int64).sum([1]).values(as: Int.self).map { $0 > 0 }
    let found = Set(zip(keys, isMasked).filter(\.1).map(\.0))
    return keys.count(where: found.contains) * 10 > keys.count * 9 ? [] : found
  }

  /// The images of a batch that are not among suspects, and their places in it; nil where none is left.
  private func withoutSuspects(_ batch: Tensor, _ suspects: Set<Int>) throws -> (images: Tensor, places: [Int])? {
    guard !suspects.isEmpty else { return (batch, Array(0..<batch.extent(0))) }
    let keys = try self.keys(of: tokens.sequences(of: batch).tokens).map { Int(bitPattern: UInt($0)) }
    let kept = keys.indices.filter { !suspects.contains(keys[$0]) }
    guard !kept.isEmpty else { return nil }
    return (try batch.selecting(Tensor(kept, shape: [kept.count], on: batch.device), axis: 0), kept)
  }

  private func findings(in batch: Tensor) throws -> Findings {
    try findings(
      in: batch, with: tokens.transformer, configuration.detection, threshold: usual.flagThresholds)
  }

  /// Maps of −log p `[B, L]`, in sequence order, smoothed over neighbouring tokens: `[B, L]`, in grid order.
  private func smoothed(_ surprise: Tensor) throws(TorchError) -> Tensor {
    let filter = try GaussianFilter(sigma: 1, sides: configuration.grid, dtype: .float32, on: surprise.device)
    return try filter(tokens.order.grids(of: surprise)).reshaped([surprise.extent(0), -1])
  }

  private func measurement(
    of batch: Tensor, _ findings: Findings, _ energies: UnexplainedEnergy
  ) throws -> UnexplainedEnergy.Measurement {
    let image = try tokens.image(of: batch)
    let bands = energies.views[0].bands
    return try energies([(whole: bands(image), rest: bands(image - healedImages(findings)))])
  }

  /// Mean healed images in network scale, `[B, 1, sides…]`.
  private func healedImages(_ findings: Findings) throws(TorchError) -> Tensor {
    let unit = try Tensor.stacked(findings.maps.map(\.healed))
    return try (unit * (range.upperBound - range.lowerBound) + range.lowerBound)
      .reshaped([findings.maps.count, 1] + configuration.inputExtents)
  }

  // MARK: Scores

  /// Scores of a batch by name; those that compare with normal images only after `fit`. Images are healed only where a
  /// wanted score needs it.
  public func scores(_ batch: Tensor, named names: Set<String>, areReferences: ReferenceMatch) throws -> [String:
    Tensor]
  {
    let wanted = Set(names.compactMap(TokenMaskingScore.init))
    return try withoutGradients {
      var scores: [TokenMaskingScore: Tensor] = [:]
      let healing = !wanted.isDisjoint(with: [.mapMean, .mapPeak, .unexplainedEnergy, .nearestNormals])
      let found = healing ? try findings(in: batch) : nil
      let surprise = if let found { found.surprise } else { try self.surprise(of: batch) }
      scores[.tokenSurprise] = try surprise.mean([1])
      scores[.surprisePeak] = try surprise.top(max(1, surprise.extent(1) / 20), axis: 1).values.mean([1])
      scores[.healedShare] = try flagged(surprise, usual.flagThresholds).to(.float32).mean([1])
      if let normal = usual.surprise {
        scores[.surpriseDistance] = try normal.nearest(to: smoothed(surprise), areReferences: areReferences).distances
      }
      if let found {
        let map = try found.map(configuration.detection.map)
        scores[.mapMean] = try map.mean([1])
        scores[.mapPeak] = try map.top(max(1, map.extent(1) / 100), axis: 1).values.mean([1])
        if let energies, let normal = usual.energies {
          let (unexplained, distance) = try normal.scores(
            measurement(of: batch, found, energies), areReferences: areReferences)
          scores[.unexplainedEnergy] = unexplained
          scores[.nearestNormals] = distance
        }
      }
      return Dictionary(uniqueKeysWithValues: scores.filter { wanted.contains($0.key) }.map { ($0.rawValue, $1) })
    }
  }

  /// The configured anomaly map first, then the others and −log p of the tokens; the mean healed image; and, as steps, the
  /// flagged tokens and two healed samples.
  public func explanation(of batch: Tensor) throws -> Explanation {
    try withoutGradients {
      let found = try findings(in: batch)
      let (count, sides) = (batch.extent(0), configuration.inputExtents)
      let kinds =
        [configuration.detection.map]
        + TokenMaskingConfiguration.Detection.Map.allCases.filter { $0 != configuration.detection.map }
      var maps = try kinds.map { ($0.rawValue, try found.map($0).reshaped([count] + sides)) }
      maps.append(("tokenSurprise", try tokens.order.grids(of: found.surprise)))
      let samples = try (0..<min(2, found.healed.extent(1))).map { index throws(TorchError) in
        let healed = try found.healed.selected(index, axis: 1)
        return ("Sample \(index + 1)", try tokens.autoencoder.decoded(tokens.vectors(of: healed)))
      }
      let flags = try tokens.order.grids(of: found.flags).to(.float32).unsqueezed(1).resized(to: sides, .nearest)
      let shown = try flags * (range.upperBound - range.lowerBound) + range.lowerBound
      return Explanation(
        maps: maps, reconstruction: try healedImages(found), steps: [("Flagged", shown)] + samples)
    }
  }
}
