import CTorch

/// An exponential moving average of a module's tensors, buffers included.
public final class WeightAverage {
  private let pairs: [(key: String, source: Parameter, average: Parameter)]
  private let decay: Double
  private var updates = 0

  /// Starts the average at the module's present tensors.
  /// - Parameter decay: the share of the average that each update keeps, for example 0.999; early updates keep less.
  public init(_ module: Module, decay: Double) throws(TorchError) {
    self.decay = decay
    var pairs: [(key: String, source: Parameter, average: Parameter)] = []
    for (key, parameter) in module.namedParameters where parameter.tensor.dtype.isFloatingPoint {
      pairs.append((key, parameter, try Parameter(parameter.tensor, isTrainable: false)))
    }
    self.pairs = pairs
  }

  /// Moves the average towards the module. The first n updates average evenly: the share kept is at most n / (n + 10).
  public func update() throws(TorchError) {
    updates += 1
    let kept = min(decay, Double(updates) / Double(updates + 10))
    let sources = try pairs.map { pair throws(TorchError) in try pair.source.tensor.detached() }
    try withTensors(pairs.map(\.average.tensor)) { averages throws(TorchError) in
      try withTensors(sources) { sources throws(TorchError) in
        try TorchError.check("weight average", ct_lerp_all(averages, sources, 1 - kept))
      }
    }
  }

  /// Exchanges the module's tensors and the average; a second call undoes the first.
  public func exchange() throws(TorchError) {
    for (_, source, average) in pairs {
      let held = try source.tensor.detached().copy()
      try source.assign(average.tensor)
      try average.assign(held)
    }
  }

  /// The averages under the module's keys.
  public var state: [(key: String, parameter: Parameter)] { pairs.map { ($0.key, $0.average) } }

  /// The number of updates so far; set when resuming.
  public var updateCount: Int {
    get { updates }
    set { updates = newValue }
  }
}
