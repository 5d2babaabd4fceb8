import Testing

@testable import Torch

/// Convolutions onto maps of four positions at most are products over their windows; float64 still goes to libtorch.
@Suite("Convolutions of small maps")
struct ConvolutionTests {
  /// What is convolved with what.
  struct Case: Sendable, CustomTestStringConvertible {
    let input: [Int]
    let kernel: [Int]
    let stride: [Int]
    let padding: [Int]
    var testDescription: String { "\(input) with \(kernel) by \(stride) in \(padding)" }
  }

  static let cases = [
    Case(input: [16, 64, 2, 2], kernel: [64, 64, 3, 3], stride: [1, 1], padding: [1, 1]),
    Case(input: [16, 48, 4, 4], kernel: [64, 48, 3, 3], stride: [2, 2], padding: [1, 1]),
    Case(input: [256, 64, 1, 1], kernel: [64, 64, 3, 3], stride: [1, 1], padding: [1, 1]),
    Case(input: [64, 64, 2, 2], kernel: [64, 64, 3, 3], stride: [2, 2], padding: [1, 1]),
    Case(input: [32, 48, 3, 2], kernel: [48, 48, 5, 3], stride: [2, 1], padding: [2, 1]),
    Case(input: [32, 32, 4, 4], kernel: [64, 32, 4, 4], stride: [1, 1], padding: [0, 0]),
    Case(input: [64, 48, 1, 4], kernel: [64, 48, 1, 3], stride: [1, 1], padding: [0, 1]),
  ]

  private func leaves(_ example: Case, as dtype: DType, channelsLast: Bool = false) throws -> [Tensor] {
    try [example.input, example.kernel, [example.kernel[0]]].enumerated().map { index, shape in
      let values = try normal(shape, seed: UInt64(index + 1)).to(dtype)
      return try (channelsLast && shape.count == 4 ? values.channelsLast() : values).requiringGradient()
    }
  }

  private func expectNear(_ found: Tensor, _ expected: Tensor, within tolerance: Double) throws {
    #expect(found.shape == expected.shape)
    let scale = try expected.detached().abs().maximum().item()
    let difference = try (found.detached().to(.float64) - expected.detached()).abs().maximum().item()
    #expect(difference < tolerance * scale)
  }

  @Test("Values and gradients are those in float64", arguments: cases, [false, true])
  func precision(_ example: Case, _ channelsLast: Bool) throws {
    func results(_ dtype: DType) throws -> [Tensor] {
      let leaves = try leaves(example, as: dtype, channelsLast: channelsLast && dtype != .float64)
      let output = try leaves[0].convolved(
        with: leaves[1], bias: leaves[2], stride: example.stride, padding: example.padding)
      let upstream = try normal(output.shape, seed: 9).to(.float64)
      return [output] + (try (output.to(.float64) * upstream).sum().gradients(of: leaves))
    }
    let expected = try results(.float64)
    for (type, tolerance) in [(DType.float32, 1e-5), (.bfloat16, 4.0 / 256)] {
      let found = try results(type)
      #expect(found.allSatisfy { $0.dtype == type })
      for (found, expected) in zip(found, expected) { try expectNear(found, expected, within: tolerance) }
    }
  }

  @Test("The gradient of a recorded gradient is that in float64", arguments: cases.prefix(3))
  func secondGradients(_ example: Case) throws {
    func results(_ dtype: DType) throws -> [Tensor] {
      let leaves = try leaves(example, as: dtype)
      let output = try leaves[0].convolved(
        with: leaves[1], bias: leaves[2], stride: example.stride, padding: example.padding)
      let slope = try output.squared().sum().gradients(of: [leaves[0]], recording: true)[0]
      return try (slope.squared().sum() / 1e6).gradients(of: leaves)
    }
    for (found, expected) in zip(try results(.float32), try results(.float64)) {
      try expectNear(found, expected, within: 1e-5)
    }
  }

  @Test("Without gradients, and without a bias, values are the same")
  func plain() throws {
    let example = Self.cases[0]
    let leaves = try leaves(example, as: .float32)
    let recorded = try leaves[0].convolved(with: leaves[1], stride: example.stride, padding: example.padding)
    let plain = try withoutGradients { () throws(TorchError) in
      try leaves[0].convolved(with: leaves[1], stride: example.stride, padding: example.padding)
    }
    #expect(!plain.requiresGradient)
    #expect(try plain.values() == recorded.detached().values())
  }

  @Test("Channels and windows that do not fit are refused")
  func errors() throws {
    let input = try Tensor.ones([64, 64, 2, 2])
    #expect(throws: TorchError.self) {
      try input.convolved(with: .ones([64, 63, 3, 3]), stride: [1, 1], padding: [1, 1])
    }
    #expect(throws: TorchError.self) {
      try input.convolved(with: .ones([64, 64, 3, 3]), stride: [1, 1], padding: [0, 0])
    }
  }
}
