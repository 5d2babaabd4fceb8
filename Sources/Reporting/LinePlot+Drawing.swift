extension LinePlot {
  /// The plot as an `<svg>` element for a page that holds `PlotStyle.css`.
  public var svg: String { PlotFrame.svg([picture]) }

  /// Plots side by side as one `<svg>` element.
  public static func svg(_ plots: [LinePlot]) -> String { PlotFrame.svg(plots.map(\.picture)) }

  private var picture: PlotFrame.Picture {
    let across = series.flatMap { $0.points.map(\.x) }
    let up = series.flatMap { $0.points.map(\.y) + $0.band.flatMap { [$0.lower, $0.upper] } }
    let frame = PlotFrame(
      x: ticks(x, across, expands: false), y: ticks(y, up, expands: true), title: title, xLabel: x.label,
      yLabel: y.label)
    var (bands, marks) = ("", "")
    var legend: [LegendEntry] = []
    var colour = 0
    for line in series {
      if !line.isReference {
        colour += 1
        bands += band(of: line, mark: PlotStyle.seriesClass("band", colour), in: frame)
      }
      if !line.isReference { bands += whiskers(of: line, mark: PlotStyle.seriesClass("whisker", colour), in: frame) }
      let mark = line.isReference ? "line reference" : PlotStyle.seriesClass("line", colour)
      marks += drawn(line, mark: mark, dot: PlotStyle.seriesClass("dot", colour), in: frame)
      legend.append(LegendEntry(name: line.name, mark: mark))
    }
    return frame.picture(marks: bands + marks, legend: legend)
  }

  private func ticks(_ axis: Axis, _ values: [Double], expands: Bool) -> AxisTicks {
    if let range = axis.range { return AxisTicks(covering: range, expands: false, isWhole: axis.isWhole) }
    let values = values.filter(\.isFinite)
    return AxisTicks(covering: (values.min() ?? 0)...(values.max() ?? 1), expands: expands, isWhole: axis.isWhole)
  }

  private func drawn(_ line: Series, mark: String, dot: String, in frame: PlotFrame) -> String {
    var path = ""
    var kept: [(point: Point, remark: String?)] = []
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
        switch line.interpolation {
        case .straight: path += "L\(pair(column, row))"
        case .stepBefore: path += "V\(coordinate(row))H\(coordinate(column))"
        case .stepAfter: path += "H\(coordinate(column))V\(coordinate(row))"
        }
      } else {
        path += "M\(pair(column, row))"
      }
      last = (column, row)
      kept.append((point, index < line.remarks.count ? line.remarks[index] : nil))
    }
    guard !path.isEmpty else { return "" }
    return "<path class=\"\(mark)\" d=\"\(path)\"/>\n"
      + (line.marksPoints ? dots(kept.map(\.point), mark: dot, in: frame) : "")
      + (line.isReference ? "" : hovers(line.name, kept, in: frame))
  }

  /// The area between the ends of a line's band, cut where the axis ends.
  private func band(of line: Series, mark: String, in frame: PlotFrame) -> String {
    let ends = line.band
    guard ends.count > 1 else { return "" }
    func corner(_ x: Double, _ y: Double) -> String {
      pair(frame.column(x), frame.row(min(max(y, frame.y.range.lowerBound), frame.y.range.upperBound)))
    }
    let corners = ends.map { corner($0.x, $0.upper) } + ends.reversed().map { corner($0.x, $0.lower) }
    return "<path class=\"\(mark)\" d=\"M\(corners.joined(separator: "L"))Z\"/>\n"
  }

  /// A vertical line at each point that has one, cut where the axis ends.
  private func whiskers(of line: Series, mark: String, in frame: PlotFrame) -> String {
    zip(line.points, line.whiskers).map { point, whisker in
      guard let whisker, point.x.isFinite else { return "" }
      let ends = whisker.clamped(to: frame.y.range)
      let column = coordinate(frame.column(point.x))
      return """
        <line class="\(mark)" x1="\(column)" x2="\(column)" y1="\(coordinate(frame.row(ends.upperBound)))" \
        y2="\(coordinate(frame.row(ends.lowerBound)))"/>

        """
    }.joined()
  }

  private func dots(_ points: [Point], mark: String, in frame: PlotFrame) -> String {
    points.map { point in
      let (column, row) = (coordinate(frame.column(point.x)), coordinate(frame.row(point.y)))
      return "<circle class=\"\(mark)\" cx=\"\(column)\" cy=\"\(row)\" r=\"3.5\"/>\n"
    }.joined()
  }

  /// Up to 48 invisible dots that tell their values to a resting pointer.
  private func hovers(_ name: String, _ points: [(point: Point, remark: String?)], in frame: PlotFrame) -> String {
    let stride = max(1, (points.count + 47) / 48)
    let chosen = points.indices.filter { $0 % stride == 0 || $0 == points.count - 1 }
    return chosen.map { index in
      let (point, remark) = points[index]
      let values =
        "\(x.label) \(FigureFormat.number(point.x)), \(y.label) \(FigureFormat.number(point.y))"
        + (remark.map { ", \($0)" } ?? "")
      return """
        <circle class="hover" cx="\(coordinate(frame.column(point.x)))" cy="\(coordinate(frame.row(point.y)))" r="5">\
        <title>\(escaped("\(name): \(values)"))</title></circle>

        """
    }.joined()
  }

  private func pair(_ column: Double, _ row: Double) -> String { "\(coordinate(column)) \(coordinate(row))" }
}
