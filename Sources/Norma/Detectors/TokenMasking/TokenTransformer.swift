import Torch

/// Pre-norm block (§3.3): `x ← x + SA(LN x); x ← x + FF(LN x)`, and with a paired image again with cross-attention.
///
/// Keys `norm1`, `attention`, `norm2`, `feedForward` and, for a paired image, `norm3`, `contextAttention`, `norm4`,
/// `contextFeedForward`.
final class TokenBlock: Module {
  private let norms: [LayerNorm]
  /// Self-attention.
  let attention: CausalAttention
  private let feedForward: TokenFeedForward
  private let context: (attention: ContextAttention, feedForward: TokenFeedForward)?
  private let dropout: Double

  init(
    _ settings: TokenMaskingConfiguration.Transformer, conditioned: Bool, generator: Generator
  ) throws(TorchError) {
    dropout = settings.dropout
    norms = try (0..<(conditioned ? 4 : 2)).map { _ throws(TorchError) in try LayerNorm(width: settings.width) }
    attention = try CausalAttention(settings, generator: generator)
    feedForward = try TokenFeedForward(width: settings.width, generator: generator)
    context =
      conditioned
      ? (
        try ContextAttention(settings, generator: generator),
        try TokenFeedForward(width: settings.width, generator: generator)
      ) : nil
  }

  override var parts: [Part] {
    [
      .module("norm1", norms[0]), .module("attention", attention), .module("norm2", norms[1]),
      .module("feedForward", feedForward),
    ]
      + (context.map {
        [
          .module("norm3", norms[2]), .module("contextAttention", $0.attention), .module("norm4", norms[3]),
          .module("contextFeedForward", $0.feedForward),
        ]
      } ?? [])
  }

  /// A whole sequence `[B, n, width]`; what the attention saw comes along, for a cache.
  func callAsFunction(
    _ tokens: Tensor, keep: Tensor?, context: Tensor?, random: Generator?
  ) throws(TorchError) -> (output: Tensor, pass: CausalAttention.Pass) {
    let pass = try attention(norms[0](tokens), keep: keep)
    return (try rest(tokens + dropped(pass.output, random), context: context, random: random), pass)
  }

  /// The next slots of sequences that `cache` remembers.
  func callAsFunction(
    _ tokens: Tensor, after start: Int, cache: inout AttentionCache, context: Tensor?
  ) throws(TorchError) -> Tensor {
    let attended = try attention(norms[0](tokens), after: start, cache: &cache)
    return try rest(tokens + attended, context: context, random: nil)
  }

  private func rest(_ tokens: Tensor, context: Tensor?, random: Generator?) throws(TorchError) -> Tensor {
    var tokens = try tokens + dropped(feedForward(norms[1](tokens)), random)
    guard let own = self.context, let context else { return tokens }
    tokens = try tokens + dropped(own.attention(norms[2](tokens), context: context), random)
    return try tokens + dropped(own.feedForward(norms[3](tokens)), random)
  }

  private func dropped(_ tokens: Tensor, _ random: Generator?) throws(TorchError) -> Tensor {
    guard let random, dropout > 0 else { return tokens }
    return try tokens.dropout(dropout, generator: random)
  }
}

/// Two linear layers with a GELU between them, four times as wide inside. Keys `layers.0`, `layers.1`.
final class TokenFeedForward: Module {
  private let layers: [Linear]

  init(width: Int, generator: Generator) throws(TorchError) {
    layers = [
      try Linear(inputs: width, outputs: 4 * width, generator: generator),
      try Linear(inputs: 4 * width, outputs: width, generator: generator),
    ]
  }

  override var parts: [Part] { Part.modules("layers", layers) }

  func callAsFunction(_ tokens: Tensor) throws(TorchError) -> Tensor { try layers[1](layers[0].gelu(tokens)) }
}

