import Foundation

/// Steps through JSON token by token, as far as a safetensors header needs it: objects, text and lists of counts.
struct JSONScanner {
  private var reader: ByteReader
  /// Whether the next key is the first of its object, so that no comma goes before it.
  private var isFirstKey = false

  init(_ json: Data, path: String) {
    reader = ByteReader(json, path: path)
  }

  var path: String { reader.path }

  /// Consumes `{`.
  /// - Parameter first: whether nothing, not even a space, may stand before it.
  mutating func openObject(first: Bool = false) throws(SerialisationError) {
    if !first { skipSpace() }
    try expect("{")
    isFirstKey = true
  }

  /// The next key of the open object, with its colon consumed; nil after consuming the closing `}`.
  mutating func nextKey() throws(SerialisationError) -> String? {
    skipSpace()
    if peek() == UInt8(ascii: "}") {
      try expect("}")
      isFirstKey = false
      return nil
    }
    if !isFirstKey {
      try expect(",")
    }
    isFirstKey = false
    let key = try string()
    skipSpace()
    try expect(":")
    return key
  }

  /// A list of whole numbers, none negative: `[2, 3]`.
  mutating func integers() throws(SerialisationError) -> [Int] {
    skipSpace()
    try expect("[")
    skipSpace()
    var values: [Int] = []
    if peek() != UInt8(ascii: "]") {
      values.append(try integer())
      skipSpace()
      while peek() == UInt8(ascii: ",") {
        try expect(",")
        values.append(try integer())
        skipSpace()
      }
    }
    try expect("]")
    return values
  }

  /// Text in quotes.
  mutating func string() throws(SerialisationError) -> String {
    skipSpace()
    try expect("\"")
    var bytes: [UInt8] = []
    while true {
      let byte = try reader.integer(UInt8.self)
      switch byte {
      case UInt8(ascii: "\""):
        guard let text = Data(bytes).text else { throw .damaged(path, "has a header with text that is not UTF-8") }
        return text
      case UInt8(ascii: "\\"): bytes.append(contentsOf: try escape().utf8)
      case 0..<0x20: throw unexpected(at: reader.position - 1)
      default: bytes.append(byte)
      }
    }
  }

  /// Nothing but space is left.
  mutating func expectEnd() throws(SerialisationError) {
    skipSpace()
    guard reader.remaining == 0 else { throw unexpected(at: reader.position) }
  }

  private mutating func integer() throws(SerialisationError) -> Int {
    skipSpace()
    let start = reader.position
    var value = 0
    while let byte = peek(), (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) {
      let (scaled, tooLarge) = value.multipliedReportingOverflow(by: 10)
      let (sum, overflow) = scaled.addingReportingOverflow(Int(byte - UInt8(ascii: "0")))
      guard !tooLarge, !overflow, reader.position == start || value > 0 else { throw unexpected(at: start) }
      value = sum
      reader.position += 1
    }
    guard reader.position > start else { throw unexpected(at: start) }
    return value
  }

  private mutating func escape() throws(SerialisationError) -> String {
    let start = reader.position - 1
    switch try reader.integer(UInt8.self) {
    case UInt8(ascii: "\""): return "\""
    case UInt8(ascii: "\\"): return "\\"
    case UInt8(ascii: "/"): return "/"
    case UInt8(ascii: "b"): return "\u{8}"
    case UInt8(ascii: "f"): return "\u{c}"
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "u"):
      var units = [try hexadecimal()]
      if UTF16.isLeadSurrogate(units[0]) {
        try expect("\\")
        try expect("u")
        units.append(try hexadecimal())
      }
      var decoder = UTF16()
      var source = units.makeIterator()
      guard case .scalarValue(let scalar) = decoder.decode(&source), source.next() == nil else {
        throw unexpected(at: start)
      }
      return String(scalar)
    default: throw unexpected(at: start)
    }
  }

  private mutating func hexadecimal() throws(SerialisationError) -> UInt16 {
    let start = reader.position
    var value: UInt16 = 0
    for byte in try reader.bytes(4) {
      guard let digit = Character(UnicodeScalar(byte)).hexDigitValue else { throw unexpected(at: start) }
      value = value << 4 | UInt16(digit)
    }
    return value
  }

  private mutating func skipSpace() {
    while let byte = peek(), [0x20, 0x09, 0x0A, 0x0D].contains(byte) {
      reader.position += 1
    }
  }

  private func peek() -> UInt8? {
    reader.remaining > 0 ? reader.data[reader.data.startIndex + reader.position] : nil
  }

  private mutating func expect(_ character: UnicodeScalar) throws(SerialisationError) {
    guard peek() == UInt8(ascii: character) else { throw unexpected(at: reader.position) }
    reader.position += 1
  }

  private func unexpected(at position: Int) -> SerialisationError {
    .damaged(path, "has a header that is not valid at its byte \(position)")
  }
}
