import Foundation

/// Reads the JSON header of a safetensors file strictly.
///
/// The header's grammar has a fixed depth, so it is scanned directly: unlike a general JSON reader this notices duplicate
/// keys, and no nesting can exhaust the stack.
struct SafetensorsHeader {
  private(set) var metadata: [String: String] = [:]
  private var entries: [SafetensorsFile.Entry] = []
  private var scanner: JSONScanner
  private var path: String { scanner.path }

  init(_ json: Data, path: String) {
    scanner = JSONScanner(json, path: path)
  }

  /// Reads the whole header.
  mutating func parse() throws(SerialisationError) {
    var names: Set<String> = []
    try scanner.openObject(first: true)
    while let name = try scanner.nextKey() {
      guard names.insert(name).inserted else { throw .damaged(path, "names \"\(name)\" twice in its header") }
      if name == "__metadata__" {
        try parseMetadata()
      } else {
        entries.append(try parseEntry(name))
      }
    }
    try scanner.expectEnd()
  }

  /// The entries in the order of the data, which they must cover from its first byte to its last without gap or overlap.
  func placedEntries(dataCount: Int) throws(SerialisationError) -> [SafetensorsFile.Entry] {
    let placed = entries.sorted {
      ($0.range.lowerBound, $0.range.upperBound) < ($1.range.lowerBound, $1.range.upperBound)
    }
    var end = 0
    for entry in placed {
      guard entry.range.lowerBound == end else {
        throw .damaged(path, "places array \"\(entry.name)\" at byte \(entry.range.lowerBound) instead of \(end)")
      }
      end = entry.range.upperBound
    }
    guard end == dataCount else {
      throw .damaged(path, "has \(dataCount) bytes of arrays where its header describes \(end)")
    }
    return placed
  }

  private mutating func parseMetadata() throws(SerialisationError) {
    try scanner.openObject()
    while let key = try scanner.nextKey() {
      let value = try scanner.string()
      guard metadata.updateValue(value, forKey: key) == nil else {
        throw .damaged(path, "names \"\(key)\" twice in its metadata")
      }
    }
  }

  private mutating func parseEntry(_ name: String) throws(SerialisationError) -> SafetensorsFile.Entry {
    var dtype: ArrayDType?
    var shape: [Int]?
    var offsets: [Int]?
    try scanner.openObject()
    while let key = try scanner.nextKey() {
      switch key {
      case "dtype" where dtype == nil: dtype = try parseDType(of: name)
      case "shape" where shape == nil: shape = try scanner.integers()
      case "data_offsets" where offsets == nil: offsets = try scanner.integers()
      default: throw .damaged(path, "describes array \"\(name)\" with a surplus key \"\(key)\"")
      }
    }
    guard let dtype, let shape, let offsets, offsets.count == 2, offsets[0] <= offsets[1] else {
      throw .damaged(path, "lacks the dtype, shape or data offsets of array \"\(name)\"")
    }
    guard dtype.byteCount(of: shape) == offsets[1] - offsets[0] else {
      throw .damaged(
        path, "gives array \"\(name)\" \(offsets[1] - offsets[0]) bytes, which do not fit \(dtype.rawValue) \(shape)")
    }
    return SafetensorsFile.Entry(name: name, dtype: dtype, shape: shape, range: offsets[0]..<offsets[1])
  }

  private mutating func parseDType(of name: String) throws(SerialisationError) -> ArrayDType {
    let text = try scanner.string()
    guard let dtype = ArrayDType(rawValue: text) else {
      throw SerialisationError(
        path: path, reason: "stores array \"\(name)\" as \(text), which is not supported",
        remedy: "convert it to one of \(ArrayDType.allCases.map(\.rawValue).joined(separator: ", "))")
    }
    return dtype
  }
}
