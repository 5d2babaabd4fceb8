import Torch

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

  /// - Parameters:
  ///   - extents: sides of what is reconstructed, two or three, multiples of 2 to the number of channels.
  ///   - encoderOutputs: numbers that the encoder gives; nil: the code alone.
  ///   - outputChannels: channels that the decoder gives.
  init(
    _ configuration: AutoencoderConfiguration, extents: [Int], encoderOutputs: Int? = nil, outputChannels: Int = 1,
    generator: Generator
  ) throws(TorchError) {
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
    code = try Linear(
      inputs: numbers, outputs: encoderOutputs ?? configuration.codeWidth, generator: generator)
    spread = try Linear(inputs: configuration.codeWidth, outputs: numbers, generator: generator)
    expand = try ConvolutionBlock(
      squeezed[0], innermost, kernelSize: 1, scale: .same, normalisation: norm, slope: 0, spatialAxes: axes,
      generator: generator)
    decoder = try blocks(from: innermost, through: up, .double)
    output = try Convolution(
      inputChannels: down[0], outputChannels: outputChannels, kernelSize: 1, spatialAxes: axes, generator: generator)
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

  /// The codes of images, `[B, codeWidth]`, or as many numbers as the encoder gives.
  func encoded(_ images: Tensor, mode: Mode) throws(TorchError) -> Tensor {
    var features = images
    for block in encoder { features = try block(features, mode: mode) }
    return try code(squeeze(features).reshaped([images.extent(0), -1]))
  }

  /// The images that codes `[B, codeWidth]` stand for, with as many channels as the decoder gives.
  func decoded(_ codes: Tensor, mode: Mode) throws(TorchError) -> Tensor {
    var features = try expand(spread(codes).reshaped([codes.extent(0)] + squeezed), mode: mode)
    for block in decoder { features = try block(features, mode: mode) }
    return try output(features)
  }
}
