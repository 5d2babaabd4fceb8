import Torch

/// A U-Net (Ronneberger, Fischer, Brox 2015) with weight-standardised convolutions, SiLU and group norm, and an output as large
/// as its input: the network of Kascenas et al. 2022. Each of n levels has two convolutions, the width of the one above
/// doubled; levels are 2 apart by average pooling, on the way back by transposed convolutions, and joined by skips.
///
/// Keys `down.i.*`, `up.i.expand`, `up.i.block.*`, `output`.
final class UNet: Module {
  private let down: [UNetBlock]
  private let up: [(expand: Convolution, block: UNetBlock)]
  private let output: Convolution

  /// - Parameters:
  ///   - width: channels of the first level.
  ///   - depth: levels n, 1 or more.
  init(
    inputChannels: Int, outputChannels: Int, width: Int, depth: Int, generator: Generator
  ) throws(TorchError) {
    let widths = (0..<depth).map { width << $0 }
    down = try zip([inputChannels] + widths, widths).map { input, output throws(TorchError) in
      try UNetBlock(input, output, generator: generator)
    }
    up = try widths.dropLast().reversed().map { width throws(TorchError) in
      let expand = try Convolution(
        inputChannels: 2 * width, outputChannels: width, kernelSize: 2, stride: 2, transposed: true,
        generator: generator)
      return (expand, try UNetBlock(2 * width, width, generator: generator))
    }
    output = try Convolution(
      inputChannels: width, outputChannels: outputChannels, kernelSize: 1, generator: generator)
  }

  override var parts: [Part] {
    Part.modules("down", down)
      + up.enumerated().flatMap { index, level in
        [Part.module("up.\(index).expand", level.expand), .module("up.\(index).block", level.block)]
      } + [.module("output", output)]
  }

  /// `[N, inputChannels, H, W]` to `[N, outputChannels, H, W]`; sides are multiples of 2 to the number of levels but one, and
  /// 2 or more at the last, as convolutions mirror the border.
  func callAsFunction(_ images: Tensor) throws(TorchError) -> Tensor {
    var skips: [Tensor] = []
    var features = images
    for (level, block) in down.enumerated() {
      if level > 0 {
        skips.append(features)
        features = try features.pooled(.average, kernel: [2, 2])
      }
      features = try block(features)
    }
    for (level, skip) in zip(up, skips.reversed()) {
      features = try level.block(.concatenated([level.expand(features), skip], axis: 1))
    }
    return try output(features)
  }
}

/// Two 3×3 convolutions over mirrored borders, each followed by SiLU and group norm. Keys `convolution.i`, `norm.i`.
final class UNetBlock: Module {
  private let convolutions: [StandardisedConvolution]
  private let norms: [GroupNorm]

  init(_ input: Int, _ output: Int, generator: Generator) throws(TorchError) {
    convolutions = try [input, output].map { input throws(TorchError) in
      try StandardisedConvolution(input, output, kernelSize: 3, generator: generator)
    }
    norms = try (0..<2).map { _ throws(TorchError) in
      try GroupNorm(groups: Self.groups(of: output), channels: output)
    }
  }

  override var parts: [Part] { Part.modules("convolution", convolutions) + Part.modules("norm", norms) }

  func callAsFunction(_ input: Tensor) throws(TorchError) -> Tensor {
    var features = input
    for (convolution, norm) in zip(convolutions, norms) {
      features = try norm(convolution(features.padded([1, 1, 1, 1], with: .reflect)).silu())
    }
    return features
  }

  /// The divisor in the middle of all divisors, the larger one of two: 8 of 64 channels, 16 of 128.
  static func groups(of channels: Int) -> Int {
    let divisors = (1...channels).filter { channels % $0 == 0 }
    return divisors[divisors.count / 2]
  }
}

/// A convolution whose kernels are brought to mean 0 and (sample) deviation 1 before use (Qiao et al. 2019, arXiv 1903.10520).
/// Keys `weight`, `bias`.
final class StandardisedConvolution: Module {
  private let convolution: Convolution

  init(_ input: Int, _ output: Int, kernelSize: Int, generator: Generator) throws(TorchError) {
    convolution = try Convolution(
      inputChannels: input, outputChannels: output, kernelSize: kernelSize, generator: generator)
  }

  override var parts: [Part] { convolution.parts }

  func callAsFunction(_ input: Tensor) throws(TorchError) -> Tensor {
    try convolution.apply(input, weight: kernels(), bias: convolution.bias?.tensor)
  }

  /// The standardised kernels, `[out, in, k, k]`.
  func kernels() throws(TorchError) -> Tensor {
    let weight = convolution.weight.tensor
    let centred = try weight - weight.mean([1, 2, 3], keepingAxes: true)
    return try centred / (centred.variance([1, 2, 3], correction: 1, keepingAxes: true).squareRoot() + 1e-5)
  }
}
