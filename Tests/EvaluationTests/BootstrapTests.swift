import Evaluation
import Testing

@Suite("Bootstrap")
struct BootstrapTests {
  private let cases: LabelledScores

  init() throws {
    cases = try LabelledScores(scores: [5, 3, 3, 4, 2, 1, 3], labels: [true, true, true, false, false, false, false])
  }

  /// Every resample there is, 3³ · 4⁴, all equally likely, made by copying cases.
  private func allResamples() throws -> [LabelledScores] {
    func choices(_ scores: [Double]) -> [[Double]] {
      scores.reduce(into: [[]]) { lists, _ in lists = lists.flatMap { list in scores.map { list + [$0] } } }
    }
    let (abnormal, normal) = (choices(cases.scores(abnormal: true)), choices(cases.scores(abnormal: false)))
    let labels = [true, true, true, false, false, false, false]
    return try abnormal.flatMap { a in try normal.map { try LabelledScores(scores: a + $0, labels: labels) } }
  }

  /// The ends of the level, where a step of the exact distribution is not so close that chance decides.
  private func expectEnds(
    of interval: ConfidenceInterval, among values: [Double], sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let sorted = values.sorted()
    func around(_ share: Double) -> ClosedRange<Double> {
      let slack = 0.01  // three standard errors of a share of 0.1 among 8,000 resamples
      let (low, high) = (Int((share - slack) * Double(sorted.count)), Int((share + slack) * Double(sorted.count)))
      return sorted[low] - 1e-12...sorted[high] + 1e-12
    }
    #expect(around(0.1).contains(interval.lower), sourceLocation: sourceLocation)
    #expect(around(0.9).contains(interval.upper), sourceLocation: sourceLocation)
  }

