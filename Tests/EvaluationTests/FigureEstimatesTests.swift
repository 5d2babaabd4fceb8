import Testing

@testable import Evaluation

@Suite("All figures of one score, with their uncertainty")
struct FigureEstimatesTests {
  /// Scores 1 ... 10 of six normal and four abnormal cases.
  private let cases: LabelledScores
  private let probabilities = [0.1, 0.1, 0.2, 0.3, 0.3, 0.4, 0.6, 0.8, 0.9, 0.9]

  init() throws {
    cases = try LabelledScores(
      scores: (1...10).map(Double.init),
      labels: [false, false, false, false, true, false, false, true, true, true])
  }

  private func estimates(_ bootstrap: Bootstrap? = Bootstrap(resamples: 200)) throws -> FigureEstimates {
    try FigureEstimates(
      cases, operatingPoint: OperatingPoint(fixed: 7, rule: "r", on: cases), specificities: [0.9, 0.8],
      sensitivities: [0.9], probabilities: probabilities, bootstrap: bootstrap)
  }

  @Test("Values by hand: at 7 and above are one normal and three abnormal cases, of six and four")
  func values() throws {
    let figures = try estimates()
    let expected: [(String, Double)] = [
      ("AUROC", 22.0 / 24), ("average precision", (1 + 1 + 1 + 4.0 / 6) / 4),
      ("sensitivity at a specificity of 0.9", 0.75), ("sensitivity at a specificity of 0.8", 0.75),
      ("specificity at a sensitivity of 0.9", 4.0 / 6), ("accuracy", 0.8), ("sensitivity", 0.75),
      ("specificity", 5.0 / 6), ("precision", 0.75), ("balanced accuracy", (0.75 + 5.0 / 6) / 2), ("F1", 0.75),
      // (3 · 5 − 1 · 1) / √(4 · 4 · 6 · 6)
      ("Matthews correlation", 14.0 / 24),
      // 0.01 · 2 + 0.04 + 0.09 + 0.49 + 0.16 + 0.36 + 0.04 + 0.01 · 2
      ("Brier score", 1.22 / 10),
      // Bins of a tenth: |0.2 − 0| + |0.2 − 0| + |0.6 − 1| + |0.4 − 0| + |0.6 − 0| + |0.8 − 1| + |1.8 − 2|, over ten.
      ("expected calibration error", (0.2 + 0.2 + 0.4 + 0.4 + 0.6 + 0.2 + 0.2) / 10),
    ]
    #expect(figures.estimates.map(\.name) == expected.map(\.0))
    for (estimate, (name, value)) in zip(figures.estimates, expected) {
      #expect(abs((estimate.value ?? .nan) - value) < 1e-12, "\(name)")
    }
    #expect(figures.targets.map(\.threshold) == [8, 8, 5])
    #expect(figures.operatingPoint?.confusion.count == 10 && figures.calibration?.points.count == 7)
  }

  @Test("Each interval is the one that its method gives")
  func intervals() throws {
    let (figures, bootstrap) = (try estimates(), Bootstrap(resamples: 200))
    #expect(figures.estimate("AUROC")?.interval == (try DeLong(cases).interval()))
    #expect(figures.estimate("sensitivity")?.interval == (try ConfidenceInterval(share: 3, of: 4)))
    #expect(figures.estimate("accuracy")?.interval == (try ConfidenceInterval(share: 8, of: 10)))
    #expect(
      figures.estimate("average precision")?.interval == (try bootstrap.interval(of: .averagePrecision, on: cases)))
    #expect(
      figures.estimate("F1")?.interval == (try bootstrap.interval(of: .rate("F1", at: 7) { $0.f1 }, on: cases)))
    let brier = try #require(figures.estimate("Brier score")?.interval)
    #expect(brier.lower < 0.122 && 0.122 < brier.upper && brier.lower > 0 && brier.upper < 0.5)
  }

  @Test("The Brier score of a sweep is that of its cases")
  func brier() throws {
    let calibrated = try LabelledScores(scores: probabilities, labels: cases.labels)
    #expect(abs(SweepFigure.brier.value(ThresholdSweep(calibrated))! - (try brierScore(calibrated))) < 1e-12)
  }

  @Test("What cannot be told has a reason: no resamples, too few cases, nothing called abnormal")
  func reasons() throws {
    let none = try estimates(nil)
    #expect(none.estimate("F1")?.value == 0.75 && none.estimate("F1")?.interval == nil)
    #expect(none.estimate("F1")?.reason == "No resamples were asked for.")
    #expect(none.estimate("AUROC")?.interval != nil)
    let few = try LabelledScores(scores: [1, 2, 3], labels: [false, false, true])
    let figures = try FigureEstimates(few, operatingPoint: OperatingPoint(fixed: 9, rule: "r", on: few))
    #expect(figures.estimate("AUROC")?.value == 1)
    #expect(figures.estimate("AUROC")?.reason?.contains("needs at least 2 abnormal cases and there is 1") == true)
    #expect(figures.estimate("average precision")?.reason?.contains("needs at least 2 abnormal cases") == true)
    #expect(figures.estimate("precision")?.value == nil && figures.estimate("precision")?.reason != nil)
    #expect(throws: EvaluationError.targetNotAShare(1.5)) { try FigureEstimates(cases, specificities: [1.5]) }
  }
}
