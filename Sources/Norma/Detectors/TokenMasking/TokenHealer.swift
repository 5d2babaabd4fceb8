import Torch

/// Replaces unlikely tokens by likely ones, left to right, each given the healed tokens before it (§5, §7).
///
/// A sequence is read once in full; what attention saw up to the first flagged token is kept and shared by all samples. From
/// there on only the tokens between one flagged token and the next are fed, as one chunk: F sequential steps for F flagged
/// tokens, not L, and no token is read twice; a single flagged token needs no step at all. Images with many flags go together,
/// in chunks that end at the flagged tokens of any of them; those with few have long chunks and go alone.
///
/// Where a `SequenceModel` can be had, it reads and heals in one call each, every image by its own chunks; the random numbers
/// are the same, and so are the tokens, but where rounding decides.
struct TokenHealer {
  /// The model of sequences.
  let transformer: TokenTransformer
  /// Of the distribution that tokens are drawn from; 0 takes the likeliest.
  let temperature: Double
  /// The random number of a sequence, sample and place.
  var chance: (UInt64, Int, Int) -> Float = CounterRandom.uniform

  /// What the model says of sequences as they are.
  struct Reading {
    /// −log p of each token, `[B, L]`.
    let surprise: Tensor
    fileprivate let logits: Tensor
    fileprivate var attention: [CausalAttention.Pass] = []
    fileprivate var packed: (model: SequenceModel, reading: SequenceModel.Reading)?
  }

  /// Reads sequences `[B, L]` once (teacher forcing).
  /// - Parameter context: vectors of the paired images, one row per sequence.
  func read(_ tokens: Tensor, context: Tensor?) throws(TorchError) -> Reading {
    if let model = try transformer.packed() {
      let reading = try model.read(tokens)
      return Reading(
        surprise: try TokenMaskingLosses.negativeLogLikelihoods(reading.logits, of: tokens), logits: reading.logits,
        packed: (model, reading))
    }
    let (logits, attention) = try transformer.pass(over: tokens, context: context)
    return Reading(
      surprise: try TokenMaskingLosses.negativeLogLikelihoods(logits, of: tokens), logits: logits,
      attention: attention)
  }

  /// Heals sequences `samples` times each.
  /// - Parameters:
  ///   - tokens: `[B, L]`, int64.
  ///   - flags: `[B, L]`, `bool`: the tokens to replace.
  ///   - reading: what `read` gave of them.
  ///   - keys: names the random numbers of each sequence.
  /// - Returns: `[B, samples, L]`; a sequence without flags stays as it is.
  func heal(
    _ tokens: Tensor, flags: Tensor, reading: Reading, samples: Int, keys: [UInt64], context: Tensor?
  ) throws(TorchError) -> Tensor {
    let length = tokens.extent(1)
    if let (model, own) = reading.packed {
      return try model.redrawing(
        tokens, where: flags, reading: own,
        chances: chances(keys, samples: samples, stops: Array(0..<length), on: tokens.device)
          .reshaped([keys.count, samples, length]), temperature: temperature)
    }
    let flagged = try flags.to(.int64).sum([1]).values(as: Int.self)
    let few = max(1, length / Self.fewShare)
    let groups =
      flagged.indices.filter { (1...few).contains(flagged[$0]) }.map { [$0] }
      + [flagged.indices.filter { flagged[$0] == 0 }, flagged.indices.filter { flagged[$0] > few }]
    var healed: [Tensor] = []
    for group in groups where !group.isEmpty {
      let rows = try Tensor(group, shape: [group.count], on: tokens.device)
      func own(_ all: Tensor) throws(TorchError) -> Tensor { try all.selecting(rows, axis: 0) }
      let flags = try own(flags)
      let part = Reading(
        surprise: reading.surprise, logits: try own(reading.logits),
        attention: flagged[group[0]] == 0
          ? []
          : try reading.attention.map { pass throws(TorchError) in
            CausalAttention.Pass(
              output: pass.output, keys: try own(pass.keys), values: try own(pass.values), state: nil)
          })
      let context = try context.map { all throws(TorchError) in try own(all) }
      healed.append(
        try healTogether(
          own(tokens), flags: flags, reading: part, samples: samples, keys: group.map { keys[$0] }, context: context))
    }
    let order = groups.flatMap { $0 }
    let places = order.indices.sorted { order[$0] < order[$1] }
    return try Tensor.concatenated(healed, axis: 0)
      .selecting(Tensor(places, shape: [places.count], on: tokens.device), axis: 0)
  }

