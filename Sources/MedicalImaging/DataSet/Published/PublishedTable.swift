import Foundation

/// A publisher's table: columns by their names, mistakes by line and column.
struct PublishedTable {
  let path: String
  let rows: [ManifestTable.Row]
  private let columns: [String]
  private let places: [String: Int]

  /// Reads a table that must have these columns, however their names are capitalised.
  /// - Throws: `DataSetError`, when it is missing, no table, empty, or lacks a column.
  init(_ path: String, columns required: [String]) throws(DataSetError) {
    let table = try ManifestTable(path)
    places = Dictionary(table.columns.enumerated().map { ($1.lowercased(), $0) }) { first, _ in first }
    (self.path, rows, columns) = (path, table.rows, table.columns)
    for name in required where places[name.lowercased()] == nil {
      throw .manifest(
        path: path, line: nil, column: nil,
        reason: "it has no column \(name); its columns are \(columns.joined(separator: ", "))")
    }
    guard !rows.isEmpty else { throw .manifest(path: path, line: nil, column: nil, reason: "it has no rows") }
  }

  /// Whether a file is there and its first line names these columns.
  static func isThere(_ path: String, columns: [String]) -> Bool {
    guard let head = try? FileContents.head(path, count: 4096) else { return false }
    let line = String(decoding: head, as: UTF8.self).prefix { !$0.isNewline }
    let names = line.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces.union(["\"", "\u{FEFF}"])) }
    return columns.allSatisfy { column in names.contains { $0.lowercased() == column.lowercased() } }
  }

  /// What stands in a column, without spaces around it; empty where nothing does or there is no such column.
  func text(_ row: ManifestTable.Row, _ column: String) -> String {
    guard let place = places[column.lowercased()] else { return "" }
    return row.fields[place].trimmingCharacters(in: .whitespaces)
  }

  /// What stands in a column that every row fills.
  func filled(_ row: ManifestTable.Row, _ column: String) throws(DataSetError) -> String {
    let text = text(row, column)
    guard !text.isEmpty else { throw mistake(row, column, "it is empty") }
    return text
  }

  /// A number: 1, 0, −1, or nothing; written as 1 or 1.0.
  func number(_ row: ManifestTable.Row, _ column: String) throws(DataSetError) -> Double? {
    let text = text(row, column)
    guard !text.isEmpty else { return nil }
    guard let number = Double(text), number.isFinite else { throw mistake(row, column, "\(text) is no number") }
    return number
  }

  /// The box whose corners, or whose corner and sides, stand in four columns.
  /// - Parameter givesSides: the last two columns are width and height.
  func box(_ row: ManifestTable.Row, _ columns: [String], givesSides: Bool) throws(DataSetError) -> LesionBox {
    let numbers = try columns.map { column throws(DataSetError) in
      guard let number = try number(row, column) else { throw mistake(row, column, "it is empty") }
      return number
    }
    let right = numbers[2] + (givesSides ? numbers[0] : 0)
    let bottom = numbers[3] + (givesSides ? numbers[1] : 0)
    for (column, isForward) in [(columns[2], right > numbers[0]), (columns[3], bottom > numbers[1])] where !isForward {
      throw mistake(row, column, "the box has no \(column == columns[2] ? "width" : "height")")
    }
    return LesionBox(left: numbers[0], top: numbers[1], right: right, bottom: bottom)
  }

  func mistake(_ row: ManifestTable.Row, _ column: String?, _ reason: String) -> DataSetError {
    .manifest(path: path, line: row.line, column: column, reason: reason)
  }

  /// The path of a file that a row names.
  /// - Throws: `DataSetError.manifest` when it is not there.
  func file(_ row: ManifestTable.Row, _ column: String, at path: String) throws(DataSetError) -> String {
    guard FileManager.default.fileExists(atPath: path) else {
      throw mistake(row, column, "\(path) does not exist; unpack the images beside the table as they are shipped")
    }
    return path
  }
}

/// Finds a patient whose images lie in several splits.
struct PatientSplits {
  private var seen: [String: (split: DataItem.Split, place: String)] = [:]

  /// Notes where a patient's image lies.
  /// - Parameter place: for a message, for example `line 3 of train.txt`.
  /// - Returns: what is wrong, as part of a sentence that does not name the patient; nil where nothing is.
  mutating func add(_ patient: String, _ split: DataItem.Split, place: String) -> String? {
    let first = seen[patient] ?? (split, place)
    seen[patient] = first
    guard first.split != split else { return nil }
    return
      "the patient is in \(split.rawValue) here and in \(first.split.rawValue) on \(first.place); keep all images of a "
      + "patient in one split"
  }
}
