import Torch

/// A residual block before whose convolutions norm and ReLU stand, and which halves or doubles the sides (He et al. 2016), as
/// WGAN-GP's networks have it.
///
/// Half: two 3×3 convolutions and a mean over 2×2 pixels. Double: every pixel becomes 2×2, then two 3×3 convolutions. The
/// shortcut does the same by a 1×1 convolution. Keys `norm1`, `convolution1`, `norm2`, `convolution2`, `shortcut`.
final class ResidualBlock: Module {
  /// What the block does to the sides.
  enum Scale { case half, double }

  private let norm: FeatureNorm
  private let first: FeatureConvolution
  private let second: Convolution
  private let shortcut: Convolution
  private let scale: Scale

  init(_ input: Int, _ output: Int, scale: Scale, norm: FeatureNorm.Kind, generator: Generator) throws(TorchError) {
    self.scale = scale
    let inner = scale == .half ? input : output
    self.norm = try FeatureNorm(norm, channels: input)
    first = FeatureConvolution(
      try Convolution(
        inputChannels: input, outputChannels: inner, kernelSize: 3, padding: 1, bias: false, generator: generator),
      try FeatureNorm(norm, channels: inner))
    second = try Convolution(
      inputChannels: inner, outputChannels: output, kernelSize: 3, padding: 1, generator: generator)
    shortcut = try Convolution(inputChannels: input, outputChannels: output, kernelSize: 1, generator: generator)
    super.init()
    for convolution in [first.convolution, second] { try convolution.initialiseUniformly(gain: 2, generator) }
    try shortcut.initialiseUniformly(gain: 1, generator)
  }

  override var parts: [Part] {
    [
      .module("norm1", norm), .module("convolution1", first.convolution), .module("norm2", first.norm),
      .module("convolution2", second), .module("shortcut", shortcut),
    ]
  }

  func callAsFunction(_ input: Tensor, mode: Mode) throws(TorchError) -> Tensor {
    let features = try norm(input, mode: mode).relu()
    switch scale {
    case .half:
      return try shortcut(halved(input)) + halved(second(first(features, mode: mode).relu()))
    case .double:
      // A 1×1 convolution before the doubling gives the same numbers with a quarter of the work.
      return try doubled(shortcut(input)) + second(first(doubled(features), mode: mode).relu())
    }
  }

  override func freeze(as dtype: DType?) throws(TorchError) {
    try first.freeze(as: dtype)
    for convolution in [second, shortcut] { try convolution.freeze(as: dtype) }
  }

  private func halved(_ features: Tensor) throws(TorchError) -> Tensor {
    try features.pooled(.average, kernel: [2, 2])
  }

  private func doubled(_ features: Tensor) throws(TorchError) -> Tensor {
    try features.resized(to: [2 * features.extent(2), 2 * features.extent(3)], .nearest)
  }
}

/// The published critic and encoder: a 3×3 convolution, residual blocks down to 4×4, and a linear layer.
///
/// Keys `input`, `blocks.i`, `output`.
final class ResidualEncoder: Module, EncodingNetwork {
  private let input: Convolution
  private let blocks: [ResidualBlock]
  private let output: Linear

  /// - Parameters:
  ///   - imageSize: the images' sides, 4 · 2ⁿ.
  ///   - width: channels of the first convolution; each block doubles them up to eight times as many.
  init(
    imageSize: Int, width: Int, outputs: Int, norm: FeatureNorm.Kind, generator: Generator
  ) throws(TorchError) {
    let channels = (0...imageSize.trailingZeroBitCount - 2).map { width << min($0, 3) }
    input = try Convolution(
      inputChannels: 1, outputChannels: width, kernelSize: 3, padding: 1, generator: generator)
    blocks = try zip(channels, channels.dropFirst()).map { input, output throws(TorchError) in
      try ResidualBlock(input, output, scale: .half, norm: norm, generator: generator)
    }
    output = try .xavier(inputs: 16 * channels[blocks.count], outputs: outputs, generator: generator)
    super.init()
    try input.initialiseUniformly(gain: 1, generator)
  }

  override var parts: [Part] {
    [.module("input", input)] + Part.modules("blocks", blocks) + [.module("output", output)]
  }

  func callAsFunction(_ images: Tensor, mode: Mode) throws(TorchError) -> (numbers: Tensor, features: Tensor) {
    var features = try input(images)
    for block in blocks { features = try block(features, mode: mode) }
    return (try output(features.reshaped([images.extent(0), -1])), features)
  }
}

/// The published generator: a linear layer to 4×4, residual blocks up to the image, batch norm, ReLU, a 3×3 convolution, tanh.
///
/// Keys `input`, `blocks.i`, `norm`, `output`.
final class ResidualDecoder: Module, DecodingNetwork {
  private let input: Linear
  private let blocks: [ResidualBlock]
  private let norm: FeatureNorm
  private let output: Convolution

  /// - Parameters:
  ///   - imageSize: the images' sides, 4 · 2ⁿ.
  ///   - width: channels before the last convolution; each block further in has twice as many, up to eight times.
  init(imageSize: Int, width: Int, inputs: Int, generator: Generator) throws(TorchError) {
    let channels = (0...imageSize.trailingZeroBitCount - 2).reversed().map { width << min($0, 3) }
    input = try .xavier(inputs: inputs, outputs: 16 * channels[0], generator: generator)
    blocks = try zip(channels, channels.dropFirst()).map { input, output throws(TorchError) in
      try ResidualBlock(input, output, scale: .double, norm: .batch, generator: generator)
    }
    norm = try FeatureNorm(.batch, channels: width)
    output = try Convolution(
      inputChannels: width, outputChannels: 1, kernelSize: 3, padding: 1, generator: generator)
    super.init()
    try output.initialiseUniformly(gain: 2, generator)
  }

  override var parts: [Part] {
    [.module("input", input)] + Part.modules("blocks", blocks) + [.module("norm", norm), .module("output", output)]
  }

  func callAsFunction(_ latents: Tensor, mode: Mode) throws(TorchError) -> Tensor {
    var features = try input(latents).reshaped([latents.extent(0), -1, 4, 4])
    for block in blocks { features = try block(features, mode: mode) }
    return try output(norm(features, mode: mode).relu()).tanh()
  }
}

extension Convolution {
  /// Draws the kernel uniformly with variance `gain` · 2 / (fan in + fan out), as the authors' code does: 1 is Glorot's, 2 is
  /// for convolutions before a ReLU. The bias becomes zero.
  fileprivate func initialiseUniformly(gain: Double, _ random: Generator) throws(TorchError) {
    let shape = weight.tensor.shape
    let fans = Double((shape[0] + shape[1]) * shape[2] * shape[3])
    let bound = (6 * gain / fans).squareRoot()
    try weight.assign(random.uniform(-bound, bound, shape: shape))
    if let bias { try bias.assign(bias.tensor.zerosLike()) }
  }
}
