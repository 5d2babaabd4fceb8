import Testing

@testable import Torch

/// Attention against its formula in float64. Widths of whole vectors of 16 floats and many queries go through this library's
/// kernel where the processor has it, the others through libtorch's.
@Suite("Attention")
struct AttentionTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var batch = 2
    var heads = 3
    var queries = 33
    var keys = 33
    var width = 32
    var causal = false
    var excludes = false
    var scale: Double?
    var testDescription: String {
      "\(queries) queries, \(keys) keys, width \(width)\(causal ? ", causal" : "")\(excludes ? ", keys excluded" : "")"
    }
  }

  static let cases = [
    Case(), Case(causal: true), Case(causal: true, excludes: true), Case(excludes: true, scale: 0.4),
    Case(batch: 1, heads: 2, queries: 16, keys: 100, width: 16), Case(queries: 70, keys: 5, width: 48),
    Case(queries: 64, keys: 64, width: 64, causal: true), Case(queries: 129, keys: 129, width: 80, causal: true),
    Case(queries: 3, keys: 40), Case(queries: 20, keys: 20, width: 12, causal: true, excludes: true),
    Case(batch: 1, heads: 1, queries: 16, keys: 1, width: 16),
    Case(queries: 20, keys: 75, width: 16, causal: true, excludes: true), Case(queries: 5, keys: 9, causal: true),
    Case(queries: 1, keys: 9, causal: true), Case(queries: 2, keys: 9, width: 12, causal: true, excludes: true),
  ]

  @Test("Values and gradients are those of softmax(q · kᵀ · scale + mask) · v", arguments: cases)
  func formula(_ sizes: Case) throws {
    let generator = try Generator(seed: 3)
    func drawn(_ count: Int) throws -> Tensor {
      // As projections leave them: rows of all heads beside each other.
      try generator.normal(shape: [sizes.batch, count, sizes.heads, sizes.width]).transposed(1, 2)
    }
    let inputs = [try drawn(sizes.queries) * 1.5, try drawn(sizes.keys) * 1.5, try drawn(sizes.keys)]
    let weights = try drawn(sizes.queries)
    var keep: Tensor?
    if sizes.excludes {
      let all = try generator.uniform(shape: [sizes.batch, sizes.keys]).greater(0.3).to(.float32)
      keep = try Tensor.concatenated(
        [.ones([sizes.batch, 1]), all.sliced(1..<sizes.keys, axis: 1)], axis: 1)
    }
    let own = try inputs.map { try Parameter($0) }
    let found = try own[0].tensor.attention(
      keys: own[1].tensor, values: own[2].tensor, keep: keep, causal: sizes.causal, scale: sizes.scale)
    let exact = try inputs.map { try Parameter($0.to(.float64)) }
    let expected = try formula(exact.map(\.tensor), keep: keep?.to(.float64), sizes)
    try expectClose(found.to(.float64), expected, within: 2e-5)
    let gradients = try (found * weights).sum().gradients(of: own.map(\.tensor))
    let right = try (expected * weights.to(.float64)).sum().gradients(of: exact.map(\.tensor))
    for (gradient, right) in zip(gradients, right) { try expectClose(gradient.to(.float64), right, within: 5e-5) }
    try withoutGradients {
      try expectClose(
        own[0].tensor.attention(
          keys: own[1].tensor, values: own[2].tensor, keep: keep, causal: sizes.causal, scale: sizes.scale), found)
    }
  }

  private func formula(_ inputs: [Tensor], keep: Tensor?, _ sizes: Case) throws -> Tensor {
    let scale = sizes.scale ?? 1 / Double(sizes.width).squareRoot()
    var scores = try inputs[0].matmul(inputs[1].transposed(2, 3)) * scale
    if let keep {
      scores = try scores.masked(keep.reshaped([sizes.batch, 1, 1, sizes.keys]).equal(0), by: -.infinity)
    }
    if sizes.causal {
      let places = try Tensor.arange(0, Double(sizes.keys))
      let own = try places.sliced(sizes.keys - sizes.queries..<sizes.keys, axis: 0).reshaped([sizes.queries, 1])
      let ahead = try places.reshaped([1, sizes.keys]).greater(own)
      scores = try scores.masked(ahead, by: -.infinity)
    }
    return try scores.softmax(axis: -1).matmul(inputs[2])
  }

  @Test("Scores far apart, and far from zero, neither overflow nor lose their order")
  func range() throws {
    let queries = try Tensor.full(30, shape: [1, 1, 16, 16])
    let keys = try Tensor.concatenated([.full(30, shape: [1, 1, 1, 16]), .full(-30, shape: [1, 1, 2, 16])], axis: 2)
    let values = try Tensor.arange(1, 4, dtype: .float32).reshaped([1, 1, 3, 1]).expanded([1, 1, 3, 16])
    try expectClose(queries.attention(keys: keys, values: values), Tensor.ones([1, 1, 16, 16]))
    try expectClose(
      (queries * -1).attention(keys: keys, values: values), Tensor.full(2.5, shape: [1, 1, 16, 16]))
  }

  @Test("What is no number in a score is none in all that looks at it")
  func noNumber() throws {
    let queries = try Tensor.ones([1, 1, 20, 16])
    let one = try Tensor.full(.nan, shape: [1, 1, 1, 16])
    let keys = try Tensor.concatenated([.ones([1, 1, 19, 16]), one], axis: 2)
    let values: [Double] = try queries.attention(keys: keys, values: queries, causal: true).values(as: Double.self)
    #expect(values.prefix(19 * 16).allSatisfy { abs($0 - 1) < 1e-6 } && values.suffix(16).allSatisfy(\.isNaN))
  }

  @Test("A mask and a list of kept keys exclude each other, and the list's shape is checked")
  func refused() throws {
    let (q, keep) = (try Tensor.ones([2, 1, 4, 4]), try Tensor.ones([2, 4]))
    #expect(throws: TorchError.self) { try q.attention(keys: q, values: q, mask: .ones([4, 4]), keep: keep) }
    #expect(throws: TorchError.self) { try q.attention(keys: q, values: q, keep: .ones([2, 3])) }
    #expect(throws: TorchError.self) { try q.attention(keys: q, values: q, mask: .ones([4, 4]), causal: true) }
    let one = try q.sliced(0..<1, axis: 2)
    #expect(throws: TorchError.self) { try q.attention(keys: one, values: one, causal: true) }
  }

  @Test("Slices along an axis, and the gradient of all of them")
  func slices() throws {
    let whole = try Parameter(Tensor.arange(0, 6, dtype: .float64).reshaped([2, 3]))
    let slices = try whole.tensor.unbound(axis: 1)
    #expect(slices.count == 3)
    try expectClose(slices[2], [2, 5])
    let gradient = try (slices[0] + slices[2] * 4).sum().gradients(of: [whole.tensor])[0]
    try expectClose(gradient, [1, 0, 4, 1, 0, 4])
  }
}
