import CTorch

/// A source of random numbers for one device, owned by whoever draws from it.
///
/// The same seed drawn on the same device gives the same numbers; another device draws others.
public final class Generator {
  /// Where the numbers are wanted.
  public let device: Device
  /// Where they are drawn.
  private let source: Device
  private let raw: ct_generator

  /// Starts a generator.
  /// - Parameters:
  ///   - device: where the numbers are wanted.
  ///   - source: where they are drawn; nil: there as well. Drawn on the processor they are the same for every device.
  /// - Throws: `TorchError` when a device is not there.
  public init(seed: UInt64, on device: Device = .cpu, drawnOn source: Device? = nil) throws(TorchError) {
    var raw: ct_generator?
    (self.device, self.source) = (device, source ?? device)
    try TorchError.check("generator", ct_generator_make(self.source.raw, seed, &raw))
    guard let raw else { throw TorchError("generator", "made none") }
    self.raw = raw
  }

  deinit { ct_generator_release(raw) }

  /// Where the generator stands, `[bytes]`, uint8: setting it back repeats the same numbers.
  public func state() throws(TorchError) -> Tensor { try .make("generator state") { ct_generator_state(raw, $0) } }

  /// Puts the generator where `state` was taken.
  /// - Throws: `TorchError` when `state` is not what a generator of this kind of device returned.
  public func restore(_ state: Tensor) throws(TorchError) {
    let bytes = try state.to(.cpu)
    try TorchError.check("generator state", ct_generator_set_state(raw, bytes.raw))
    withExtendedLifetime(bytes) {}
  }

  /// Uniform numbers in `low ..< high`.
  public func uniform(
    _ low: Double = 0, _ high: Double = 1, shape: [Int], dtype: DType = .float32
  ) throws(TorchError) -> Tensor {
    try withInts(shape) { shape throws(TorchError) in
      try .make("uniform") { ct_uniform(shape, low, high, dtype.raw, source.raw, raw, $0) }.to(device)
    }
  }

  /// Normal numbers.
  public func normal(
    mean: Double = 0, standardDeviation: Double = 1, shape: [Int], dtype: DType = .float32
  ) throws(TorchError) -> Tensor {
    try withInts(shape) { shape throws(TorchError) in
      try .make("normal") { ct_normal(shape, mean, standardDeviation, dtype.raw, source.raw, raw, $0) }.to(device)
    }
  }

  /// Integers in `range`, int64.
  /// - Throws: `TorchError` when `range` is empty.
  public func integers(in range: Range<Int>, shape: [Int]) throws(TorchError) -> Tensor {
    try withInts(shape) { shape throws(TorchError) in
      try .make("integers") {
        ct_random_integers(Int64(range.lowerBound), Int64(range.upperBound), shape, source.raw, raw, $0)
      }.to(device)
    }
  }

  /// The numbers `0 ..< count` in random order, int64.
  public func permutation(_ count: Int) throws(TorchError) -> Tensor {
    try .make("permutation") { ct_permutation(Int64(count), source.raw, raw, $0) }.to(device)
  }

  /// Ones with `probability`, zeros elsewhere.
  /// - Throws: `TorchError` when `probability` is not in 0 ... 1.
  public func bernoulli(_ probability: Double, shape: [Int], dtype: DType = .float32) throws(TorchError) -> Tensor {
    let probabilities = try Tensor.full(probability, shape: shape, dtype: dtype, on: source)
    defer { withExtendedLifetime(probabilities) {} }
    return try .make("bernoulli") { ct_bernoulli(probabilities.raw, raw, $0) }.to(device)
  }

  /// Indices drawn by weight from each row of `weights`, `[K]` or `[N, K]`: `[count]` or `[N, count]`, int64.
  /// - Throws: `TorchError` when a weight is negative, a row sums to zero, or, without replacement, `count` exceeds the
  ///   weights above zero.
  public func multinomial(_ weights: Tensor, count: Int, replacement: Bool = true) throws(TorchError) -> Tensor {
    let weights = try weights.to(source)
    defer { withExtendedLifetime(weights) {} }
    return try .make("multinomial") { ct_multinomial(weights.raw, Int64(count), replacement, raw, $0) }.to(device)
  }
}
