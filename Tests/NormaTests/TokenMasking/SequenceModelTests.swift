import Testing
import Torch

@testable import Norma

/// A transformer whose widths leave panels of 64 columns incomplete, and the same laid out.
private func model(
  widthOfHeads: Int, extents: [Int] = [10, 16],
  _ change: (inout TokenMaskingConfiguration.Transformer) -> Void = { _ in }
) throws -> (transformer: TokenTransformer, packed: SequenceModel?) {
  let transformer = try TokenTransformer.tiny(codes: 70, extents: extents) {
    ($0.width, $0.heads, $0.headWidth) = (80, 3, widthOfHeads)
    change(&$0)
  }
  for (key, parameter) in transformer.namedParameters where key.hasSuffix("bias") || key.contains("norm") {
    let noise = try Generator(seed: UInt64(key.utf8.count)).uniform(shape: parameter.tensor.shape)
    try parameter.assign(parameter.tensor.detached() + noise)
  }
  return (transformer, try transformer.packed())
}

private let processorSuits = (try? model(widthOfHeads: 16))?.packed != nil

/// Runs where the processor has the instructions; elsewhere healing goes through tensors, and these are skipped.
@Suite("Transformers that are laid out", .enabled(if: processorSuits))
struct SequenceModelTests {
  @Test(
    "Logits are the transformer's, for lengths around those of pieces and panels",
    arguments: [16, 32, 48], [1, 2, 31, 32, 33, 64, 65, 160])
  func logits(_ widthOfHeads: Int, _ length: Int) throws {
    let (transformer, packed) = try model(widthOfHeads: widthOfHeads)
    let tokens = try randomTokens(2, length: length, codes: 70)
    let reading = try #require(packed).read(tokens)
    #expect(try distance(reading.logits, withoutGradients { try transformer.logits(of: tokens) }) < 1e-4)
  }

  @Test("A spatial order and a token for masked ones are read as well")
  func variants() throws {
    let (transformer, packed) = try model(widthOfHeads: 16, extents: [4, 5]) {
      ($0.spatialPositions, $0.masksInput) = (true, true)
    }
    let tokens = try randomTokens(2, length: 20, codes: 70)
    let reading = try #require(packed).read(tokens)
    #expect(try distance(reading.logits, withoutGradients { try transformer.logits(of: tokens) }) < 1e-4)
  }

  @Test("Other attention, a paired image, odd widths and mixed precision are left to tensors")
  func unsuited() throws {
    #expect(try model(widthOfHeads: 16) { $0.attention = .linear }.packed == nil)
    #expect(try model(widthOfHeads: 8).packed == nil)
    #expect(try model(widthOfHeads: 16) { $0.width = 24 }.packed == nil)
    #expect(try TokenTransformer.tiny(contextCodes: 5) { $0.headWidth = 16 }.packed() == nil)
    let transformer = try model(widthOfHeads: 16).transformer
    #expect(try withAutocast(.bfloat16, on: .cpu) { try transformer.packed() } == nil)
  }

  @Test("Multiply-adds are those of what is computed: nothing for outputs that nobody reads")
  func count() throws {
    let packed = try #require(try model(widthOfHeads: 16).packed)
    let (width, inner, hidden, layers, outputs, length, samples) = (80, 48, 320, 2, 71, 160, 3)
    let tokens = try randomTokens(1, length: length, codes: 70)
    let slot = (keys: 2 * width * inner, rest: 2 * width * inner + 2 * width * hidden)
    let (reading, read) = try OperationCount.of { try packed.read(tokens) }
    let pairs = length * (length + 1) / 2
    #expect(
      read.multiplyAdds == length * (layers * (slot.keys + slot.rest) + width * outputs) + layers * pairs * 2 * inner)
    var flags = [Bool](repeating: false, count: length)
    for place in [10, 110, 150] { flags[place] = true }
    let (_, healed) = try OperationCount.of {
      try packed.redrawing(
        tokens, where: Tensor(flags, shape: [1, length]), reading: reading, chances: .zeros([1, samples, length]),
        temperature: 1)
    }
    // Slots 11 to 110 and 111 to 150 are fed; slot j sees j + 1 keys, and in the last block only 110 and 150 look.
    let seen = (11...150).reduce(0) { $0 + $1 + 1 } * (layers - 1) + 111 + 151
    let linear = 140 * (layers * slot.keys + (layers - 1) * slot.rest) + 2 * (slot.rest + width * outputs)
    #expect(healed.multiplyAdds == samples * (linear + seen * 2 * inner))
  }

  @Test("Tokens without a vector, too many of them, and shapes that do not fit are refused")
  func mistakes() throws {
    let packed = try #require(try model(widthOfHeads: 16, extents: [4, 4]).packed)
    #expect(throws: TorchError.self) { try packed.read(Tensor([0, 99], shape: [1, 2])) }
    #expect(throws: TorchError.self) { try packed.read(randomTokens(1, length: 17, codes: 70)) }
    let tokens = try randomTokens(1, length: 16, codes: 70)
    let reading = try packed.read(tokens)
    let flags = try Tensor.ones([1, 16]).greater(0)
    for (tokens, flags, chances) in [
      (tokens, flags, [1, 2, 15]), (tokens, try flags.sliced(0..<9, axis: 1), [1, 2, 16]),
      (try tokens.sliced(0..<9, axis: 1), try flags.sliced(0..<9, axis: 1), [1, 2, 9]),
    ] {
      #expect(throws: TorchError.self) {
        try packed.redrawing(tokens, where: flags, reading: reading, chances: .zeros(chances), temperature: 1)
      }
    }
  }
}
