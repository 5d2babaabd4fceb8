import Evaluation
import Testing

@testable import Norma

@Suite("Choosing ensembles on validation images")
struct EnsembleChoiceTests {
  /// Two normal images, then two abnormal ones.
  private func table(_ scores: [Double], names: [String] = ["n1", "n2", "a1", "a2"]) -> ScoreTable {
    ScoreTable(
      rows: zip(names, scores).enumerated().map { .init(name: $1.0, isAbnormal: $0 >= 2, score: $1.1) })
  }

  @Test("Subsets come in order, each once")
  func subsets() {
    #expect(EnsembleChoice.subsets(of: 4, size: 2) == [[0, 1], [0, 2], [0, 3], [1, 2], [1, 3], [2, 3]])
    #expect(EnsembleChoice.subsets(of: 3, size: 3) == [[0, 1, 2]])
    #expect(EnsembleChoice.subsets(of: 2, size: 3).isEmpty)
  }

  // Of normal images every member has the mean 0 and the deviation 1, so that scores are standardised already.
  //   member     n1  n2  a1  a2      alone
  //   first      −1   1   0   5      3/4
  //   second     −1   1   5   0      3/4
  //   third      −1   1  −9  −9      0
  // first + second: means −1, 1, 2.5, 2.5: AUROC 1. With third, a1 and a2 fall below: 0.
  private var members: [ScoreTable] { [table([-1, 1, 0, 5]), table([-1, 1, 5, 0]), table([-1, 1, -9, -9])] }

  @Test("The best pair wins, with the AUROC that a hand calculation gives")
  func byHand() throws {
    let choice = try EnsembleChoice(
      among: ["first", "second", "third"], scores: [members], fusions: [.mean], largest: 3)
    #expect(choice.members == ["first", "second"] && choice.fusion == .mean)
    #expect(choice.auroc == 1 && choice.combinations == 4)
    let bad = try EnsembleChoice(
      among: ["second", "third"], scores: [Array(members[1...])], fusions: [.mean], largest: 2)
    // Means −1, 1, −2, −4.5.
    #expect(bad.auroc == 0)
    // Maxima −1, 1, 5, 0: of four pairs only (n2, a2) is wrong.
    let maximum = try EnsembleChoice(
      among: ["second", "third"], scores: [Array(members[1...])], fusions: [.mean, .maximum], largest: 2)
    #expect(maximum.fusion == .maximum && maximum.auroc == 0.75 && maximum.combinations == 2)
  }

  @Test("Scales of members do not matter, and equally good combinations give the smaller and earlier one")
  func ties() throws {
    let scaled = [table([90, 110, 100, 150]), table([-0.01, 0.01, 0.05, 0]), table([-1, 1, 5, 5])]
    let choice = try EnsembleChoice(among: ["x", "y", "z"], scores: [scaled], fusions: [.mean, .rank], largest: 3)
    #expect(choice.members == ["x", "y"] && choice.fusion == .mean && choice.auroc == 1 && choice.combinations == 8)
  }

  @Test("Seeds count alike: the mean of their AUROCs decides")
  func seeds() throws {
    // Under the second seed first and second fail where third is right.
    let second = [table([-1, 1, -9, -9]), table([-1, 1, -1, 1]), table([-1, 1, 9, 9])]
    let choice = try EnsembleChoice(
      among: ["first", "second", "third"], scores: [members, second], fusions: [.mean], largest: 2)
    // first + second: 1 and 0; first + third: 0 and, of −1, 1, 0, 0, one half; second + third: 0 and 1.
    #expect(choice.members == ["first", "second"] && choice.auroc == 0.5)
    let swapped = try EnsembleChoice(
      among: ["second", "third"], scores: [Array(members[1...]), Array(second[1...])], fusions: [.mean], largest: 2)
    #expect(swapped.auroc == 0.5)
  }

  @Test("Other images, and one class alone, are refused")
  func refusals() {
    let others = [table([-1, 1, 0, 5]), table([-1, 1, 5, 0], names: ["n1", "n2", "a1", "b"])]
    #expect(throws: EnsembleChoiceError.imagesDiffer(first: "x", second: "y")) {
      try EnsembleChoice(among: ["x", "y"], scores: [others], fusions: [.mean], largest: 2)
    }
    let normal = ScoreTable(rows: [.init(name: "n", isAbnormal: false, score: 1)])
    #expect(throws: EnsembleChoiceError.oneClassOnly) {
      try EnsembleChoice(among: ["x", "y"], scores: [[normal, normal]], fusions: [.mean], largest: 2)
    }
  }
}
