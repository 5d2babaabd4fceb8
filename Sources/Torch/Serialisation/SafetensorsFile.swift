public import Foundation

/// A safetensors file (https://github.com/huggingface/safetensors): named arrays and a dictionary of text, no code.
///
/// The file is mapped into memory: opening it reads the header alone, an array's bytes are fetched when they are touched.
///
/// Layout: an unsigned 64-bit length *n*, *n* bytes of JSON that place each array, then the arrays without gaps.
public struct SafetensorsFile: Sendable {
  /// Where one array lies and what it is.
  public struct Entry: Equatable, Sendable {
    /// The array's key.
    public let name: String
    /// The type of its elements.
    public let dtype: ArrayDType
    /// Its extents, outermost first.
    public let shape: [Int]
    /// Its bytes, counted from the end of the header.
    let range: Range<Int>
  }

  /// The longest header that is read, in bytes; the limit of the reference implementation.
  static let longestHeader = 100_000_000

  /// The file's path as it was given.
  public let path: String
  /// The free-form text that was stored beside the arrays.
  public let metadata: [String: String]
  /// Every array of the file, in the order of the data.
  public let entries: [Entry]
  private let positions: [String: Int]
  private let contents: Data

  /// Opens a file and checks its whole header; no array is read.
  /// - Throws: `SerialisationError` when the file is missing, is no safetensors file, or its header is inconsistent:
  ///   unknown types, duplicate names, arrays that overlap, leave gaps, or do not fit their shape or the file.
  public init(contentsOf url: URL) throws(SerialisationError) {
    try self.init(ByteReader(mapping: url))
  }

  /// Reads a file whose bytes are at hand.
  init(_ file: ByteReader) throws(SerialisationError) {
    var reader = file
    path = reader.path
    guard reader.data.count >= 8 else {
      throw .damaged(path, "has \(reader.data.count) bytes, too few for a safetensors file")
    }
    let length = try reader.integer(UInt64.self)
    guard length <= UInt64(Self.longestHeader), Int(length) <= reader.remaining else {
      throw SerialisationError(
        path: path, reason: "declares a header of \(length) bytes, which its \(reader.data.count) bytes cannot hold",
        remedy: "check that it is a safetensors file and that it was copied whole")
    }
    var header = SafetensorsHeader(try reader.bytes(Int(length)), path: path)
    try header.parse()
    entries = try header.placedEntries(dataCount: reader.remaining)
    metadata = header.metadata
    positions = Dictionary(entries.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })
    contents = try reader.bytes(reader.remaining)
  }

  /// The array of that name.
  /// - Throws: `SerialisationError` when there is none.
  public func array(named name: String) throws(SerialisationError) -> StoredArray {
    guard let position = positions[name] else {
      throw SerialisationError(
        path: path, reason: "has no array \"\(name)\"", remedy: "check that it was made for this model")
    }
    return array(entries[position])
  }

  /// Every array, in the order of the data.
  public func arrays() -> [StoredArray] {
    entries.map(array)
  }

  private func array(_ entry: Entry) -> StoredArray {
    let start = contents.startIndex + entry.range.lowerBound
    return StoredArray(
      name: entry.name, dtype: entry.dtype, shape: entry.shape, data: contents[start..<start + entry.range.count])
  }
}
