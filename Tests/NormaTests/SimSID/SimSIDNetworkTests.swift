import Foundation
import Testing

@testable import Norma
@testable import Torch

@Suite("Networks of SimSID")
struct SimSIDNetworkTests {
  // MARK: Sizes

  /// Parameters of the authors' 3×3 convolution that nothing uses and Norma does without.
  private func unused(_ width: Int) -> Int { width * width * 9 + width }

  @Test("The official configuration has the official number of parameters, queue and matrix")
  func officialSize() throws {
    var configuration = SimSIDConfiguration()
    configuration.patchGrid = 2
    configuration.slots = 200
    let random = try Generator(seed: 0)
    #expect(try SimSIDGenerator(configuration, generator: random).parameterCount == 83_858_690 - unused(2048))
    configuration.inpaintMemory = .queue
    #expect(try SimSIDGenerator(configuration, generator: random).parameterCount == 82_220_290 - unused(2048))
  }

  @Test("So has the paper's grid of 4 × 4, with memories per window and per patch")
  func paperSize() throws {
    var configuration = SimSIDConfiguration()
    let random = try Generator(seed: 0)
    #expect(try SimSIDGenerator(configuration, generator: random).parameterCount == 21_339_010 - unused(512))
    configuration.decoderMemories = [.perPatch, .perPatch]
    #expect(try SimSIDGenerator(configuration, generator: random).parameterCount == 39_771_010 - unused(512))
  }

  @Test("The discriminator has the official number of parameters")
  func discriminatorSize() throws {
    let random = try Generator(seed: 0)
    let discriminator = try SimSIDDiscriminator(imageSize: 128, mostChannels: 256, generator: random)
    #expect(discriminator.parameterCount == 1_093_953)
    let narrow = try SimSIDDiscriminator(imageSize: 128, mostChannels: 128, generator: random)
    #expect(try narrow.parameter("convolutions.4.weight").tensor.shape == [128, 128, 5, 5])
    #expect(try narrow.parameter("logit.weight").tensor.shape == [1, 2048])
  }

  // MARK: Discriminator

  private func discriminator() throws -> SimSIDDiscriminator {
    try SimSIDDiscriminator(imageSize: 64, mostChannels: 256, generator: Generator(seed: 5))
  }

  @Test("Per image it is what batch norm in training gives a batch of one")
  func perImage() throws {
    let discriminator = try discriminator()
    let images = try smoothImages(5, side: 64, seed: 2)
    let together = try discriminator(images, mode: .perSample).logits
    #expect(together.shape == [5])
    for index in 0..<5 {
      let alone = try discriminator(images.sliced(index..<index + 1, axis: 0), mode: .training).logits
      #expect(try largestDifference(together.sliced(index..<index + 1, axis: 0), alone) < 1e-5)
    }
  }

  @Test("Per image it does not depend on the batch and changes no statistics; in training mode it does both")
  func independence() throws {
    let discriminator = try discriminator()
    let images = try smoothImages(5, side: 64, seed: 2)
    let mean = try discriminator.parameter("norms.1.runningMean").tensor
    let together = try discriminator(images, mode: .perSample).logits
    let others = try Tensor.concatenated(
      [images.sliced(0..<1, axis: 0), smoothImages(2, side: 64, seed: 3) * 5], axis: 0)
    let again = try discriminator(others, mode: .perSample).logits
    #expect(try largestDifference(together.sliced(0..<1, axis: 0), again.sliced(0..<1, axis: 0)) < 1e-5)
    #expect(try mean.abs().maximum().item() == 0)
    let batch = try discriminator(images, mode: .training).logits
    #expect(try largestDifference(batch, together) > 1e-3)
    #expect(try mean.abs().maximum().item() > 0)
  }

  // MARK: Keys

  @Test("The keys of a checkpoint stay as they are")
  func keys() throws {
    func layers(_ prefix: String) -> [String] {
      (1...3).flatMap { index in
        ["convolution\(index).weight", "convolution\(index).bias"]
          + ["weight", "bias", "runningMean", "runningVariance"].map { "norm\(index).\($0)" }
      }.map { prefix + $0 }
    }
    let norm = ["weight", "bias", "runningMean", "runningVariance"]
    var expected = layers("generator.encoder.input.")
    for level in 0..<4 { expected += layers("generator.encoder.down.\(level).") }
    expected += ["generator.inpainting.reduce.weight"] + norm.map { "generator.inpainting.reduceNorm.\($0)" }
    expected += ["generator.inpainting.memory.items"]
    expected += [
      "attention.inputProjection.weight", "attention.inputProjection.bias", "attention.outputProjection.weight",
      "attention.outputProjection.bias", "attentionNorm.weight", "attentionNorm.bias", "feedForwardNorm.weight",
      "feedForwardNorm.bias", "feedForward.0.weight", "feedForward.0.bias", "feedForward.1.weight",
      "feedForward.1.bias",
    ].map { "generator.inpainting.mixer.\($0)" }
    expected += ["generator.inpainting.expand.weight", "generator.inpainting.expand.bias"]
    expected += norm.map { "generator.inpainting.expandNorm.\($0)" }
    for level in 0..<4 { expected += layers("generator.student.up.\(level).") }
    expected += ["generator.student.memories.0.items", "generator.student.memories.1.items"]
    expected += ["generator.student.output.weight", "generator.student.output.bias"]
    for level in 0..<4 { expected += layers("generator.teacher.up.\(level).") }
    expected += ["generator.teacher.output.weight", "generator.teacher.output.bias"]
    for level in 0..<3 { expected += ["weight", "bias"].map { "discriminator.convolutions.\(level).\($0)" } }
    for level in 1..<3 { expected += norm.map { "discriminator.norms.\(level).\($0)" } }
    expected += ["discriminator.logit.weight", "discriminator.logit.bias"]
    let network = try SimSIDNetwork(.tiny, random: Generator(seed: 0))
    #expect(network.namedParameters.map(\.key) == expected)
    let queue = try SimSIDNetwork(.tiny { $0.inpaintMemory = .queue }, random: Generator(seed: 0))
    #expect(Set(queue.namedParameters.map(\.key)).subtracting(expected) == ["generator.inpainting.memory.pointer"])
  }

  @Test("A convolution with the norm folded in is the convolution followed by the norm")
  func folding() throws {
    let block = try DoubleConvolution(3, 4, stride: 2, generator: Generator(seed: 1))
    let input = try Generator(seed: 2).normal(shape: [5, 3, 8, 8])
    for _ in 0..<20 { _ = try block(input, mode: .training) }
    func layer(_ x: Tensor, _ index: Int, stride: Int) throws -> Tensor {
      func value(_ key: String) throws -> Tensor { try block.parameter(key).tensor.reshaped([1, -1, 1, 1]) }
      let convolved = try x.convolved(
        with: block.parameter("convolution\(index).weight").tensor,
        bias: block.parameter("convolution\(index).bias").tensor, stride: [stride, stride], padding: [1, 1])
      let deviation = try (value("norm\(index).runningVariance") + 1e-5).squareRoot()
      return try (convolved - value("norm\(index).runningMean")) / deviation * value("norm\(index).weight")
        + value("norm\(index).bias")
    }
    let first = try layer(input, 1, stride: 2).relu()
    let expected = try (first + layer(layer(first, 2, stride: 1).relu(), 3, stride: 1)).relu()
    #expect(try largestDifference(block(input, mode: .evaluation), expected) < 1e-5)
  }
}
