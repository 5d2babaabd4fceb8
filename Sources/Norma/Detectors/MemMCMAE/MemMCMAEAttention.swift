import Torch

/// Self-attention that also reads a learned memory (M² eq. 3, MemMC-MAE's encoder):
/// `softmax(Q [K; √d·M_K]ᵀ / √d) [V; √m·M_V]`, all heads in one fused call. Without slots it is plain self-attention.
///
/// Keys `inputProjection` (rows: query, key, value), `outputProjection`, and `memoryKeys`, `memoryValues`, `[m, width]`.
final class MemoryAttention: Module {
  private let inputProjection: Linear
  private let outputProjection: Linear
  private let memory: (keys: Parameter, values: Parameter)?
  private let heads: Int

  init(width: Int, heads: Int, slots: Int, generator: Generator) throws(TorchError) {
    self.heads = heads
    inputProjection = try .xavier(inputs: width, outputs: 3 * width, generator: generator)
    outputProjection = try .xavier(inputs: width, outputs: width, generator: generator)
    let deviation = Double(heads) / Double(width)
    memory =
      slots == 0
      ? nil
      : (
        try Parameter(generator.normal(standardDeviation: deviation, shape: [slots, width])),
        try Parameter(generator.normal(standardDeviation: 1 / Double(slots), shape: [slots, width]))
      )
  }

  override var parts: [Part] {
    let own: [Part] = memory.map { [.tensor("memoryKeys", $0.keys), .tensor("memoryValues", $0.values)] } ?? []
    return [.module("inputProjection", inputProjection)] + own + [.module("outputProjection", outputProjection)]
  }

  /// Tokens `[B, v, width]` to the same shape.
  func callAsFunction(_ tokens: Tensor) throws(TorchError) -> Tensor {
    try outputProjection(
      Self.attended(
        inputProjection(tokens), memory: memory.map { ($0.keys.tensor, $0.values.tensor) }, heads: heads))
  }

  /// The formula between the projections.
  /// - Parameters:
  ///   - projected: queries, keys and values of every token side by side, `[B, v, 3 · width]`.
  ///   - memory: M_K and M_V, `[m, width]`, or none.
  /// - Returns: `[B, v, width]`.
  static func attended(
    _ projected: Tensor, memory: (keys: Tensor, values: Tensor)?, heads: Int
  ) throws(TorchError) -> Tensor {
    let (batch, count, width) = (projected.extent(0), projected.extent(1), projected.extent(2) / 3)
    let split = try projected.reshaped([batch, count, 3, heads, width / heads]).unbound(axis: 2)
    var (keys, values) = (split[1], split[2])
    if let memory {
      keys = try appending(memory.keys * (Double(width) / Double(heads)).squareRoot(), to: keys)
      values = try appending(memory.values * Double(memory.values.extent(0)).squareRoot(), to: values)
    }
    return try split[0].transposed(1, 2)
      .attention(keys: keys.transposed(1, 2), values: values.transposed(1, 2))
      .transposed(1, 2).reshaped([batch, count, width])
  }

  /// Memory `[m, width]` behind the tokens of every image, `[B, v, h, d]`.
  private static func appending(_ memory: Tensor, to tokens: Tensor) throws(TorchError) -> Tensor {
    let (batch, heads, depth) = (tokens.extent(0), tokens.extent(2), tokens.extent(3))
    let shared = try memory.reshaped([1, -1, heads, depth]).expanded([batch, memory.extent(0), heads, depth])
    return try .concatenated([tokens, shared], axis: 1)
  }
}

