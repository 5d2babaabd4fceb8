import Testing

@testable import Norma
@testable import Torch

@Suite("Networks of the adversarial baselines")
struct AdversarialNetworkTests {
  private static let names = ["convolutional", "residual"]

  private func critic(_ name: String) throws -> any EncodingNetwork {
    let random = try Generator(seed: 1)
    return name == "residual"
      ? try ResidualEncoder(imageSize: 16, width: 3, outputs: 1, norm: .layer, generator: random)
      : try DCGANEncoder(
        imageSize: 16, width: 3, outputs: 1, norm: .layer, outputBias: true, generator: random)
  }

  @Test("Critics agree with PyTorch's functions, and so do their gradient penalty and its gradients", arguments: names)
  func critics(_ name: String) throws {
    let golden = try AdversarialGolden("\(name)-critic")
    let critic = try critic(name)
    try golden.load(into: critic)
    let images = try golden["images"]
    let output = try critic(images, mode: .training)
    #expect(try largestDifference(output.numbers, golden["numbers"]) < 5e-5)
    #expect(try largestDifference(output.features, golden["features"]) < 5e-5)
    #expect(output.features.shape == [4, name == "residual" ? 12 : 6, 4, 4])
    let penalty = try FAnoGANLosses.gradientPenalty(
      images: images, generated: golden["generated"], shares: golden["shares"]
    ) { points throws(TorchError) in try critic(points, mode: .training).numbers.squeezed(1) }
    #expect(try abs(penalty.item() - golden["penalty"].item()) < 1e-5)
    try penalty.backward()
    for (key, parameter) in critic.namedParameters {
      let gradient = try parameter.tensor.gradient ?? parameter.tensor.detached().zerosLike()
      let expected = try golden.values["gradient.\(key)"] ?? gradient.zerosLike()
      let scale = try expected.abs().maximum().item()
      #expect(try largestDifference(gradient, expected) < 2e-4 * max(scale, 0.1), "\(key)")
    }
  }

  @Test("Generators agree with PyTorch's functions in training and in evaluation", arguments: names)
  func generators(_ name: String) throws {
    let golden = try AdversarialGolden("\(name)-generator")
    let random = try Generator(seed: 1)
    let generator: any DecodingNetwork =
      name == "residual"
      ? try ResidualDecoder(imageSize: 16, width: 3, inputs: 5, generator: random)
      : try DCGANDecoder(imageSize: 16, width: 3, inputs: 5, generator: random)
    try golden.load(into: generator)
    let latents = try golden["latents"]
    #expect(try largestDifference(generator(latents, mode: .evaluation), golden["evaluation"]) < 1e-5)
    #expect(try largestDifference(generator(latents, mode: .training), golden["training"]) < 1e-5)
  }

  @Test("The published networks have the published sizes")
  func sizes() throws {
    let random = try Generator(seed: 1)
    let ganomaly = try GANomalyNetwork(GANomalyConfiguration(), random: random)
    // 64 → 128 → 256 → 512 channels by 4×4 kernels without bias, norms on the last three, 100 numbers or one.
    let (convolutions, norms) = (16 * (64 + 64 * 128 + 128 * 256 + 256 * 512), 2 * (128 + 256 + 512))
    let encoder = convolutions + norms + 16 * 512 * 100
    #expect(encoder == 3_574_528)
    #expect(ganomaly.generator.parameterCount == 2 * encoder + encoder + 2 * 64)
    #expect(ganomaly.discriminator.parameterCount == convolutions + norms + 16 * 512)
    let gan = try FAnoGANNetwork(FAnoGANConfiguration(), random: random)
    let blocks = [(64, 128), (128, 256), (256, 512), (512, 512)].map { input, output in
      4 * input + 9 * input * input + 9 * input * output + output + input * output + output
    }.reduce(0, +)
    #expect(gan.critic.parameterCount == 640 + blocks + 8192 + 1)
    #expect(gan.encoder.parameterCount == 640 + blocks + 8192 * 128 + 128)
    // Turned around: a linear layer, the blocks with their wide and narrow sides exchanged, a norm, a convolution.
    #expect(gan.generator.parameterCount == 128 * 8192 + 8192 + blocks + 2 * 64 + 9 * 64 + 1)
  }

  @Test("Layer norm makes of each image's map mean 0 and variance 1 by itself; batch norm of the batch")
  func norms() throws {
    let maps = try Generator(seed: 2).normal(mean: 3, standardDeviation: 2, shape: [4, 6, 5, 5])
    let layer = try FeatureNorm(.layer, channels: 6)(maps, mode: .training)
    #expect(try layer.mean([1, 2, 3]).abs().maximum().item() < 1e-5)
    #expect(try (layer.variance([1, 2, 3]) - 1).abs().maximum().item() < 1e-4)
    let alone = try FeatureNorm(.layer, channels: 6)(maps.sliced(0..<1, axis: 0), mode: .training)
    #expect(try largestDifference(alone, layer.sliced(0..<1, axis: 0)) < 1e-6)
    let batch = try FeatureNorm(.batch, channels: 6)(maps, mode: .training)
    #expect(try batch.mean([0, 2, 3]).abs().maximum().item() < 1e-5)
    #expect(try batch.mean([1, 2, 3]).abs().maximum().item() > 1e-3)
  }

  @Test("DCGAN starts with kernels from N(0, 0.02) and scales from N(1, 0.02)")
  func start() throws {
    let encoder = try DCGANEncoder(imageSize: 32, width: 32, outputs: 8, norm: .batch, generator: Generator(seed: 3))
    for (key, parameter) in encoder.namedParameters where key.hasSuffix("weight") {
      let isScale = key.hasPrefix("norms")
      let deviation = try parameter.tensor.detached().variance().squareRoot().item()
      #expect(try abs(parameter.tensor.detached().mean().item() - (isScale ? 1 : 0)) < 0.01, "\(key)")
      #expect((0.015..<0.025).contains(deviation), "\(key): \(deviation)")
    }
  }
}
