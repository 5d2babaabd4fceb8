import Foundation

/// An array in NumPy's format: its header and its numbers.
struct NumPyArray: Sendable {
  let header: NumPyHeader
  /// The numbers, possibly with more bytes behind them.
  private let data: Data

  /// Extents, as NumPy has them.
  var shape: [Int] { header.shape }

  /// Reads the header and checks that the numbers are there.
  /// - Parameter path: the file, or the array in an archive, for messages.
  /// - Throws: `ImageError`, for an array that is damaged or one of numbers that are not read.
  init(_ file: Data, path: String) throws(ImageError) {
    header = try NumPyHeader(file, path: path)
    var (bytes, overflows) = (header.width, false)
    for side in header.shape {
      let product = bytes.multipliedReportingOverflow(by: side)
      (bytes, overflows) = (product.partialValue, overflows || product.overflow)
    }
    data = file.dropFirst(header.length)
    guard !overflows, bytes <= data.count else {
      throw .corrupt(
        path: path, format: NumPyFile.format,
        reason: "the file ends early: \(data.count) bytes of numbers, and its shape \(header.shape) asks for more")
    }
  }

  /// The numbers of one entry of the first axis, or of the whole array, in C order.
  /// - Precondition: the index lies within the first axis.
  func values(at index: Int? = nil) -> [Float] {
    switch (header.kind, header.width) {
    case (.boolean, _): gather(at: index) { (bits: UInt8) in bits == 0 ? 0 : 1 }
    case (.unsigned, 1): gather(at: index) { (bits: UInt8) in Float(bits) }
    case (.unsigned, 2): gather(at: index) { (bits: UInt16) in Float(bits) }
    case (.unsigned, 4): gather(at: index) { (bits: UInt32) in Float(bits) }
    case (.unsigned, _): gather(at: index) { (bits: UInt64) in Float(bits) }
    case (.integer, 1): gather(at: index) { (bits: UInt8) in Float(Int8(bitPattern: bits)) }
    case (.integer, 2): gather(at: index) { (bits: UInt16) in Float(Int16(bitPattern: bits)) }
    case (.integer, 4): gather(at: index) { (bits: UInt32) in Float(Int32(bitPattern: bits)) }
    case (.integer, _): gather(at: index) { (bits: UInt64) in Float(Int64(bitPattern: bits)) }
    case (.floating, 2): gather(at: index) { (bits: UInt16) in Self.half(bits) }
    case (.floating, 4): gather(at: index) { (bits: UInt32) in Float(bitPattern: bits) }
    case (.floating, _): gather(at: index) { (bits: UInt64) in Float(Double(bitPattern: bits)) }
    }
  }

  /// Collects numbers along the last axis first, whichever axis runs fastest in memory.
  private func gather<Bits: FixedWidthInteger & BitwiseCopyable>(
    at index: Int?, _ value: (Bits) -> Float
  ) -> [Float] {
    guard !shape.contains(0) else { return [] }
    var strides = [Int](repeating: 1, count: shape.count)
    if header.isFortranOrder {
      for axis in shape.indices.dropFirst() { strides[axis] = strides[axis - 1] * shape[axis - 1] }
    } else {
      for axis in shape.indices.dropLast().reversed() { strides[axis] = strides[axis + 1] * shape[axis + 1] }
    }
    let start = index.map { $0 * strides[0] } ?? 0
    let sides = index == nil ? shape : Array(shape.dropFirst())
    if index != nil { strides.removeFirst() }
    let count = sides.reduce(1, *)
    let (last, step) = (sides.last ?? 1, strides.last ?? 1)
    return data.withUnsafeBytes { bytes in
      [Float](unsafeUninitializedCapacity: count) { result, filled in
        var place = [Int](repeating: 0, count: max(0, sides.count - 1))
        while filled < count {
          var offset = start + zip(place, strides).reduce(0) { $0 + $1.0 * $1.1 }
          for _ in 0..<last {
            let bits = bytes.loadUnaligned(fromByteOffset: offset * MemoryLayout<Bits>.size, as: Bits.self)
            result.initializeElement(
              at: filled, to: value(header.isBigEndian ? Bits(bigEndian: bits) : Bits(littleEndian: bits)))
            filled += 1
            offset += step
          }
          for axis in place.indices.reversed() {
            place[axis] += 1
            if place[axis] < sides[axis] { break }
            place[axis] = 0
          }
        }
      }
    }
  }

  /// An IEEE 754 number of 16 bits; not every machine has the type.
  static func half(_ bits: UInt16) -> Float {
    let (sign, exponent, fraction) = (UInt32(bits >> 15) << 31, Int(bits >> 10 & 31), UInt32(bits & 1023))
    switch exponent {
    case 0: return (sign == 0 ? 1 : -1) * Float(fraction) * 0x1p-24
    case 31: return Float(bitPattern: sign | 0x7F80_0000 | fraction << 13)
    default: return Float(bitPattern: sign | UInt32(exponent + 112) << 23 | fraction << 13)
    }
  }
}
