/// How PyTorch's layers start: the same distributions, from a generator of ours.
public enum Initialisation {
  /// Uniform in ±1/√fanIn: the weights and biases of PyTorch's convolutions and linear layers.
  public static func uniform(_ shape: [Int], fanIn: Int, _ generator: Generator) throws(TorchError) -> Tensor {
    guard isNeeded else { return try .empty(shape) }
    let bound = 1 / Double(max(fanIn, 1)).squareRoot()
    return try generator.uniform(-bound, bound, shape: shape)
  }

  /// Xavier-uniform for a matrix `[out, in]`: ±√(6 / (in + out)).
  /// - Throws: `TorchError` when `shape` has not two axes.
  public static func xavier(_ shape: [Int], _ generator: Generator) throws(TorchError) -> Tensor {
    guard shape.count == 2 else { throw TorchError("xavier", "the shape \(shape) is not that of a matrix") }
    guard isNeeded else { return try .empty(shape) }
    let bound = (6 / Double(shape[0] + shape[1])).squareRoot()
    return try generator.uniform(-bound, bound, shape: shape)
  }

  /// Whether layers draw their weights on this task.
  @TaskLocal static var isNeeded = true
}

/// Runs `body` while new layers leave their large weights as memory happens to be: for networks whose weights are loaded at
/// once, all of them.
public func withoutInitialisation<Result>(_ body: () throws -> Result) rethrows -> Result {
  try Initialisation.$isNeeded.withValue(false, operation: body)
}
