import Testing

@testable import Torch

/// Convolutions onto maps of four positions at most are products over their windows, and large ones of 3×3 go by Winograd's
/// filtering in float32; float64 still goes to libtorch.
@Suite("Convolutions of small maps and by Winograd's filtering")
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
    Case(input: [64, 48, 2, 3], kernel: [64, 48, 3, 3], stride: [2, 1], padding: [1, 0]),
    Case(input: [64, 48, 1, 4], kernel: [64, 48, 1, 3], stride: [1, 1], padding: [0, 1]),
  ]

  /// From 96 tiles of 4×4 results and 16 channels on: whole tiles and cut ones, whole panels of 32 channels and half ones,
  /// blocks of tiles that are not full.
  static let large = [
    Case(input: [6, 16, 16, 16], kernel: [16, 16, 3, 3], stride: [1, 1], padding: [1, 1]),
    Case(input: [97, 32, 4, 4], kernel: [64, 32, 3, 3], stride: [1, 1], padding: [1, 1]),
    Case(input: [9, 48, 13, 14], kernel: [16, 48, 3, 3], stride: [1, 1], padding: [1, 1]),
    Case(input: [3, 16, 23, 33], kernel: [80, 16, 3, 3], stride: [1, 1], padding: [1, 1]),
    Case(input: [130, 32, 3, 4], kernel: [32, 32, 3, 3], stride: [1, 1], padding: [1, 1]),
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

  @Test("Values and gradients are those in float64", arguments: cases + large, [false, true])
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

  @Test("The gradient of recorded gradients is that in float64", arguments: cases.prefix(3) + large.prefix(1))
  func secondGradients(_ example: Case) throws {
    func results(_ dtype: DType) throws -> [Tensor] {
      let leaves = try leaves(example, as: dtype)
      let output = try leaves[0].convolved(
        with: leaves[1], bias: leaves[2], stride: example.stride, padding: example.padding)
      let slopes = try output.squared().sum().gradients(of: leaves, recording: true)
      let sums = try slopes.map { try $0.squared().sum() / 1e6 }
      return try (sums[0] + sums[1] + sums[2]).gradients(of: leaves)
    }
    for (found, expected) in zip(try results(.float32), try results(.float64)) {
      try expectNear(found, expected, within: 1e-5)
    }
  }

  @Test("Without gradients, and without a bias, values are the same", arguments: [cases[0], large[2]])
  func plain(_ example: Case) throws {
    let leaves = try leaves(example, as: .float32)
    let recorded = try leaves[0].convolved(with: leaves[1], stride: example.stride, padding: example.padding)
    let plain = try withoutGradients { () throws(TorchError) in
      try leaves[0].convolved(with: leaves[1], stride: example.stride, padding: example.padding)
    }
    #expect(!plain.requiresGradient)
    #expect(try plain.values() == recorded.detached().values())
  }

  @Test(
    "With a sum and a ReLU behind it, a convolution is that in float64, recorded or not",
    arguments: large + cases.prefix(2))
  func rectified(_ example: Case) throws {
    func leaves(_ dtype: DType) throws -> [Tensor] {
      let shape = try self.leaves(example, as: .float64)[0].convolved(
        with: .zeros(example.kernel, dtype: .float64), stride: example.stride, padding: example.padding
      ).shape
      return try self.leaves(example, as: dtype) + [normal(shape, seed: 5).to(dtype).requiringGradient()]
    }
    func apply(_ all: [Tensor], adding: Bool) throws(TorchError) -> Tensor {
      try all[0].convolvedReLU(
        with: all[1], bias: all[2], adding: adding ? all[3] : nil, stride: example.stride, padding: example.padding)
    }
    let (single, double) = (try leaves(.float32), try leaves(.float64))
    for adding in [false, true] {
      let sum = try double[0].convolved(
        with: double[1], bias: double[2], stride: example.stride, padding: example.padding)
      let expected = try (adding ? sum + double[3] : sum).relu()
      let recorded = try apply(single, adding: adding)
      try expectNear(recorded, expected, within: 1e-5)
      let plain = try withoutGradients { () throws(TorchError) in try apply(single, adding: adding) }
      #expect(!plain.requiresGradient)
      try expectNear(plain, expected, within: 1e-5)
      let slopes = try (recorded * recorded).sum().gradients(of: Array(single.prefix(adding ? 4 : 3)))
      let expectedSlopes = try (expected * expected).sum().gradients(of: Array(double.prefix(adding ? 4 : 3)))
      for (found, expected) in zip(slopes, expectedSlopes) { try expectNear(found, expected, within: 2e-5) }
    }
  }

  @Test("A sample that is no number spoils what sees it, and no more than its tiles")
  func notANumber() throws {
    var values = [Float](repeating: 1, count: 6 * 16 * 16 * 16)
    values[5 * 16 * 256 + 3 * 256 + 9 * 16 + 9] = .nan
    let image = try Tensor(values, shape: [6, 16, 16, 16])
    let result = try image.convolved(with: .ones([16, 16, 3, 3]), stride: [1, 1], padding: [1, 1]).values()
    func isNaN(_ image: Int, _ row: Int, _ column: Int) -> Bool {
      result[((image * 16 + 2) * 16 + row) * 16 + column].isNaN
    }
    for row in 8...10 { for column in 8...10 { #expect(isNaN(5, row, column)) } }
    for row in 0..<16 {
      for column in 0..<16 where !(8..<12).contains(row) || !(8..<12).contains(column) {
        #expect(!isNaN(5, row, column))
      }
    }
    #expect(!isNaN(4, 9, 9))
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
