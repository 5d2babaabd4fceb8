public import Foundation

/// Scores by case, as they stand in a CSV file: `name,label,score`.
///
/// The file has a header; columns may stand in any order and further ones are ignored. Labels are `0` or `1`, `false` or
/// `true`, `normal` or `abnormal`, or empty where the truth is not known. Quoting follows RFC 4180.
public struct ScoreTable: Equatable, Sendable {
  /// One case.
  public struct Row: Equatable, Sendable {
    /// What the case is called, for example its file.
    public var name: String
    /// True is abnormal; nil where the truth is not known.
    public var isAbnormal: Bool?
    /// The anomaly score; higher is more abnormal.
    public var score: Double

    /// Creates a row.
    public init(name: String, isAbnormal: Bool?, score: Double) {
      self.name = name
      self.isAbnormal = isAbnormal
      self.score = score
    }
  }

  /// The headings to look for. A missing name or label column is fine where its heading is nil.
  public struct Columns: Equatable, Sendable {
    /// Heading of the names; nil numbers the cases by their line.
    public var name: String?
    /// Heading of the labels; nil leaves the truth unknown.
    public var label: String?
    /// Heading of the scores.
    public var score: String

    /// Names the headings; the defaults are what `csv` writes.
    public init(name: String? = "name", label: String? = "label", score: String = "score") {
      self.name = name
      self.label = label
      self.score = score
    }
  }

  /// The cases, in the order of the file.
  public var rows: [Row]

  /// Creates a table from its rows.
  public init(rows: [Row]) {
    self.rows = rows
  }

  /// Reads a table from text.
  /// - Throws: `ScoreTableError`, naming line and column.
  public init(csv: String, columns: Columns = Columns()) throws(ScoreTableError) {
    let records = try CommaSeparatedValues.records(in: csv)
    guard let header = records.first else { throw .empty }
    let headings = header.fields.map { $0.trimmingCharacters(in: .whitespaces) }
    let name = try Self.position(of: columns.name, in: headings)
    let label = try Self.position(of: columns.label, in: headings)
    guard let score = try Self.position(of: columns.score, in: headings) else { throw .empty }
    rows = []
    rows.reserveCapacity(records.count - 1)
    for record in records.dropFirst() {
      guard record.fields.count == headings.count else {
        throw .wrongFieldCount(line: record.line, expected: headings.count, found: record.fields.count)
      }
      rows.append(
        Row(
          name: name.map { record.fields[$0] } ?? "line \(record.line)",
          isAbnormal: try label.flatMap { (column) throws(ScoreTableError) in
            try Self.label(record.fields[column], line: record.line)
          },
          score: try Self.score(record.fields[score], line: record.line)))
    }
  }

  /// Reads a table from a UTF-8 file.
  /// - Throws: `ScoreTableError`, naming the file, line and column.
  public init(contentsOf file: URL, columns: Columns = Columns()) throws(ScoreTableError) {
    let data: Data
    do { data = try Data(contentsOf: file) } catch { throw .unreadable(file: file.path) }
    guard let text = String(data: data, encoding: .utf8) else { throw .notText(file: file.path) }
    do { try self.init(csv: text, columns: columns) } catch { throw .inFile(file.path, error.description) }
  }

  /// The table as CSV text: `name,label,score` with header, labels 0 and 1, scores that read back exactly.
  public var csv: String {
    rows.reduce(into: CommaSeparatedValues.line(["name", "label", "score"])) { text, row in
      text += CommaSeparatedValues.line([row.name, row.isAbnormal.map { $0 ? "1" : "0" } ?? "", "\(row.score)"])
    }
  }

  /// Writes `csv` to a temporary name and renames it to `file`.
  /// - Throws: `ScoreTableError.unwritable`.
  public func write(to file: URL) throws(ScoreTableError) {
    do { try Data(csv.utf8).write(to: file, options: .atomic) } catch { throw .unwritable(file: file.path) }
  }

  /// The scores with their labels and names, ready to evaluate.
  /// - Throws: `ScoreTableError.labelMissing` naming the first case without a label, or `.invalid` for what
  ///   `LabelledScores` refuses.
  public func labelledScores() throws(ScoreTableError) -> LabelledScores {
    var labels: [Bool] = []
    for row in rows {
      guard let label = row.isAbnormal else { throw .labelMissing(name: row.name) }
      labels.append(label)
    }
    do {
      return try LabelledScores(scores: rows.map(\.score), labels: labels, names: rows.map(\.name))
    } catch {
      throw .invalid(error)
    }
  }
}

extension ScoreTable {
  private static func position(of heading: String?, in headings: [String]) throws(ScoreTableError) -> Int? {
    guard let heading else { return nil }
    let matches = headings.indices.filter { headings[$0].lowercased() == heading.lowercased() }
    guard let position = matches.first else { throw .missingColumn(heading, found: headings) }
    guard matches.count == 1 else { throw .repeatedColumn(heading) }
    return position
  }

  private static func label(_ text: String, line: Int) throws(ScoreTableError) -> Bool? {
    switch text.trimmingCharacters(in: .whitespaces).lowercased() {
    case "": nil
    case "0", "false", "normal": false
    case "1", "true", "abnormal": true
    default: throw .badLabel(text, line: line)
    }
  }

  private static func score(_ text: String, line: Int) throws(ScoreTableError) -> Double {
    guard let score = Double(text.trimmingCharacters(in: .whitespaces)), score.isFinite else {
      throw .badScore(text, line: line)
    }
    return score
  }
}
