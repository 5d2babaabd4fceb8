import CTorch

/// A tensor that a module owns under a key: a weight that is trained, or a buffer that is kept.
public final class Parameter {
  /// The current value.
  public private(set) var tensor: Tensor
  /// A copy in a shorter type, which products take in mixed precision; see `Module.freeze`.
  private var lowered: Tensor?
  /// Whether optimisers may change it; running statistics and the like are not trainable.
  public let isTrainable: Bool

  /// Whether the value lies in memory that is somebody else's, and must not be written to.
  private var isBorrowed = false

  /// Keeps a copy of a value, or the value itself where nobody else has it; a trainable one becomes a leaf that collects
  /// gradients.
  /// - Throws: `TorchError` when a trainable value is not of a floating-point type.
  public init(_ value: consuming Tensor, isTrainable: Bool = true) throws(TorchError) {
    self.isTrainable = isTrainable
    let own = value.isAlone() ? value : try value.detached().copy()
    tensor = isTrainable ? try own.requiringGradient() : own
  }

  /// The value as a factor of products and convolutions: the frozen copy inside of mixed precision of its type.
  public var factor: Tensor {
    guard let lowered, ct_autocasts(lowered.device.raw.type, lowered.dtype.raw) else { return tensor }
    return lowered
  }

  /// Casts the value once for all products to come; nil forgets the copy. Later changes of the value forget it as well.
  public func freeze(as dtype: DType?) throws(TorchError) {
    lowered = if let dtype { try tensor.detached().to(dtype) } else { nil }
  }

  /// Overwrites the value in place; optimisers and averages keep following it.
  /// - Throws: `TorchError` when the shape differs.
  public func assign(_ value: Tensor) throws(TorchError) {
    lowered = nil
    try own()
    try tensor.assign(value)
  }

  /// Lies over a stored array from here on, where that needs no copy, and else copies it. For weights that are read: whatever
  /// writes to them gives them memory of their own first.
  /// - Precondition: the array has the value's shape, and nothing follows the parameter yet.
  func adopt(_ array: StoredArray) throws(TorchError) {
    guard isTrainable, array.dtype == tensor.dtype.stored, tensor.device == .cpu else {
      return try assign(array.tensor().to(tensor.dtype))
    }
    let shared = try array.sharedTensor()
    lowered = nil
    tensor = try shared.requiringGradient()
    isBorrowed = true
  }

  /// Takes memory of its own, so that the value can be written to.
  func own() throws(TorchError) {
    guard isBorrowed else { return }
    tensor = try tensor.detached().copy().requiringGradient()
    isBorrowed = false
  }

  /// Overwrites every element with `value` in place.
  func fill(_ value: Double) throws(TorchError) {
    lowered = nil
    try own()
    try tensor.fill(value)
  }

  /// Overwrites the slices at `indices` (int64) along `axis` in place.
  public func overwrite(at indices: Tensor, axis: Int, with values: Tensor) throws(TorchError) {
    lowered = nil
    try own()
    try TorchError.check("overwrite", ct_index_copy_into(tensor.raw, Int64(axis), indices.raw, values.raw))
  }

  func move(to device: Device) throws(TorchError) {
    guard tensor.device != device else { return }
    lowered = nil
    let moved = try tensor.detached().to(device)
    tensor = isTrainable ? try moved.requiringGradient() : moved
    isBorrowed = false
  }

  /// Stores channels innermost where the tensor has a channel axis and two or three spatial ones.
  func preferChannelsLast() throws(TorchError) {
    guard (4...5).contains(tensor.rank) else { return }
    let moved = try tensor.detached().channelsLast()  // itself, where that changes nothing
    tensor = isTrainable ? try moved.requiringGradient() : moved
  }
}

/// One part of a module under its key.
public struct Part {
  enum Content {
    case parameter(Parameter)
    case module(Module)
  }
  let key: String
  let content: Content

