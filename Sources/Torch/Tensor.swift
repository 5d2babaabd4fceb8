import CTorch

/// An n-dimensional array on a device, with gradients where asked for.
///
/// A value to its users: operations return new tensors (or views, which share memory but cannot be written through).
/// The memory is freed when the last copy goes. Not `Sendable`: send `values(as:)` across threads instead.
public struct Tensor {
  private(set) var handle: Handle

  /// Owns one C handle.
  final class Handle {
    let raw: ct_tensor
    init(_ raw: ct_tensor) { self.raw = raw }
    deinit { ct_release(raw) }
  }

  init(adopting raw: ct_tensor) { handle = Handle(raw) }

  var raw: ct_tensor { handle.raw }

  /// Whether no other copy of this value exists, so that its memory may be used again.
  mutating func isSoleCopy() -> Bool { isKnownUniquelyReferenced(&handle) }

  /// Runs a C function that makes one tensor.
  static func make(
    _ operation: String, _ body: (UnsafeMutablePointer<ct_tensor?>) -> ct_status
  ) throws(TorchError) -> Tensor {
    var raw: ct_tensor?
    try TorchError.check(operation, body(&raw))
    guard let raw else { throw TorchError(operation, "made no tensor") }
    return Tensor(adopting: raw)
  }
}

// MARK: - Creating

extension Tensor {
  /// Copies `values` into a tensor, row by row.
  /// - Throws: `TorchError` when `shape` does not hold as many values as there are.
  public init<Element: TensorElement>(
    _ values: [Element], shape: [Int]? = nil, on device: Device = .cpu
  ) throws(TorchError) {
    let shape = shape ?? [values.count]
    guard Element.dtype.stored.byteCount(of: shape) == values.count * Element.dtype.width else {
      throw TorchError("tensor", "\(values.count) values do not fill the shape \(shape)")
    }
    let made: Result<Tensor, TorchError> = values.withUnsafeBytes { bytes in
      Result { () throws(TorchError) in try Tensor(bytes: bytes, dtype: Element.dtype, shape: shape, on: device) }
    }
    self = try made.get()
  }

  /// Copies raw little-endian memory into a tensor.
  /// - Throws: `TorchError` when `bytes` is not as long as `shape` and `dtype` say.
  public init(bytes: UnsafeRawBufferPointer, dtype: DType, shape: [Int], on device: Device = .cpu) throws(TorchError) {
    guard dtype.stored.byteCount(of: shape) == bytes.count else {
      throw TorchError("tensor", "\(bytes.count) bytes do not fill the shape \(shape) of \(dtype)")
    }
    self = try withInts(shape) { shape throws(TorchError) in
      try Tensor.make("tensor") { ct_from_data(bytes.baseAddress, dtype.raw, shape, device.raw, $0) }
    }
  }

  /// A tensor that holds `value` everywhere.
  public static func full(
    _ value: Double, shape: [Int], dtype: DType = .float32, on device: Device = .cpu
  ) throws(TorchError) -> Tensor {
    try withInts(shape) { shape throws(TorchError) in
      try make("full") { ct_full(value, dtype.raw, shape, device.raw, $0) }
    }
  }

  /// A tensor of zeros.
  public static func zeros(
    _ shape: [Int], dtype: DType = .float32, on device: Device = .cpu
  ) throws(TorchError) -> Tensor {
    try full(0, shape: shape, dtype: dtype, on: device)
  }

  /// A tensor of ones.
  public static func ones(
    _ shape: [Int], dtype: DType = .float32, on device: Device = .cpu
  ) throws(TorchError) -> Tensor {
    try full(1, shape: shape, dtype: dtype, on: device)
  }

  /// `start, start + step, …` up to and without `end`.
  public static func arange(
    _ start: Double = 0, _ end: Double, step: Double = 1, dtype: DType = .float32, on device: Device = .cpu
  ) throws(TorchError) -> Tensor {
    try make("arange") { ct_arange(start, end, step, dtype.raw, device.raw, $0) }
  }

  /// Zeros of the same shape, type and device.
  public func zerosLike() throws(TorchError) -> Tensor { try .zeros(shape, dtype: dtype, on: device) }

