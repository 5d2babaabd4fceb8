import Evaluation
import Foundation
import Testing

@testable import Reporting

@Suite("Plots")
struct PlotTests {
  private let unit = LinePlot(
    title: "T", x: .init(label: "X", range: 0...1), y: .init(label: "Y", range: 0...1),
    series: [.init(name: "S", points: [.init(x: 0, y: 0), .init(x: 0.5, y: 0.25), .init(x: 1, y: 1)])])

  @Test("Points land where the axes say: 386 by 270 units from (58, 34)")
  func coordinates() {
    #expect(unit.svg.contains("<path class=\"line series-1\" d=\"M58 304L251 236.5L444 34\"/>"))
    #expect(unit.svg.contains("cx=\"251\" cy=\"236.5\" r=\"5\"><title>S: X 0.5000, Y 0.2500</title>"))
  }

  @Test("Steps go to the new height first")
  func steps() {
    var plot = unit
    plot.series[0].interpolation = .stepBefore
    #expect(plot.svg.contains("d=\"M58 304V236.5H251V34H444\""))
  }

  @Test("Or across first, where the height holds up to the next point")
  func stepsAfter() {
    var plot = unit
    plot.series[0].interpolation = .stepAfter
    #expect(plot.svg.contains("d=\"M58 304H251V236.5H444V34\""))
  }

  @Test("A band may lie on a grid of its own, and whiskers reach from end to end within the axis")
  func intervals() throws {
    var plot = unit
    let cases = try LabelledScores(scores: [1, 2, 3, 4], labels: [false, true, false, true])
    let band = try Bootstrap(resamples: 50).rocBand(on: cases, steps: 2)
    plot.series[0].interval = band
    let corners = band.points.map(\.upper) + band.points.reversed().map(\.lower)
    let rows = corners.map { coordinate(34 + (1 - $0) * 270) }
    let path = zip(["58", "251", "444", "444", "251", "58"], rows).map { "\($0) \($1)" }.joined(separator: "L")
    #expect(plot.svg.contains("<path class=\"band series-1\" d=\"M\(path)Z\"/>"))
    plot.series[0].whiskers = [nil, 0...0.5, 0.5...2]
    plot.series[0].remarks = ["a", "5 cases", "c"]
    #expect(plot.svg.contains("<line class=\"whisker series-1\" x1=\"251\" x2=\"251\" y1=\"169\" y2=\"304\"/>"))
    #expect(plot.svg.contains("<line class=\"whisker series-1\" x1=\"444\" x2=\"444\" y1=\"34\" y2=\"169\"/>"))
    #expect(plot.svg.components(separatedBy: "class=\"whisker").count == 3 && plot.svg.contains("Y 0.2500, 5 cases"))
  }

  @Test("The calibration plot has a point per bin with Wilson's interval")
  func calibration() throws {
    let cases = try LabelledScores(scores: [0.1, 0.1, 0.1, 0.1, 0.9], labels: [false, false, false, true, true])
    let plot = LinePlot.calibration([("a<", try CalibrationCurve(cases))])
    #expect(plot.series[0].points == [.init(x: 0.1, y: 0.25), .init(x: 0.9, y: 1)])
    let wilson = try #require(try ConfidenceInterval(share: 1, of: 4))
    #expect(plot.series[0].whiskers[0] == wilson.lower...wilson.upper)
    #expect(plot.series[0].remarks == ["4 cases", "1 case"])
    // (4 · |0.1 − 0.25| + |0.9 − 1|) / 5
    #expect(plot.svg.contains("a&lt;, expected error 0.140") && plot.series[1].isReference)
  }

  @Test("The FROC plot goes from none to eight false positives per image")
  func froc() throws {
    var lesions = LesionDetection()
    // Maxima at 0 (in the lesion), 2 and 4: the lesion is found at one false positive in one image.
    try lesions.add(
      map: [2, 0, 3, 0, 1], mask: GroundTruthMask(width: 5, height: 1, pixels: [true, false, false, false, false]))
    let curve = try lesions.froc()
    #expect(curve.points.map(\.falsePositivesPerImage) == [1] && curve.sensitivities == [0, 0, 0, 1, 1, 1, 1])
    let plot = LinePlot.froc([("m", curve)])
    #expect(plot.series[0].points == [.init(x: 0, y: 0), .init(x: 1, y: 1), .init(x: 8, y: 1)])
    #expect(plot.svg.contains("m, mean sensitivity 0.571") && plot.series[0].interpolation == .stepAfter)
  }

