import Foundation

/// A cursor over the bytes of a file; every read is checked against the end.
struct ByteReader {
  let data: Data
  /// Named in errors.
  let path: String
  /// Offset of the next byte from the first.
  var position: Int

  init(_ data: Data, path: String, position: Int = 0) {
    self.data = data
    self.path = path
    self.position = position
  }

  /// Maps a file into memory; nothing is read until it is touched.
  /// - Throws: `SerialisationError` when there is no such file or it cannot be opened.
  init(mapping url: URL) throws(SerialisationError) {
    var isFolder: ObjCBool = false
    guard url.isFileURL, FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder) else {
      throw SerialisationError(path: url.path, reason: "does not exist", remedy: "check the path")
    }
    guard !isFolder.boolValue else {
      throw SerialisationError(path: url.path, reason: "is a folder", remedy: "name a file inside it")
    }
    do {
      self.init(try Data(contentsOf: url, options: .alwaysMapped), path: url.path)
    } catch {
      throw SerialisationError(
        path: url.path, reason: "cannot be opened", remedy: "check that you may read it and that its disk is present")
    }
  }

  var remaining: Int { data.count - position }

  /// The little-endian integer at the cursor.
  mutating func integer<T: FixedWidthInteger & BitwiseCopyable>(_ type: T.Type) throws(SerialisationError) -> T {
    let width = MemoryLayout<T>.size
    try require(width)
    let offset = position
    position += width
    return T(littleEndian: data.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: T.self) })
  }

  /// The next `count` bytes, as a slice that shares the file's memory.
  mutating func bytes(_ count: Int) throws(SerialisationError) -> Data {
    try require(count)
    let start = data.startIndex + position
    position += count
    return data[start..<start + count]
  }

  /// The bytes up to the next line feed, which is consumed.
  mutating func line() throws(SerialisationError) -> Data {
    let start = data.startIndex + position
    guard let end = data[start...].firstIndex(of: UInt8(ascii: "\n")) else {
      throw .damaged(path, "ends within a line of text")
    }
    position = end + 1 - data.startIndex
    return data[start..<end]
  }

  private func require(_ count: Int) throws(SerialisationError) {
    guard position >= 0, count >= 0, count <= remaining else {
      throw .damaged(path, "ends at byte \(data.count) where \(count) bytes were expected from byte \(position) on")
    }
  }
}

extension Data {
  /// The bytes as text, nil when they are not UTF-8.
  var text: String? { String(bytes: self, encoding: .utf8) }
}
