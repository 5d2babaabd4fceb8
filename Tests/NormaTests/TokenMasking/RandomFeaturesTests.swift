import Testing
import Torch

@testable import Norma

@Suite("Linear attention by random features")
struct RandomFeaturesTests {
  private func exact(_ q: Tensor, _ k: Tensor, _ v: Tensor) throws -> Tensor {
    try q.attention(keys: k, values: v, causal: true)
  }

  /// Mean relative error of the output at length 256 and head width 64 for queries and keys of a scale.
  private func error(
    features: Int, scale: Double, floors: RandomFeatures.Floors = RandomFeatures.Floors()
  ) throws -> Double {
    var sum = 0.0
    for seed in 0..<3 as Range<UInt64> {
      let generator = try Generator(seed: 10 + seed)
      func drawn(_ scale: Double) throws -> Tensor { try generator.normal(shape: [1, 2, 256, 64]) * scale }
      let (q, k, v) = (try drawn(scale), try drawn(scale), try drawn(1))
      let random = try RandomFeatures(features: features, headWidth: 64, floors: floors, generator: generator)
      let found = try random(queries: q, keys: k, values: v, keep: nil, state: nil).output
      let truth = try exact(q, k, v)
      let gap = try (found - truth).squared().sum([3]).squareRoot() / truth.squared().sum([3]).squareRoot()
      sum += try gap.mean().item() / 3
    }
    return sum
  }

  @Test(
    "The error of the estimate is what PyTorch gives: bare, and with floors, which lessen it",
    arguments: [(0.25, 0.054, 0.045), (0.5, 0.356, 0.212), (1, 1.95, 0.92)])
  func errors(_ scale: Double, _ bare: Double, _ tamed: Double) throws {
    let found = (try error(features: 266, scale: scale, floors: .none), try error(features: 266, scale: scale))
    #expect(abs(found.0 / bare - 1) < 0.3 && abs(found.1 / tamed - 1) < 0.3 && found.1 < found.0, "\(found)")
  }

  @Test("More features estimate better")
  func moreFeatures() throws {
    let errors = try [64, 266, 1064].map { try error(features: $0, scale: 0.25, floors: .none) }
    for (found, expected) in zip(errors, [0.087, 0.047, 0.023]) {
      #expect(abs(found / expected - 1) < 0.3, "\(errors)")
    }
  }

  @Test("Chunk by chunk with carried sums gives what all at once gives, and the plain double sum")
  func recurrence() throws {
    let generator = try Generator(seed: 3)
    func drawn() throws -> Tensor { try generator.normal(shape: [2, 2, 300, 8]) }
    let (q, k, v) = (try drawn(), try drawn(), try drawn())
    let random = try RandomFeatures(features: 24, headWidth: 8, generator: generator)
    let whole = try random(queries: q, keys: k, values: v, keep: nil, state: nil)
    var state: RandomFeatures.State?
    var parts: [Tensor] = []
    for range in [0..<1, 1..<8, 8..<200, 200..<300] {
      let (output, after) = try random(
        queries: q.sliced(range, axis: 2), keys: k.sliced(range, axis: 2), values: v.sliced(range, axis: 2), keep: nil,
        state: state)
      parts.append(output)
      state = after
    }
    #expect(try distance(.concatenated(parts, axis: 2), whole.output) < 1e-4)
    // Every output is a mean of values seen so far: constants stay constants.
    let constant = try random(queries: q, keys: k, values: v.onesLike(), keep: nil, state: nil).output
    #expect(try distance(constant, v.onesLike()) < 1e-4)
  }

  @Test("Excluded keys are in neither sum")
  func exclusion() throws {
    let generator = try Generator(seed: 5)
    func drawn() throws -> Tensor { try generator.normal(shape: [1, 1, 6, 8]) }
    let (q, k, v) = (try drawn(), try drawn(), try drawn())
    let random = try RandomFeatures(features: 24, headWidth: 8, generator: generator)
    let keep = try Tensor([Float(1), 1, 0, 1, 0, 1], shape: [1, 6])
    let found = try random(queries: q, keys: k, values: v, keep: keep, state: nil).output
    let kept = try Tensor([0, 1, 3, 5], shape: [4])
    let without = try random(
      queries: q.selecting(kept, axis: 2), keys: k.selecting(kept, axis: 2), values: v.selecting(kept, axis: 2),
      keep: nil, state: nil
    ).output
    #expect(try distance(found.selecting(kept, axis: 2), without) < 1e-5)
  }

  @Test("Rows are orthogonal within a block and as long as normal vectors")
  func rows() throws {
    let random = try RandomFeatures(features: 160, headWidth: 16, generator: Generator(seed: 1))
    let rows = random.namedParameters[0].parameter.tensor
    let block = try rows.sliced(0..<16, axis: 0)
    let products = try block.matmul(block.transposed(0, 1))
    let diagonal =
      try products * Tensor.arange(0, 16).reshaped([16, 1]).equal(Tensor.arange(0, 16).reshaped([1, 16])).to(.float32)
    #expect(try (products - diagonal).abs().maximum().item() < 1e-4)
    #expect(abs(try rows.squared().sum([1]).mean().item() - 16) < 3)
  }
}
