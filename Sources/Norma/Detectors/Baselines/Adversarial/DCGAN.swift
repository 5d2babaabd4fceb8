import Torch

/// DCGAN's discriminator (Radford et al. 2016) as GANomaly reads images with it: 4×4 convolutions of stride 2 down to a map of
/// 4×4, a norm on all but the first, leaky ReLU of slope 0.2, and one 4×4 convolution to the numbers.
///
/// Keys `convolutions.i`, `norms.i` (from 1), `output`.
final class DCGANEncoder: Module, EncodingNetwork {
  private let input: Convolution
  private let convolutions: [FeatureConvolution]
  private let output: Convolution

  /// - Parameters:
  ///   - imageSize: the images' sides, 4 · 2ⁿ.
  ///   - width: channels of the first convolution; each further one doubles them.
  init(
    imageSize: Int, width: Int, outputs: Int, norm: FeatureNorm.Kind, outputBias: Bool = false, generator: Generator
  ) throws(TorchError) {
    let count = imageSize.trailingZeroBitCount - 2
    let channels = [1] + (0..<count).map { width << $0 }
    let all = try zip(channels, channels.dropFirst()).map { input, output throws(TorchError) in
      try Convolution(
        inputChannels: input, outputChannels: output, kernelSize: 4, stride: 2, padding: 1, bias: false,
        generator: generator)
    }
    input = all[0]
    convolutions = try zip(all, channels.dropFirst()).dropFirst().map { convolution, channels throws(TorchError) in
      FeatureConvolution(convolution, try FeatureNorm(norm, channels: channels))
    }
    output = try Convolution(
      inputChannels: channels[count], outputChannels: outputs, kernelSize: 4, bias: outputBias, generator: generator)
    super.init()
    try initialise(generator)
  }

  override var parts: [Part] {
    Part.modules("convolutions", [input] + convolutions.map(\.convolution))
      + convolutions.enumerated().map { .module("norms.\($0 + 1)", $1.norm) } + [.module("output", output)]
  }

  /// Draws kernels from N(0, 0.02) and norms' scales from N(1, 0.02), as DCGAN starts; running statistics stay.
  func initialise(_ random: Generator) throws(TorchError) {
    for convolution in [input] + convolutions.map(\.convolution) + [output] {
      try convolution.initialiseAsDCGAN(random)
    }
    for convolution in convolutions { try convolution.norm.initialise(random) }
  }

  func callAsFunction(_ images: Tensor, mode: Mode) throws(TorchError) -> (numbers: Tensor, features: Tensor) {
    var features = try input(images).leakyReLU(slope: 0.2)
    for convolution in convolutions { features = try convolution(features, mode: mode).leakyReLU(slope: 0.2) }
    return (try output(features).reshaped([images.extent(0), -1]), features)
  }

  override func freeze(as dtype: DType?) throws(TorchError) {
    for convolution in [input, output] { try convolution.freeze(as: dtype) }
    for convolution in convolutions { try convolution.freeze(as: dtype) }
  }
}

/// DCGAN's generator: a 4×4 transposed convolution from the latent vector, then such convolutions of stride 2 up to the image,
/// batch norm and ReLU between them, tanh at the end.
///
/// Keys `convolutions.i`, `norms.i`.
final class DCGANDecoder: Module, DecodingNetwork {
  private let convolutions: [FeatureConvolution]
  private let output: Convolution

  /// - Parameters:
  ///   - imageSize: the images' sides, 4 · 2ⁿ.
  ///   - width: channels before the last convolution; each one further in has twice as many.
  init(imageSize: Int, width: Int, inputs: Int, generator: Generator) throws(TorchError) {
    let inner = (0..<imageSize.trailingZeroBitCount - 2).reversed().map { width << $0 }
    let channels = [inputs] + inner + [1]
    let all = try channels.indices.dropLast().map { index throws(TorchError) in
      try Convolution(
        inputChannels: channels[index], outputChannels: channels[index + 1], kernelSize: 4,
        stride: index == 0 ? 1 : 2, padding: index == 0 ? 0 : 1, bias: false, transposed: true, generator: generator)
    }
    convolutions = try zip(all, inner).map { convolution, channels throws(TorchError) in
      FeatureConvolution(convolution, try FeatureNorm(.batch, channels: channels))
    }
    output = all[inner.count]
    super.init()
    for convolution in all { try convolution.initialiseAsDCGAN(generator) }
    for convolution in convolutions { try convolution.norm.initialise(generator) }
  }

  override var parts: [Part] {
    Part.modules("convolutions", convolutions.map(\.convolution) + [output])
      + Part.modules("norms", convolutions.map(\.norm))
  }

  func callAsFunction(_ latents: Tensor, mode: Mode) throws(TorchError) -> Tensor {
    var features = try latents.reshaped([latents.extent(0), -1, 1, 1])
    for convolution in convolutions { features = try convolution(features, mode: mode).relu() }
    return try output(features).tanh()
  }

  override func freeze(as dtype: DType?) throws(TorchError) {
    for convolution in convolutions { try convolution.freeze(as: dtype) }
    try output.freeze(as: dtype)
  }
}

extension Convolution {
  /// Draws the kernel from N(0, 0.02).
  fileprivate func initialiseAsDCGAN(_ random: Generator) throws(TorchError) {
    try weight.assign(random.normal(standardDeviation: 0.02, shape: weight.tensor.shape))
  }
}
