import Torch

/// FAVOR+: softmax attention estimated by positive random features (§3.3), linear in the number of tokens.
///
/// `φ(x) = m^-½ exp(W u − |u|²/2)` with `u = x / d^¼` and rows of W orthogonal, their lengths those of normal vectors. Queries
/// are kept in range by their own largest exponent, which cancels; keys by none, so that what a prefix of a sequence gives
/// does not depend on what follows. A floor under every feature tames the estimate's spread, as the authors' 1e-4 does, again
/// without looking at other tokens. Key `projection`, `[m, d]`.
final class RandomFeatures: Module {
  private let projection: Parameter
  private let floors: Floors
  /// Tokens that are multiplied out at once; between such chunks only sums are carried.
  private static let chunk = 128

  /// What is added to features: of a query, whose largest is 1, and of a key. Chosen for the least error (README).
  struct Floors {
    var query = 0.03
    var key = 1.0
    /// The bare estimate.
    static let none = Floors(query: 0, key: 0)
  }

  init(features: Int, headWidth: Int, floors: Floors = Floors(), generator: Generator) throws(TorchError) {
    self.floors = floors
    projection = try Parameter(Self.rows(features, headWidth, generator), isTrainable: false)
  }

  /// Uses given rows W.
  init(projection: Tensor, floors: Floors) throws(TorchError) {
    self.floors = floors
    self.projection = try Parameter(projection, isTrainable: false)
  }

  override var parts: [Part] { [.tensor("projection", projection)] }

  /// Draws W anew.
  func redraw(_ generator: Generator) throws(TorchError) {
    let (features, width) = (projection.tensor.extent(0), projection.tensor.extent(1))
    try projection.assign(Self.rows(features, width, generator))
  }

  /// Sums over the keys that were seen: Σ φ(k) vᵀ `[B, h, m, d]` and Σ φ(k) `[B, h, m]`.
  struct State {
    var products: Tensor
    var features: Tensor

    /// The same state for `count` rows in place of each.
    func repeated(_ count: Int) throws(TorchError) -> State {
      State(
        products: try products.repeatingEach(count, axis: 0), features: try features.repeatingEach(count, axis: 0))
    }
  }

  /// Causal attention of queries, keys and values `[B, h, n, d]` that follow what `state` has seen.
  /// - Parameter keep: `[B, n]`, zero where a key is not to be seen at all; nil: all are.
  /// - Returns: `[B, h, n, d]`, and the state after the last key.
  func callAsFunction(
    queries: Tensor, keys: Tensor, values: Tensor, keep: Tensor?, state: State?
  ) throws(TorchError) -> (output: Tensor, state: State) {
    guard queries.dtype == .bfloat16 else { return try attended(queries, keys, values, keep: keep, state: state) }
    // Exponentials and long running sums: never in mixed precision.
    return try withoutAutocast(on: queries.device) { () throws(TorchError) in
      try attended(
        queries.to(.float32), keys.to(.float32), values.to(.float32), keep: keep, state: state)
    }
  }

  private func attended(
    _ queries: Tensor, _ keys: Tensor, _ values: Tensor, keep: Tensor?, state: State?
  ) throws(TorchError) -> (output: Tensor, state: State) {
    let count = queries.extent(2)
    let own = try features(of: queries, isQuery: true)
    var theirs = try features(of: keys, isQuery: false)
    if let keep { theirs = try theirs * keep.to(theirs.dtype).reshaped([keep.extent(0), 1, count, 1]) }
    var seen = state
    var outputs: [Tensor] = []
    for start in stride(from: 0, to: count, by: Self.chunk) {
      let range = start..<min(start + Self.chunk, count)
      let (q, k) = (try own.sliced(range, axis: 2), try theirs.sliced(range, axis: 2))
      let v = try values.sliced(range, axis: 2)
      let pairs = try q.matmul(k.transposed(2, 3)) * Self.lowerTriangle(range.count, like: q)
      var numerator = try pairs.matmul(v)
      var denominator = try pairs.sum([3], keepingAxes: true)
      let added = State(products: try k.transposed(2, 3).matmul(v), features: try k.sum([2]))
      if let before = seen {
        numerator = try numerator + q.matmul(before.products)
        denominator = try denominator + q.matmul(before.features.unsqueezed(3))
        seen = State(
          products: try before.products + added.products, features: try before.features + added.features)
      } else {
        seen = added
      }
      outputs.append(try numerator / (denominator + 1e-30))
    }
    guard let seen else { throw TorchError("attention", "there is no token to attend from") }
    return (try .concatenated(outputs, axis: 2), seen)
  }

  /// φ of `[B, h, n, d]`: `[B, h, n, m]`.
  private func features(of vectors: Tensor, isQuery: Bool) throws(TorchError) -> Tensor {
    let width = Double(vectors.extent(3))
    let scaled = try vectors / width.squareRoot().squareRoot()
    let exponents =
      try scaled.linear(projection.tensor.to(scaled.dtype))
      - scaled.squared().sum([3], keepingAxes: true) / 2
    let count = Double(projection.tensor.extent(0))
    guard isQuery else { return try (exponents.exp() + floors.key) / count.squareRoot() }
    let largest = try exponents.detached().maximum([3], keepingAxes: true)
    return try ((exponents - largest).exp() + floors.query) / count.squareRoot()
  }

  private static func lowerTriangle(_ count: Int, like tensor: Tensor) throws(TorchError) -> Tensor {
    let places = try Tensor.arange(0, Double(count), on: tensor.device)
    return try places.reshaped([count, 1]).greaterOrEqual(places.reshaped([1, count])).to(tensor.dtype)
  }

  /// Orthogonal directions in blocks of d, each as long as a normal vector of its own.
  private static func rows(_ count: Int, _ width: Int, _ generator: Generator) throws(TorchError) -> Tensor {
    var rows: [[Double]] = []
    var block: [[Double]] = []
    while rows.count < count {
      if block.count == width { block = [] }
      let drawn: [Double] = try generator.normal(shape: [2, width]).to(.cpu).values(as: Double.self)
      var direction = Array(drawn[..<width])
      for other in block {
        let overlap = zip(direction, other).reduce(0) { $0 + $1.0 * $1.1 }
        for index in direction.indices { direction[index] -= overlap * other[index] }
      }
      let length = direction.reduce(0) { $0 + $1 * $1 }.squareRoot()
      guard length > 1e-6 else { continue }
      block.append(direction.map { $0 / length })
      let norm = drawn[width...].reduce(0) { $0 + $1 * $1 }.squareRoot()
      rows.append(direction.map { $0 / length * norm })
    }
    return try Tensor(rows.flatMap { $0.map(Float.init) }, shape: [count, width]).to(generator.device)
  }
}
