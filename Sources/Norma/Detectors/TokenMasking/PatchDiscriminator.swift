import Torch

/// PatchGAN (§2.3): kernel 4, padding 1, strides 2, 2, 2, 1, 1, widths 64, 128, 256, 512, 1, batch norm on the three inner
/// layers, leaky ReLU 0.2, weights N(0, 0.02). Keys `layers.i`, `norms.i`.
final class PatchDiscriminator: Module {
  private let layers: [Convolution]
  private let norms: [BatchNorm]

  init(channels: Int, spatialAxes: Int, generator: Generator) throws(TorchError) {
    let widths = [channels, 64, 128, 256, 512, 1]
    layers = try [2, 2, 2, 1, 1].enumerated().map { index, stride throws(TorchError) in
      let layer = try Convolution(
        inputChannels: widths[index], outputChannels: widths[index + 1], kernelSize: 4, stride: stride, padding: 1,
        spatialAxes: spatialAxes, generator: generator)
      try layer.weight.assign(generator.normal(standardDeviation: 0.02, shape: layer.weight.tensor.shape))
      return layer
    }
    norms = try widths[2...4].map { width throws(TorchError) in try BatchNorm(channels: width) }
  }

  override var parts: [Part] { Part.modules("layers", layers) + Part.modules("norms", norms) }

  /// One number per patch of images `[B, C, sides…]`: 1 for real.
  func callAsFunction(_ images: Tensor) throws(TorchError) -> Tensor {
    var features = try layers[0](images).leakyReLU(slope: 0.2)
    for index in 1...3 {
      features = try norms[index - 1](layers[index](features), mode: .training).leakyReLU(slope: 0.2)
    }
    return try layers[4](features)
  }
}
