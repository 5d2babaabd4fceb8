/// Figures of several methods below each other, as SVG: a dot for each trial, a stroke at their mean, a line for an interval.
public struct DotPlot: Equatable, Sendable {
  /// One method.
  public struct Row: Equatable, Sendable {
    /// What stands beside the axis.
    public var name: String
    /// The figure of each trial, finite.
    public var values: [Double]
    /// Where the figure lies with a stated confidence; nil where it is not known.
    public var interval: ClosedRange<Double>?

    /// Creates a row.
    public init(name: String, values: [Double], interval: ClosedRange<Double>? = nil) {
      (self.name, self.values, self.interval) = (name, values, interval)
    }

    /// The mean of the trials; nil without any.
    var mean: Double? { values.isEmpty ? nil : values.reduce(0, +) / Double(values.count) }
  }

  /// The heading.
  public var title: String
  /// What the axis shows, with its unit.
  public var label: String
  /// The rows, from the top.
  public var rows: [Row]
  /// A value to compare with, such as chance or no difference: a thin line from top to bottom, with what it is.
  public var reference: (value: Double, name: String)?

  /// Creates a plot.
  public init(title: String, label: String, rows: [Row], reference: (value: Double, name: String)? = nil) {
    (self.title, self.label, self.rows, self.reference) = (title, label, rows, reference)
  }

  /// Equal texts and figures.
  public static func == (a: DotPlot, b: DotPlot) -> Bool {
    a.title == b.title && a.label == b.label && a.rows == b.rows && a.reference?.value == b.reference?.value
      && a.reference?.name == b.reference?.name
  }

  private static let (width, top, rowHeight, right) = (640.0, 34.0, 24.0, 20.0)

  /// Where the axis begins: right of the longest name.
  private var left: Double { min(280, max(90, 24 + 7 * Double(rows.map(\.name.count).max() ?? 0))) }

  /// The plot as an `<svg>` element for a page that holds `PlotStyle.css`.
  public var svg: String {
    let shown =
      rows.flatMap { row in
        row.values + (row.interval.map { [$0.lowerBound, $0.upperBound] } ?? [])
      } + (reference.map { [$0.value] } ?? [])
    let ticks = AxisTicks(covering: (shown.min() ?? 0)...(shown.max() ?? 1), expands: true)
    let bottom = Self.top + Self.rowHeight * Double(max(1, rows.count))
    func column(_ value: Double) -> Double {
      let share = (value - ticks.range.lowerBound) / (ticks.range.upperBound - ticks.range.lowerBound)
      return left + share * (Self.width - Self.right - left)
    }
    var marks = ""
    for (value, text) in zip(ticks.values, ticks.labels) {
      let x = coordinate(column(value))
      marks += """
        <line class="grid" x1="\(x)" x2="\(x)" y1="\(coordinate(Self.top))" y2="\(coordinate(bottom))"/>\
        <text class="tick" text-anchor="middle" x="\(x)" y="\(coordinate(bottom + 17))">\(text)</text>

        """
    }
    if let reference {
      let x = coordinate(column(reference.value))
      marks += """
        <line class="reference" x1="\(x)" x2="\(x)" y1="\(coordinate(Self.top))" y2="\(coordinate(bottom))">\
        <title>\(escaped(reference.name))</title></line>

        """
    }
    for (index, row) in rows.enumerated() {
      marks += drawn(row, at: Self.top + Self.rowHeight * (Double(index) + 0.5), column: column)
    }
    return """
      <svg class="plot" viewBox="0 0 \(coordinate(Self.width)) \(coordinate(bottom + 48))" role="img" \
      aria-label="\(escaped(title))">
      <text class="plot-title" x="12" y="18">\(escaped(title))</text>
      \(marks)<text class="label" text-anchor="middle" x="\(coordinate((left + Self.width - Self.right) / 2))" \
      y="\(coordinate(bottom + 38))">\(escaped(label))</text>
      </svg>

      """
  }

  private func drawn(_ row: Row, at y: Double, column: (Double) -> Double) -> String {
    let (y, longest) = (coordinate(y), 38)
    let name = row.name.count > longest ? row.name.prefix(longest - 1) + "…" : row.name[...]
    var text = """
      <text class="legend" text-anchor="end" x="\(coordinate(left - 10))" y="\(y)" dy="4.5">\(escaped(String(name)))\
      <title>\(escaped(row.name))</title></text>

      """
    if let interval = row.interval {
      text += """
        <line class="line series-1" x1="\(coordinate(column(interval.lowerBound)))" \
        x2="\(coordinate(column(interval.upperBound)))" y1="\(y)" y2="\(y)"/>

        """
    }
    for value in row.values {
      let x = coordinate(column(value))
      text += """
        <circle class="dot series-1" cx="\(x)" cy="\(y)" r="3.5"/>\
        <circle class="hover" cx="\(x)" cy="\(y)" r="5">\
        <title>\(escaped("\(row.name): \(label) \(FigureFormat.number(value))"))</title></circle>

        """
    }
    if let mean = row.mean, row.values.count > 1 {
      let x = coordinate(column(mean))
      text += "<path class=\"line series-2\" d=\"M\(x) \(y)m0 -8v16\"/>\n"
    }
    return text
  }
}