  /// Sequences with more flags than this share of their length, 1 / n, are healed together.
  private static let fewShare = 16

  private func healTogether(
    _ tokens: Tensor, flags: Tensor, reading: Reading, samples: Int, keys: [UInt64], context: Tensor?
  ) throws(TorchError) -> Tensor {
    let (batch, length) = (tokens.extent(0), tokens.extent(1))
    let original = try tokens.repeatingEach(samples, axis: 0)
    let anywhere = try flags.to(.int64).sum([0]).values(as: Int.self)
    let stops = anywhere.indices.filter { anywhere[$0] > 0 }
    guard let first = stops.first else { return try original.reshaped([batch, samples, length]) }
    let replaced = try flags.repeatingEach(samples, axis: 0)
    let chances = try chances(keys, samples: samples, stops: stops, on: tokens.device)
    var caches = try caches(tokens, reading, upTo: first, samples: samples, context: context)
    var logits = try reading.logits.selected(first, axis: 1).repeatingEach(samples, axis: 0)
    var pieces = first > 0 ? [try original.sliced(0..<first, axis: 1)] : []
    for (index, stop) in stops.enumerated() {
      let drawn = try draw(logits, chances.selected(index, axis: 1))
      let here = stop..<stop + 1
      let token = try original.sliced(here, axis: 1).replacing(
        with: drawn.unsqueezed(1), where: replaced.sliced(here, axis: 1))
      let next = index + 1 < stops.count ? stops[index + 1] : length
      let fed = try Tensor.concatenated([token, original.sliced(stop + 1..<next, axis: 1)], axis: 1)
      pieces.append(fed)
      if next < length {
        logits = try transformer.nextLogits(holding: fed, after: stop + 1, caches: &caches, context: context)
      }
    }
    return try Tensor.concatenated(pieces, axis: 1).reshaped([batch, samples, length])
  }

  /// What every block remembers of the slots up to the one that predicts token `first`, each row `samples` times.
  private func caches(
    _ tokens: Tensor, _ reading: Reading, upTo first: Int, samples: Int, context: Tensor?
  ) throws(TorchError) -> [AttentionCache] {
    guard transformer.blocks[0].attention.features == nil else {
      let prefix = try tokens.sliced(0..<first + 1, axis: 1)
      return try transformer.pass(over: prefix, context: context).attention.map { pass throws(TorchError) in
        guard let state = pass.state else { throw TorchError("attention", "linear attention gave no sums") }
        return .linear(try state.repeated(samples))
      }
    }
    return try reading.attention.map { pass throws(TorchError) in
      try .exact(
        keys: pass.keys, values: pass.values, slots: first + 1, repeats: samples, capacity: tokens.extent(1))
    }
  }

  /// A number in 0 ..< 1 for every row and stop, `[B · samples, stops]`.
  private func chances(
    _ keys: [UInt64], samples: Int, stops: [Int], on device: Device
  ) throws(TorchError) -> Tensor {
    var values: [Float] = []
    values.reserveCapacity(keys.count * samples * stops.count)
    for key in keys {
      for sample in 0..<samples { for stop in stops { values.append(chance(key, sample, stop)) } }
    }
    return try Tensor(values, shape: [keys.count * samples, stops.count], on: device)
  }

  /// One code per row of logits `[R, K + 1]`, the begin token left out: where the running sum of probabilities passes the
  /// row's chance.
  private func draw(_ logits: Tensor, _ chances: Tensor) throws(TorchError) -> Tensor {
    let codes = try logits.sliced(0..<transformer.codes, axis: 1).to(.float32)
    guard temperature > 0 else { return try codes.indexOfMaximum(axis: 1) }
    let running = try (codes / temperature).softmax(axis: 1).cumulativeSum(axis: 1)
    let total = try running.sliced(transformer.codes - 1..<transformer.codes, axis: 1)
    let passed = try running.less(total * chances.unsqueezed(1)).to(.int64).sum([1])
    return try passed.clamped(0, Double(transformer.codes - 1)).to(.int64)
  }
}
