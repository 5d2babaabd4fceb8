import Testing

@testable import Torch

@Suite("Frozen weights")
struct FreezingTests {
  /// A convolution and a norm whose statistics are not those that it starts with.
  private func pair(transposed: Bool = false) throws -> (Convolution, BatchNorm) {
    let random = try Generator(seed: 2)
    let convolution = try Convolution(
      inputChannels: 6, outputChannels: 8, kernelSize: 3, padding: 1, transposed: transposed, generator: random)
    let norm = try BatchNorm(channels: 8)
    try norm.runningMean.assign(random.normal(shape: [8]))
    try norm.runningVariance.assign(random.uniform(0.5, 2, shape: [8]))
    try norm.weight.assign(random.normal(shape: [8]))
    try norm.bias.assign(random.normal(shape: [8]))
    return (convolution, norm)
  }

  @Test("A folded convolution gives what convolution and norm give one after the other", arguments: [false, true])
  func folding(transposed: Bool) throws {
    let (convolution, norm) = try pair(transposed: transposed)
    let joined = NormalisedConvolution(convolution, norm)
    let input = try normal([2, 6, 9, 7], dtype: .float32)
    let apart = try norm(convolution(input), mode: .evaluation)
    let before = try joined(input, mode: .evaluation)
    try expectClose(before, apart, within: 1e-5)
    try joined.freeze(as: nil)
    #expect(try joined(input, mode: .evaluation).values() == before.values())
    #expect(try joined(input, mode: .perSample).values() == norm(convolution(input), mode: .perSample).values())
    let trained = try joined(input, mode: .training)
    #expect(try largest(trained - apart) > 0.1)
  }

  @Test("Frozen copies give the bits that casting at every use gives, inside of mixed precision only")
  func casting() throws {
    let random = try Generator(seed: 3)
    let linear = try Linear(inputs: 32, outputs: 48, generator: random)
    let attention = try MultiHeadAttention(width: 32, heads: 2, generator: random)
    let (convolution, norm) = try pair()
    let joined = NormalisedConvolution(convolution, norm)
    let (rows, image) = (try normal([2, 20, 32], dtype: .float32), try normal([2, 6, 8, 8], dtype: .float32))
    func results() throws -> [[Double]] {
      try withoutGradients {
        try [
          linear(rows).values(), linear.gelu(rows).values(), convolution(image).values(),
          joined(image, mode: .evaluation).values(), attention(query: rows, keys: rows, values: rows).values(),
        ]
      }
    }
    func mixed() throws -> [[Double]] { try withAutocast(.bfloat16, on: .cpu) { try results() } }
    let (plain, cast) = (try results(), try mixed())
    #expect(plain != cast)
    for module in [linear, attention, convolution] { try module.freeze(as: .bfloat16) }
    try joined.freeze(as: .bfloat16)
    #expect(try results() == plain)
    #expect(try mixed() == cast)
    #expect(linear.weight.tensor.dtype == .float32)
    #expect(try withAutocast(.bfloat16, on: .cpu) { linear.weight.factor.dtype } == .bfloat16)
    #expect(try withAutocast(.float16, on: .cpu) { linear.weight.factor.dtype } == .float32)
  }

  @Test("A weight that changes forgets its frozen copy")
  func change() throws {
    let linear = try Linear(inputs: 8, outputs: 4, bias: false, generator: Generator(seed: 3))
    try linear.freeze(as: .bfloat16)
    try linear.weight.assign(.ones([4, 8]))
    let sums = try withAutocast(.bfloat16, on: .cpu) { try linear(.ones([1, 8])).values() }
    #expect(sums == [8, 8, 8, 8])
  }

  private func largest(_ tensor: Tensor) throws -> Double { try tensor.abs().maximum().item() }
}
