import Torch

/// A convolution or its transpose, a norm if there is one, and a leaky ReLU. Keys `convolution`, `norm`.
final class ConvolutionBlock: Module {
  /// What the block does to the sides of an image.
  enum Scale { case half, same, double }

  private let convolution: Convolution
  private let normalised: NormalisedConvolution?
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
    normalised =
      normalisation == .batch ? NormalisedConvolution(convolution, try BatchNorm(channels: output)) : nil
    self.slope = slope
  }

  override var parts: [Part] {
    [.module("convolution", convolution)] + (normalised.map { [.module("norm", $0.norm)] } ?? [])
  }

  func callAsFunction(_ input: Tensor, mode: Mode) throws(TorchError) -> Tensor {
    let features = if let normalised { try normalised(input, mode: mode) } else { try convolution(input) }
    return try features.leakyReLU(slope: slope)
  }

  override func freeze(as dtype: DType?) throws(TorchError) {
    if let normalised { try normalised.freeze(as: dtype) } else { try super.freeze(as: dtype) }
  }
}
