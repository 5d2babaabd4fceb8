public import Evaluation
import Foundation

/// The scores of normal and abnormal cases as two histograms over the same bins, with the thresholds between them.
public struct Histogram: Equatable, Sendable {
  /// The heading.
  public var title: String
  /// What the horizontal axis shows.
  public var label: String
  /// The scores with their labels.
  public var cases: LabelledScores
  /// Thresholds to draw, and what they are called.
  public var thresholds: [OperatingPoint]

  /// Creates a histogram.
  public init(
    title: String = "Score distribution", label: String = "Anomaly score", cases: LabelledScores,
    thresholds: [OperatingPoint] = []
  ) {
    self.title = title
    self.label = label
    self.cases = cases
    self.thresholds = thresholds
  }

  /// The bins: lower bounds of equal width, and how many cases of each class fall into each; the last bin has its end.
  struct Bins: Equatable {
    let start: Double
    let width: Double
    let normal: [Int]
    let abnormal: [Int]

    /// As many bins as Freedman and Diaconis advise, between 8 and 40; one for constant scores.
    init(_ cases: LabelledScores) {
      let sorted = cases.scores.sorted()
      let (lowest, highest) = (sorted[0], sorted[sorted.count - 1])
      let extent = highest - lowest
      guard extent > max(abs(highest) * 1e-12, 1e-290), extent.isFinite else {
        (start, width) = (lowest - 0.5, 1)
        (normal, abnormal) = ([cases.normalCount], [cases.abnormalCount])
        return
      }
      let middle = sorted[sorted.count * 3 / 4] - sorted[sorted.count / 4]
      let advised = 2 * middle / cbrt(Double(sorted.count))
      let count = advised > 0 ? min(max(Int(min(extent / advised, 1000).rounded(.up)), 8), 40) : 40
      let width = extent / Double(count)
      var counts = [[Int]](repeating: [Int](repeating: 0, count: count), count: 2)
      for (score, abnormal) in zip(cases.scores, cases.labels) {
        counts[abnormal ? 1 : 0][min(Int((score - lowest) / width), count - 1)] += 1
      }
      (start, self.width) = (lowest, width)
      (normal, abnormal) = (counts[0], counts[1])
    }
  }

  /// The histogram as an `<svg>` element for a page that holds `PlotStyle.css`. Heights are shares of each class.
  public var svg: String {
    let bins = Bins(cases)
    let end = bins.start + bins.width * Double(bins.normal.count)
    let shown = thresholds.filter(\.threshold.isFinite)
    let places = shown.map(\.threshold)
    let tallest = max(
      share(bins.normal.max() ?? 0, of: cases.normalCount), share(bins.abnormal.max() ?? 0, of: cases.abnormalCount))
    let frame = PlotFrame(
      x: AxisTicks(covering: min(bins.start, places.min() ?? end)...max(end, places.max() ?? end), expands: false),
      y: AxisTicks(covering: 0...tallest, expands: true), title: title, xLabel: label,
      yLabel: "Share of the class")
    var legend = [
      LegendEntry(name: "normal, \(cases.normalCount) cases", mark: "bar series-1", sample: .box),
      LegendEntry(name: "abnormal, \(cases.abnormalCount) cases", mark: "bar series-2", sample: .box),
    ]
    var marks = bars(bins, bins.normal, of: cases.normalCount, className: "normal", mark: "bar series-1", in: frame)
    marks += bars(bins, bins.abnormal, of: cases.abnormalCount, className: "abnormal", mark: "bar series-2", in: frame)
    for (index, threshold) in shown.enumerated() {
      let column = coordinate(frame.column(threshold.threshold))
      let (top, bottom) = (coordinate(PlotFrame.top), coordinate(PlotFrame.top + PlotFrame.plotHeight))
      let name = "threshold \(FigureFormat.number(threshold.threshold)), \(threshold.rule)"
      let mark = "threshold kind-\(min(index, 2) + 1)"
      marks += """
        <line class="\(mark)" x1="\(column)" x2="\(column)" y1="\(top)" y2="\(bottom)">\
        <title>\(escaped(name))</title></line>

        """
      legend.append(LegendEntry(name: name, mark: mark))
    }
    return PlotFrame.svg([frame.picture(marks: marks, legend: legend)])
  }

  private func share(_ count: Int, of all: Int) -> Double { all == 0 ? 0 : Double(count) / Double(all) }

  private func bars(
    _ bins: Bins, _ counts: [Int], of all: Int, className: String, mark: String, in frame: PlotFrame
  ) -> String {
    counts.enumerated().filter { $0.element > 0 }.map { index, count in
      let lower = bins.start + Double(index) * bins.width
      let (left, right) = (frame.column(lower), frame.column(lower + bins.width))
      let (top, bottom) = (frame.row(share(count, of: all)), frame.row(0))
      let range = "\(FigureFormat.number(lower)) to \(FigureFormat.number(lower + bins.width))"
      let percent = FigureFormat.fixed(100 * share(count, of: all), decimals: 1)
      return """
        <rect class="\(mark)" x="\(coordinate(left))" y="\(coordinate(top))" width="\(coordinate(right - left))" \
        height="\(coordinate(bottom - top))"><title>\(range): \(count) of \(all) \(className) cases, \(percent) %</title>\
        </rect>

        """
    }.joined()
  }
}
