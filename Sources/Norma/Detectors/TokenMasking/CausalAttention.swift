import Torch

/// What one block remembers of the slots before: keys and values for exact attention, sums for linear attention.
enum AttentionCache {
  /// Keys and values `[R, h, capacity, d]`, filled up to some slot.
  case exact(keys: Parameter, values: Parameter)
  /// Sums over all slots so far.
  case linear(RandomFeatures.State)

  /// The memory of `slots` slots of `rows` rows that were `present`, [rows, h, n, d], each row taken `repeats` times.
  static func exact(
    keys: Tensor, values: Tensor, slots: Int, repeats: Int, capacity: Int
  ) throws(TorchError) -> AttentionCache {
    func stored(_ present: Tensor) throws(TorchError) -> Parameter {
      let shape = [present.extent(0) * repeats, present.extent(1), capacity, present.extent(3)]
      let memory = try Parameter(.zeros(shape, dtype: present.dtype, on: present.device), isTrainable: false)
      let kept = try present.sliced(0..<slots, axis: 2).repeatingEach(repeats, axis: 0)
      let places = try Tensor.arange(0, Double(slots), dtype: .int64, on: present.device)
      try memory.overwrite(at: places, axis: 2, with: kept)
      return memory
    }
    return .exact(keys: try stored(keys), values: try stored(values))
  }
}

/// Multi-head self-attention of a sequence in which a slot sees itself and what came before (§3.3), exact or by random
/// features. Without biases. Keys `inputProjection.weight` (rows: query, key, value), `outputProjection.weight` and, for
/// linear attention, `features.projection`.
final class CausalAttention: Module {
  private let inputProjection: Linear
  private let outputProjection: Linear
  /// The random features; nil for exact attention.
  let features: RandomFeatures?
  private let heads: Int
  private let headWidth: Int

  init(_ settings: TokenMaskingConfiguration.Transformer, generator: Generator) throws(TorchError) {
    (heads, headWidth) = (settings.heads, settings.headWidth)
    let inner = heads * headWidth
    inputProjection = try Linear(inputs: settings.width, outputs: 3 * inner, bias: false, generator: generator)
    outputProjection = try Linear(inputs: inner, outputs: settings.width, bias: false, generator: generator)
    features =
      settings.attention == .exact
      ? nil : try RandomFeatures(features: settings.features, headWidth: headWidth, generator: generator)
  }

  override var parts: [Part] {
    [.module("inputProjection", inputProjection), .module("outputProjection", outputProjection)]
      + (features.map { [.module("features", $0)] } ?? [])
  }

  /// What a whole sequence gives, with what a cache is made of.
  struct Pass {
    /// `[B, n, width]`.
    let output: Tensor
    /// Keys `[B, h, n, d]`.
    let keys: Tensor
    /// Values `[B, h, n, d]`.
    let values: Tensor
    /// The sums after the last slot, for linear attention.
    let state: RandomFeatures.State?
  }

  /// A sequence from its start.
  /// - Parameters:
  ///   - tokens: `[B, n, width]`.
  ///   - keep: `[B, n]`, zero where a slot is no key for anyone (§4.2, exact exclusion); nil: all slots are keys.
  func callAsFunction(_ tokens: Tensor, keep: Tensor? = nil) throws(TorchError) -> Pass {
    let (queries, keys, values) = try projected(tokens)
    if let features {
      let (output, state) = try features(queries: queries, keys: keys, values: values, keep: keep, state: nil)
      return Pass(output: try joined(output), keys: keys, values: values, state: state)
    }
    let output = try queries.attention(keys: keys, values: values, keep: keep, causal: true)
    return Pass(output: try joined(output), keys: keys, values: values, state: nil)
  }

  /// The next `n` slots of sequences whose first `start` slots `cache` remembers; it remembers these as well afterwards.
  func callAsFunction(
    _ tokens: Tensor, after start: Int, cache: inout AttentionCache
  ) throws(TorchError) -> Tensor {
    let (queries, keys, values) = try projected(tokens)
    let count = tokens.extent(1)
    switch cache {
    case .linear(let state):
      guard let features else { throw TorchError("attention", "a cache of sums does not fit exact attention") }
      let (output, after) = try features(queries: queries, keys: keys, values: values, keep: nil, state: state)
      cache = .linear(after)
      return try joined(output)
    case .exact(let allKeys, let allValues):
      let places = try Tensor.arange(Double(start), Double(start + count), dtype: .int64, on: tokens.device)
      try allKeys.overwrite(at: places, axis: 2, with: keys)
      try allValues.overwrite(at: places, axis: 2, with: values)
      let seen = 0..<start + count
      return try joined(
        queries.attention(
          keys: allKeys.tensor.sliced(seen, axis: 2), values: allValues.tensor.sliced(seen, axis: 2), causal: true))
    }
  }

  private func projected(_ tokens: Tensor) throws(TorchError) -> (Tensor, Tensor, Tensor) {
    let split = try inputProjection(tokens).reshaped([tokens.extent(0), tokens.extent(1), 3, heads, headWidth])
      .permuted([2, 0, 3, 1, 4]).unbound(axis: 0)
    return (split[0], split[1], split[2])
  }

  private func joined(_ output: Tensor) throws(TorchError) -> Tensor {
    try outputProjection(output.transposed(1, 2).reshaped([output.extent(0), output.extent(2), heads * headWidth]))
  }
}

/// Multi-head attention from the tokens of an image to those of its paired image (§3.4), all of which are visible. Without
/// biases. Keys `query.weight`, `keysValues.weight`, `outputProjection.weight`.
final class ContextAttention: Module {
  private let query: Linear
  private let keysValues: Linear
  private let outputProjection: Linear
  private let heads: Int
  private let headWidth: Int

  init(_ settings: TokenMaskingConfiguration.Transformer, generator: Generator) throws(TorchError) {
    (heads, headWidth) = (settings.heads, settings.headWidth)
    let inner = heads * headWidth
    query = try Linear(inputs: settings.width, outputs: inner, bias: false, generator: generator)
    keysValues = try Linear(inputs: settings.width, outputs: 2 * inner, bias: false, generator: generator)
    outputProjection = try Linear(inputs: inner, outputs: settings.width, bias: false, generator: generator)
  }

  override var parts: [Part] {
    [.module("query", query), .module("keysValues", keysValues), .module("outputProjection", outputProjection)]
  }

  /// Tokens `[R, n, width]` reading contexts `[B, c, width]`; R / B rows in a row share one context.
  func callAsFunction(_ tokens: Tensor, context: Tensor) throws(TorchError) -> Tensor {
    let (rows, count) = (tokens.extent(0), tokens.extent(1))
    let images = context.extent(0)
    let queries = try query(tokens).reshaped([images, rows / images * count, heads, headWidth]).transposed(1, 2)
    let split = try keysValues(context).reshaped([images, context.extent(1), 2, heads, headWidth])
      .permuted([2, 0, 3, 1, 4]).unbound(axis: 0)
    let read = try queries.attention(keys: split[0], values: split[1])
    return try outputProjection(read.transposed(1, 2).reshaped([rows, count, heads * headWidth]))
  }
}
