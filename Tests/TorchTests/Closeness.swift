import Testing

@testable import Torch

/// How far a result may lie from the expected one: `|a − b| ≤ tolerance · (1 + |b|)`.
///
/// float64: 1e-12, some thousand roundings. float32: 2e-5, the same with 24 bits and sums in another order. float16 and
/// bfloat16: one step of their 11 and 8 bits. Integers and `bool`: none.
enum Tolerance {
  static func of(_ dtype: DType) -> Double {
    switch dtype {
    case .float64: 1e-12
    case .float32: 2e-5
    case .float16: 1.0 / 1024
    case .bfloat16: 1.0 / 128
    default: 0
    }
  }
}

/// Expects the same shape, and every element within the tolerance of its type or the one given.
func expectClose(
  _ actual: Tensor, _ expected: Tensor, within tolerance: Double? = nil,
  sourceLocation: SourceLocation = #_sourceLocation
) throws {
  #expect(actual.shape == expected.shape, sourceLocation: sourceLocation)
  #expect(actual.dtype == expected.dtype, sourceLocation: sourceLocation)
  try expectClose(
    actual.values(), expected.values(), within: tolerance ?? Tolerance.of(expected.dtype),
    sourceLocation: sourceLocation)
}

/// Expects the tensor's elements, row by row, to be those numbers.
func expectClose(
  _ actual: Tensor, _ expected: [Double], within tolerance: Double? = nil,
  sourceLocation: SourceLocation = #_sourceLocation
) throws {
  try expectClose(
    actual.values(), expected, within: tolerance ?? Tolerance.of(actual.dtype), sourceLocation: sourceLocation)
}

/// Expects numbers to be those numbers; the first that is not is named.
func expectClose(
  _ actual: [Double], _ expected: [Double], within tolerance: Double, sourceLocation: SourceLocation = #_sourceLocation
) throws {
  try #require(actual.count == expected.count, sourceLocation: sourceLocation)
  let first = actual.indices.first { index in
    let (a, b) = (actual[index], expected[index])
    return !(a == b || abs(a - b) <= tolerance * (1 + abs(b)))
  }
  guard let first else { return }
  Issue.record(
    "element \(first) is \(actual[first]) and should be \(expected[first])", sourceLocation: sourceLocation)
}

extension Tensor {
  /// The elements as Double, row by row.
  func values() throws -> [Double] { try values(as: Double.self) }
}

/// Seeded normal numbers, float64 unless said.
func normal(_ shape: [Int], seed: UInt64 = 1, dtype: DType = .float64) throws -> Tensor {
  try Generator(seed: seed).normal(shape: shape, dtype: dtype)
}

/// Expects `body` to throw a `TorchError`, and returns it.
@discardableResult
func torchError(
  sourceLocation: SourceLocation = #_sourceLocation, _ body: () throws -> Void
) throws -> TorchError {
  try #require(throws: TorchError.self, sourceLocation: sourceLocation) { try body() }
}