/// The autoregressive model of code sequences (§3): slot j holds token j − 1, slot 0 the begin token, and slot j's logits are
/// those of token j.
///
/// Keys `tokens.weight`, `[K + 2, width]` (codes, begin, masked; without the last where masked tokens keep their code),
/// `positions.weight`, `[L + 1, width]`, `axes.i.weight` per spatial axis, `blocks.i`, `norm`, `head`, and
/// `contextTokens.weight`, `[K + 1, width]`, for a paired image.
final class TokenTransformer: Module {
  /// Codes, K.
  let codes: Int
  /// How grids are read.
  let order: TokenOrder
  private let settings: TokenMaskingConfiguration.Transformer
  private let tokens: Embedding
  private let positions: Embedding
  private let axes: [Embedding]
  /// The coordinate of each token along each axis of the grid.
  private let coordinates: [[Int]]
  /// The blocks.
  let blocks: [TokenBlock]
  private let norm: LayerNorm
  private let head: Linear
  private let contextTokens: Embedding?

  init(
    _ settings: TokenMaskingConfiguration.Transformer, codes: Int, contextCodes: Int?, order: TokenOrder,
    generator: Generator
  ) throws(TorchError) {
    (self.settings, self.codes, self.order) = (settings, codes, order)
    func table(_ entries: Int) throws(TorchError) -> Embedding {
      try Embedding(entries: entries, width: settings.width, standardDeviation: 0.02, generator: generator)
    }
    tokens = try table(codes + (settings.masksInput ? 2 : 1))
    positions = try table(order.count + 1)
    axes = settings.spatialPositions ? try order.extents.map(table) : []
    coordinates = axes.indices.map(order.coordinates)
    blocks = try (0..<settings.layers).map { _ throws(TorchError) in
      try TokenBlock(settings, conditioned: contextCodes != nil, generator: generator)
    }
    norm = try LayerNorm(width: settings.width)
    head = try Linear(inputs: settings.width, outputs: codes + 1, generator: generator)
    contextTokens = if let contextCodes { try table(contextCodes + 1) } else { nil }
  }

  override var parts: [Part] {
    [.module("tokens", tokens), .module("positions", positions)] + Part.modules("axes", axes)
      + Part.modules("blocks", blocks) + [.module("norm", norm), .module("head", head)]
      + (contextTokens.map { [.module("contextTokens", $0)] } ?? [])
  }

  /// The begin token, K.
  var begin: Int { codes }

  /// What the slots of a sequence `[B, L]` hold: the begin token and all tokens but the last; masked ones as a token of
  /// their own, if the configuration says so.
  /// - Parameter keep: `[B, L]`, zero where a token is masked.
  func slots(of sequences: Tensor, keep: Tensor?) throws(TorchError) -> (held: Tensor, keep: Tensor?) {
    let (batch, count) = (sequences.extent(0), sequences.extent(1))
    var known = try sequences.sliced(0..<count - 1, axis: 1)
    let trusted = try keep?.sliced(0..<count - 1, axis: 1)
    if let trusted, settings.masksInput { known = try known.masked(trusted.equal(0), by: Double(codes + 1)) }
    let first = try Tensor.full(Double(begin), shape: [batch, 1], dtype: .int64, on: sequences.device)
    let held = try Tensor.concatenated([first, known], axis: 1)
    guard let trusted else { return (held, nil) }
    let one = try Tensor.ones([batch, 1], dtype: trusted.dtype, on: sequences.device)
    return (held, try .concatenated([one, trusted], axis: 1))
  }

  /// Logits of every token of sequences `[B, L]`, each given those before: `[B, L, K + 1]`.
  /// - Parameters:
  ///   - keep: `[B, L]`, zero where a token is masked: nobody sees it; nil: all are kept.
  ///   - context: what `contextVectors` gave of the paired images.
  ///   - random: draws dropout in training; nil in evaluation.
  func logits(
    of sequences: Tensor, keep: Tensor? = nil, context: Tensor? = nil, random: Generator? = nil
  ) throws(TorchError) -> Tensor {
    try pass(over: sequences, keep: keep, context: context, random: random).logits
  }

