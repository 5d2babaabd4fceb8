import Torch

/// The memory of N items (§3.3): every encoding is replaced by a sparse mixture of the items that are most like it.
///
/// Key `items`, `[N, C]`.
final class MemAEMemory: Module {
  /// What a read gave.
  struct Read {
    /// Mixtures of items, shaped like the encodings.
    let features: Tensor
    /// The weights of all items, `[B · H · W, N]`; they sum to 1 unless none survived the shrinkage.
    let weights: Tensor
  }

  private let items: Parameter
  private let similarity: MemAEConfiguration.Similarity
  /// λ.
  private let threshold: Double

  /// - Parameter width: C, channels of the encodings.
  init(_ configuration: MemAEConfiguration, width: Int, generator: Generator) throws(TorchError) {
    items = try Parameter(Initialisation.uniform([configuration.items, width], fanIn: width, generator))
    similarity = configuration.similarity
    threshold = configuration.shrinkage / Double(configuration.items)
  }

  override var parts: [Part] { [.tensor("items", items)] }

  /// Reads with encodings `[B, C, H, W]`, at each position by itself.
  func callAsFunction(_ features: Tensor) throws(TorchError) -> Read {
    let shape = features.shape
    let rows = try features.permuted([0, 2, 3, 1]).reshaped([-1, shape[1]])
    let weights = try weights(of: rows)
    let read = try weights.matmul(items.tensor).reshaped([shape[0], shape[2], shape[3], shape[1]])
    return Read(features: try read.permuted([0, 3, 1, 2]), weights: weights)
  }

  /// The weights of the items for queries `[R, C]`, `[R, N]` (eq. 4 to 7).
  func weights(of queries: Tensor) throws(TorchError) -> Tensor {
    let memory = items.tensor
    let alike =
      switch similarity {
      case .product: try queries.matmul(memory.transposed(0, 1))
      case .cosine: try Self.unitLength(queries).matmul(Self.unitLength(memory).transposed(0, 1))
      }
    let soft = try alike.softmax(axis: -1)
    guard threshold > 0 else { return soft }
    return try MemoryShrinkage.unitSum(MemoryShrinkage.survivors(of: soft, above: threshold))
  }

  /// Rows divided by their lengths; a row of zeros stays one, and its gradient finite.
  private static func unitLength(_ rows: Tensor) throws(TorchError) -> Tensor {
    try rows * (rows.squared().sum([-1], keepingAxes: true) + 1e-12).reciprocalSquareRoot()
  }
}
