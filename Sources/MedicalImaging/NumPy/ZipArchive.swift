import CMedicalImaging
import Foundation

/// The entries of a zip file, stored or deflated, with or without zip64 (PKWARE APPNOTE, 4.3.7 to 4.3.16).
struct ZipArchive: Sendable {
  /// A file in the archive, as its directory has it.
  struct Entry: Equatable, Sendable {
    let name: String
    let method: UInt16
    let isEncrypted: Bool
    let checksum: UInt32
    var compressed: UInt64
    var size: UInt64
    var offset: UInt64

    /// Whether its bytes lie in the archive as they are.
    var isStored: Bool { method == 0 }
  }

  /// In the order of the directory.
  let entries: [Entry]
  private let data: Data
  private let path: String

  /// Reads the directory.
  /// - Throws: `ImageError.corrupt`, when it is missing, incomplete or names an entry twice.
  init(_ data: Data, path: String) throws(ImageError) {
    func damaged(_ reason: String) -> ImageError { .corrupt(path: path, format: NumPyFile.format, reason: reason) }
    guard let (count, offset) = Self.directory(data) else { throw damaged("it ends without a zip file's directory") }
    guard offset <= UInt64(data.count), count <= UInt64(data.count) / 46 else {
      throw damaged("its zip directory reaches beyond its end")
    }
    var (cursor, entries, names) = (ByteCursor(data, at: Int(offset)), [Entry](), Set<String>())
    for _ in 0..<count {
      guard let entry = Self.entry(&cursor) else { throw damaged("its zip directory is broken") }
      guard names.insert(entry.name).inserted else { throw damaged("it holds \(entry.name) twice") }
      entries.append(entry)
    }
    (self.entries, self.data, self.path) = (entries, data, path)
  }

  /// The bytes of an entry; of a stored one, a slice of the file.
  /// - Throws: `ImageError`, when it is encrypted, compressed in another way than deflate, damaged, or too large for memory.
  func contents(of entry: Entry) throws(ImageError) -> Data {
    func damaged(_ reason: String) -> ImageError {
      .corrupt(path: path, format: NumPyFile.format, reason: "\(reason) (\(entry.name))")
    }
    guard !entry.isEncrypted, entry.method == 0 || entry.method == 8 else {
      throw .unsupported(
        path: path, format: NumPyFile.format,
        reason: "its entry \(entry.name) is encrypted or compressed in an unusual way; write it with numpy.savez")
    }
    guard entry.offset <= UInt64(data.count), entry.compressed <= UInt64(data.count) else {
      throw damaged("an entry reaches beyond its end")
    }
    var cursor = ByteCursor(data, at: Int(entry.offset))
    guard cursor.integer(UInt32.self) == 0x0403_4B50, cursor.bytes(22) != nil,
      let name = cursor.integer(UInt16.self), let extra = cursor.integer(UInt16.self),
      cursor.bytes(Int(name) + Int(extra)) != nil, let bytes = cursor.bytes(Int(entry.compressed))
    else { throw damaged("an entry is not where the directory points") }
    guard !entry.isStored else {
      guard entry.size == entry.compressed else { throw damaged("an entry has two sizes") }
      return bytes
    }
    // Deflate shrinks at best 1,032 : 1.
    guard entry.size / 1032 <= entry.compressed else { throw damaged("an entry declares more than it can hold") }
    return try inflated(bytes, entry: entry)
  }

  private func inflated(_ bytes: Data, entry: Entry) throws(ImageError) -> Data {
    guard let memory = malloc(max(1, Int(entry.size))) else {
      throw .outOfMemory(path: path, reason: "\(entry.name) has \(entry.size) bytes")
    }
    var message = [CChar](repeating: 0, count: CMI_MESSAGE_CAPACITY)
    let status = bytes.withUnsafeBytes { source in
      cmi_inflate(
        source.bindMemory(to: UInt8.self).baseAddress, source.count, memory.assumingMemoryBound(to: UInt8.self),
        Int(entry.size), entry.checksum, &message)
    }
    guard status == CMI_OK else {
      free(memory)
      throw ImageError(
        status, reason: "\(sentencePart(message)) (\(entry.name))", path: path, format: NumPyFile.format)
    }
    return Data(bytesNoCopy: memory, count: Int(entry.size), deallocator: .free)
  }

  // MARK: The directory

  /// The number of entries and the place of the first one's.
  private static func directory(_ data: Data) -> (count: UInt64, offset: UInt64)? {
    // The end record has 22 bytes and a comment of at most 65535 behind them, so it is searched for from the back.
    let places = stride(from: data.count - 22, through: max(0, data.count - 22 - 65535), by: -1)
    guard let place = places.first(where: { signature(data, at: $0) == 0x0605_4B50 }) else { return nil }
    if place >= 20, signature(data, at: place - 20) == 0x0706_4B50 {
      var locator = ByteCursor(data, at: place - 12)
      guard let offset = locator.integer(UInt64.self), offset <= UInt64(data.count),
        signature(data, at: Int(offset)) == 0x0606_4B50
      else { return nil }
      var end = ByteCursor(data, at: Int(offset) + 32)
      guard let count = end.integer(UInt64.self), end.bytes(8) != nil, let first = end.integer(UInt64.self) else {
        return nil
      }
      return (count, first)
    }
    var end = ByteCursor(data, at: place + 10)
    guard let count = end.integer(UInt16.self), end.bytes(4) != nil, let first = end.integer(UInt32.self) else {
      return nil
    }
    return (UInt64(count), UInt64(first))
  }

  private static func signature(_ data: Data, at place: Int) -> UInt32? {
    var cursor = ByteCursor(data, at: place)
    return cursor.integer(UInt32.self)
  }

  private static func entry(_ cursor: inout ByteCursor) -> Entry? {
    guard cursor.integer(UInt32.self) == 0x0201_4B50, cursor.bytes(4) != nil,
      let flags = cursor.integer(UInt16.self), let method = cursor.integer(UInt16.self), cursor.bytes(4) != nil,
      let checksum = cursor.integer(UInt32.self), let compressed = cursor.integer(UInt32.self),
      let size = cursor.integer(UInt32.self), let nameLength = cursor.integer(UInt16.self),
      let extraLength = cursor.integer(UInt16.self), let commentLength = cursor.integer(UInt16.self),
      cursor.bytes(8) != nil, let offset = cursor.integer(UInt32.self), let name = cursor.bytes(Int(nameLength)),
      let text = String(data: name, encoding: .utf8), let extra = cursor.bytes(Int(extraLength)),
      cursor.bytes(Int(commentLength)) != nil
    else { return nil }
    var entry = Entry(
      name: text, method: method, isEncrypted: flags & 1 != 0, checksum: checksum, compressed: UInt64(compressed),
      size: UInt64(size), offset: UInt64(offset))
    return readSizes64(extra, into: &entry) ? entry : nil
  }

  /// Takes sizes and offset that read `0xFFFFFFFF` from the zip64 field; false where it is cut off.
  private static func readSizes64(_ extra: Data, into entry: inout Entry) -> Bool {
    var fields = ByteCursor(extra)
    while let tag = fields.integer(UInt16.self), let length = fields.integer(UInt16.self) {
      guard let bytes = fields.bytes(Int(length)) else { return false }
      guard tag == 1 else { continue }
      var field = ByteCursor(bytes)
      for size in [\Entry.size, \Entry.compressed, \Entry.offset] where entry[keyPath: size] == UInt64(UInt32.max) {
        guard let value = field.integer(UInt64.self) else { return false }
        entry[keyPath: size] = value
      }
    }
    return true
  }
}
