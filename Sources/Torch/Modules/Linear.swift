/// `x · weightᵀ + bias` over the last axis. Keys `weight`, `[out, in]`, and `bias`, `[out]`.
public final class Linear: Module {
  /// The matrix.
  public let weight: Parameter
  /// Added per output; nil without bias.
  public let bias: Parameter?

  /// Creates a layer with PyTorch's default initialisation.
  public init(inputs: Int, outputs: Int, bias: Bool = true, generator: Generator) throws(TorchError) {
    weight = try Parameter(Initialisation.uniform([outputs, inputs], fanIn: inputs, generator))
    self.bias = bias ? try Parameter(Initialisation.uniform([outputs], fanIn: inputs, generator)) : nil
  }

  private init(weight: Parameter, bias: Parameter?) {
    (self.weight, self.bias) = (weight, bias)
  }

  /// A layer with Xavier-uniform weights and zero biases: how transformers start.
  public static func xavier(inputs: Int, outputs: Int, generator: Generator) throws(TorchError) -> Linear {
    Linear(
      weight: try Parameter(Initialisation.xavier([outputs, inputs], generator)),
      bias: try Parameter(.zeros([outputs])))
  }

  /// Matrix and bias.
  public override var parts: [Part] { [.tensor("weight", weight)] + (bias.map { [.tensor("bias", $0)] } ?? []) }

  /// Maps `[…, in]` to `[…, out]` and takes the GELU of it.
  public func gelu(_ input: Tensor) throws(TorchError) -> Tensor {
    try input.linearGELU(weight.factor, bias: bias?.tensor)
  }

  /// Maps `[…, in]` to `[…, out]`.
  public func callAsFunction(_ input: Tensor) throws(TorchError) -> Tensor {
    try input.linear(weight.factor, bias: bias?.tensor)
  }
}

/// A table of learned vectors. Key `weight`, `[entries, width]`.
public final class Embedding: Module {
  /// The table.
  public let weight: Parameter

  /// Creates a table of normal numbers around zero.
  public init(
    entries: Int, width: Int, standardDeviation: Double = 1, generator: Generator
  ) throws(TorchError) {
    weight = try Parameter(generator.normal(standardDeviation: standardDeviation, shape: [entries, width]))
  }

  /// The table.
  public override var parts: [Part] { [.tensor("weight", weight)] }

  /// Looks up int64 indices of any shape: `[…]` to `[…, width]`.
  public func callAsFunction(_ indices: Tensor) throws(TorchError) -> Tensor { try weight.tensor.embedding(indices) }
}
