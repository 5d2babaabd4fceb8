import CTorch

/// The settings of one group of weights under Adam.
public struct AdamOptions: OptimiserOptions, Equatable {
  /// Step size.
  public var learningRate: Double
  /// Decay of the mean of gradients.
  public var beta1: Double
  /// Decay of the mean of squared gradients.
  public var beta2: Double
  /// Added to the root of the second moment.
  public var epsilon: Double
  /// Strength of weight decay.
  public var weightDecay: Double
  /// Whether the decay acts on the weights directly (AdamW) or through the gradient (coupled L2).
  public var decoupledWeightDecay: Bool
  /// Whether tensors of at most one axis (biases, norms) decay as well; transformers leave them alone.
  public var decaysVectors: Bool
  /// Whether the moments are corrected for having started at zero.
  public var correctsBias: Bool

  /// PyTorch's defaults unless given.
  public init(
    learningRate: Double, beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-8, weightDecay: Double = 0,
    decoupledWeightDecay: Bool = false, decaysVectors: Bool = true, correctsBias: Bool = true
  ) {
    self.learningRate = learningRate
    self.beta1 = beta1
    self.beta2 = beta2
    self.epsilon = epsilon
    self.weightDecay = weightDecay
    self.decoupledWeightDecay = decoupledWeightDecay
    self.decaysVectors = decaysVectors
    self.correctsBias = correctsBias
  }

  /// RMSprop (Tieleman & Hinton 2012) as PyTorch has it: Adam without the first moment and without correction,
  /// `v ← decay · v + (1 − decay) · g²`, `w ← w − learningRate · g / (√v + epsilon)`.
  public static func rmsProp(learningRate: Double, decay: Double = 0.9, epsilon: Double = 1e-8) -> AdamOptions {
    AdamOptions(learningRate: learningRate, beta1: 0, beta2: decay, epsilon: epsilon, correctsBias: false)
  }

  /// Adam for all trainable weights of a module.
  public func makeOptimiser(of module: Module) throws(TorchError) -> any Optimiser { try Adam(module, self) }
}

/// Adam (Kingma & Ba 2015) and AdamW (Loshchilov & Hutter 2019), all weights of a group in one fused pass.
public final class Adam: Optimiser {
  /// Weights that share their settings.
  private struct Group {
    var options: AdamOptions
    var slots: [Slot]
  }

  /// What Adam remembers of one weight.
  private struct Slot {
    let key: String
    let parameter: Parameter
    let firstMoment: Parameter
    let secondMoment: Parameter
    let steps: Parameter
  }

  private var groups: [Group] = []

  /// Where the count of steps starts if nothing is to be corrected: so late that both corrections are 1.
  private static let lateStep = 1e6

  /// Creates an optimiser without weights; add groups of them.
  public init() {}

  /// Creates an optimiser of all trainable weights of a module.
  public convenience init(_ module: Module, _ options: AdamOptions) throws(TorchError) {
    self.init()
    let weights = module.namedParameters.filter(\.parameter.isTrainable)
    try addGroup(weights.filter { options.decaysVectors || $0.parameter.tensor.rank > 1 }, options)
    guard !options.decaysVectors else { return }
    var undecayed = options
    undecayed.weightDecay = 0
    try addGroup(weights.filter { $0.parameter.tensor.rank <= 1 }, undecayed)
  }

  /// Adds weights, each with the key under which its state is kept.
  public func addGroup(_ parameters: [(key: String, parameter: Parameter)], _ options: AdamOptions) throws(TorchError) {
    var slots: [Slot] = []
    for (key, parameter) in parameters {
      slots.append(
        Slot(
          key: key, parameter: parameter, firstMoment: try parameter.zeroedBuffer(),
          secondMoment: try parameter.zeroedBuffer(),
          steps: try Parameter(
            .full(options.correctsBias ? 0 : Self.lateStep, shape: [], on: parameter.tensor.device),
            isTrainable: false)))
    }
    groups.append(Group(options: options, slots: slots))
  }

  /// Multiplies every group's own learning rate by the value of a schedule.
  public var learningRateScale = 1.0

  /// The learning rate that the next step of each group uses.
  public var learningRates: [Double] { groups.map { $0.options.learningRate * learningRateScale } }

  /// Moves every weight that has a gradient by one step, and forgets the gradients.
  public func step() throws(TorchError) {
    for group in groups {
      var moved: [Slot] = []
      var gradients: [Tensor] = []
      for slot in group.slots {
        guard let gradient = try slot.parameter.tensor.gradient else { continue }
        moved.append(slot)
        gradients.append(gradient)
      }
      try apply(group.options, to: moved, gradients)
    }
    try clearGradients()
  }

  private func apply(_ options: AdamOptions, to slots: [Slot], _ gradients: [Tensor]) throws(TorchError) {
    let settings = ct_adam_options(
      learning_rate: options.learningRate * learningRateScale, beta1: options.beta1, beta2: options.beta2,
      weight_decay: options.weightDecay, epsilon: options.epsilon,
      decoupled_weight_decay: options.decoupledWeightDecay)
    try withTensors(slots.map(\.parameter.tensor)) { weights throws(TorchError) in
      try withTensors(gradients) { gradients throws(TorchError) in
        try withTensors(slots.map(\.firstMoment.tensor)) { first throws(TorchError) in
          try withTensors(slots.map(\.secondMoment.tensor)) { second throws(TorchError) in
            try withTensors(slots.map(\.steps.tensor)) { steps throws(TorchError) in
              try TorchError.check("Adam", ct_adam_step(weights, gradients, first, second, steps, settings))
            }
          }
        }
      }
    }
  }

  /// Forgets the gradients of all weights.
  public func clearGradients() throws(TorchError) {
    for group in groups {
      for slot in group.slots { try slot.parameter.tensor.clearGradient() }
    }
  }

  /// Scales all gradients down so that their joint norm is at most `maximum`; returns the norm before.
  public func clipGradients(toNorm maximum: Double) throws(TorchError) -> Double {
    var gradients: [Tensor] = []
    for slot in groups.flatMap(\.slots) {
      if let gradient = try slot.parameter.tensor.gradient { gradients.append(gradient) }
    }
    var norm = 0.0
    try withTensors(gradients) { list throws(TorchError) in
      try TorchError.check("clipGradients", ct_clip_gradient_norm(list, maximum, &norm))
    }
    return norm
  }

  /// Moments and step counts under `<key>.firstMoment`, `<key>.secondMoment`, `<key>.steps`.
  public var state: [(key: String, parameter: Parameter)] {
    groups.flatMap(\.slots).flatMap { slot in
      [
        ("\(slot.key).firstMoment", slot.firstMoment), ("\(slot.key).secondMoment", slot.secondMoment),
        ("\(slot.key).steps", slot.steps),
      ]
    }
  }
}
