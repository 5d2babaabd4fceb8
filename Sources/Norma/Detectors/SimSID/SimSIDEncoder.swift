import Torch

/// Two convolutions with a residual that starts after the first: `a = ReLU(BN(conv(x)))`, `ReLU(a + BN(conv(ReLU(BN(conv(a))))))`.
///
/// `[N, in, H, W]` to `[N, out, H / stride, W / stride]`. Keys `convolution1 … 3`, `norm1 … 3`.
final class DoubleConvolution: Module {
  private let convolutions: [Convolution]
  private let norms: [BatchNorm]
  private let pairs: [NormalisedConvolution]

  init(_ input: Int, _ output: Int, stride: Int = 1, generator: Generator) throws {
    convolutions = try (0..<3).map {
      try Convolution(
        inputChannels: $0 == 0 ? input : output, outputChannels: output, kernelSize: 3, stride: $0 == 0 ? stride : 1,
        padding: 1, generator: generator)
    }
    norms = try (0..<3).map { _ in try BatchNorm(channels: output) }
    pairs = zip(convolutions, norms).map { NormalisedConvolution($0, $1) }
  }

  override var parts: [Part] {
    zip(convolutions, norms).enumerated().flatMap { index, pair in
      [Part.module("convolution\(index + 1)", pair.0), .module("norm\(index + 1)", pair.1)]
    }
  }

  func callAsFunction(_ input: Tensor, mode: Mode) throws(TorchError) -> Tensor {
    let first = try pairs[0].rectified(input, mode: mode)
    let second = try pairs[1].rectified(first, mode: mode)
    return try pairs[2].rectified(second, adding: first, mode: mode)
  }

  override func freeze(as dtype: DType?) throws(TorchError) {
    for pair in pairs { try pair.freeze(as: dtype) }
  }
}

/// The patch encoder (§3.1): every patch by itself, five levels, each half the side and twice the channels.
///
/// Keys `input`, `down.0 … 3`.
final class PatchEncoder: Module {
  private let input: DoubleConvolution
  private let down: [DoubleConvolution]

  init(width: Int, generator: Generator) throws {
    input = try DoubleConvolution(1, width, generator: generator)
    down = try (0..<4).map { try DoubleConvolution(width << $0, width << ($0 + 1), stride: 2, generator: generator) }
  }

  override var parts: [Part] { [.module("input", input)] + Part.modules("down", down) }

  /// Patches `[B · G, 1, P, P]` to the levels e0 … e4, `[B · G, width · 2ⁱ, P / 2ⁱ, P / 2ⁱ]`.
  func callAsFunction(_ patches: Tensor, mode: Mode) throws(TorchError) -> [Tensor] {
    var levels = [try input(patches, mode: mode)]
    for block in down { levels.append(try block(levels[levels.count - 1], mode: mode)) }
    return levels
  }
}

/// Cutting an image into a grid of patches and putting it together again.
struct PatchGrid {
  /// Patches along each side.
  let side: Int

  /// `[B, C, H, W]` to `[B · G, C, H / side, W / side]`; patches of an image follow each other row by row.
  func split(_ images: Tensor) throws(TorchError) -> Tensor {
    let shape = images.shape
    let (height, width) = (shape[2] / side, shape[3] / side)
    return try images.reshaped([shape[0], shape[1], side, height, side, width]).permuted([0, 2, 4, 1, 3, 5])
      .reshaped([-1, shape[1], height, width])
  }

  /// The inverse of `split`; channels are last in memory, so that whole runs of them are copied and what follows is fast.
  func joined(_ patches: Tensor) throws(TorchError) -> Tensor {
    let shape = patches.shape
    let rows = try patches.permuted([0, 2, 3, 1]).reshaped([-1, side, side, shape[2], shape[3], shape[1]])
    return try rows.permuted([0, 1, 3, 2, 4, 5]).reshaped([-1, side * shape[2], side * shape[3], shape[1]])
      .permuted([0, 3, 1, 2])
  }
}
