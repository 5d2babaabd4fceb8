import Foundation

/// A file of TensorBoard events: records of TFRecord's framing, appended one by one.
///
/// A record is its length (64 bits), the masked checksum of these eight bytes, the bytes, and their masked checksum, all
/// little-endian. A file that is cut off within a record is read up to there.
struct EventFile {
  let url: URL

  /// Begins a file.
  /// - Throws: `TrainingError.cannotWrite`.
  init(creating url: URL, wallTime: Double) throws {
    self.url = url
    do { try Data().write(to: url, options: .withoutOverwriting) } catch {
      throw TrainingError.cannotWrite(path: url.path, reason: error.localizedDescription)
    }
    try append(Event(wallTime: wallTime, step: 0, content: .fileVersion))
  }

  /// Appends an event.
  /// - Throws: `TrainingError.cannotWrite`.
  func append(_ event: Event) throws {
    do {
      let handle = try FileHandle(forWritingTo: url)
      defer { try? handle.close() }
      try handle.seekToEnd()
      try handle.write(contentsOf: Self.framed(event.encoded))
    } catch {
      throw TrainingError.cannotWrite(path: url.path, reason: error.localizedDescription)
    }
  }

  /// The record of some bytes.
  static func framed(_ bytes: Data) -> Data {
    let length = littleEndian(UInt64(bytes.count))
    return length + littleEndian(CRC32C.masked(length)) + bytes + littleEndian(CRC32C.masked(bytes))
  }

  private static func littleEndian(_ number: some FixedWidthInteger) -> Data {
    withUnsafeBytes(of: number.littleEndian) { Data($0) }
  }
}

/// The cyclic redundancy check of Castagnoli (RFC 3720, appendix B.4): polynomial 0x1EDC6F41, bits reflected.
enum CRC32C {
  private static let table: [UInt32] = (0..<256).map { byte in
    (0..<8).reduce(UInt32(byte)) { rest, _ in rest & 1 == 1 ? rest >> 1 ^ 0x82F6_3B78 : rest >> 1 }
  }

  /// The checksum of some bytes.
  static func checksum(_ bytes: Data) -> UInt32 {
    ~bytes.reduce(~UInt32(0)) { rest, byte in rest >> 8 ^ table[Int(UInt8(truncatingIfNeeded: rest) ^ byte)] }
  }

  /// The checksum as records keep it: turned by 15 bits, a constant added.
  static func masked(_ bytes: Data) -> UInt32 {
    let checksum = Self.checksum(bytes)
    return (checksum >> 15 | checksum << 17) &+ 0xA282_EAD8
  }
}
