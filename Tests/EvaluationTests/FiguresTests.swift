import Evaluation
import Foundation
import Testing

@Suite("Figures")
struct FiguresTests {
  @Test("AUROC is the share of pairs ordered rightly, ties counting one half", arguments: [1, 2, 3, 4, 5] as [UInt64])
  func pairs(_ seed: UInt64) throws {
    let cases = try drawnScores(.init(seed: seed, count: 120, prevalence: 0.4, shift: 0.2, levels: 8))
    var (won, all) = (0.0, 0.0)
    for abnormal in cases.scores(abnormal: true) {
      for normal in cases.scores(abnormal: false) {
        won += abnormal > normal ? 1 : abnormal == normal ? 0.5 : 0
        all += 1
      }
    }
    #expect(try auroc(cases) == won / all)
  }

  @Test("Neither the order of the cases nor a rising transformation changes AUROC and average precision")
  func invariance() throws {
    let cases = try drawnScores(.init(seed: 9, count: 500, prevalence: 0.3, shift: 0.3, levels: 16))
    let order = cases.scores.indices.reversed()
    let reordered = try LabelledScores(
      scores: order.map { exp(3 * cases.scores[$0]) }, labels: order.map { cases.labels[$0] })
    #expect(try auroc(reordered) == auroc(cases))
    #expect(try averagePrecision(reordered) == averagePrecision(cases))
  }

  @Test("Swapping the classes mirrors AUROC")
  func mirrored() throws {
    let cases = try drawnScores(.init(seed: 5, count: 300, prevalence: 0.5, shift: 0.4, levels: 10))
    let swapped = try LabelledScores(scores: cases.scores, labels: cases.labels.map { !$0 })
    #expect(close(try auroc(swapped), 1 - (try auroc(cases))))
  }

  @Test("A score equal to the threshold is called abnormal")
  func boundary() throws {
    let cases = try LabelledScores(scores: [0.5, 0.5, 0.4], labels: [true, false, true])
    let matrix = try ConfusionMatrix(cases, threshold: 0.5)
    #expect(matrix == ConfusionMatrix(truePositives: 1, falsePositives: 1, trueNegatives: 0, falseNegatives: 1))
    #expect(matrix.accuracy == 1.0 / 3 && matrix.precision == 0.5 && matrix.sensitivity == 0.5)
    #expect(matrix.specificity == 0 && matrix.f1 == 0.5 && matrix.count == 3)
  }

  @Test("Rates without a denominator are nil")
  func undefined() {
    let nothingCalled = ConfusionMatrix(truePositives: 0, falsePositives: 0, trueNegatives: 4, falseNegatives: 0)
    #expect(nothingCalled.precision == nil && nothingCalled.sensitivity == nil && nothingCalled.f1 == nil)
    #expect(nothingCalled.specificity == 1)
    let empty = ConfusionMatrix(truePositives: 0, falsePositives: 0, trueNegatives: 0, falseNegatives: 0)
    #expect(empty.accuracy == nil && empty.specificity == nil)
  }

  @Test("Figures survive JSON, an infinite threshold included")
  func codable() throws {
    let worst = try LabelledScores(scores: [0.9, 0.8, 0.1, 0.2, 0.3], labels: [false, false, true, false, false])
    let figures = try ClassificationFigures(worst, fixedThreshold: 0.5, fixedRule: "95th percentile of normal scores")
    #expect(figures.operatingPoint("best accuracy")?.threshold == .infinity)
    #expect(figures.operatingPoint("95th percentile of normal scores")?.confusion.falsePositives == 2)
    #expect(figures.operatingPoint("none") == nil)
    let json = try JSONEncoder().encode(figures)
    #expect(try JSONDecoder().decode(ClassificationFigures.self, from: json) == figures)
  }
}

@Suite("Trials")
struct TrialTests {
  private func figures(_ auroc: Double, _ points: [OperatingPoint]) -> ClassificationFigures {
    ClassificationFigures(
      auroc: auroc, averagePrecision: auroc / 2, normalCount: 4, abnormalCount: 4, operatingPoints: points)
  }

  private func point(_ threshold: Double, hits: Int, alarms: Int, rule: String = "fixed") -> OperatingPoint {
    OperatingPoint(
      rule: rule, threshold: threshold,
      confusion: ConfusionMatrix(
        truePositives: hits, falsePositives: alarms, trueNegatives: 4 - alarms, falseNegatives: 4 - hits))
  }

  @Test("Summarises every figure with the sample standard deviation")
  func summary() throws {
    let summary = try TrialSummary([
      figures(0.8, [point(1, hits: 4, alarms: 2)]), figures(0.9, [point(3, hits: 2, alarms: 0)]),
    ])
    #expect(summary.trials == 2)
    #expect(close(summary.auroc.mean, 0.85) && close(summary.auroc.standardDeviation ?? 0, 0.1 / 2.0.squareRoot()))
    #expect(close(summary.averagePrecision.mean, 0.425))
    let fixed = try #require(summary.operatingPoint("fixed"))
    #expect(fixed.threshold?.mean == 2 && fixed.accuracy?.mean == 0.75 && fixed.accuracy?.standardDeviation == 0)
    #expect(fixed.sensitivity?.mean == 0.75 && fixed.specificity?.mean == 0.75)
    #expect(close(fixed.precision?.mean ?? 0, 5.0 / 6) && close(fixed.f1?.mean ?? 0, (0.8 + 2.0 / 3) / 2))
  }

  @Test("One trial has a mean and no spread")
  func single() throws {
    let summary = try TrialSummary([figures(0.8, [])])
    #expect(summary.auroc == TrialStatistic(mean: 0.8, standardDeviation: nil, trials: 1))
  }

  @Test("A figure that one trial does not define has no mean")
  func undefined() throws {
    let summary = try TrialSummary([
      figures(0.8, [point(.infinity, hits: 0, alarms: 0)]), figures(0.9, [point(3, hits: 2, alarms: 0)]),
    ])
    #expect(summary.operatingPoints[0].threshold == nil && summary.operatingPoints[0].precision == nil)
    #expect(summary.operatingPoints[0].accuracy?.mean == 0.625)
  }

  @Test("No trials and differing rules are refused")
  func refusals() {
    expectMessage("There are no trials to summarise; give the figures of at least one.") { _ = try TrialSummary([]) }
    expectMessage(
      "The trial at index 1 has the operating points (none) and the first one “fixed”; evaluate every trial with the same rules."
    ) {
      _ = try TrialSummary([figures(0.8, [point(1, hits: 1, alarms: 1)]), figures(0.8, [])])
    }
  }
}