  /// A tensor of the module itself.
  public static func tensor(_ key: String, _ parameter: Parameter) -> Part {
    Part(key: key, content: .parameter(parameter))
  }

  /// A module inside the module; its tensors' keys start with `key` and a dot.
  public static func module(_ key: String, _ module: Module) -> Part { Part(key: key, content: .module(module)) }

  /// Modules in a row, keyed `key.0`, `key.1`, …
  public static func modules(_ key: String, _ modules: [Module]) -> [Part] {
    modules.enumerated().map { .module("\(key).\($0)", $1) }
  }
}

/// A piece of a network: it owns tensors and other modules, and lists them under stable dotted keys.
///
/// Identity is the point: optimisers, averages and checkpoints follow the object. A subclass overrides `parts` and writes
/// each key out, so that the keys of a checkpoint can be read in the code.
open class Module {
  /// Creates a module without parts.
  public init() {}

  /// What the module is made of, in a fixed order.
  open var parts: [Part] { [] }

  /// Every tensor below with its dotted key, in the order of `parts`.
  /// - Precondition: no key occurs twice.
  public final var namedParameters: [(key: String, parameter: Parameter)] {
    var all: [(key: String, parameter: Parameter)] = []
    collect(prefix: "", into: &all)
    precondition(Set(all.map(\.key)).count == all.count, "a key occurs twice in \(type(of: self))")
    return all
  }

  private func collect(prefix: String, into all: inout [(key: String, parameter: Parameter)]) {
    for part in parts {
      switch part.content {
      case .parameter(let parameter): all.append((prefix + part.key, parameter))
      case .module(let module): module.collect(prefix: prefix + part.key + ".", into: &all)
      }
    }
  }

  /// The tensors that optimisers train.
  public final var trainableParameters: [Parameter] { namedParameters.map(\.parameter).filter(\.isTrainable) }

  /// The number of trained numbers.
  public final var parameterCount: Int { trainableParameters.reduce(0) { $0 + $1.tensor.count } }

  /// Moves every tensor to `device`. Optimisers and averages are made afterwards.
  public final func move(to device: Device) throws(TorchError) {
    for (_, parameter) in namedParameters { try parameter.move(to: device) }
  }

  /// Stores every convolution's weight channels innermost. Optimisers and averages are made afterwards.
  public final func preferChannelsLast() throws(TorchError) {
    for (_, parameter) in namedParameters { try parameter.preferChannelsLast() }
  }

  /// Prepares a network whose weights will not change any more for scoring: matrices and kernels are cast once rather than
  /// at every use, and what subclasses can compute ahead of time (a norm folded into its convolution) is.
  /// - Parameter dtype: the type of mixed precision in which it will run; nil: its own.
  open func freeze(as dtype: DType?) throws(TorchError) {
    for part in parts {
      switch part.content {
      case .module(let module): try module.freeze(as: dtype)
      case .parameter(let parameter) where parameter.isTrainable && parameter.tensor.rank > 1:
        try parameter.freeze(as: dtype)
      case .parameter: break
      }
    }
  }

  /// Runs `body` while no weight below collects gradients; gradients still flow through to the inputs.
  public final func frozen<Result>(_ body: () throws -> Result) throws -> Result {
    let weights = trainableParameters.filter(\.tensor.requiresGradient)
    for weight in weights { try weight.tensor.setRequiresGradient(false) }
    let result: Swift.Result<Result, any Error> = Swift.Result { try body() }
    for weight in weights { try weight.tensor.setRequiresGradient(true) }
    return try result.get()
  }

  /// Forgets all accumulated gradients.
  public final func clearGradients() throws(TorchError) {
    for parameter in trainableParameters { try parameter.tensor.clearGradient() }
  }
}

/// Which statistics normalisation layers use, and whether dropout and the like are active.
public enum Mode: Sendable {
  /// Statistics of the batch; running ones are updated.
  case training
  /// Stored running statistics.
  case evaluation
  /// Statistics of each sample alone (batch norm acting as instance norm); nothing is updated.
  case perSample
}
