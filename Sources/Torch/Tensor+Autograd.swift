import CTorch

extension Tensor {
  /// Whether operations on this tensor are recorded.
  public var requiresGradient: Bool { ct_requires_gradient(raw) }

  /// The same values, cut off from the graph (stop-gradient).
  public func detached() throws(TorchError) -> Tensor { try .make("detach") { ct_detach(raw, $0) } }

  /// The same values as a leaf of a new graph.
  public func requiringGradient() throws(TorchError) -> Tensor {
    let leaf = try detached()
    try TorchError.check("requiresGradient", ct_set_requires_gradient(leaf.raw, true))
    return leaf
  }

  /// Adds the gradient of this one-element tensor to every leaf that it depends on.
  /// - Throws: `TorchError` when it has several elements or depends on no leaf that requires gradients.
  public func backward() throws(TorchError) { try TorchError.check("backward", ct_backward(raw)) }

  /// What `backward` has accumulated here; nil before the first. The sum itself, not a copy: later passes add to it.
  public var gradient: Tensor? {
    get throws(TorchError) {
      var gradient: ct_tensor?
      try TorchError.check("gradient", ct_gradient(raw, &gradient))
      return gradient.map(Tensor.init(adopting:))
    }
  }

  /// The gradients of this tensor's sum with respect to `inputs`, in their order; leaves accumulate nothing.
  /// - Parameter recording: whether the gradients are themselves part of the graph, so that what is made of them, such as a
  ///   gradient penalty, can be differentiated. Otherwise the graph is used up.
  /// - Throws: `TorchError` when it does not depend on one of them, or when `recording` through `attention`, whose kernel has
  ///   no second derivative.
  public func gradients(of inputs: [Tensor], recording: Bool = false) throws(TorchError) -> [Tensor] {
    var outs = [ct_tensor?](repeating: nil, count: inputs.count)
    try withTensors(inputs) { list throws(TorchError) in
      try TorchError.check("gradients", ct_gradients(raw, list, recording, &outs))
    }
    return outs.compactMap { $0.map(Tensor.init(adopting:)) }
  }

  /// Turns recording on or off for a leaf that a module owns.
  func setRequiresGradient(_ required: Bool) throws(TorchError) {
    try TorchError.check("requiresGradient", ct_set_requires_gradient(raw, required))
  }

  /// Forgets the accumulated gradient.
  func clearGradient() throws(TorchError) { try TorchError.check("clearGradient", ct_clear_gradient(raw)) }
}
