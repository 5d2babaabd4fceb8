import Foundation

/// A table of text with a header row: fields separated by commas or tabs, quoted as RFC 4180 has it (line breaks of either
/// kind, quotes doubled within quotes), UTF-8 with or without a byte order mark. Empty lines are skipped.
struct ManifestTable {
  /// A row and the number of the line it begins on, counted from 1.
  struct Row {
    let line: Int
    let fields: [String]
  }

  /// The names of the columns, without spaces around them.
  let columns: [String]
  /// All rows behind the header, each with as many fields as there are columns.
  let rows: [Row]

  /// Whether a path ends as a manifest's does.
  static func isNamed(_ path: String) -> Bool {
    let lower = path.lowercased()
    return lower.hasSuffix(".csv") || lower.hasSuffix(".tsv")
  }

  /// Reads a file: by its name, of tabs or of commas.
  /// - Throws: `DataSetError.manifest` naming the line, or `.notReadable`.
  init(_ path: String) throws(DataSetError) {
    let data: Data
    do { data = try FileContents.read(path) } catch { throw .notReadable(error) }
    func mistake(_ line: Int?, _ reason: String, column: String? = nil) -> DataSetError {
      .manifest(path: path, line: line, column: column, reason: reason)
    }
    guard String(data: data, encoding: .utf8) != nil else { throw mistake(nil, "it is not UTF-8; save it as UTF-8") }
    let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
    let separator = UInt8(ascii: path.lowercased().hasSuffix(".tsv") ? "\t" : ",")
    var scanner = Scanner(bytes: Array(data.starts(with: mark) ? data.dropFirst(3) : data), separator: separator)
    var table: [Row] = []
    do {
      while let row = try scanner.row() { if row.fields != [""] { table.append(row) } }
    } catch {
      throw mistake(error.line, error.reason)
    }
    guard let header = table.first else { throw mistake(nil, "it is empty; its first line names the columns") }
    let names = header.fields.map { $0.trimmingCharacters(in: .whitespaces) }
    for (index, name) in names.enumerated() {
      guard !name.isEmpty else { throw mistake(header.line, "column \(index + 1) has no name") }
      guard !names[..<index].contains(where: { $0.lowercased() == name.lowercased() }) else {
        throw mistake(header.line, "two columns have this name; keep one", column: name)
      }
    }
    for row in table.dropFirst() where row.fields.count != names.count {
      throw mistake(
        row.line,
        "it has \(row.fields.count) fields and the header \(names.count); put fields with separators into quotes")
    }
    (columns, rows) = (names, Array(table.dropFirst()))
  }

  /// Splits bytes into rows of fields.
  private struct Scanner {
    struct Mistake: Error {
      let line: Int
      let reason: String
    }

    let bytes: [UInt8]
    let separator: UInt8
    private var (place, line) = (0, 1)

    init(bytes: [UInt8], separator: UInt8) { (self.bytes, self.separator) = (bytes, separator) }

    /// The next row; nil at the end.
    mutating func row() throws(Mistake) -> Row? {
      guard place < bytes.count else { return nil }
      let start = line
      var fields: [String] = []
      while true {
        fields.append(try field())
        guard place < bytes.count else { break }
        let end = bytes[place]
        place += 1
        if end == separator { continue }
        if end == UInt8(ascii: "\r"), place < bytes.count, bytes[place] == UInt8(ascii: "\n") { place += 1 }
        line += 1
        break
      }
      return Row(line: start, fields: fields)
    }

    /// A field, up to the separator or line break behind it.
    private mutating func field() throws(Mistake) -> String {
      guard place < bytes.count, bytes[place] == UInt8(ascii: "\"") else { return try plainField() }
      let start = line
      var content: [UInt8] = []
      place += 1
      while place < bytes.count {
        let byte = bytes[place]
        place += 1
        if byte == UInt8(ascii: "\"") {
          guard place < bytes.count, bytes[place] == UInt8(ascii: "\"") else {
            guard isAtEnd else {
              throw Mistake(line: line, reason: "text follows a closing quote; double quotes within quotes")
            }
            return String(decoding: content, as: UTF8.self)
          }
          place += 1
        } else if byte == UInt8(ascii: "\n") {
          line += 1
        }
        content.append(byte)
      }
      throw Mistake(line: start, reason: "a quote is opened and never closed")
    }

    private mutating func plainField() throws(Mistake) -> String {
      let start = place
      while !isAtEnd {
        guard bytes[place] != UInt8(ascii: "\"") else {
          throw Mistake(
            line: line, reason: "a quote stands within a field; put the whole field into quotes and double it")
        }
        place += 1
      }
      return String(decoding: bytes[start..<place], as: UTF8.self)
    }

    private var isAtEnd: Bool {
      place >= bytes.count || [separator, UInt8(ascii: "\n"), UInt8(ascii: "\r")].contains(bytes[place])
    }
  }
}
