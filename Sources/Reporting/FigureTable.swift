public import Evaluation

/// The figures of one method or score over its trials.
public struct MethodFigures: Equatable, Sendable {
  /// What the method or score is called.
  public var name: String
  /// Its figures.
  public var summary: TrialSummary

  /// Names figures.
  public init(name: String, summary: TrialSummary) {
    self.name = name
    self.summary = summary
  }
}

/// How well one anomaly map finds what masks mark, over its trials.
public struct MapFigures: Equatable, Sendable {
  /// What the map is called.
  public var name: String
  /// Its figures.
  public var summary: LocalisationSummary

  /// Names figures.
  public init(name: String, summary: LocalisationSummary) {
    self.name = name
    self.summary = summary
  }
}

/// A table of text, ready as Markdown or HTML. The first columns hold words, all others figures.
public struct FigureTable: Equatable, Sendable {
  /// The headings.
  public var columns: [String]
  /// The rows, each as long as `columns`.
  public var rows: [[String]]
  /// How many columns, from the left, hold words; they stand to the left, figures to the right.
  public var textColumns: Int

  /// Creates a table; short rows end in empty cells, long ones are cut.
  public init(columns: [String], rows: [[String]], textColumns: Int = 1) {
    self.columns = columns
    self.textColumns = textColumns
    self.rows = rows.map { row in columns.indices.map { $0 < row.count ? row[$0] : "" } }
  }

  /// Method, AUROC, average precision and trials: what does not depend on a threshold.
  public static func figures(of methods: [MethodFigures]) -> FigureTable {
    FigureTable(
      columns: ["Score", "AUROC", "Average precision", "Trials"],
      rows: methods.map { method in
        [
          method.name, FigureFormat.rate(method.summary.auroc), FigureFormat.rate(method.summary.averagePrecision),
          "\(method.summary.trials)",
        ]
      })
  }

  /// Map, figures over all pixels, and trials: how well maps find what masks mark.
  public static func localisation(of maps: [MapFigures]) -> FigureTable {
    FigureTable(
      columns: ["Map", "Pixel AUROC", "Pixel average precision", "AUPRO", "Best Dice", "Trials"],
      rows: maps.map { map in
        [
          map.name, FigureFormat.rate(map.summary.auroc), FigureFormat.rate(map.summary.averagePrecision),
          FigureFormat.rate(map.summary.aupro), FigureFormat.rate(map.summary.dice), "\(map.summary.trials)",
        ]
      })
  }

  /// One row per method and threshold rule.
  public static func operatingPoints(of methods: [MethodFigures]) -> FigureTable {
    FigureTable(
      columns: ["Score", "Threshold by", "Threshold", "Accuracy", "F1", "Sensitivity", "Specificity", "Precision"],
      rows: methods.flatMap { method in
        method.summary.operatingPoints.map { point in
          [
            method.name, point.rule, FigureFormat.number(point.threshold), FigureFormat.rate(point.accuracy),
            FigureFormat.rate(point.f1), FigureFormat.rate(point.sensitivity), FigureFormat.rate(point.specificity),
            FigureFormat.rate(point.precision),
          ]
        }
      }, textColumns: 2)
  }

  /// The table as GitHub Markdown; pipes and line breaks are escaped.
  public var markdown: String {
    func line(_ cells: [String]) -> String { "| " + cells.joined(separator: " | ") + " |\n" }
    let rule = columns.indices.map { $0 < textColumns ? ":--" : "--:" }
    return rows.reduce(line(columns.map(Self.markdownCell)) + line(rule)) { $0 + line($1.map(Self.markdownCell)) }
  }

  /// The table as HTML, all text escaped. With two columns of words, rows of one name stand together below it.
  public var html: String {
    let isGrouped = textColumns > 1
    let head = columns.indices.dropFirst(isGrouped ? 1 : 0).map {
      "<th scope=\"col\"\(wording($0))>\(escaped(columns[$0]))</th>"
    }
    var body = ""
    for (index, row) in rows.enumerated() {
      if isGrouped, index == 0 || rows[index - 1][0] != row[0] {
        body +=
          "<tr class=\"group\"><th scope=\"rowgroup\" colspan=\"\(columns.count - 1)\">\(escaped(row[0]))</th></tr>\n"
      }
      let cells = row.indices.dropFirst(isGrouped ? 1 : 0).map { column in
        column == 0
          ? "<th scope=\"row\" class=\"words\">\(escaped(row[0]))</th>"
          : "<td\(wording(column))>\(Self.htmlCell(row[column]))</td>"
      }
      body += "<tr>\(cells.joined())</tr>\n"
    }
    return """
      <div class="table"><table>
      <thead><tr>\(head.joined())</tr></thead>
      <tbody>
      \(body)</tbody>
      </table></div>

      """
  }

  private func wording(_ column: Int) -> String { column < textColumns ? " class=\"words\"" : "" }

  /// The deviation of `0.912 ± 0.008` in small type.
  private static func htmlCell(_ text: String) -> String {
    guard let sign = text.firstRange(of: " ± ") else { return escaped(text) }
    return "\(escaped(String(text[..<sign.lowerBound]))) <small>± \(escaped(String(text[sign.upperBound...])))</small>"
  }

  private static func markdownCell(_ text: String) -> String {
    escaped(text).replacing("\\", with: "\\\\").replacing("|", with: "\\|")
      .replacing("\r\n", with: " ").replacing("\n", with: " ").replacing("\r", with: " ")
  }
}
