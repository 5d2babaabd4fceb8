/// Moves weights along their gradients, and remembers what it needs for the next step.
public protocol Optimiser: AnyObject {
  /// Multiplies every group's own learning rate by the value of a schedule.
  var learningRateScale: Double { get set }
  /// The learning rate that the next step of each group uses.
  var learningRates: [Double] { get }
  /// Moves every weight that has a gradient by one step, and forgets the gradients.
  func step() throws(TorchError)
  /// What it remembers, by key: what resuming needs.
  var state: [(key: String, parameter: Parameter)] { get }
}

/// The settings of an optimiser, from which it is made.
public protocol OptimiserOptions: Sendable {
  /// Step size before any schedule.
  var learningRate: Double { get }
  /// An optimiser of all trainable weights of a module.
  func makeOptimiser(of module: Module) throws(TorchError) -> any Optimiser
}

extension Parameter {
  /// Zeros that lie in memory as the weight does, which from here on has memory of its own.
  func zeroedBuffer() throws(TorchError) -> Parameter {
    try own()
    let buffer = try Parameter(tensor, isTrainable: false)
    try buffer.fill(0)
    return buffer
  }
}
