import Testing

@testable import Torch

@Suite("Linear layers")
struct LinearTests {
  /// Sizes on both sides of where another library takes over, wide and narrow.
  static let sizes = [
    (rows: [3], inputs: 5, outputs: 4), (rows: [64], inputs: 96, outputs: 384),
    (rows: [4, 64], inputs: 384, outputs: 96),
    (rows: [2, 3, 16], inputs: 128, outputs: 128), (rows: [1, 4096], inputs: 64, outputs: 1),
  ]

  @Test("Values and gradients in float32 are those in float64", arguments: sizes.indices, [true, false])
  func precision(_ index: Int, _ hasBias: Bool) throws {
    let size = Self.sizes[index]
    let random = try Generator(seed: 3)
    let input = try random.normal(shape: size.rows + [size.inputs], dtype: .float64)
    let weight = try random.normal(shape: [size.outputs, size.inputs], dtype: .float64)
    let bias = try random.normal(shape: [size.outputs], dtype: .float64)
    let upstream = try random.normal(shape: size.rows + [size.outputs], dtype: .float64)
    func results(_ dtype: DType) throws -> [Tensor] {
      let leaves = try [input, weight, bias].map { try $0.to(dtype).requiringGradient() }
      let output = try leaves[0].linear(leaves[1], bias: hasBias ? leaves[2] : nil)
      let gradients = try (output * upstream.to(dtype)).sum().gradients(of: Array(leaves.prefix(hasBias ? 3 : 2)))
      return [output] + gradients
    }
    for (found, expected) in zip(try results(.float32), try results(.float64)) {
      #expect(found.shape == expected.shape)
      let scale = try expected.detached().abs().maximum().item()
      let difference = try (found.detached().to(.float64) - expected.detached()).abs().maximum().item()
      #expect(difference < 1e-5 * scale)
    }
  }

  @Test("Views and transposed weights give what their copies give")
  func strides() throws {
    let random = try Generator(seed: 4)
    let input = try random.normal(shape: [128, 64]).transposed(0, 1)
    let weight = try random.normal(shape: [128, 96]).transposed(0, 1)
    let copies = (try input.contiguous(), try weight.contiguous())
    let difference = try input.linear(weight) - copies.0.linear(copies.1)
    #expect(try difference.abs().maximum().item() < 1e-4)
    let slice = try random.normal(shape: [200, 256]).sliced(64..<192, axis: 1)
    let again = try slice.linear(weight) - slice.contiguous().linear(weight)
    #expect(try again.abs().maximum().item() < 1e-4)
  }

  @Test("Only what asks for gradients gets them")
  func partialGradients() throws {
    let random = try Generator(seed: 5)
    let input = try random.normal(shape: [64, 96])
    let weight = try random.normal(shape: [96, 96]).requiringGradient()
    try input.linear(weight).sum().backward()
    #expect(try weight.gradient != nil)
    #expect(try input.gradient == nil)
    let output = try withoutGradients { () throws(TorchError) in try input.linear(weight) }
    #expect(!output.requiresGradient)
  }

  @Test("Widths that do not fit are named")
  func widths() throws {
    let input = try Tensor.ones([64, 96])
    let error = #expect(throws: TorchError.self) { try input.linear(.ones([128, 95])) }
    #expect("\(try #require(error))".contains("95"))
  }
}
