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
