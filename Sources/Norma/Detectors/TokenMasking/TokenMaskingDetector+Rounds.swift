import Foundation
public import Torch

// Between the stages: codes of the training images, and the rounds of detecting, masking and retraining (§4.3).
extension TokenMaskingDetector {
  /// Gets a transformer's stage ready: encodes the training images for round 0, and for the others detects anomalies in them
  /// with the model of the round before. Rounds end when the masks no longer change.
  public func prepare(_ stage: TrainingStage, from images: TrainingImages) throws -> StagePreparation {
    guard let round = Self.round(of: stage) else { return .ready(nil) }
    if round == 0 {
      guard try encode(images) else { return .interrupted }
      return .ready(nil)
    }
    guard !history.hasConverged else { return .unneeded(nil) }
    guard let record = try detect(round: round, in: images) else { return .interrupted }
    guard !history.hasConverged else { return .unneeded(record) }
    history.bestLosses = []
    history.bestWeights = [:]
    if !configuration.rounds.warmStart { try tokens.restartTransformers(seed: seed, round: round) }
    return .ready(record)
  }

  private static func round(of stage: TrainingStage) -> Int? {
    stage.name.hasPrefix("round-") ? Int(stage.name.dropFirst(6)) : nil
  }

  // MARK: Codes

  /// Stores the codes of all training images; false when interrupted.
  private func encode(_ images: TrainingImages) throws -> Bool {
    var codes: [Tensor] = []
    var context: [Tensor] = []
    let isDone = try withoutGradients {
      try images.forEachBatch(from: 0, size: configuration.autoencoder.batchSize) { batch, _ in
        let sequences = try self.tokens.sequences(of: batch)
        codes.append(try sequences.tokens.to(.int16).to(.cpu))
        if let own = sequences.context { context.append(try own.to(.int16).to(.cpu)) }
      }
    }
    guard isDone else { return false }
    let all = try Tensor.concatenated(codes, axis: 0)
    history = TokenHistory()
    history.codes = all
    history.contextCodes = context.isEmpty ? nil : try .concatenated(context, axis: 0)
    let keys = try self.keys(of: all).map { Int(bitPattern: UInt($0)) }
    history.images = try Tensor(keys, shape: [keys.count])
    history.halves = Self.halves(of: images.subjects, seed: seed)
    return true
  }

  /// What identifies sequences `[N, L]`.
  func keys(of sequences: Tensor) throws(TorchError) -> [UInt64] {
    let (count, length) = (sequences.extent(0), sequences.extent(1))
    let values: [Int] = try sequences.values(as: Int.self)
    return (0..<count).map {
      CounterRandom.key(of: values[$0 * length..<($0 + 1) * length], seed: configuration.detection.seed)
    }
  }

  // MARK: Detection in the training images

  /// Detects anomalies in the training images and masks them; nil when interrupted.
  private func detect(round: Int, in images: TrainingImages) throws -> StageRecord? {
    let suspects = SuspectedTokens(settings: configuration.rounds)
    let isDone = try withoutGradients {
      let thresholds = try flagThresholds()
      return try images.forEachBatch(from: history.pass.done, size: batchSize(healing: true)) { batch, indices in
        try self.detect(batch, indices, suspects, thresholds)
      }
    }
    guard isDone else { return nil }
    let suspicion = try Tensor.concatenated(history.pass.suspicion, axis: 0)
    let settings = configuration.rounds
    let robust = history.pass.histogram.robustThreshold(deviations: settings.deviations)
    let threshold = settings.mapThreshold > 0 ? settings.mapThreshold : robust ?? fallbackThreshold
    let grids = try tokens.order.grids(of: suspicion)
    let (found, capped) = try suspects.tokens(grids, threshold: threshold)
    var suspected = try tokens.order.sequences(of: found)
    let before = try history.suspected ?? suspected.zerosLike()
    if settings.accumulation == .union { suspected = try suspected.or(before) }
    let change = try SuspectedTokens.change(from: before, to: suspected)
    let perImage: [Float] = try suspected.to(.float32).mean([1]).values()
    let figures: [(String, Double)] = [
      ("round", Double(round)), ("threshold", threshold), ("change", change),
      ("maskedShare", try suspected.to(.float32).mean().item()), ("largestMaskedShare", Double(perImage.max() ?? 0)),
      ("imagesWithMasks", Double(perImage.count { $0 > 0 })), ("imagesAtCap", Double(capped)),
      ("flaggedShare", history.pass.flagged / Double(max(history.pass.done, 1))),
    ]
    var arrays = ["suspected": try suspected.to(.uint8), "suspicion": suspicion, "images": history.images]
    if settings.keepsMaps, !history.pass.maps.isEmpty { arrays["maps"] = try .concatenated(history.pass.maps, axis: 0) }
    history.suspected = suspected
    history.weights = try weights(suspected, suspicion, threshold: threshold)
    history.mapThreshold = threshold
    history.round = round
    history.hasConverged = change <= settings.tolerance
    history.pass = TokenHistory.Pass()
    return StageRecord(name: "detection-\(round)", figures: figures, arrays: arrays.compactMapValues { $0 })
  }

