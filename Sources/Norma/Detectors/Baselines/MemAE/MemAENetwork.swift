import Torch

/// The encoder, the memory and the decoder (§4.1): strided convolutions of channels c₁ … cₙ, each with batch norm and ReLU,
/// a memory of items of width cₙ, and transposed convolutions of channels cₙ, cₙ₋₁ … c₂ and 1, the last alone.
///
/// Keys `encoder.i`, `memory.items`, `decoder.i`, `output`.
final class MemAENetwork: Module {
  /// What an image became.
  struct Output {
    /// The reconstructions, shaped like the images.
    let reconstructions: Tensor
    /// The weights of all items at every position, `[B · h · w, N]`.
    let weights: Tensor
  }

  private let encoder: [ConvolutionBlock]
  /// What the decoder sees of images.
  let memory: MemAEMemory
  private let decoder: [ConvolutionBlock]
  private let output: Convolution

  init(_ configuration: MemAEConfiguration, generator: Generator) throws(TorchError) {
    let (channels, kernelSize) = (configuration.channels, configuration.kernelSize)
    let (innermost, outermost) = (channels[channels.count - 1], channels[1])
    func blocks(
      from first: Int, through channels: [Int], _ scale: ConvolutionBlock.Scale
    ) throws(TorchError) -> [ConvolutionBlock] {
      try zip([first] + channels, channels).map { input, output throws(TorchError) in
        try ConvolutionBlock(
          input, output, kernelSize: kernelSize, scale: scale, normalisation: .batch, slope: 0, spatialAxes: 2,
          generator: generator)
      }
    }
    encoder = try blocks(from: 1, through: channels, .half)
    memory = try MemAEMemory(configuration, width: innermost, generator: generator)
    decoder = try blocks(from: innermost, through: channels.dropFirst().reversed(), .double)
    output = try Convolution(
      inputChannels: outermost, outputChannels: 1, kernelSize: kernelSize, stride: 2, padding: kernelSize / 2,
      transposed: true, outputPadding: 1, generator: generator)
  }

  override var parts: [Part] {
    Part.modules("encoder", encoder) + [.module("memory", memory)] + Part.modules("decoder", decoder)
      + [.module("output", output)]
  }

  /// Reconstructs images `[B, 1, H, W]` from what the memory holds.
  func callAsFunction(_ images: Tensor, mode: Mode) throws(TorchError) -> Output {
    var features = images
    for block in encoder { features = try block(features, mode: mode) }
    let read = try memory(features)
    features = read.features
    for block in decoder { features = try block(features, mode: mode) }
    return Output(reconstructions: try output(features), weights: read.weights)
  }
}
