public import Evaluation

/// The figures of one method or score over its trials.
public struct MethodFigures: Equatable, Sendable {
  /// What the method or score is called.
  public var name: String
  /// Its figures.
  public var summary: TrialSummary
  /// Whether this is the score that ranks a method's images; tables say so.
  public var isDefault: Bool

  /// Names figures.
  public init(name: String, summary: TrialSummary, isDefault: Bool = false) {
    (self.name, self.summary, self.isDefault) = (name, summary, isDefault)
  }

  fileprivate var label: String { isDefault ? "\(name) (default)" : name }
}

/// How well one anomaly map finds what masks mark, over its trials.
public struct MapFigures: Equatable, Sendable {
  /// What the map is called.
  public var name: String
  /// Its figures.
  public var summary: LocalisationSummary
  /// Whether this is the map that is shown first; tables say so.
  public var isDefault: Bool

  /// Names figures.
  public init(name: String, summary: LocalisationSummary, isDefault: Bool = false) {
    (self.name, self.summary, self.isDefault) = (name, summary, isDefault)
  }

  fileprivate var label: String { isDefault ? "\(name) (default)" : name }
}

/// A table of text, ready as Markdown or LaTeX, and for pages. The first columns hold words, all others figures.
public struct FigureTable: Equatable, Sendable {
  /// The headings.
  public var columns: [String]
  /// The rows, each as long as `columns`.
  public var rows: [[String]]
  /// How many columns, from the left, hold words; they stand to the left, figures to the right.
  public var textColumns: Int
  /// A heading of the table's own, on pages; or nil.
  public var caption: String?
  /// Cells that stand out, such as the best of a column.
  public var emphasised: Set<Cell>

  /// A place in the table.
  public struct Cell: Hashable, Sendable {
    /// The row, from 0.
    public var row: Int
    /// The column, from 0.
    public var column: Int

    /// Names a place.
    public init(row: Int, column: Int) { (self.row, self.column) = (row, column) }
  }

  /// Creates a table; short rows end in empty cells, long ones are cut.
  public init(
    columns: [String], rows: [[String]], textColumns: Int = 1, caption: String? = nil, emphasised: Set<Cell> = []
  ) {
    self.caption = caption
    self.columns = columns
    self.textColumns = textColumns
    self.emphasised = emphasised
    self.rows = rows.map { row in columns.indices.map { $0 < row.count ? row[$0] : "" } }
  }

  /// Method, AUROC, average precision and trials: what does not depend on a threshold.
  public static func figures(of methods: [MethodFigures]) -> FigureTable {
    FigureTable(
      columns: ["Score", "AUROC", "Average precision", "Trials"],
      rows: methods.map { method in
        [
          method.label, FigureFormat.rate(method.summary.auroc), FigureFormat.rate(method.summary.averagePrecision),
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
          map.label, FigureFormat.rate(map.summary.auroc), FigureFormat.rate(map.summary.averagePrecision),
          FigureFormat.rate(map.summary.aupro), FigureFormat.rate(map.summary.dice), "\(map.summary.trials)",
        ]
      })
  }

  /// One row per method and threshold rule.
  public static func operatingPoints(of methods: [MethodFigures]) -> FigureTable {
    FigureTable(
      columns: [
        "Score", "Threshold by", "Threshold", "Accuracy", "Balanced accuracy", "F1", "Sensitivity", "Specificity",
        "Precision",
        "MCC",
      ],
      rows: methods.flatMap { method in
        method.summary.operatingPoints.map { point in
          [
            method.label, point.rule, FigureFormat.number(point.threshold), FigureFormat.rate(point.accuracy),
            FigureFormat.rate(point.balancedAccuracy), FigureFormat.rate(point.f1),
            FigureFormat.rate(point.sensitivity), FigureFormat.rate(point.specificity),
            FigureFormat.rate(point.precision), FigureFormat.rate(point.matthewsCorrelation),
          ]
        }
      }, textColumns: 2)
  }

  /// The table as GitHub Markdown; pipes and line breaks are escaped.
  public var markdown: String {
    func line(_ cells: [String]) -> String { "| " + cells.joined(separator: " | ") + " |\n" }
    let rule = columns.indices.map { $0 < textColumns ? ":--" : "--:" }
    let lines = rows.enumerated().map { row, cells in
      line(
        cells.enumerated().map { column, text in
          let cell = Self.markdownCell(text)
          return isEmphasised(row, column) && !cell.isEmpty ? "**\(cell)**" : cell
        })
    }
    return line(columns.map(Self.markdownCell)) + line(rule) + lines.joined()
  }

  /// Whether a cell stands out.
  func isEmphasised(_ row: Int, _ column: Int) -> Bool { emphasised.contains(Cell(row: row, column: column)) }

  private static func markdownCell(_ text: String) -> String {
    escaped(text).replacing("\\", with: "\\\\").replacing("|", with: "\\|")
      .replacing("\r\n", with: " ").replacing("\n", with: " ").replacing("\r", with: " ")
  }
}
