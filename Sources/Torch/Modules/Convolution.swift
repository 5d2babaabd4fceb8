/// A convolution over two or three spatial axes, or its transpose.
///
/// Weight `[out, in / groups, kernel…]` (transposed: `[in, out / groups, kernel…]`), bias `[out]`. Keys `weight`, `bias`.
public final class Convolution: Module {
  /// The kernel.
  public let weight: Parameter
  /// Added per output channel; nil without bias.
  public let bias: Parameter?
  fileprivate let stride: [Int]
  fileprivate let padding: [Int]
  private let outputPadding: [Int]
  let groups: Int
  let transposed: Bool

  /// Creates a convolution with PyTorch's default initialisation.
  /// - Parameter spatialAxes: 2 or 3; kernel, stride and padding are the same along each.
  /// - Throws: `TorchError` when `groups` does not divide both numbers of channels, or another number makes no sense.
  public init(
    inputChannels: Int, outputChannels: Int, kernelSize: Int, stride: Int = 1, padding: Int = 0, groups: Int = 1,
    bias: Bool = true, spatialAxes: Int = 2, transposed: Bool = false, outputPadding: Int = 0, generator: Generator
  ) throws(TorchError) {
    guard groups > 0, inputChannels % groups == 0, outputChannels % groups == 0 else {
      throw TorchError(
        "convolution", "\(groups) groups do not divide \(inputChannels) and \(outputChannels) channels")
    }
    guard (1...3).contains(spatialAxes) else {
      throw TorchError("convolution", "there is none over \(spatialAxes) spatial axes")
    }
    let kernel = [Int](repeating: kernelSize, count: spatialAxes)
    let shape =
      transposed
      ? [inputChannels, outputChannels / groups] + kernel : [outputChannels, inputChannels / groups] + kernel
    let fanIn = shape.dropFirst().reduce(1, *)
    weight = try Parameter(Initialisation.uniform(shape, fanIn: fanIn, generator))
    self.bias = bias ? try Parameter(Initialisation.uniform([outputChannels], fanIn: fanIn, generator)) : nil
    self.stride = kernel.map { _ in stride }
    self.padding = kernel.map { _ in padding }
    self.outputPadding = kernel.map { _ in outputPadding }
    self.groups = groups
    self.transposed = transposed
  }

  /// Key and tensor of weight and bias.
  public override var parts: [Part] {
    [.tensor("weight", weight)] + (bias.map { [.tensor("bias", $0)] } ?? [])
  }

  /// Convolves `[N, C, H, W]` or `[N, C, D, H, W]`.
  public func callAsFunction(_ input: Tensor) throws(TorchError) -> Tensor {
    try apply(input, weight: weight.factor, bias: bias?.tensor)
  }

  /// Convolves with another weight and bias of the same shapes, for example with a norm folded in.
  public func apply(_ input: Tensor, weight: Tensor, bias: Tensor?) throws(TorchError) -> Tensor {
    try input.convolved(
      with: weight, bias: bias, stride: stride, padding: padding, groups: groups, transposed: transposed,
      outputPadding: outputPadding)
  }
}

extension Convolution {
  /// `ReLU(convolution + added)` with another weight and bias of the same shapes; neither transposed nor in groups.
  func applyReLU(_ input: Tensor, weight: Tensor, bias: Tensor?, adding added: Tensor?) throws(TorchError) -> Tensor {
    try input.convolvedReLU(with: weight, bias: bias, adding: added, stride: stride, padding: padding)
  }
}

/// A convolution with its batch norm behind it, and a ReLU: in evaluation they are one convolution, as a norm by stored
/// statistics is linear. Who owns the two lists them in its `parts`, and calls `freeze` from its own.
public final class NormalisedConvolution {
  /// What comes first.
  public let convolution: Convolution
  /// What comes behind it.
  public let norm: BatchNorm
  /// Weight and bias with the norm folded in, once the weights are frozen.
  private var frozen: (weight: Parameter, bias: Parameter)?

  /// Joins the two.
  public init(_ convolution: Convolution, _ norm: BatchNorm) { (self.convolution, self.norm) = (convolution, norm) }

  /// Convolves and normalises `[N, C, H, W]` or `[N, C, D, H, W]`.
  public func callAsFunction(_ input: Tensor, mode: Mode) throws(TorchError) -> Tensor {
    guard mode == .evaluation else { return try norm(convolution(input), mode: mode) }
    let (weight, bias) = try folded
    return try convolution.apply(input, weight: weight, bias: bias)
  }

  /// `ReLU(norm(convolution) + added)`.
  /// - Parameter added: maps of the result's shape; nil adds nothing.
  public func rectified(_ input: Tensor, adding added: Tensor? = nil, mode: Mode) throws(TorchError) -> Tensor {
    guard mode == .evaluation, !convolution.transposed, convolution.groups == 1 else {
      return try norm.rectified(convolution(input), adding: added, mode: mode)
    }
    let (weight, bias) = try folded
    return try convolution.applyReLU(input, weight: weight, bias: bias, adding: added)
  }

  /// Weight and bias with the norm folded in, from the frozen ones or as they are now.
  private var folded: (weight: Tensor, bias: Tensor) {
    get throws(TorchError) {
      if let frozen { return (frozen.weight.factor, frozen.bias.tensor) }
      return try norm.folded(into: convolution)
    }
  }

  /// Folds once for all evaluations to come, which then follow no change of weights or statistics.
  public func freeze(as dtype: DType?) throws(TorchError) {
    let (weight, bias) = try withoutGradients { () throws(TorchError) in try norm.folded(into: convolution) }
    let kernel = try Parameter(weight, isTrainable: false)
    try kernel.freeze(as: dtype)
    frozen = (kernel, try Parameter(bias, isTrainable: false))
  }
}