  @Test("Percentile intervals are those of all possible resamples")
  func exact() throws {
    let resamples = try allResamples()
    #expect(resamples.count == 27 * 256)
    let bootstrap = Bootstrap(resamples: 8_000, level: 0.8, seed: 3, method: .percentile)
    let intervals = try bootstrap.intervals(
      of: [.auroc, .averagePrecision, .bestF1, .bestAccuracy, .rate("F1", at: 3) { $0.f1 }], on: cases)
    let naive: [(LabelledScores) throws -> Double] = [
      { try auroc($0) }, { try averagePrecision($0) }, { try OperatingPoint.bestF1(on: $0).f1 ?? -1 },
      { try OperatingPoint.bestAccuracy(on: $0).accuracy ?? -1 }, { try ConfusionMatrix($0, threshold: 3).f1 ?? -1 },
    ]
    for (interval, figure) in zip(intervals, naive) {
      expectEnds(of: try #require(interval), among: try resamples.map(figure))
    }
  }

  @Test("Bands of ROC and precision-recall curves are those of all possible resamples")
  func bands() throws {
    let resamples = try allResamples()
    let bootstrap = Bootstrap(resamples: 8_000, level: 0.8, seed: 4)
    let band = try bootstrap.rocBand(on: cases, steps: 5)
    #expect(band.points.map(\.x) == [0, 0.2, 0.4, 0.6, 0.8, 1] && band.level == 0.8)
    for point in band.points {
      #expect(close(point.y, try sensitivity(cases, at: point.x)) && point.lower <= point.y && point.y <= point.upper)
      expectEnds(
        of: ConfidenceInterval(lower: point.lower, upper: point.upper, level: 0.8),
        among: try resamples.map { try sensitivity($0, at: point.x) })
    }
    for point in try bootstrap.precisionRecallBand(on: cases, steps: 5).points {
      #expect(close(point.y, try precision(cases, at: point.x)))
      expectEnds(
        of: ConfidenceInterval(lower: point.lower, upper: point.upper, level: 0.8),
        among: try resamples.map { try precision($0, at: point.x) })
    }
  }

  private func sensitivity(_ cases: LabelledScores, at rate: Double) throws -> Double {
    let points = try ROCCurve(cases).points
    let index = try #require(points.lastIndex { $0.falsePositiveRate <= rate })
    guard index + 1 < points.count else { return points[index].truePositiveRate }
    let (a, b) = (points[index], points[index + 1])
    let share = (rate - a.falsePositiveRate) / (b.falsePositiveRate - a.falsePositiveRate)
    return a.truePositiveRate + share * (b.truePositiveRate - a.truePositiveRate)
  }

  private func precision(_ cases: LabelledScores, at recall: Double) throws -> Double {
    let points = try PrecisionRecallCurve(cases).points.dropLast()  // thresholds ascend; the last is a convention
    return try #require(points.last { $0.recall >= recall }).precision
  }

  @Test("The same seed gives the same intervals, other seeds and methods others")
  func seeds() throws {
    let drawn = try drawnScores(.init(seed: 30, count: 90, prevalence: 0.4, shift: 0.4, levels: 0))
    func ends(_ seed: UInt64, _ method: Bootstrap.Method = .accelerated) throws -> ConfidenceInterval? {
      try Bootstrap(resamples: 200, seed: seed, method: method).interval(of: .auroc, on: drawn)
    }
    #expect(try ends(1) == ends(1))
    #expect(try ends(1) != ends(2))
    #expect(try ends(1) != ends(1, .percentile))
    // Figures computed together are those computed alone.
    let together = try Bootstrap(resamples: 200, seed: 1).intervals(of: [.bestF1, .auroc], on: drawn)
    #expect(try together[1] == ends(1))
  }

  @Test("Groups of many cases give nearly DeLong's interval, and targets are figures too")
  func groups() throws {
    let drawn = try drawnScores(.init(seed: 31, count: 500, prevalence: 0.5, shift: 0.5, levels: 0))
    let bootstrap = Bootstrap(resamples: 1_000, seed: 5)
    let intervals = try bootstrap.intervals(
      of: [.auroc, .sensitivity(atSpecificity: 0.8), .specificity(atSensitivity: 0.8)], on: drawn)
    let (accelerated, delong) = (try #require(intervals[0]), try #require(try DeLong(drawn).interval()))
    #expect(abs(accelerated.lower - delong.lower) < 0.006 && abs(accelerated.upper - delong.upper) < 0.006)
    let sensitivity = try OperatingPoint.highestSensitivity(atSpecificity: 0.8, on: drawn).sensitivity
    #expect(try #require(intervals[1]).contains(sensitivity ?? -1))
    let specificity = try OperatingPoint.highestSpecificity(atSensitivity: 0.8, on: drawn).specificity
    #expect(try #require(intervals[2]).contains(specificity ?? -1))
  }

  @Test("What the cases cannot tell has no interval, and what makes no sense is refused")
  func refusals() throws {
    let perfect = try LabelledScores(scores: [4, 3, 2, 1], labels: [true, true, false, false])
    #expect(try Bootstrap().interval(of: .auroc, on: perfect) == nil)
    let undefined = SweepFigure.rate("precision", at: 9) { $0.precision }
    #expect(try Bootstrap().interval(of: undefined, on: cases) == nil)
    let one = try LabelledScores(scores: [4, 3, 2], labels: [true, false, false])
    expectMessage("The bootstrap needs at least 2 abnormal cases and there is 1; add abnormal cases to the evaluation.")
    {
      _ = try Bootstrap().interval(of: .auroc, on: one)
    }
    expectMessage("1 is too small a number of resamples; give at least 2.") {
      _ = try Bootstrap(resamples: 1).rocBand(on: cases)
    }
    expectMessage("The confidence level 1.0 is not between 0 and 1; give, for example, 0.95.") {
      _ = try Bootstrap(level: 1).interval(of: .auroc, on: cases)
    }
    expectMessage("0 is too small a number of steps of the grid; give at least 1.") {
      _ = try Bootstrap().precisionRecallBand(on: cases, steps: 0)
    }
  }
}

@Suite("SciPy's bootstrap")
struct SciPyBootstrapTests {
  @Test("The accelerated interval of few abnormal cases is SciPy's, up to the draws")
  func accelerated() throws {
    let golden = try GoldenStatistics.read().bootstrap
    let cases = try drawnScores(golden.drawn)
    let interval = try #require(try Bootstrap(resamples: 20_000).interval(of: .auroc, on: cases))
    #expect(abs(interval.lower - golden.lower) < 0.01 && abs(interval.upper - golden.upper) < 0.004)
    let plain = try #require(
      try Bootstrap(resamples: 20_000, method: .percentile).interval(of: .auroc, on: cases))
    #expect(abs(plain.lower - golden.lower) > 0.02)
  }
}
