import Evaluation
import Testing

@Suite("Uncertainty in closed form")
struct UncertaintyTests {
  @Test("DeLong's variance and interval are those of all pairs", arguments: try GoldenStatistics.read().cases)
  func delong(_ golden: GoldenStatistics.Case) throws {
    let area = try DeLong(drawnScores(golden.drawn))
    #expect(close(area.auroc, golden.delong.auroc))
    #expect(abs(area.variance - golden.delong.variance) <= 1e-9 * golden.delong.variance)
    let interval = try area.interval()
    #expect((interval == nil) == (golden.delong.lower == nil))
    if let interval, let lower = golden.delong.lower, let upper = golden.delong.upper {
      #expect(close(interval.lower, lower) && close(interval.upper, upper) && interval.contains(area.auroc))
    }
  }

  @Test("DeLong's paired test", arguments: try GoldenStatistics.read().cases)
  func paired(_ golden: GoldenStatistics.Case) throws {
    let (first, second) = (try drawnScores(golden.drawn), try golden.otherScores())
    let test = try DeLongTest(first, second)
    #expect(close(test.difference, golden.test.difference) && close(test.standardError, golden.test.standardError))
    #expect(close(test.z ?? .nan, golden.test.z))
    #expect(abs((test.p ?? .nan) - golden.test.p) <= 1e-9 * golden.test.p)
    let swapped = try DeLongTest(second, first)
    #expect(swapped.z == test.z.map { -$0 } && swapped.p == test.p)
    let itself = try DeLongTest(first, first)
    #expect(itself.difference == 0 && itself.p == 1)
  }

  @Test("The test refuses other cases, other labels and a class of one")
  func refusals() throws {
    let names = ["a", "b", "c", "d"]
    let labels = [true, true, false, false]
    let first = try LabelledScores(scores: [4, 3, 2, 1], labels: labels, names: names)
    let other = try LabelledScores(scores: [4, 3, 2, 1], labels: labels, names: ["a", "x", "c", "d"])
    expectMessage("The case at index 1 (b) is not the same for both scores; score the same cases in the same order.") {
      _ = try DeLongTest(first, other)
    }
    let relabelled = try LabelledScores(scores: [4, 3, 2, 1], labels: [true, true, false, true])
    #expect(throws: EvaluationError.casesDiffer(index: 3, name: "d")) { try DeLongTest(first, relabelled) }
    #expect(throws: EvaluationError.countsDiffer(scores: 4, labels: 1, names: nil)) {
      try DeLongTest(first, LabelledScores(scores: [1], labels: [true]))
    }
    expectMessage(
      "DeLong's variance of AUROC needs at least 2 normal cases and there is 1; add normal cases to the evaluation."
    ) {
      _ = try DeLong(relabelled)
    }
    // Without an error there is no variance: no interval, and against a score with another area no p.
    #expect(try DeLong(first).interval() == nil && DeLong(first).auroc == 1)
    let worst = try LabelledScores(scores: [1, 2, 3, 4], labels: labels)
    let test = try DeLongTest(first, worst)
    #expect(test.difference == 1 && test.z == nil && test.p == nil)
    expectMessage("The confidence level 95.0 is not between 0 and 1; give, for example, 0.95.") {
      _ = try DeLong(first).interval(level: 95)
    }
  }

  @Test("Welch's test is SciPy's, with one constant list too")
  func welch() throws {
    for golden in try GoldenStatistics.read().welch {
      let test = try WelchTest(golden.a, golden.b)
      #expect(close(test.t, golden.t) && close(test.degreesOfFreedom, golden.df))
      #expect(abs(test.p - golden.p) <= 1e-9 * golden.p, "\(test.p) is not \(golden.p)")
      #expect(try WelchTest(golden.b, golden.a).p == test.p)
    }
  }

  @Test("Welch's test refuses single trials, two constant lists and figures that are no numbers")
  func welchRefusals() {
    expectMessage("The test needs at least 2 trials of each method and there is 1 of the second; run more.") {
      _ = try WelchTest([1, 2], [3])
    }
    expectMessage(
      "All trials of each method are equal, so a difference cannot be tested; run trials with other seeds."
    ) {
      _ = try WelchTest([0.1, 0.1, 0.1], [0.3, 0.3, 0.3])
    }
    #expect(throws: EvaluationError.scoreNotFinite(index: 1, name: nil)) { try WelchTest([1, .nan], [2, 3]) }
  }

  @Test("Wilson's interval is SciPy's")
  func wilson() throws {
    for golden in try GoldenStatistics.read().wilson {
      let interval = try #require(
        try ConfidenceInterval(share: golden.successes, of: golden.count, level: golden.level))
      #expect(close(interval.lower, golden.lower) && close(interval.upper, golden.upper))
    }
    #expect(try ConfidenceInterval(share: 0, of: 0) == nil)
  }
}
