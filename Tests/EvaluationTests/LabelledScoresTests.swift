import Evaluation
import Testing

@Suite("Labelled scores")
struct LabelledScoresTests {
  @Test("Counts the classes and gives the scores of each in order")
  func classes() throws {
    let cases = try LabelledScores(scores: [3, 1, 2], labels: [true, false, true], names: ["a", "b", "c"])
    #expect(cases.count == 3 && cases.abnormalCount == 2 && cases.normalCount == 1)
    #expect(cases.scores(abnormal: true) == [3, 2])
    #expect(cases.scores(abnormal: false) == [1])
  }

  @Test("Refuses empty input, differing counts and scores that are not finite")
  func refusals() throws {
    expectMessage("There are no scores to evaluate; give at least one score with its label.") {
      _ = try LabelledScores(scores: [], labels: [])
    }
    expectMessage("There are 2 scores, 1 labels; give one of each per case.") {
      _ = try LabelledScores(scores: [1, 2], labels: [true])
    }
    expectMessage("There are 1 scores, 1 labels and 2 names; give one of each per case.") {
      _ = try LabelledScores(scores: [1], labels: [true], names: ["a", "b"])
    }
    expectMessage("The score at index 1 is not a finite number; leave the case out or score it again.") {
      _ = try LabelledScores(scores: [1, .nan], labels: [true, false])
    }
    expectMessage("The score at index 0 (x.png) is not a finite number; leave the case out or score it again.") {
      _ = try LabelledScores(scores: [-.infinity, 1], labels: [true, false], names: ["x.png", "y.png"])
    }
  }

  @Test("One class alone is named by every figure that needs the other")
  func oneClass() throws {
    let normal = try LabelledScores(scores: [1, 2], labels: [false, false])
    let abnormal = try LabelledScores(scores: [1, 2], labels: [true, true])
    expectMessage("AUROC is not defined without abnormal cases; add abnormal cases to the evaluation.") {
      _ = try auroc(normal)
    }
    expectMessage("AUROC is not defined without normal cases; add normal cases to the evaluation.") {
      _ = try auroc(abnormal)
    }
    expectMessage("Average precision is not defined without abnormal cases; add abnormal cases to the evaluation.") {
      _ = try averagePrecision(normal)
    }
    #expect(try averagePrecision(abnormal) == 1)
    #expect(throws: EvaluationError.oneClassOnly(missing: .normal, figure: "AUROC")) {
      try ClassificationFigures(abnormal)
    }
    #expect(throws: EvaluationError.oneClassOnly(missing: .abnormal, figure: "The threshold of best F1")) {
      try OperatingPoint.bestF1(on: normal)
    }
    #expect(throws: EvaluationError.oneClassOnly(missing: .normal, figure: "The threshold of best accuracy")) {
      try OperatingPoint.bestAccuracy(on: abnormal)
    }
    #expect(try ConfusionMatrix(normal, threshold: 2).specificity == 0.5)
  }

  @Test("A threshold that is not a number is refused")
  func threshold() throws {
    let cases = try LabelledScores(scores: [1, 2], labels: [false, true])
    expectMessage(
      "The threshold is not a number; give a number, cases with a score of at least it are called abnormal."
    ) {
      _ = try OperatingPoint(fixed: .nan, on: cases)
    }
  }
}

/// Expects an error that describes itself exactly so.
func expectMessage(
  _ message: String, sourceLocation: SourceLocation = #_sourceLocation, _ body: () throws -> Void
) {
  do {
    try body()
    Issue.record("No error was thrown", sourceLocation: sourceLocation)
  } catch {
    #expect("\(error)" == message, sourceLocation: sourceLocation)
  }
}
