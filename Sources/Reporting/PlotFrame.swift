/// The rectangle of a plot: where data land in the picture, and the axes around them.
struct PlotFrame {
  static let width = 460.0
  static let left = 58.0
  static let top = 34.0
  static let plotWidth = 386.0
  static let plotHeight = 270.0

  let x: AxisTicks
  let y: AxisTicks
  let title: String
  let xLabel: String
  let yLabel: String

  /// Where a value on the horizontal axis lies in the picture.
  func column(_ value: Double) -> Double {
    Self.left + (value - x.range.lowerBound) / (x.range.upperBound - x.range.lowerBound) * Self.plotWidth
  }

  /// Where a value on the vertical axis lies in the picture; rows count downwards.
  func row(_ value: Double) -> Double {
    Self.top + (y.range.upperBound - value) / (y.range.upperBound - y.range.lowerBound) * Self.plotHeight
  }

  /// What is drawn of one plot, from its own top left corner.
  struct Picture {
    let title: String
    let height: Double
    let markup: String
  }

  /// The whole plot.
  /// - Parameters:
  ///   - marks: what lies inside the axes.
  ///   - legend: one entry per line below the horizontal axis.
  func picture(marks: String, legend: [LegendEntry]) -> Picture {
    let bottom = Self.top + Self.plotHeight
    let entries = legend.enumerated().map { $1.svg(row: bottom + 62 + 22 * Double($0)) }
    return Picture(
      title: title, height: bottom + 50 + 22 * Double(legend.count),
      markup: """
        <text class="plot-title" x="\(coordinate(Self.left))" y="18">\(escaped(title))</text>
        \(axes(bottom: bottom))<g>
        \(marks)</g>
        \(entries.joined())
        """)
  }

  /// An `<svg>` element of plots, side by side where there are several.
  static func svg(_ pictures: [Picture]) -> String {
    let parts = pictures.enumerated().map { index, picture in
      let left = coordinate(Double(index) * width)
      return index == 0 ? picture.markup : "<g transform=\"translate(\(left) 0)\">\n\(picture.markup)</g>\n"
    }
    let (right, bottom) = (Double(pictures.count) * width, pictures.map(\.height).max() ?? 0)
    return """
      <svg class="plot" viewBox="0 0 \(coordinate(right)) \(coordinate(bottom))" role="img" \
      aria-label="\(escaped(pictures.map(\.title).joined(separator: "; ")))">
      \(parts.joined())</svg>

      """
  }

  private func axes(bottom: Double) -> String {
    let (left, right) = (coordinate(Self.left), coordinate(Self.left + Self.plotWidth))
    var lines = ""
    for (value, label) in zip(y.values, y.labels) {
      let row = coordinate(row(value))
      lines += """
        <line class="grid" x1="\(left)" x2="\(right)" y1="\(row)" y2="\(row)"/>\
        <text class="tick" text-anchor="end" x="\(coordinate(Self.left - 8))" y="\(row)" dy="4">\(label)</text>

        """
    }
    for (value, label) in zip(x.values, x.labels) {
      let column = coordinate(column(value))
      lines += """
        <line class="axis" x1="\(column)" x2="\(column)" y1="\(coordinate(bottom))" y2="\(coordinate(bottom + 5))"/>\
        <text class="tick" text-anchor="middle" x="\(column)" y="\(coordinate(bottom + 19))">\(label)</text>

        """
    }
    let centre = coordinate(Self.top + Self.plotHeight / 2)
    return lines + """
      <line class="axis" x1="\(left)" x2="\(right)" y1="\(coordinate(bottom))" y2="\(coordinate(bottom))"/>
      <text class="label" text-anchor="middle" x="\(coordinate(Self.left + Self.plotWidth / 2))" \
      y="\(coordinate(bottom + 39))">\(escaped(xLabel))</text>
      <text class="label" text-anchor="middle" transform="translate(10 \(centre)) rotate(-90)">\(escaped(yLabel))</text>

      """
  }
}

/// One line below a plot that says what a mark stands for.
struct LegendEntry {
  /// How the entry's sample looks.
  enum Sample {
    case line
    case box
  }

  var name: String
  /// CSS class of the mark, for example `series-1`.
  var mark: String
  var sample = Sample.line

  func svg(row: Double) -> String {
    let (left, longest) = (PlotFrame.left, 56)
    let shown = name.count > longest ? name.prefix(longest - 1) + "…" : name[...]
    let swatch =
      switch sample {
      case .line:
        """
        <line class="\(mark)" x1="\(coordinate(left))" x2="\(coordinate(left + 24))" \
        y1="\(coordinate(row))" y2="\(coordinate(row))"/>
        """
      case .box:
        """
        <rect class="\(mark)" x="\(coordinate(left + 4))" y="\(coordinate(row - 7))" width="16" height="14" rx="2"/>
        """
      }
    return """
      \(swatch)<text class="legend" x="\(coordinate(left + 32))" y="\(coordinate(row + 4.5))">\
      \(escaped(String(shown)))<title>\(escaped(name))</title></text>

      """
  }
}

/// A picture coordinate with at most two decimals.
func coordinate(_ value: Double) -> String {
  let hundredths = (value * 100).rounded()
  guard abs(hundredths) < 1e12 else { return "0" }
  let whole = Int(hundredths)
  let (sign, positive) = (whole < 0 ? "-" : "", abs(whole))
  let fraction = positive % 100
  if fraction == 0 { return "\(sign)\(positive / 100)" }
  let digits = fraction % 10 == 0 ? "\(fraction / 10)" : (fraction < 10 ? "0\(fraction)" : "\(fraction)")
  return "\(sign)\(positive / 100).\(digits)"
}
