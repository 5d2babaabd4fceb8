import Foundation

/// Reads the records of a zip file that stores them uncompressed, as `torch.save` does, with or without zip64.
///
/// Records are found by the central directory at the end of the file (PKWARE APPNOTE, 4.3.12 to 4.3.16). Checksums are
/// not compared: PyTorch neither checks them nor always writes them.
struct ZipArchive {
  private struct Record {
    let headerOffset: Int
    let count: Int
    let isStored: Bool
  }

  private static let localSignature: UInt32 = 0x0403_4B50
  private static let centralSignature: UInt32 = 0x0201_4B50
  private static let endSignature: UInt32 = 0x0605_4B50
  private static let end64Signature: UInt32 = 0x0606_4B50
  private static let locator64Signature: UInt32 = 0x0706_4B50

  /// Names of the records, in the order of the directory.
  private(set) var names: [String] = []
  private var records: [String: Record] = [:]
  private let data: Data
  private let path: String

  /// Reads the directory of records.
  /// - Throws: `SerialisationError` when it is missing, incomplete or names a record twice.
  init(_ data: Data, path: String) throws(SerialisationError) {
    self.data = data
    self.path = path
    var (count, reader) = try Self.directory(data, path: path)
    while count > 0 {
      try readDirectoryEntry(&reader)
      count -= 1
    }
  }

  /// The bytes of a record, a slice of the file; nil when the archive has no such record.
  /// - Throws: `SerialisationError` when the record is compressed or encrypted, or reaches beyond the file.
  func contents(of name: String) throws(SerialisationError) -> Data? {
    guard let record = records[name] else { return nil }
    guard record.isStored else {
      throw .unsupported(path, "holds the record \(name) compressed or encrypted, which torch.save never does")
    }
    var reader = ByteReader(data, path: path, position: record.headerOffset)
    guard try reader.integer(UInt32.self) == Self.localSignature else {
      throw .damaged(path, "has no record \(name) where its directory points")
    }
    _ = try reader.bytes(22)
    let nameLength = Int(try reader.integer(UInt16.self))
    let extraLength = Int(try reader.integer(UInt16.self))
    _ = try reader.bytes(nameLength + extraLength)
    return try reader.bytes(record.count)
  }

  /// The number of entries and a reader at the first of them.
  private static func directory(_ data: Data, path: String) throws(SerialisationError) -> (UInt64, ByteReader) {
    // The end record has 22 bytes and a comment of at most 65535, so it is searched for from the back.
    let lowest = max(0, data.count - 22 - 65535)
    var position = data.count - 22
    var end = ByteReader(data, path: path, position: position)
    while position >= lowest, try end.integer(UInt32.self) != endSignature {
      position -= 1
      end.position = position
    }
    guard position >= lowest else { throw .damaged(path, "is a zip file without its directory") }
    _ = try end.bytes(6)
    var count = UInt64(try end.integer(UInt16.self))
    _ = try end.bytes(4)
    var offset = UInt64(try end.integer(UInt32.self))

    var locator = ByteReader(data, path: path, position: position - 20)
    if position >= 20, try locator.integer(UInt32.self) == locator64Signature {
      _ = try locator.bytes(4)
      let end64Offset = try locator.integer(UInt64.self)
      var end64 = ByteReader(data, path: path, position: try checked(end64Offset, data, path))
      guard try end64.integer(UInt32.self) == end64Signature else {
        throw .damaged(path, "has no zip64 directory where it points")
      }
      _ = try end64.bytes(28)
      count = try end64.integer(UInt64.self)
      _ = try end64.bytes(8)
      offset = try end64.integer(UInt64.self)
    }
    return (count, ByteReader(data, path: path, position: try checked(offset, data, path)))
  }

  private mutating func readDirectoryEntry(_ reader: inout ByteReader) throws(SerialisationError) {
    guard try reader.integer(UInt32.self) == Self.centralSignature else {
      throw .damaged(path, "has a broken zip directory")
    }
    _ = try reader.bytes(4)
    let flags = try reader.integer(UInt16.self)
    let method = try reader.integer(UInt16.self)
    _ = try reader.bytes(8)
    let compressed = try reader.integer(UInt32.self)
    let uncompressed = try reader.integer(UInt32.self)
    let nameLength = Int(try reader.integer(UInt16.self))
    let extraLength = Int(try reader.integer(UInt16.self))
    let commentLength = Int(try reader.integer(UInt16.self))
    _ = try reader.bytes(8)
    let offset = try reader.integer(UInt32.self)
    guard let name = try reader.bytes(nameLength).text else {
      throw .damaged(path, "has a record whose name is no text")
    }
    let sizes = try Self.sizes64(
      ByteReader(try reader.bytes(extraLength), path: path), uncompressed: uncompressed, compressed: compressed,
      offset: offset)
    _ = try reader.bytes(commentLength)

    let record = Record(
      headerOffset: try Self.checked(sizes.offset, data, path), count: try Self.checked(sizes.uncompressed, data, path),
      isStored: method == 0 && flags & 1 == 0 && sizes.compressed == sizes.uncompressed)
    guard records.updateValue(record, forKey: name) == nil else {
      throw .damaged(path, "holds the record \(name) twice")
    }
    names.append(name)
  }

  /// Sizes and offset of an entry, with those that read `0xFFFFFFFF` taken from the zip64 extra field.
  private static func sizes64(
    _ extra: ByteReader, uncompressed: UInt32, compressed: UInt32, offset: UInt32
  ) throws(SerialisationError) -> (uncompressed: UInt64, compressed: UInt64, offset: UInt64) {
    var extra = extra
    var sizes = [uncompressed, compressed, offset].map(UInt64.init)
    while extra.remaining >= 4 {
      let tag = try extra.integer(UInt16.self)
      let length = Int(try extra.integer(UInt16.self))
      var field = ByteReader(try extra.bytes(length), path: extra.path)
      guard tag == 1 else { continue }
      for index in sizes.indices where sizes[index] == UInt64(UInt32.max) {
        sizes[index] = try field.integer(UInt64.self)
      }
      break
    }
    return (sizes[0], sizes[1], sizes[2])
  }

  private static func checked(_ value: UInt64, _ data: Data, _ path: String) throws(SerialisationError) -> Int {
    guard value <= UInt64(data.count) else { throw .damaged(path, "has a zip directory that points beyond its end") }
    return Int(value)
  }
}