/// Cross-attention onto several encoder levels, each through a gate (M² eqs. 5 and 6, MemMC-MAE's decoder):
/// `Σ_l σ([Y, C⁽ˡ⁾] W⁽ˡ⁾ + b⁽ˡ⁾) ⊙ C⁽ˡ⁾ / √L` with `C⁽ˡ⁾ = CA(E⁽ˡ⁾, Y)`. All levels are one batch of one fused call, the
/// queries are computed once, and the gates of all levels are one batched product.
///
/// Keys `query`, `keysValues`, `outputProjection`, shared by the levels, and `gates.weight`, `[L, 2 · width, width]` (rows:
/// Y, then C), `gates.bias`, `[L, 1, width]`, unless it is plain cross-attention onto one level.
final class MultiLevelCrossAttention: Module {
  private let query: Linear
  private let keysValues: Linear
  private let outputProjection: Linear
  private let gates: (weight: Parameter, bias: Parameter)?
  private let heads: Int

  init(width: Int, heads: Int, levels: Int, gated: Bool, generator: Generator) throws(TorchError) {
    self.heads = heads
    query = try .xavier(inputs: width, outputs: width, generator: generator)
    keysValues = try .xavier(inputs: width, outputs: 2 * width, generator: generator)
    outputProjection = try .xavier(inputs: width, outputs: width, generator: generator)
    guard gated else {
      gates = nil
      return
    }
    var weights: [Tensor] = []
    for _ in 0..<levels { weights.append(try Initialisation.xavier([2 * width, width], generator)) }
    gates = (try Parameter(.stacked(weights)), try Parameter(.zeros([levels, 1, width])))
  }

  override var parts: [Part] {
    [.module("query", query), .module("keysValues", keysValues), .module("outputProjection", outputProjection)]
      + (gates.map { [.tensor("gates.weight", $0.weight), .tensor("gates.bias", $0.bias)] } ?? [])
  }

  /// Tokens Y `[B, n, width]` reading levels E `[L, B, v, width]`; returns `[B, n, width]`.
  func callAsFunction(_ tokens: Tensor, levels: Tensor) throws(TorchError) -> Tensor {
    let (batch, count, width) = (tokens.extent(0), tokens.extent(1), tokens.extent(2))
    let (levelCount, visible, depth) = (levels.extent(0), levels.extent(2), width / heads)
    let queries = try query(tokens).reshaped([1, batch, count, heads, depth]).transposed(2, 3)
      .expanded([levelCount, batch, heads, count, depth]).reshaped([levelCount * batch, heads, count, depth])
    let projected = try keysValues(levels).reshaped([levelCount * batch, visible, 2, heads, depth]).unbound(axis: 2)
    let attended = try queries.attention(keys: projected[0].transposed(1, 2), values: projected[1].transposed(1, 2))
    let read = try outputProjection(attended.transposed(1, 2).reshaped([levelCount, batch * count, width]))
    let sum =
      if let gates {
        try Self.gatedSum(tokens, read, weight: gates.weight.factor, bias: gates.bias.tensor)
      } else { try read.sum([0]) }
    return try (sum / Double(levelCount).squareRoot()).reshaped([batch, count, width])
  }

  /// What was read of each level, `[L, B · n, width]`, times its gate, summed over the levels, `[B · n, width]`: Y is
  /// `[B, n, width]`, weight and bias as the keys say.
  static func gatedSum(_ tokens: Tensor, _ read: Tensor, weight: Tensor, bias: Tensor) throws(TorchError) -> Tensor {
    let (levels, width) = (read.extent(0), read.extent(2))
    // Every level's part of Y in one product: [B · n, width] to [B · n, L · width].
    let queryWeight = try weight.sliced(0..<width, axis: 1).transposed(1, 2).reshaped([levels * width, width])
    let own = try tokens.reshaped([-1, width]).linear(queryWeight, bias: bias.reshaped([-1]))
      .reshaped([-1, levels, width])
    var sum: Tensor?
    for level in 0..<levels {
      let mine = try read.selected(level, axis: 0)
      let matrix = try weight.selected(level, axis: 0).sliced(width..<2 * width, axis: 0).transposed(0, 1)
      let gated = try (mine.linear(matrix) + own.selected(level, axis: 1)).sigmoid() * mine
      sum = if let sum { try sum + gated } else { gated }
    }
    guard let sum else { throw TorchError("crossAttention", "there is no level to read") }
    return sum
  }
}