  /// Ones of the same shape, type and device.
  public func onesLike() throws(TorchError) -> Tensor { try .ones(shape, dtype: dtype, on: device) }
}

// MARK: - Asking

extension Tensor {
  /// Extents along each axis; empty for a single number.
  public var shape: [Int] {
    [Int](unsafeUninitializedCapacity: rank) { buffer, count in
      count = buffer.count
      guard let base = buffer.baseAddress else { return }
      base.withMemoryRebound(to: Int64.self, capacity: count) { ct_shape(raw, $0) }
    }
  }

  /// The number of axes.
  public var rank: Int { ct_rank(raw) }

  /// The number of elements.
  public var count: Int { Int(ct_count(raw)) }

  /// The extent along `axis`; negative axes count from the end.
  /// - Precondition: the axis exists.
  public func extent(_ axis: Int) -> Int { shape[axis < 0 ? rank + axis : axis] }

  /// The element type.
  public var dtype: DType { DType(ct_dtype_of(raw)) }

  /// The device that holds the elements.
  public var device: Device { Device(ct_device_of(raw)) }

  /// All elements, row by row, converted to `Element` where the tensor has another type.
  public func values<Element: TensorElement>(as type: Element.Type = Float.self) throws(TorchError) -> [Element] {
    let source = dtype == Element.dtype ? self : try to(Element.dtype)
    let count = source.count
    var failure: TorchError?
    let values = [Element](unsafeUninitializedCapacity: count) { buffer, filled in
      do throws(TorchError) {
        try TorchError.check(
          "values", ct_copy_out(source.raw, buffer.baseAddress, count * MemoryLayout<Element>.stride))
        filled = count
      } catch { failure = error }
    }
    if let failure { throw failure }
    return withExtendedLifetime(source) { values }
  }

  /// The element's bytes, row by row, in the tensor's own type.
  public func bytes() throws(TorchError) -> [UInt8] {
    let size = count * dtype.width
    var failure: TorchError?
    let bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, filled in
      do throws(TorchError) {
        try TorchError.check("bytes", ct_copy_out(raw, buffer.baseAddress, size))
        filled = size
      } catch { failure = error }
    }
    if let failure { throw failure }
    return bytes
  }

  /// The value of a tensor with one element.
  /// - Throws: `TorchError` when it has none or several.
  public func item() throws(TorchError) -> Double {
    var value = 0.0
    try TorchError.check("item", ct_item(raw, &value))
    return value
  }
}

// MARK: - Moving

extension Tensor {
  /// The same values as another element type.
  public func to(_ dtype: DType) throws(TorchError) -> Tensor {
    try .make("to \(dtype)") { ct_to_dtype(raw, dtype.raw, $0) }
  }

  /// The same values on another device.
  public func to(_ device: Device) throws(TorchError) -> Tensor {
    try .make("to \(device)") { ct_to_device(raw, device.raw, $0) }
  }

  /// A copy with memory of its own; gradients flow through it.
  public func copy() throws(TorchError) -> Tensor { try .make("copy") { ct_clone(raw, $0) } }

  /// The same values in row-major memory.
  public func contiguous() throws(TorchError) -> Tensor { try .make("contiguous") { ct_contiguous(raw, false, $0) } }

  /// The same values, channels innermost in memory, which convolutions on the processor and tensor cores prefer.
  public func channelsLast() throws(TorchError) -> Tensor { try .make("channelsLast") { ct_contiguous(raw, true, $0) } }

  /// Overwrites the elements with those of `source`; no gradient is recorded. For tensors that a module owns.
  mutating func assign(_ source: Tensor) throws(TorchError) {
    try TorchError.check("assign", ct_copy_into(raw, source.raw))
  }

  /// Overwrites every element with `value`; no gradient is recorded. For tensors that a module owns.
  mutating func fill(_ value: Double) throws(TorchError) {
    try TorchError.check("fill", ct_fill(raw, value))
  }
}

extension Tensor: CustomStringConvertible {
  /// Element type, shape and device, never the values.
  public var description: String { "Tensor(\(dtype), \(shape), \(device))" }
}
