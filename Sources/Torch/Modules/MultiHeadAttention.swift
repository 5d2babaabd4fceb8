/// Multi-head attention with separate query, key and value inputs, as `torch.nn.MultiheadAttention` computes it.
///
/// Keys `inputProjection.weight`, `[3 · width, width]` (rows: query, key, value), `inputProjection.bias`, and
/// `outputProjection.weight`, `.bias`. Starts Xavier-uniform, biases zero.
public final class MultiHeadAttention: Module {
  private let inputWeight: Parameter
  private let inputBias: Parameter
  private let outputProjection: Linear
  private let width: Int
  private let heads: Int

  /// Creates attention of `width` features in `heads` heads.
  /// - Throws: `TorchError` when `heads` does not divide `width`.
  public init(width: Int, heads: Int, generator: Generator) throws(TorchError) {
    guard heads > 0, width % heads == 0 else {
      throw TorchError("attention", "\(heads) heads do not divide a width of \(width)")
    }
    self.width = width
    self.heads = heads
    inputWeight = try Parameter(Initialisation.xavier([3 * width, width], generator))
    inputBias = try Parameter(.zeros([3 * width]))
    outputProjection = try Linear(inputs: width, outputs: width, generator: generator)
    try outputProjection.bias?.assign(.zeros([width]))
  }

  /// The stacked input projection and the output projection.
  public override var parts: [Part] {
    [
      .tensor("inputProjection.weight", inputWeight), .tensor("inputProjection.bias", inputBias),
      .module("outputProjection", outputProjection),
    ]
  }

  /// Attends from `query`, `[N, n, width]`, to `keys` and `values`, `[N, m, width]`; returns `[N, n, width]`.
  /// - Parameter mask: `bool`, true where a query may look, broadcast to `[N, heads, n, m]`.
  /// - Throws: `TorchError` when an input is not `[batch, length, width]`, or mask or lengths do not fit.
  public func callAsFunction(
    query: Tensor, keys: Tensor, values: Tensor, mask: Tensor? = nil, causal: Bool = false
  ) throws(TorchError) -> Tensor {
    let attended = try project(query, 0).attention(
      keys: project(keys, 1), values: project(values, 2), mask: mask, causal: causal)
    let joined = try attended.transposed(1, 2).reshaped([query.extent(0), query.extent(1), width])
    return try outputProjection(joined)
  }

  /// One third of the input projection, split into heads: `[N, n, width]` to `[N, heads, n, width / heads]`.
  private func project(_ input: Tensor, _ third: Int) throws(TorchError) -> Tensor {
    guard input.rank == 3, input.extent(2) == width else {
      throw TorchError("attention", "an input of shape \(input.shape) is not [batch, length, \(width)]")
    }
    let rows = third * width..<(third + 1) * width
    let projected = try input.linear(
      inputWeight.factor.sliced(rows, axis: 0), bias: inputBias.tensor.sliced(rows, axis: 0))
    return try projected.reshaped([input.extent(0), input.extent(1), heads, width / heads]).transposed(1, 2)
  }
}