  /// Where the robust threshold has no spread to go by: what the map holds three standard deviations from the healed ones, or
  /// for residuals three bandwidths.
  private var fallbackThreshold: Double {
    switch configuration.detection.map {
    case .density: 4.5
    case .residual: 3 * configuration.detection.bandwidthFloor
    case .zScore: 3
    }
  }

  /// One batch of the detection pass.
  private func detect(
    _ batch: Tensor, _ indices: Range<Int>, _ suspects: SuspectedTokens, _ thresholds: [Tensor?]
  ) throws {
    let rows = Array(indices)
    var detection = configuration.detection
    (detection.samples, detection.decodings) = (configuration.rounds.samples, configuration.rounds.decodings)
    let crossFit = configuration.rounds.crossFit
    var (maps, valid, places): ([Tensor], [Tensor], [Int]) = ([], [], [])
    for (fold, transformer) in (crossFit ? tokens.folds : [tokens.transformer]).enumerated() {
      // A half is judged by the model that has not seen it.
      let own = rows.indices.filter { !crossFit || self.fold(of: rows[$0]) != fold }
      guard !own.isEmpty else { continue }
      let index = try Tensor(own, shape: [own.count], on: batch.device)
      let found = try findings(
        in: batch.selecting(index, axis: 0), with: transformer, detection, threshold: thresholds[fold])
      maps.append(try found.map(detection.map))
      valid.append(found.valid)
      places += own
      history.pass.flagged += try found.flags.to(.float32).mean([1]).sum().item()
    }
    let order = places.indices.sorted { places[$0] < places[$1] }
    let index = try Tensor(order, shape: [order.count], on: batch.device)
    let map = try Tensor.concatenated(maps, axis: 0).selecting(index, axis: 0)
    let made = try Tensor.concatenated(valid, axis: 0).selecting(index, axis: 0)
    try history.pass.histogram.add(map.selecting(where: made))
    let images = try map.reshaped([rows.count] + configuration.inputExtents)
    let grids = try suspects.suspicion(of: images, cell: configuration.cell)
    history.pass.suspicion.append(try tokens.order.sequences(of: grids).to(.cpu))
    if configuration.rounds.keepsMaps { history.pass.maps.append(try images.to(.float16).to(.cpu)) }
    history.pass.done = indices.upperBound
  }

  /// Thresholds of −log p at each place for each model that judges training images, `[L]`; nil where τ is one number.
  private func flagThresholds() throws -> [Tensor?] {
    let models = configuration.rounds.crossFit ? tokens.folds : [tokens.transformer]
    guard configuration.detection.flagging == .quantile, let codes = history.codes else {
      return models.map { _ in nil }
    }
    return try models.map { transformer in
      var all: [Tensor] = []
      let size = batchSize(healing: false)
      for start in stride(from: 0, to: codes.extent(0), by: size) {
        let rows = Array(start..<min(start + size, codes.extent(0)))
        all.append(try surprise(of: history.rows(rows, on: device), transformer))
      }
      return try Self.upperQuantile(.concatenated(all, axis: 0), share: configuration.detection.threshold)
    }
  }

