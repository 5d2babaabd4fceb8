/// Points with names over two axes, as SVG: what methods reach against what they cost.
public struct LabelledPoints: Equatable, Sendable {
  /// One point.
  public struct Point: Equatable, Sendable {
    /// What stands beside it.
    public var name: String
    /// Along the horizontal axis, finite.
    public var x: Double
    /// Along the vertical axis, finite.
    public var y: Double

    /// Creates a point.
    public init(name: String, x: Double, y: Double) { (self.name, self.x, self.y) = (name, x, y) }
  }

  /// The heading.
  public var title: String
  /// The horizontal axis.
  public var x: LinePlot.Axis
  /// The vertical axis.
  public var y: LinePlot.Axis
  /// The points.
  public var points: [Point]

  /// Creates a plot.
  public init(title: String, x: LinePlot.Axis, y: LinePlot.Axis, points: [Point]) {
    (self.title, self.x, self.y, self.points) = (title, x, y, points)
  }

  /// The plot as an `<svg>` element for a page that holds `PlotStyle.css`.
  public var svg: String {
    func ticks(_ axis: LinePlot.Axis, _ values: [Double]) -> AxisTicks {
      AxisTicks(covering: axis.range ?? (values.min() ?? 0)...(values.max() ?? 1), expands: axis.range == nil)
    }
    let frame = PlotFrame(
      x: ticks(x, points.map(\.x)), y: ticks(y, points.map(\.y)), title: title, xLabel: x.label, yLabel: y.label)
    var (marks, taken) = ("", points.map { Box(around: frame.column($0.x), frame.row($0.y)) })
    for point in points {
      let (column, row) = (frame.column(point.x), frame.row(point.y))
      let label = Box.places(for: point.name, beside: column, row).first { place in
        place.fits && !taken.contains { $0.meets(place) }
      }
      let place = label ?? Box.places(for: point.name, beside: column, row)[column > PlotFrame.width / 2 ? 1 : 0]
      taken.append(place)
      let values = "\(x.label) \(FigureFormat.number(point.x)), \(y.label) \(FigureFormat.number(point.y))"
      marks += """
        <circle class="dot series-1" cx="\(coordinate(column))" cy="\(coordinate(row))" r="3.5"/>\
        <text class="tick" x="\(coordinate(place.left))" y="\(coordinate(place.top + 11))">\(escaped(point.name))</text>\
        <circle class="hover" cx="\(coordinate(column))" cy="\(coordinate(row))" r="6">\
        <title>\(escaped("\(point.name): \(values)"))</title></circle>

        """
    }
    return PlotFrame.svg([frame.picture(marks: marks, legend: [])])
  }

  /// A place that a label or a dot takes, in picture units.
  struct Box {
    var left: Double
    var top: Double
    var width: Double
    var height: Double

    init(left: Double, top: Double, width: Double, height: Double) {
      (self.left, self.top, self.width, self.height) = (left, top, width, height)
    }

    /// A dot.
    init(around column: Double, _ row: Double) { self.init(left: column - 4, top: row - 4, width: 8, height: 8) }

    /// Right of a point, left of it, above, below, then farther away.
    static func places(for name: String, beside column: Double, _ row: Double) -> [Box] {
      let width = 6.6 * Double(name.count)
      func box(_ left: Double, _ top: Double) -> Box { Box(left: left, top: top, width: width, height: 14) }
      let near = [box(column + 7, row - 7), box(column - 7 - width, row - 7)]
      let shifts: [Double] = [12, 24, 36]
      let far = shifts.flatMap { shift -> [Box] in
        let (above, below) = (row - 7 - shift, row - 7 + shift)
        let columns = [column - width / 2, column + 7, column - 7 - width]
        return columns.flatMap { [box($0, above), box($0, below)] }
      }
      return near + far
    }

    /// Whether it lies within the axes.
    var fits: Bool {
      let (right, bottom) = (PlotFrame.left + PlotFrame.plotWidth, PlotFrame.top + PlotFrame.plotHeight)
      return left >= PlotFrame.left && left + width <= right && top >= PlotFrame.top && top + height <= bottom
    }

    func meets(_ other: Box) -> Bool {
      let acrossMeets = left < other.left + other.width && other.left < left + width
      let upMeets = top < other.top + other.height && other.top < top + height
      return acrossMeets && upMeets
    }
  }
}
