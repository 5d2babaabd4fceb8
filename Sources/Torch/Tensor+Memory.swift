import CTorch
import Foundation

// Tensors by where their memory is.
extension Tensor {
  /// A tensor on the processor whose elements are whatever its memory held.
  static func empty(_ shape: [Int], dtype: DType = .float32, pinned: Bool = false) throws(TorchError) -> Tensor {
    try withInts(shape) { shape throws(TorchError) in try make("empty") { ct_empty(shape, dtype.raw, pinned, $0) } }
  }

  /// Copies rows one behind the other into a tensor on the processor.
  /// - Parameter isPinned: whether its memory is such that a GPU can fetch it while the processor goes on; for devices of
  ///   NVIDIA's, and only where there is one.
  /// - Throws: `TorchError` when `shape` does not hold as many values as there are.
  public init(rows: [[Float]], shape: [Int], isPinned: Bool = false) throws(TorchError) {
    let count = rows.reduce(0) { $0 + $1.count }
    guard shape.reduce(1, *) == count else {
      throw TorchError("tensor", "\(count) values do not fill the shape \(shape)")
    }
    self = try .empty(shape, pinned: isPinned)
    guard count > 0, let memory = ct_memory(raw) else { return }
    var place = memory.assumingMemoryBound(to: Float.self)
    for row in rows {
      row.withUnsafeBufferPointer { values in
        guard let first = values.baseAddress else { return }
        place.update(from: first, count: values.count)
      }
      place += row.count
    }
  }

  /// Whether nothing else shares this tensor's memory or history, so that it can be kept without a copy.
  mutating func isAlone() -> Bool { isSoleCopy() && ct_is_alone(raw) }
}

extension StoredArray {
  /// Arrays of fewer bytes are copied: a page of memory costs as much.
  static let smallestShared = 1 << 16

  /// The array as a tensor on the processor over the same memory, which for an array of a file is the file's: nothing is read
  /// before it is used. The tensor must not be written to (`Parameter` takes memory of its own first). Small arrays, and those
  /// that lie in memory as their type cannot, are copied.
  /// - Throws: `TorchError` when the bytes do not fill the shape.
  public func sharedTensor() throws(TorchError) -> Tensor {
    guard data.count >= Self.smallestShared, dtype.byteCount(of: shape) == data.count,
      let type = DType.allCases.first(where: { $0.stored == dtype })
    else { return try tensor() }
    let made: Result<Tensor, TorchError>? = data.withUnsafeBytes { bytes in
      guard let start = bytes.baseAddress, Int(bitPattern: start) % dtype.width == 0 else { return nil }
      // `Data` of this size keeps its bytes where they are as long as one of its copies lives.
      let owner = Unmanaged.passRetained(SharedBytes(data)).toOpaque()
      return Result { () throws(TorchError) in
        try withInts(shape) { shape throws(TorchError) in
          try Tensor.make("tensor over memory") {
            ct_over(
              start, type.raw, shape, owner,
              { if let owner = $0 { Unmanaged<SharedBytes>.fromOpaque(owner).release() } }, $0)
          }
        }
      }
    }
    guard let made else { return try tensor() }
    return try made.get()
  }
}

/// Bytes that tensors lie over.
private final class SharedBytes {
  let data: Data
  init(_ data: Data) { self.data = data }
}

/// Measures how much memory work takes.
public enum MemoryMeter {
  /// The most bytes that tensors held at one time while `body` ran, of those that were made meanwhile, by this thread or by the
  /// backward pass.
  public static func peak(_ body: () throws -> Void) throws -> Int {
    var meter: ct_meter?
    try TorchError.check("memory meter", ct_meter_begin(&meter))
    let outcome = Result(catching: body)
    let peak = ct_meter_end(meter)
    try outcome.get()
    return Int(peak)
  }
}

extension Device {
  /// Bytes that are free on a GPU.
  /// - Throws: `TorchError` for the processor, and where libtorch cannot tell.
  public func freeMemory() throws(TorchError) -> Int {
    var bytes: Int64 = 0
    try TorchError.check("free memory of \(self)", ct_free_memory(raw, &bytes))
    return Int(bytes)
  }
}
