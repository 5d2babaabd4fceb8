/// Batch norm over channel axis 1, with running statistics.
///
/// Keys `weight`, `bias`, `runningMean`, `runningVariance`, each `[channels]`.
public final class BatchNorm: Module {
  /// Scale per channel.
  public let weight: Parameter
  /// Shift per channel.
  public let bias: Parameter
  /// Running mean per channel.
  public let runningMean: Parameter
  /// Running (sample) variance per channel.
  public let runningVariance: Parameter
  /// Added to the variance.
  public let epsilon: Double
  private let momentum: Double

  /// Creates a norm that does nothing yet: scale 1, shift 0, mean 0, variance 1.
  public init(channels: Int, epsilon: Double = 1e-5, momentum: Double = 0.1) throws(TorchError) {
    weight = try Parameter(.ones([channels]))
    bias = try Parameter(.zeros([channels]))
    runningMean = try Parameter(.zeros([channels]), isTrainable: false)
    runningVariance = try Parameter(.ones([channels]), isTrainable: false)
    self.epsilon = epsilon
    self.momentum = momentum
  }

  /// Scale, shift and running statistics.
  public override var parts: [Part] {
    [
      .tensor("weight", weight), .tensor("bias", bias), .tensor("runningMean", runningMean),
      .tensor("runningVariance", runningVariance),
    ]
  }

  /// Normalises `[N, C, …]` by the statistics that `mode` names.
  public func callAsFunction(_ input: Tensor, mode: Mode) throws(TorchError) -> Tensor {
    switch mode {
    case .perSample: try input.instanceNormalised(weight: weight.tensor, bias: bias.tensor, epsilon: epsilon)
    case .training, .evaluation:
      try input.batchNormalised(
        weight: weight.tensor, bias: bias.tensor, runningMean: runningMean.tensor,
        runningVariance: runningVariance.tensor, training: mode == .training, momentum: momentum, epsilon: epsilon)
    }
  }

  /// `ReLU(norm(input) + added)`; in training in one pass, where that is known how.
  /// - Parameter added: maps of the input's shape; nil adds nothing.
  public func rectified(_ input: Tensor, adding added: Tensor? = nil, mode: Mode) throws(TorchError) -> Tensor {
    guard mode == .training else {
      let result = try self(input, mode: mode)
      return try (added.map { other throws(TorchError) in try other + result } ?? result).relu()
    }
    return try input.batchNormalisedReLU(
      adding: added, weight: weight.tensor, bias: bias.tensor, runningMean: runningMean.tensor,
      runningVariance: runningVariance.tensor, momentum: momentum, epsilon: epsilon)
  }

  /// A convolution's weight and bias with this norm, as it stands in evaluation, multiplied in.
  /// - Throws: `TorchError` when the convolution has not as many output channels as this norm, or is transposed and in
  ///   groups.
  public func folded(into convolution: Convolution) throws(TorchError) -> (weight: Tensor, bias: Tensor) {
    let scale = try weight.tensor / (runningVariance.tensor + epsilon).squareRoot()
    let kernel = convolution.weight.tensor
    guard !convolution.transposed || convolution.groups == 1 else {
      throw TorchError("fold", "a transposed convolution in \(convolution.groups) groups cannot take a norm in")
    }
    let outputAxis = convolution.transposed ? 1 : 0
    guard kernel.extent(outputAxis) == scale.count else {
      throw TorchError("fold", "\(scale.count) channels do not fit a convolution to \(kernel.extent(outputAxis))")
    }
    var aligned = [Int](repeating: 1, count: kernel.rank)
    aligned[outputAxis] = scale.count
    let folded = try kernel * scale.reshaped(aligned)
    var offset = try -runningMean.tensor
    if let bias = convolution.bias { offset = try bias.tensor + offset }
    return (folded, try offset * scale + bias.tensor)
  }
}

/// Layer norm over the last axis. Keys `weight`, `bias`, each `[width]`.
public final class LayerNorm: Module {
  /// Scale per feature.
  public let weight: Parameter
  /// Shift per feature.
  public let bias: Parameter
  private let width: Int
  /// Added to the variance.
  public let epsilon: Double

  /// Creates a norm with scale 1 and shift 0.
  public init(width: Int, epsilon: Double = 1e-5) throws(TorchError) {
    weight = try Parameter(.ones([width]))
    bias = try Parameter(.zeros([width]))
    self.width = width
    self.epsilon = epsilon
  }

  /// Scale and shift.
  public override var parts: [Part] { [.tensor("weight", weight), .tensor("bias", bias)] }

  /// Normalises `[…, width]`.
  public func callAsFunction(_ input: Tensor) throws(TorchError) -> Tensor {
    try input.layerNormalised([width], weight: weight.tensor, bias: bias.tensor, epsilon: epsilon)
  }
}

/// Group norm over channel axis 1. Keys `weight`, `bias`, each `[channels]`.
public final class GroupNorm: Module {
  /// Scale per channel.
  public let weight: Parameter
  /// Shift per channel.
  public let bias: Parameter
  private let groups: Int
  private let epsilon: Double

  /// Creates a norm with scale 1 and shift 0; `groups` divides `channels`.
  public init(groups: Int, channels: Int, epsilon: Double = 1e-5) throws(TorchError) {
    weight = try Parameter(.ones([channels]))
    bias = try Parameter(.zeros([channels]))
    self.groups = groups
    self.epsilon = epsilon
  }

  /// Scale and shift.
  public override var parts: [Part] { [.tensor("weight", weight), .tensor("bias", bias)] }

  /// Normalises `[N, C, …]`.
  public func callAsFunction(_ input: Tensor) throws(TorchError) -> Tensor {
    try input.groupNormalised(groups: groups, weight: weight.tensor, bias: bias.tensor, epsilon: epsilon)
  }
}
