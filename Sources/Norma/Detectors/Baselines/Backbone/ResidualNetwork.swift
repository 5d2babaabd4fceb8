import Torch

/// Convolutions with batch norm and ReLU whose result is added to the input (He et al. 2016, §3.2).
///
/// Keys are torchvision's: `conv1`, `bn1`, …, and `downsample.0`, `downsample.1` where the input changes its shape.
final class BackboneBlock: Module {
  private let convolutions: [NormalisedConvolution]
  private let shortcut: NormalisedConvolution?

  /// - Parameters:
  ///   - layout: kernel side and output channels of each convolution, in order.
  ///   - stride: of the first 3×3 convolution, as torchvision has it.
  init(
    inputs: Int, _ layout: [(kernelSize: Int, channels: Int)], stride: Int, generator: Generator
  ) throws(TorchError) {
    var (convolutions, channels) = ([NormalisedConvolution](), inputs)
    let strided = layout.firstIndex { $0.kernelSize == 3 }
    for (index, step) in layout.enumerated() {
      convolutions.append(
        try .residual(
          channels, step.channels, kernelSize: step.kernelSize, stride: index == strided ? stride : 1,
          generator: generator))
      channels = step.channels
    }
    shortcut =
      stride != 1 || inputs != channels
      ? try .residual(inputs, channels, kernelSize: 1, stride: stride, generator: generator) : nil
    self.convolutions = convolutions
  }

  override var parts: [Part] {
    convolutions.enumerated().flatMap { index, step in
      [Part.module("conv\(index + 1)", step.convolution), .module("bn\(index + 1)", step.norm)]
    } + (shortcut.map { [.module("downsample.0", $0.convolution), .module("downsample.1", $0.norm)] } ?? [])
  }

  func callAsFunction(_ input: Tensor, mode: Mode) throws(TorchError) -> Tensor {
    let identity = if let shortcut { try shortcut(input, mode: mode) } else { input }
    var features = input
    for convolution in convolutions.dropLast() { features = try convolution.rectified(features, mode: mode) }
    return try convolutions[convolutions.count - 1].rectified(features, adding: identity, mode: mode)
  }

  override func freeze(as dtype: DType?) throws(TorchError) {
    for convolution in convolutions { try convolution.freeze(as: dtype) }
    try shortcut?.freeze(as: dtype)
  }
}

/// The residual networks of torchvision without their classifier: a stem and up to four layers of blocks.
///
/// Keys are torchvision's (`conv1.weight`, `layer1.0.bn2.bias`, …), but for the running statistics, which are called
/// `runningMean` and `runningVariance` as everywhere in Norma.
final class ResidualNetwork: Module {
  private let stem: NormalisedConvolution
  private let layers: [[BackboneBlock]]
  private let pools: Bool

  /// Fresh weights: normal of variance 2 / fan-out (He et al. 2015), as torchvision starts.
  /// - Parameter depth: layers that are built, 1 to 4.
  init(_ configuration: BackboneConfiguration, depth: Int = 4, generator: Generator) throws(TorchError) {
    stem = try .residual(
      configuration.inputChannels, configuration.width, kernelSize: 7, stride: 2, generator: generator)
    pools = configuration.stemPooling
    let blocks = configuration.architecture == .resNet18 ? [2, 2, 2, 2] : [3, 4, 6, 3]
    var (layers, channels) = ([[BackboneBlock]](), configuration.width)
    for (level, (count, outputs)) in zip(blocks, configuration.featureChannels).prefix(depth).enumerated() {
      let layout: [(kernelSize: Int, channels: Int)] =
        switch configuration.architecture {
        case .resNet18: [(3, outputs), (3, outputs)]
        case .wideResNet50: [(1, outputs / 2), (3, outputs / 2), (1, outputs)]
        }
      var layer: [BackboneBlock] = []
      for index in 0..<count {
        layer.append(
          try BackboneBlock(
            inputs: channels, layout, stride: level > 0 && index == 0 ? 2 : 1, generator: generator))
        channels = outputs
      }
      layers.append(layer)
    }
    self.layers = layers
  }

  override var parts: [Part] {
    [.module("conv1", stem.convolution), .module("bn1", stem.norm)]
      + layers.enumerated().flatMap { Part.modules("layer\($0 + 1)", $1) }
  }

  /// The feature maps of all layers, `[B, C, h, w]`, finest first; each has half the sides of the one before.
  /// - Parameters:
  ///   - images: `[B, inputChannels, H, W]`.
  ///   - depth: layers that are wanted.
  func callAsFunction(_ images: Tensor, depth: Int = 4, mode: Mode) throws(TorchError) -> [Tensor] {
    var features = try stem.rectified(images, mode: mode)
    if pools { features = try features.pooled(.maximum, kernel: [3, 3], stride: [2, 2], padding: [1, 1]) }
    var maps: [Tensor] = []
    for layer in layers.prefix(depth) {
      for block in layer { features = try block(features, mode: mode) }
      maps.append(features)
    }
    return maps
  }

  override func freeze(as dtype: DType?) throws(TorchError) {
    try stem.freeze(as: dtype)
    for block in layers.joined() { try block.freeze(as: dtype) }
  }
}

extension NormalisedConvolution {
  /// A convolution without bias that keeps the sides but for its stride, started as residual networks are, and a norm.
  fileprivate static func residual(
    _ inputs: Int, _ outputs: Int, kernelSize: Int, stride: Int, generator: Generator
  ) throws(TorchError) -> NormalisedConvolution {
    let convolution = try Convolution(
      inputChannels: inputs, outputChannels: outputs, kernelSize: kernelSize, stride: stride, padding: kernelSize / 2,
      bias: false, generator: generator)
    let deviation = (2 / Double(outputs * kernelSize * kernelSize)).squareRoot()
    try convolution.weight.assign(
      generator.normal(standardDeviation: deviation, shape: [outputs, inputs, kernelSize, kernelSize]))
    return NormalisedConvolution(convolution, try BatchNorm(channels: outputs))
  }
}