  private func surprise(
    of stored: (tokens: Tensor, context: Tensor?, weights: Tensor?), _ transformer: TokenTransformer
  ) throws(TorchError) -> Tensor {
    let context = try stored.context.map { rows throws(TorchError) in try transformer.contextVectors(rows) }
    let logits = try transformer.logits(of: stored.tokens, context: context)
    return try TokenMaskingLosses.negativeLogLikelihoods(logits, of: stored.tokens)
  }

  /// The value at each place that `share` of the rows `[N, L]` exceed.
  static func upperQuantile(_ values: Tensor, share: Double) throws(TorchError) -> Tensor {
    let count = values.extent(0)
    return try values.kthSmallest(max(1, count - Int(share * Double(count))), axis: 0)
  }

  /// How much kept tokens count: all alike, or by Tukey's biweight of suspicion relative to the threshold.
  private func weights(_ suspected: Tensor, _ suspicion: Tensor, threshold: Double) throws(TorchError) -> Tensor {
    let kept = try suspected.not().to(.float32)
    guard configuration.rounds.weighting == .biweight else { return kept }
    let relative = try (suspicion / threshold).clamped(0, 1)
    return try (1 - relative.squared()).squared() * kept
  }

  // MARK: Choosing the epoch

  /// The last, or what held-out images choose.
  public var weightChoice: String {
    let share = configuration.transformer.validationShare
    guard share > 0 else { return "last epoch" }
    return
      "transformer: epoch with the least cross entropy over kept tokens of \(share * 100) % held-out training images"
  }

  /// The masked cross entropy of the held-out images, over kept tokens; the weights of the best epoch are kept.
  public func endEpoch(of stage: TrainingStage) throws -> [(name: String, value: Double)] {
    guard Self.round(of: stage) != nil, configuration.transformer.validationShare > 0, let codes = history.codes else {
      return []
    }
    let heldOut = (0..<codes.extent(0)).filter(isHeldOut)
    guard !heldOut.isEmpty else { return [] }
    var figures: [(name: String, value: Double)] = []
    for (index, update) in stage.updates.enumerated() {
      guard let transformer = update.module as? TokenTransformer else { continue }
      let loss = try withoutGradients {
        var sum = 0.0
        let size = batchSize(healing: false)
        for start in stride(from: 0, to: heldOut.count, by: size) {
          let rows = Array(heldOut[start..<min(start + size, heldOut.count)])
          sum += try crossEntropy(transformer, of: rows, random: nil).item() * Double(rows.count)
        }
        return sum / Double(heldOut.count)
      }
      figures.append((update.name == "transformer" ? "validation" : "validation-\(update.name)", loss))
      if history.bestLosses.count <= index { history.bestLosses.append(.infinity) }
      guard loss < history.bestLosses[index] else { continue }
      history.bestLosses[index] = loss
      for (key, parameter) in transformer.namedParameters {
        history.bestWeights["best.\(update.name).\(key)"] = try parameter.tensor.detached().copy()
      }
    }
    return figures
  }

  /// Puts the weights of the best epoch in place.
  public func end(_ stage: TrainingStage) throws {
    guard Self.round(of: stage) != nil else { return }
    for update in stage.updates {
      for (key, parameter) in update.module.namedParameters {
        if let best = history.bestWeights["best.\(update.name).\(key)"] {
          try parameter.assign(best.to(parameter.tensor.device))
        }
      }
    }
  }

  /// What a run resumes from, beside the networks.
  public func trainingState() throws -> [String: Tensor] { try history.state }

  /// Takes up what `trainingState` gave.
  public func resume(from state: [String: Tensor]) throws { history = try TokenHistory(state: state) }
}
