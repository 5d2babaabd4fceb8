import Torch

/// Tells input images from reconstructions, and so is the scorer (§3.4): strided 5×5 convolutions down to 4×4, one logit.
///
/// Keys `convolutions.0 …`, `norms.1 …` (the first convolution has no norm), `logit`.
final class SimSIDDiscriminator: Module {
  private let convolutions: [Convolution]
  private let norms: [BatchNorm?]
  private let logit: Linear

  /// - Parameters: images have sides of `imageSize`, 4 · 2ⁿ; channels double from 16 up to `mostChannels`.
  init(imageSize: Int, mostChannels: Int, generator: Generator) throws {
    let count = imageSize.trailingZeroBitCount - 2
    let channels = [1] + (0..<count).map { min(16 << $0, mostChannels) }
    convolutions = try (0..<count).map {
      try Convolution(
        inputChannels: channels[$0], outputChannels: channels[$0 + 1], kernelSize: 5, stride: 2, padding: 2,
        generator: generator)
    }
    norms = try (0..<count).map { $0 == 0 ? nil : try BatchNorm(channels: channels[$0 + 1]) }
    logit = try Linear(inputs: 16 * channels[count], outputs: 1, generator: generator)
  }

  override var parts: [Part] {
    Part.modules("convolutions", convolutions)
      + norms.enumerated().compactMap { index, norm in norm.map { .module("norms.\(index)", $0) } }
      + [.module("logit", logit)]
  }

  /// Logits `[B]` of whole images `[B, 1, H, W]`, high for real ones, and the feature map of each level.
  func callAsFunction(_ images: Tensor, mode: Mode) throws(TorchError) -> (logits: Tensor, features: [Tensor]) {
    var current = images
    var features: [Tensor] = []
    for (convolution, norm) in zip(convolutions, norms) {
      current = try convolution(current)
      if let norm { current = try norm(current, mode: mode) }
      current = try current.leakyReLU(slope: 0.2)
      features.append(current)
    }
    return (try logits(of: current), features)
  }

  /// The feature map of the first level alone, `[B, 16, H / 2, W / 2]`; it has no norm. Never in mixed precision, as scores
  /// are differences of such maps.
  func firstFeatures(of images: Tensor) throws(TorchError) -> Tensor {
    try images.inSinglePrecision { images throws(TorchError) in try convolutions[0](images).leakyReLU(slope: 0.2) }
  }

  /// The logits that follow from the last feature map: the part that Grad-CAM differentiates.
  func logits(of features: Tensor) throws(TorchError) -> Tensor {
    try features.inSinglePrecision { features throws(TorchError) in
      try logit(features.reshaped([features.extent(0), -1])).squeezed(1)
    }
  }
}
