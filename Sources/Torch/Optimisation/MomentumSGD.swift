import CTorch

/// The settings of stochastic gradient descent with momentum.
public struct MomentumSGDOptions: OptimiserOptions, Equatable {
  /// Step size.
  public var learningRate: Double
  /// The share of the last direction that the next one keeps.
  public var momentum: Double
  /// Strength of weight decay, through the gradient (L2).
  public var weightDecay: Double

  /// No weight decay unless given.
  public init(learningRate: Double, momentum: Double = 0.9, weightDecay: Double = 0) {
    (self.learningRate, self.momentum, self.weightDecay) = (learningRate, momentum, weightDecay)
  }

  /// The optimiser for all trainable weights of a module.
  public func makeOptimiser(of module: Module) throws(TorchError) -> any Optimiser {
    try MomentumSGD(module.namedParameters.filter(\.parameter.isTrainable), self)
  }
}

/// Stochastic gradient descent with momentum as PyTorch has it: `v ← momentum · v + g + decay · w`, `w ← w − rate · v`.
public final class MomentumSGD: Optimiser {
  private let options: MomentumSGDOptions
  private let slots: [(key: String, parameter: Parameter, direction: Parameter)]

  /// Creates an optimiser of weights, each with the key under which its direction is kept.
  public init(_ parameters: [(key: String, parameter: Parameter)], _ options: MomentumSGDOptions) throws(TorchError) {
    self.options = options
    slots = try parameters.map { key, parameter throws(TorchError) in
      (key, parameter, try parameter.zeroedBuffer())
    }
  }

  /// Multiplies the learning rate by the value of a schedule.
  public var learningRateScale = 1.0

  /// The learning rate of the next step.
  public var learningRates: [Double] { [options.learningRate * learningRateScale] }

  /// Moves every weight that has a gradient by one step, and forgets the gradients.
  public func step() throws(TorchError) {
    var moved: [(key: String, parameter: Parameter, direction: Parameter)] = []
    var gradients: [Tensor] = []
    for slot in slots {
      guard let gradient = try slot.parameter.tensor.gradient else { continue }
      moved.append(slot)
      gradients.append(gradient)
    }
    try withTensors(moved.map(\.parameter.tensor)) { weights throws(TorchError) in
      try withTensors(gradients) { gradients throws(TorchError) in
        try withTensors(moved.map(\.direction.tensor)) { directions throws(TorchError) in
          try TorchError.check(
            "SGD",
            ct_sgd_step(weights, gradients, directions, learningRates[0], options.momentum, options.weightDecay))
        }
      }
    }
    for slot in slots { try slot.parameter.tensor.clearGradient() }
  }

  /// The directions under `<key>.direction`.
  public var state: [(key: String, parameter: Parameter)] { slots.map { ("\($0.key).direction", $0.direction) } }
}
