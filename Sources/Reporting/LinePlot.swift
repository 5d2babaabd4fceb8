/// Lines over two axes, as SVG: ROC and precision-recall curves, learning curves.
public struct LinePlot: Equatable, Sendable {
  /// A point of a line, in the units of the axes. Points that are not finite interrupt the line.
  public struct Point: Equatable, Sendable {
    /// Along the horizontal axis.
    public var x: Double
    /// Along the vertical axis.
    public var y: Double

    /// Creates a point.
    public init(x: Double, y: Double) {
      self.x = x
      self.y = y
    }
  }

  /// How points are joined.
  public enum Interpolation: Sendable {
    /// Straight from point to point.
    case straight
    /// First to the new height, then across: the height at x holds back to the previous point.
    case stepBefore
  }

  /// One line.
  public struct Series: Equatable, Sendable {
    /// What the legend says.
    public var name: String
    /// The points, in drawing order.
    public var points: [Point]
    /// How they are joined.
    public var interpolation: Interpolation
    /// A reference, such as chance: thin, dashed and grey.
    public var isReference: Bool

    /// Creates a line.
    public init(name: String, points: [Point], interpolation: Interpolation = .straight, isReference: Bool = false) {
      self.name = name
      self.points = points
      self.interpolation = interpolation
      self.isReference = isReference
    }
  }

  /// One axis.
  public struct Axis: Equatable, Sendable {
    /// What it shows, with its unit.
    public var label: String
    /// From where to where; nil follows the data, upwards and downwards to round numbers.
    public var range: ClosedRange<Double>?

    /// Creates an axis.
    public init(label: String, range: ClosedRange<Double>? = nil) {
      self.label = label
      self.range = range
    }
  }

  /// The heading.
  public var title: String
  /// The horizontal axis.
  public var x: Axis
  /// The vertical axis.
  public var y: Axis
  /// The lines, in the order of the legend.
  public var series: [Series]

  /// Creates a plot.
  public init(title: String, x: Axis, y: Axis, series: [Series]) {
    self.title = title
    self.x = x
    self.y = y
    self.series = series
  }

  /// The plot as an `<svg>` element for a page that holds `PlotStyle.css`.
  public var svg: String {
    let frame = PlotFrame(
      x: ticks(x, \.x, expands: false), y: ticks(y, \.y, expands: true), title: title, xLabel: x.label, yLabel: y.label)
    var marks = ""
    var legend: [LegendEntry] = []
    var colour = 0
    for line in series {
      if !line.isReference { colour += 1 }
      let mark = line.isReference ? "line reference" : PlotStyle.seriesClass("line", colour)
      marks += drawn(line, mark: mark, in: frame)
      legend.append(LegendEntry(name: line.name, mark: mark))
    }
    return frame.svg(marks: marks, legend: legend)
  }

  private func ticks(_ axis: Axis, _ value: (Point) -> Double, expands: Bool) -> AxisTicks {
    if let range = axis.range { return AxisTicks(covering: range, expands: false) }
    let values = series.flatMap { $0.points.map(value) }.filter(\.isFinite)
    return AxisTicks(covering: (values.min() ?? 0)...(values.max() ?? 1), expands: expands)
  }

  private func drawn(_ line: Series, mark: String, in frame: PlotFrame) -> String {
    var path = ""
    var kept: [Point] = []
    var last: (column: Double, row: Double)?
    for (index, point) in line.points.enumerated() {
      guard point.x.isFinite, point.y.isFinite else {
        last = nil
        continue
      }
      let (column, row) = (frame.column(point.x), frame.row(point.y))
      if let before = last {
        // Below four tenths of a picture unit nobody sees a difference, and large curves stay small files.
        let isLast = index == line.points.count - 1
        if !isLast, abs(column - before.column) < 0.4, abs(row - before.row) < 0.4 { continue }
        let isStep = line.interpolation == .stepBefore
        path += isStep ? "V\(coordinate(row))H\(coordinate(column))" : "L\(pair(column, row))"
      } else {
        path += "M\(pair(column, row))"
      }
      last = (column, row)
      kept.append(point)
    }
    guard !path.isEmpty else { return "" }
    return "<path class=\"\(mark)\" d=\"\(path)\"/>\n" + (line.isReference ? "" : hovers(line.name, kept, in: frame))
  }

  /// Up to 48 invisible dots that tell their values to a resting pointer.
  private func hovers(_ name: String, _ points: [Point], in frame: PlotFrame) -> String {
    let stride = max(1, (points.count + 47) / 48)
    let chosen = points.indices.filter { $0 % stride == 0 || $0 == points.count - 1 }
    return chosen.map { index in
      let point = points[index]
      let values = "\(x.label) \(FigureFormat.number(point.x)), \(y.label) \(FigureFormat.number(point.y))"
      return """
        <circle class="hover" cx="\(coordinate(frame.column(point.x)))" cy="\(coordinate(frame.row(point.y)))" r="5">\
        <title>\(escaped("\(name): \(values)"))</title></circle>

        """
    }.joined()
  }

  private func pair(_ column: Double, _ row: Double) -> String { "\(coordinate(column)) \(coordinate(row))" }
}
