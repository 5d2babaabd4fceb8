import CTorch

/// What a piece of work asks of a machine: multiply-adds of convolutions, matrix products and attention, and bytes moved.
///
/// Multiply-adds are those of the formulas, each product counted once: a convolution takes N·H'·W'·C'·C·k², its two gradients as
/// much each; attention takes two products of every query with every key that it may see, and four more in its backward pass
/// (scores that a kernel computes anew are that kernel's choice). Norms, activations and sums count as bytes alone: every
/// operator that libtorch runs reads its inputs and writes its results once, however much of that stays in caches.
public struct OperationCount: Equatable, Sendable {
  /// Multiply-adds in float32 or wider.
  public var multiplyAdds = 0
  /// Multiply-adds in 16 bits: bfloat16 or float16.
  public var reducedMultiplyAdds = 0
  /// Bytes read.
  public var bytesRead = 0
  /// Bytes written.
  public var bytesWritten = 0
  /// Operators that moved something.
  public var operators = 0

  /// Creates a count.
  public init(
    multiplyAdds: Int = 0, reducedMultiplyAdds: Int = 0, bytesRead: Int = 0, bytesWritten: Int = 0, operators: Int = 0
  ) {
    (self.multiplyAdds, self.reducedMultiplyAdds) = (multiplyAdds, reducedMultiplyAdds)
    (self.bytesRead, self.bytesWritten, self.operators) = (bytesRead, bytesWritten, operators)
  }

  /// Counts what `body` does on this thread, gradients included. One thread counts at a time; others wait for their turn.
  /// - Returns: what `body` returns, and the count.
  /// - Throws: `TorchError` inside another count, and what `body` throws.
  public static func of<Result>(_ body: () throws -> Result) throws -> (result: Result, count: OperationCount) {
    try TorchError.check("count", ct_begin_count())
    var work = ct_work()
    let result: Result
    do { result = try body() } catch {
      _ = ct_end_count(&work)
      throw error
    }
    try TorchError.check("count", ct_end_count(&work))
    return (
      result,
      OperationCount(
        multiplyAdds: Int(work.multiply_adds), reducedMultiplyAdds: Int(work.reduced_multiply_adds),
        bytesRead: Int(work.bytes_read), bytesWritten: Int(work.bytes_written), operators: Int(work.operators))
    )
  }
}
