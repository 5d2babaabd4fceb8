public import Foundation

extension SafetensorsFile {
  /// Writes arrays and metadata to a file, whole or not at all: to a temporary name in the same folder, then renamed.
  ///
  /// The same arrays and metadata give the same bytes, whatever their order: like the reference implementation's, arrays
  /// are sorted by element type (widest first, so that each is aligned) and then by name; metadata by key.
  /// - Throws: `SerialisationError` when two arrays share a name, one's bytes do not fit its shape, or the file cannot be
  ///   written; a file that was there before stays untouched then.
  public static func write(
    _ arrays: [StoredArray], metadata: [String: String] = [:], to url: URL
  ) throws(SerialisationError) {
    try check(arrays, path: url.path)
    let sorted = arrays.sorted {
      let (left, right) = (alignmentRank($0.dtype), alignmentRank($1.dtype))
      return left != right ? left < right : $0.name.utf8.lexicographicallyPrecedes($1.name.utf8)
    }
    let header = header(sorted.map { ($0.name, $0.dtype, $0.shape) }, metadata: metadata)
    guard header.count <= longestHeader else {
      throw SerialisationError(
        path: url.path, reason: "would need a header of \(header.count) bytes, more than the format's \(longestHeader)",
        remedy: "store less metadata")
    }
    let temporary = url.deletingLastPathComponent()
      .appendingPathComponent(".\(url.lastPathComponent).\(UUID().uuidString)")
    do {
      try Data().write(to: temporary, options: .withoutOverwriting)
      let file = try FileHandle(forWritingTo: temporary)
      try file.write(contentsOf: withUnsafeBytes(of: UInt64(header.count).littleEndian) { Data($0) })
      try file.write(contentsOf: header)
      for array in sorted {
        try file.write(contentsOf: array.data)
      }
      try file.synchronize()
      try file.close()
      guard rename(temporary.path, url.path) == 0 else { throw CocoaError(.fileWriteUnknown) }
    } catch {
      try? FileManager.default.removeItem(at: temporary)
      throw SerialisationError(
        path: url.path, reason: "cannot be written",
        remedy: "check that its folder exists, that you may write there and that the disk is not full")
    }
  }

  /// The bytes in front of the arrays, length and header, for a file that is written piece by piece.
  /// - Parameters:
  ///   - arrays: name, element type and shape of each, in the order of the data.
  ///   - byteCount: how many bytes to fill, a multiple of 8, with spaces behind the header's text.
  /// - Throws: `SerialisationError` when the text does not fit.
  public static func opening(
    of arrays: [(name: String, dtype: ArrayDType, shape: [Int])], metadata: [String: String] = [:], byteCount: Int
  ) throws(SerialisationError) -> Data {
    var header = header(arrays, metadata: metadata)
    guard header.count + 8 <= byteCount else {
      throw SerialisationError(
        path: "header", reason: "takes \(header.count + 8) bytes of the \(byteCount) that it has",
        remedy: "give it more room")
    }
    header.append(Data(repeating: UInt8(ascii: " "), count: byteCount - 8 - header.count))
    return withUnsafeBytes(of: UInt64(header.count).littleEndian) { Data($0) } + header
  }

  private static func check(_ arrays: [StoredArray], path: String) throws(SerialisationError) {
    var names: Set<String> = ["__metadata__"]
    for array in arrays {
      guard names.insert(array.name).inserted else {
        throw SerialisationError(
          path: path, reason: "cannot hold \"\(array.name)\" twice or under a reserved name",
          remedy: "give every array its own name")
      }
      guard array.dtype.byteCount(of: array.shape) == array.data.count else {
        throw SerialisationError(
          path: path,
          reason: "cannot take array \"\(array.name)\": \(array.data.count) bytes do not fit "
            + "\(array.dtype.rawValue) \(array.shape)",
          remedy: "pass as many bytes as the shape needs")
      }
    }
  }

  /// The reference implementation's order of types.
  private static func alignmentRank(_ dtype: ArrayDType) -> Int {
    let order: [ArrayDType] = [.int64, .float64, .float32, .int32, .bfloat16, .float16, .int16, .int8, .uint8, .bool]
    return order.firstIndex(of: dtype) ?? order.count
  }

  /// The JSON header, padded with spaces to a multiple of 8 bytes.
  private static func header(
    _ arrays: [(name: String, dtype: ArrayDType, shape: [Int])], metadata: [String: String]
  ) -> Data {
    var items: [String] = []
    if !metadata.isEmpty {
      let pairs = metadata.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
        .map { "\(quoted($0.key)):\(quoted($0.value))" }
      items.append("\"__metadata__\":{\(pairs.joined(separator: ","))}")
    }
    var offset = 0
    for array in arrays {
      let shape = array.shape.map(String.init).joined(separator: ",")
      let end = offset + (array.dtype.byteCount(of: array.shape) ?? 0)
      items.append(
        "\(quoted(array.name)):{\"dtype\":\"\(array.dtype.rawValue)\",\"shape\":[\(shape)],"
          + "\"data_offsets\":[\(offset),\(end)]}")
      offset = end
    }
    var header = Data("{\(items.joined(separator: ","))}".utf8)
    header.append(Data(repeating: UInt8(ascii: " "), count: (8 - header.count % 8) % 8))
    return header
  }

  /// Text as a JSON string, with the escapes that JSON demands and no others.
  private static func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\u{8}": result += "\\b"
      case "\u{c}": result += "\\f"
      case "\n": result += "\\n"
      case "\r": result += "\\r"
      case "\t": result += "\\t"
      case "\u{0}"..<"\u{20}":
        let digits = String(scalar.value, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }
}
