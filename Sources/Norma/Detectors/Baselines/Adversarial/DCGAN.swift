import Torch

/// DCGAN's discriminator (Radford et al. 2016) as GANomaly reads images with it: 4×4 convolutions of stride 2 down to a map of
/// 4×4, a norm on all but the first, leaky ReLU of slope 0.2, and one 4×4 convolution to the numbers.
///
/// Keys `convolutions.i`, `norms.i` (from 1), `output`.
final class DCGANEncoder: Module, EncodingNetwork {
  private let convolutions: [Convolution]
  private let norms: [FeatureNorm]
  private let output: Convolution

  /// - Parameters:
  ///   - imageSize: the images' sides, 4 · 2ⁿ.
  ///   - width: channels of the first convolution; each further one doubles them.
  init(
    imageSize: Int, width: Int, outputs: Int, norm: FeatureNorm.Kind, outputBias: Bool = false, generator: Generator
  ) throws(TorchError) {
    let count = imageSize.trailingZeroBitCount - 2
    let channels = [1] + (0..<count).map { width << $0 }
    convolutions = try zip(channels, channels.dropFirst()).map { input, output throws(TorchError) in
      try Convolution(
        inputChannels: input, outputChannels: output, kernelSize: 4, stride: 2, padding: 1, bias: false,
        generator: generator)
    }
    norms = try channels.dropFirst(2).map { channels throws(TorchError) in try FeatureNorm(norm, channels: channels) }
    output = try Convolution(
      inputChannels: channels[count], outputChannels: outputs, kernelSize: 4, bias: outputBias, generator: generator)
    super.init()
    try initialise(generator)
  }

  override var parts: [Part] {
    Part.modules("convolutions", convolutions) + norms.enumerated().map { .module("norms.\($0 + 1)", $1) }
      + [.module("output", output)]
  }

  /// Draws kernels from N(0, 0.02) and norms' scales from N(1, 0.02), as DCGAN starts; running statistics stay.
  func initialise(_ random: Generator) throws(TorchError) {
    for convolution in convolutions + [output] { try convolution.initialiseAsDCGAN(random) }
    for norm in norms { try norm.initialise(random) }
  }

  func callAsFunction(_ images: Tensor, mode: Mode) throws(TorchError) -> (numbers: Tensor, features: Tensor) {
    var features = try convolutions[0](images).leakyReLU(slope: 0.2)
    for (convolution, norm) in zip(convolutions.dropFirst(), norms) {
      features = try norm(convolution(features), mode: mode).leakyReLU(slope: 0.2)
    }
    return (try output(features).reshaped([images.extent(0), -1]), features)
  }
}

/// DCGAN's generator: a 4×4 transposed convolution from the latent vector, then such convolutions of stride 2 up to the image,
/// batch norm and ReLU between them, tanh at the end.
///
/// Keys `convolutions.i`, `norms.i`.
final class DCGANDecoder: Module, DecodingNetwork {
  private let convolutions: [Convolution]
  private let norms: [FeatureNorm]

  /// - Parameters:
  ///   - imageSize: the images' sides, 4 · 2ⁿ.
  ///   - width: channels before the last convolution; each one further in has twice as many.
  init(imageSize: Int, width: Int, inputs: Int, generator: Generator) throws(TorchError) {
    let inner = (0..<imageSize.trailingZeroBitCount - 2).reversed().map { width << $0 }
    let channels = [inputs] + inner + [1]
    convolutions = try channels.indices.dropLast().map { index throws(TorchError) in
      try Convolution(
        inputChannels: channels[index], outputChannels: channels[index + 1], kernelSize: 4,
        stride: index == 0 ? 1 : 2, padding: index == 0 ? 0 : 1, bias: false, transposed: true, generator: generator)
    }
    norms = try inner.map { channels throws(TorchError) in try FeatureNorm(.batch, channels: channels) }
    super.init()
    for convolution in convolutions { try convolution.initialiseAsDCGAN(generator) }
    for norm in norms { try norm.initialise(generator) }
  }

  override var parts: [Part] { Part.modules("convolutions", convolutions) + Part.modules("norms", norms) }

  func callAsFunction(_ latents: Tensor, mode: Mode) throws(TorchError) -> Tensor {
    var features = try latents.reshaped([latents.extent(0), -1, 1, 1])
    for (convolution, norm) in zip(convolutions, norms) {
      features = try norm(convolution(features), mode: mode).relu()
    }
    return try convolutions[norms.count](features).tanh()
  }
}

extension Convolution {
  /// Draws the kernel from N(0, 0.02).
  fileprivate func initialiseAsDCGAN(_ random: Generator) throws(TorchError) {
    try weight.assign(random.normal(standardDeviation: 0.02, shape: weight.tensor.shape))
  }
}
