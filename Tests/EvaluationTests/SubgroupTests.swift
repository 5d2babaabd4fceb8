import Evaluation
import Foundation
import Testing

@Suite("Subgroups")
struct SubgroupTests {
  private let cases: LabelledScores

  init() throws {
    cases = try drawnScores(.init(seed: 41, count: 120, prevalence: 0.5, shift: 0.4, levels: 0))
  }

  @Test("Each group has the figures of its cases, with their intervals")
  func groups() throws {
    let values = cases.scores.indices.map { ["F", "M", nil, ""][[0, 0, 1, 1, 1, 0, 2, 3][$0 % 8]] }
    let bootstrap = Bootstrap(resamples: 100, level: 0.9, seed: 2)
    let figures = try SubgroupFigures(by: "sex", values: values, cases: cases, threshold: 0.7, bootstrap: bootstrap)
    #expect(figures.attribute == "sex" && figures.groups.map(\.name) == ["F", "M", "not known"])
    #expect(figures.groups.map { $0.normalCount + $0.abnormalCount } == [45, 45, 30])
    let members = cases.scores.indices.filter { values[$0] == "M" }
    let men = try LabelledScores(
      scores: members.map { cases.scores[$0] }, labels: members.map { cases.labels[$0] })
    let group = figures.groups[1]
    #expect(group.normalCount == men.normalCount && group.abnormalCount == men.abnormalCount)
    #expect(group.figures.map(\.name) == ["AUROC", "average precision", "sensitivity", "specificity"])
    #expect(group.figures.allSatisfy { $0.reason == nil && $0.interval?.level == 0.9 })
    #expect(try group.figure("AUROC")?.value == auroc(men))
    #expect(try group.figure("AUROC")?.interval == DeLong(men).interval(level: 0.9))
    #expect(try group.figure("average precision")?.value == averagePrecision(men))
    #expect(try group.figure("average precision")?.interval == bootstrap.interval(of: .averagePrecision, on: men))
    let matrix = try ConfusionMatrix(men, threshold: 0.7)
    #expect(group.figure("sensitivity")?.value == matrix.sensitivity)
    #expect(group.figure("specificity")?.value == matrix.specificity)
    #expect(
      try group.figure("specificity")?.interval
        == ConfidenceInterval(share: matrix.trueNegatives, of: men.normalCount, level: 0.9))
    #expect(try figures.all.figure("AUROC")?.value == auroc(cases) && figures.all.name == "all")
    let json = try JSONEncoder().encode(figures)
    #expect(try JSONDecoder().decode(SubgroupFigures.self, from: json) == figures)
  }

  @Test("What is not defined in a group says why")
  func reasons() throws {
    let few = try LabelledScores(
      scores: [1, 2, 3, 4, 5, 6, 7], labels: [false, false, false, true, false, true, true])
    let values = ["a", "a", "b", "b", "b", "c", "c"]
    let figures = try SubgroupFigures(
      by: "scanner", values: values, cases: few, threshold: 3.5, bootstrap: Bootstrap(resamples: 50))
    let reasons = figures.groups.map { $0.figures.map { ($0.value, $0.interval == nil, $0.reason) } }
    #expect(reasons[0][0].0 == nil)
    #expect(
      reasons[0][0].2 == "AUROC is not defined without abnormal cases; add abnormal cases to the evaluation.")
    #expect(
      reasons[0][2].2 == "Sensitivity is not defined without abnormal cases; add abnormal cases to the evaluation.")
    #expect(reasons[0][3].0 == 1 && !reasons[0][3].1 && reasons[0][3].2 == nil)
    #expect(reasons[1][0].0 == 0.5 && reasons[1][0].1)
    #expect(
      reasons[1][0].2
        == "DeLong's variance of AUROC needs at least 2 abnormal cases and there is 1; add abnormal cases to the evaluation."
    )
    #expect(reasons[2][1].0 == 1 && reasons[2][1].1)
    #expect(reasons[2][3].2 == "Specificity is not defined without normal cases; add normal cases to the evaluation.")
    let perfect = try LabelledScores(scores: [1, 2, 3, 4], labels: [false, false, true, true])
    let all = try SubgroupFigures(by: "x", values: [nil, nil, nil, nil], cases: perfect).all
    #expect(all.figure("AUROC")?.value == 1 && all.figure("AUROC")?.interval == nil)
    #expect(
      all.figure("AUROC")?.reason == "The cases show no variation, so how uncertain the figure is cannot be told.")
  }

  @Test("Without a bootstrap its intervals are left out, and all other figures stay")
  func noBootstrap() throws {
    let values = cases.scores.indices.map { ["F", "M"][$0 % 2] }
    let (without, with) = (
      try SubgroupFigures(by: "sex", values: values, cases: cases, threshold: 0.7, bootstrap: nil),
      try SubgroupFigures(
        by: "sex", values: values, cases: cases, threshold: 0.7, bootstrap: Bootstrap(resamples: 100))
    )
    for (bare, whole) in zip([without.all] + without.groups, [with.all] + with.groups) {
      let precision = try #require(bare.figure("average precision"))
      #expect(precision.value == whole.figure("average precision")?.value && precision.interval == nil)
      #expect(precision.reason == "No resamples were asked for.")
      for name in ["AUROC", "sensitivity", "specificity"] {
        #expect(bare.figure(name) == whole.figure(name) && bare.figure(name)?.interval?.level == 0.95)
      }
    }
    let one = try LabelledScores(scores: [1, 2], labels: [false, false])
    let figure = try SubgroupFigures(by: "sex", values: ["F", "F"], cases: one, bootstrap: nil).all.figures[1]
    #expect(figure.reason?.hasPrefix("Average precision is not defined without abnormal cases") == true)
  }

  @Test("Numbers and DICOM's ages fall into bands, in the order of the bands")
  func bands() throws {
    let bands = try AttributeBands(limits: [18, 40.5, 65])
    #expect(bands.names == ["< 18", "18 to < 40.5", "40.5 to < 65", "≥ 65"])
    let texts = [
      "17.99", " 18 ", "64", "065Y", "064Y", "215M", "217M", "900W", "951W", "900D", "1e2", "-1", "old", "nan",
    ]
    #expect(
      texts.map { bands.name(of: $0).flatMap(bands.names.firstIndex) ?? -1 }
        == [0, 1, 2, 3, 2, 0, 1, 0, 1, 0, 3, 0, -1, -1])
    let values: [String?] = cases.scores.indices.map { ["70", "oops", "12", "30"][$0 % 4] }
    let figures = try SubgroupFigures(
      by: "age", values: values, bands: bands, cases: cases, bootstrap: Bootstrap(resamples: 20))
    #expect(figures.groups.map(\.name) == ["< 18", "18 to < 40.5", "≥ 65", "not known"])
    #expect(figures.groups.allSatisfy { $0.normalCount + $0.abnormalCount == 30 && $0.figures.count == 2 })
    expectMessage("The limits 40.0, 40.0 do not rise from each to the next; give each once, in order.") {
      _ = try AttributeBands(limits: [40, 40])
    }
    #expect(try AttributeBands(limits: []).names == ["all"])
  }

  @Test("Values, threshold and level must make sense")
  func refusals() {
    expectMessage("There are 1 values of “sex” for 120 cases; give one per case, or none where it is not known.") {
      _ = try SubgroupFigures(by: "sex", values: ["F"], cases: cases)
    }
    let values = [String?](repeating: "F", count: 120)
    #expect(throws: EvaluationError.thresholdNotANumber) {
      try SubgroupFigures(by: "sex", values: values, cases: cases, threshold: .nan)
    }
    #expect(throws: EvaluationError.levelNotAShare(0)) {
      try SubgroupFigures(by: "sex", values: values, cases: cases, bootstrap: Bootstrap(level: 0))
    }
    #expect(throws: EvaluationError.countTooSmall("resamples", found: 0, needed: 2)) {
      try SubgroupFigures(by: "sex", values: values, cases: cases, bootstrap: Bootstrap(resamples: 0))
    }
  }
}
