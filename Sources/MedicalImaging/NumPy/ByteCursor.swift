import Foundation

/// Reads little-endian numbers from the bytes of a file, every one of them checked against its end.
struct ByteCursor {
  private let data: Data
  /// The offset of the next byte from the first.
  private(set) var position: Int

  init(_ data: Data, at position: Int = 0) {
    self.data = data
    self.position = position
  }

  /// The next number; nil where the bytes end before it.
  mutating func integer<Number: FixedWidthInteger & UnsignedInteger>(_ type: Number.Type) -> Number? {
    guard let bytes = bytes(MemoryLayout<Number>.size) else { return nil }
    return bytes.reversed().reduce(0) { $0 << 8 | Number($1) }
  }

  /// The next bytes, a slice that shares the file's memory; nil where there are not as many.
  mutating func bytes(_ count: Int) -> Data? {
    guard position >= 0, count >= 0, position <= data.count, count <= data.count - position else { return nil }
    let start = data.startIndex + position
    position += count
    return data[start..<start + count]
  }
}