  /// The same, with what each block's attention saw.
  func pass(
    over sequences: Tensor, keep: Tensor? = nil, context: Tensor? = nil, random: Generator? = nil
  ) throws(TorchError) -> (logits: Tensor, attention: [CausalAttention.Pass]) {
    let (held, keep) = try slots(of: sequences, keep: keep)
    var features = try embedded(held, at: 0..<held.extent(1))
    var passes: [CausalAttention.Pass] = []
    for block in blocks {
      let (output, pass) = try block(features, keep: keep, context: context, random: random)
      features = output
      if random == nil { passes.append(pass) }
    }
    return (try head(norm(features)), passes)
  }

  /// Feeds the next slots, which hold `held`, `[R, n]`, to sequences that `caches` remember up to slot `start`.
  /// - Returns: the logits of the token that the last of them predicts, `[R, K + 1]`.
  func nextLogits(
    holding held: Tensor, after start: Int, caches: inout [AttentionCache], context: Tensor?
  ) throws(TorchError) -> Tensor {
    let count = held.extent(1)
    var features = try embedded(held, at: start..<start + count)
    for index in blocks.indices {
      features = try blocks[index](features, after: start, cache: &caches[index], context: context)
    }
    return try head(norm(features.selected(count - 1, axis: 1)))
  }

  /// This model laid out for reading sequences and drawing tokens of them anew; nil where attention is not exact, a paired
  /// image is read, or the machine does not suit.
  func packed() throws(TorchError) -> SequenceModel? {
    guard settings.attention == .exact, contextTokens == nil else { return nil }
    let table = tokens.weight.tensor
    func weights(_ module: Module) -> [Tensor] { module.namedParameters.map(\.parameter.tensor) }
    return try SequenceModel(
      tokens: table, places: places(0..<order.count, on: table.device), blocks: blocks.map(weights),
      norm: weights(norm), head: weights(head), heads: settings.heads, normEpsilon: norm.epsilon)
  }

  /// The tokens of paired images `[B, c]`, in the same order, as vectors for cross-attention, `[B, c, width]`: begin token
  /// first, cut to the same length, with places.
  func contextVectors(_ sequences: Tensor) throws(TorchError) -> Tensor {
    guard let contextTokens else { throw TorchError("context", "the transformer reads no paired image") }
    let count = sequences.extent(1)
    let first = try Tensor.full(
      Double(contextTokens.weight.tensor.extent(0) - 1), shape: [sequences.extent(0), 1], dtype: .int64,
      on: sequences.device)
    let held = try Tensor.concatenated([first, sequences.sliced(0..<count - 1, axis: 1)], axis: 1)
    return try contextTokens(held) + places(0..<count, on: sequences.device)
  }

  /// Vectors of what slots hold, with their places, `[R, n, width]`.
  private func embedded(_ held: Tensor, at slots: Range<Int>) throws(TorchError) -> Tensor {
    try tokens(held) + places(slots, on: held.device)
  }

  /// The learned places of slots, `[n, width]`: in the sequence, and of the token that they hold in the grid; slot 0 holds
  /// none of the grid.
  private func places(_ slots: Range<Int>, on device: Device) throws(TorchError) -> Tensor {
    var sum = try positions.weight.tensor.sliced(slots, axis: 0)
    let held = slots.dropFirst(slots.lowerBound == 0 ? 1 : 0)
    guard !held.isEmpty else { return sum }
    for (table, coordinates) in zip(axes, coordinates) {
      let own = try table(Tensor(held.map { coordinates[$0 - 1] }, shape: [held.count], on: device))
      sum = try sum + (slots.lowerBound == 0 ? own.padded([0, 0, 1, 0]) : own)
    }
    return sum
  }

  /// Draws the random features of linear attention anew.
  func redrawFeatures(_ random: Generator) throws(TorchError) {
    for block in blocks { try block.attention.features?.redraw(random) }
  }
}
