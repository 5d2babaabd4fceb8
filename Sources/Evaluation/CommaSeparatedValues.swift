/// Comma-separated values after RFC 4180: quoted fields may hold commas, quotes (doubled) and line breaks.
public enum CommaSeparatedValues {
  /// One record and the line it starts on, from 1.
  struct Record: Equatable {
    var line: Int
    var fields: [String]
  }

  /// Splits text into records. Lines end with CR LF, LF or CR; empty lines and a byte order mark are skipped.
  /// - Throws: `ScoreTableError.unclosedQuote` or `.textAfterQuote`.
  static func records(in text: String) throws(ScoreTableError) -> [Record] {
    let (quote, comma, carriageReturn, lineFeed) = (UInt8(34), UInt8(44), UInt8(13), UInt8(10))
    var bytes = Array(text.utf8)
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { bytes.removeFirst(3) }
    var records: [Record] = []
    var fields: [String] = []
    var (index, line, start) = (0, 1, 1)
    while index < bytes.count {
      var field: [UInt8] = []
      if bytes[index] == quote {
        let opened = line
        index += 1
        while true {
          guard index < bytes.count else { throw .unclosedQuote(line: opened) }
          if bytes[index] == quote {
            guard index + 1 < bytes.count, bytes[index + 1] == quote else { break }
            index += 1
          } else if bytes[index] == lineFeed || bytes[index] == carriageReturn && bytes.at(index + 1) != lineFeed {
            line += 1
          }
          field.append(bytes[index])
          index += 1
        }
        index += 1
        guard index == bytes.count || [comma, carriageReturn, lineFeed].contains(bytes[index]) else {
          throw .textAfterQuote(line: line)
        }
      } else {
        while index < bytes.count, ![comma, carriageReturn, lineFeed].contains(bytes[index]) {
          field.append(bytes[index])
          index += 1
        }
      }
      fields.append(String(decoding: field, as: UTF8.self))
      if bytes.at(index) == comma {
        index += 1
        if index < bytes.count { continue }
        fields.append("")
      }
      if fields != [""] { records.append(Record(line: start, fields: fields)) }
      fields = []
      if bytes.at(index) == carriageReturn, bytes.at(index + 1) == lineFeed { index += 1 }
      index += 1
      line += 1
      start = line
    }
    return records
  }

  /// One record as text, with CR LF at its end.
  public static func line(_ fields: [String]) -> String {
    fields.map(quotedIfNeeded).joined(separator: ",") + "\r\n"
  }

  private static func quotedIfNeeded(_ field: String) -> String {
    guard field.utf8.contains(where: { [34, 44, 13, 10].contains($0) }) else { return field }
    return "\"" + field.replacing("\"", with: "\"\"") + "\""
  }
}

extension [UInt8] {
  fileprivate func at(_ index: Int) -> UInt8? { index < count ? self[index] : nil }
}
