import Torch

/// A convolution or its transpose, a norm if there is one, and a leaky ReLU. Keys `convolution`, `norm`.
final class ConvolutionBlock: Module {
  /// What the block does to the sides of an image.
  enum Scale { case half, same, double }

  private let convolution: Convolution
  private let norm: BatchNorm?
  private let slope: Double

  /// - Parameters:
  ///   - spatialAxes: 2 or 3.
  ///   - slope: of the leaky ReLU for negative numbers; 0: a plain ReLU.
  init(
    _ input: Int, _ output: Int, kernelSize: Int, scale: Scale, normalisation: AutoencoderConfiguration.Normalisation,
    slope: Double = 0.3, spatialAxes: Int, generator: Generator
  ) throws(TorchError) {
    convolution = try Convolution(
      inputChannels: input, outputChannels: output, kernelSize: kernelSize, stride: scale == .same ? 1 : 2,
      padding: kernelSize / 2, bias: normalisation == .none, spatialAxes: spatialAxes, transposed: scale == .double,
      outputPadding: scale == .double ? 1 : 0, generator: generator)
    norm = normalisation == .batch ? try BatchNorm(channels: output) : nil
    self.slope = slope
  }

  override var parts: [Part] { [.module("convolution", convolution)] + (norm.map { [.module("norm", $0)] } ?? []) }

  func callAsFunction(_ input: Tensor, mode: Mode) throws(TorchError) -> Tensor {
    let convolved = try convolution(input)
    guard let norm else { return try convolved.leakyReLU(slope: slope) }
    return try norm(convolved, mode: mode).leakyReLU(slope: slope)
  }
}

/// The dense autoencoder (Baur et al. 2021): strided convolutions, a 1×1 convolution to an eighth of the channels, a linear
/// layer to the code, and the way back. It runs on images and volumes alike.
///
/// Keys `encoder.i`, `squeeze`, `code`, `spread`, `expand`, `decoder.i`, `output`.
final class AutoencoderNetwork: Module {
  private let encoder: [ConvolutionBlock]
  private let squeeze: Convolution
  private let code: Linear
  private let spread: Linear
  private let expand: ConvolutionBlock
  private let decoder: [ConvolutionBlock]
  private let output: Convolution
  /// Channels and sides of what the code is made of.
  private let squeezed: [Int]

  /// - Parameter extents: sides of what is reconstructed, two or three, multiples of 2 to the number of channels.
  init(_ configuration: AutoencoderConfiguration, extents: [Int], generator: Generator) throws(TorchError) {
    let (axes, kernelSize, norm) = (extents.count, configuration.kernelSize, configuration.normalisation)
    let (down, up) = (configuration.channels, Array(configuration.channels.reversed()))
    let innermost = up[0]
    squeezed = [max(1, innermost / 8)] + extents.map { $0 >> down.count }
    let numbers = squeezed.reduce(1, *)
    func blocks(
      from first: Int, through channels: [Int], _ scale: ConvolutionBlock.Scale
    ) throws(TorchError) -> [ConvolutionBlock] {
      try zip([first] + channels, channels).map { input, output throws(TorchError) in
        try ConvolutionBlock(
          input, output, kernelSize: kernelSize, scale: scale, normalisation: norm, spatialAxes: axes,
          generator: generator)
      }
    }
    encoder = try blocks(from: 1, through: down, .half)
    squeeze = try Convolution(
      inputChannels: innermost, outputChannels: squeezed[0], kernelSize: 1, spatialAxes: axes, generator: generator)
    code = try Linear(inputs: numbers, outputs: configuration.codeWidth, generator: generator)
    spread = try Linear(inputs: configuration.codeWidth, outputs: numbers, generator: generator)
    expand = try ConvolutionBlock(
      squeezed[0], innermost, kernelSize: 1, scale: .same, normalisation: norm, slope: 0, spatialAxes: axes,
      generator: generator)
    decoder = try blocks(from: innermost, through: up, .double)
    output = try Convolution(
      inputChannels: down[0], outputChannels: 1, kernelSize: 1, spatialAxes: axes, generator: generator)
  }

  override var parts: [Part] {
    Part.modules("encoder", encoder)
      + [
        .module("squeeze", squeeze), .module("code", code), .module("spread", spread), .module("expand", expand),
      ] + Part.modules("decoder", decoder) + [.module("output", output)]
  }

  /// Reconstructs images `[B, 1, H, W]` or volumes `[B, 1, D, H, W]`.
  func callAsFunction(_ images: Tensor, mode: Mode) throws(TorchError) -> Tensor {
    try decoded(encoded(images, mode: mode), mode: mode)
  }

  /// The codes of images, `[B, codeWidth]`.
  func encoded(_ images: Tensor, mode: Mode) throws(TorchError) -> Tensor {
    var features = images
    for block in encoder { features = try block(features, mode: mode) }
    return try code(squeeze(features).reshaped([images.extent(0), -1]))
  }

  /// The images that codes `[B, codeWidth]` stand for.
  func decoded(_ codes: Tensor, mode: Mode) throws(TorchError) -> Tensor {
    var features = try expand(spread(codes).reshaped([codes.extent(0)] + squeezed), mode: mode)
    for block in decoder { features = try block(features, mode: mode) }
    return try output(features)
  }
}