  @Test("Points that are not finite interrupt the line, and an empty line draws nothing")
  func gaps() {
    var plot = unit
    plot.series[0].points[1].y = .nan
    #expect(plot.svg.contains("d=\"M58 304M444 34\""))
    plot.series[0].points = []
    #expect(!plot.svg.contains("<path"))
  }

  @Test("A band reaches as far above and below the points as it is told, and ends at the axis; points are marked")
  func band() {
    var plot = unit
    plot.series[0].spreads = [0.5, 0.25, 0.125]
    plot.series[0].marksPoints = true
    #expect(
      plot.svg.contains(
        "<path class=\"band series-1\" d=\"M58 169L251 169L444 34L444 67.75L251 304L58 304Z\"/>"))
    #expect(plot.svg.contains("<circle class=\"dot series-1\" cx=\"251\" cy=\"236.5\" r=\"3.5\"/>"))
    #expect(plot.svg.components(separatedBy: "class=\"dot").count == 4)
    #expect(!unit.svg.contains("class=\"band") && !unit.svg.contains("class=\"dot"))
    plot.series[0].points[1].y = .nan
    #expect(plot.svg.contains("d=\"M58 169L444 34L444 67.75L58 304Z\""))
    plot.y.range = nil
    plot.series[0].spreads = [2, 2, 2]
    #expect(plot.svg.contains(">3</text>") && plot.svg.contains(">−2</text>"))
  }

  @Test("Plots side by side are one picture, each as wide as alone and as tall as the tallest")
  func panels() throws {
    var second = unit
    second.series.append(.init(name: "chance", points: [.init(x: 0, y: 0)], isReference: true))
    let svg = LinePlot.svg([unit, second])
    #expect(svg.hasPrefix("<svg class=\"plot\" viewBox=\"0 0 920 398\" role=\"img\" aria-label=\"T; T\">"))
    #expect(svg.components(separatedBy: "<svg").count == 2 && svg.components(separatedBy: "M58 304L251").count == 3)
    #expect(svg.contains("<g transform=\"translate(460 0)\">"))
    #expect(LinePlot.svg([unit]) == unit.svg)
  }

  @Test("Large curves become small pictures that keep their ends")
  func thinned() throws {
    var plot = unit
    plot.series[0].points = (0...100_000).map { .init(x: Double($0) / 100_000, y: Double($0) / 100_000) }
    #expect(plot.svg.utf8.count < 40_000)
    #expect(plot.svg.contains("d=\"M58 304L") && plot.svg.contains("L444 34\""))
    #expect(plot.svg.components(separatedBy: "<circle").count - 1 <= 49)
  }

  @Test("The ROC plot draws the curve's points and names its area")
  func roc() throws {
    let cases = try LabelledScores(scores: [0.1, 0.4, 0.35, 0.8], labels: [false, false, true, true])
    let svg = LinePlot.roc([("a<b", try ROCCurve(cases))]).svg
    #expect(svg.contains("d=\"M58 304L58 169L251 169L251 34L444 34\""))
    #expect(svg.contains("a&lt;b, AUROC 0.750") && svg.contains("class=\"line reference\" d=\"M58 304L444 34\""))
  }

  @Test("The precision-recall plot goes from recall 0 to 1 and draws the prevalence")
  func precisionRecall() throws {
    let cases = try LabelledScores(scores: [0.1, 0.4, 0.35, 0.8], labels: [false, false, true, true])
    let svg = LinePlot.precisionRecall([("s", try PrecisionRecallCurve(cases))]).svg
    #expect(svg.contains("d=\"M58 34V34H251V169H251V124H444V169H444\""))
    #expect(
      svg.contains("s, AP 0.833") && svg.contains("chance, 0.500 abnormal") && svg.contains("d=\"M58 169L444 169\""))
  }

  @Test("Histogram heights are shares of each class, and every case is counted once")
  func histogram() throws {
    let cases = try LabelledScores(
      scores: [0, 1, 2, 3, 4, 5, 6, 7, 8, 8],
      labels: [false, false, false, false, false, false, false, false, true, true])
    let bins = Histogram.Bins(cases)
    #expect(bins.normal.reduce(0, +) == 8 && bins.abnormal.reduce(0, +) == 2 && bins.abnormal.last == 2)
    #expect(bins.start == 0 && bins.width * Double(bins.normal.count) == 8)
    let threshold = try OperatingPoint(fixed: 4, rule: "<rule>", on: cases)
    let svg = Histogram(cases: cases, thresholds: [threshold]).svg
    #expect(svg.contains("<line class=\"threshold kind-1\" x1=\"251\" x2=\"251\" y1=\"34\" y2=\"304\">"))
    #expect(svg.contains("threshold 4.000, &lt;rule&gt;"))
    #expect(svg.contains("7.000 to 8.000: 2 of 2 abnormal cases, 100.0 %"))
    #expect(svg.contains("0 to 1.000: 1 of 8 normal cases, 12.5 %"))
  }

  @Test("Constant scores, one class alone and an infinite threshold make a histogram too")
  func degenerate() throws {
    let cases = try LabelledScores(scores: [3, 3, 3], labels: [false, false, false])
    #expect(Histogram.Bins(cases).normal == [3])
    let point = OperatingPoint(rule: "r", threshold: .infinity, confusion: try ConfusionMatrix(cases, threshold: 9))
    let svg = Histogram(cases: cases, thresholds: [point]).svg
    #expect(!svg.contains("class=\"threshold") && !svg.contains("nan") && !svg.contains("inf"))
  }

  @Test(
    "Scores at the ends of what numbers hold still make a plot",
    arguments: [
      [-Double.greatestFiniteMagnitude, .greatestFiniteMagnitude], [0, .leastNonzeroMagnitude], [1e300, 1e300],
      [-1e-300, 1e-300], [1, 1.nextUp],
    ])
  func extremes(_ scores: [Double]) throws {
    let cases = try LabelledScores(scores: scores, labels: [false, true])
    let svg =
      Histogram(cases: cases).svg
      + LinePlot(
        title: "T", x: .init(label: "X"), y: .init(label: "Y"),
        series: [.init(name: "S", points: scores.map { .init(x: $0, y: -$0) })]
      ).svg
    #expect(!svg.contains("nan") && !svg.contains("inf") && svg.contains("class=\"bar series-2\""))
  }

  @Test(
    "Ticks are round numbers",
    arguments: [
      (0.0...1.0, false, ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]),
      (0.0...0.218, true, ["0.00", "0.05", "0.10", "0.15", "0.20", "0.25"]),
      (-3.0...7.0, false, ["−2", "0", "2", "4", "6"]),
      (1.0...119.0, false, ["50", "100"]),
      (5.0...5.0, true, ["4.4", "4.6", "4.8", "5.0", "5.2", "5.4", "5.6"]),
      (0.0...0.0, true, ["−1.0", "−0.5", "0.0", "0.5", "1.0"]),
    ])
  func ticks(_ range: ClosedRange<Double>, _ expands: Bool, _ labels: [String]) {
    let ticks = AxisTicks(covering: range, expands: expands)
    #expect(ticks.labels == labels)
    #expect(ticks.values.allSatisfy { ticks.range.lowerBound - 1e-9 <= $0 && $0 <= ticks.range.upperBound + 1e-9 })
  }

  @Test("Counts have whole ticks")
  func wholeTicks() {
    #expect(AxisTicks(covering: 1...2, expands: false, isWhole: true).labels == ["1", "2"])
    #expect(AxisTicks(covering: 1...40, expands: false, isWhole: true).labels == ["10", "20", "30", "40"])
  }

  @Test("A plot alone is an SVG file with its own style")
  func standalone() throws {
    let file = PlotStyle.standalone(unit.svg)
    #expect(file.hasPrefix("<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"plot\""))
    #expect(file.contains("prefers-color-scheme: dark") && file.contains("[data-theme=\"dark\"]"))
    #expect(file.components(separatedBy: "<svg").count == 2 && file.hasSuffix("</svg>\n"))
  }

  @Test(
    "Coordinates have at most two decimals",
    arguments: [(1, "1"), (1.005, "1"), (-0.25, "-0.25"), (2.5, "2.5"), (0.07, "0.07"), (-0.001, "0")])
  func coordinateText(_ value: Double, _ text: String) {
    #expect(coordinate(value) == text)
  }
}
