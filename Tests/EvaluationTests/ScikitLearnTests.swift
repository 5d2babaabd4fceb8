import Evaluation
import Testing

@Suite("Equal to scikit-learn")
struct ScikitLearnTests {
  @Test("AUROC and the ROC curve", arguments: try GoldenFigures.read().cases)
  func roc(_ golden: GoldenFigures.Case) throws {
    let cases = try golden.labelledScores()
    guard let auroc = golden.auroc, let fpr = golden.fpr, let tpr = golden.tpr, let thresholds = golden.rocThresholds
    else {
      #expect(throws: EvaluationError.self) { try ROCCurve(cases) }
      return
    }
    let curve = try ROCCurve(cases)
    #expect(close(try Evaluation.auroc(cases), auroc))
    #expect(curve.area == (try Evaluation.auroc(cases)))
    #expect(curve.points.count == golden.rocPoints)
    for (row, index) in stride(from: 0, to: curve.points.count, by: golden.stride).enumerated() {
      let point = curve.points[index]
      #expect(close(point.falsePositiveRate, fpr[row]) && close(point.truePositiveRate, tpr[row]))
      #expect(close(point.threshold, thresholds[row]))
    }
  }

  @Test("Average precision and the precision-recall curve", arguments: try GoldenFigures.read().cases)
  func precisionRecall(_ golden: GoldenFigures.Case) throws {
    let cases = try golden.labelledScores()
    guard let expected = golden.averagePrecision, let precision = golden.precision, let recall = golden.recall,
      let thresholds = golden.prThresholds
    else {
      #expect(throws: EvaluationError.self) { try PrecisionRecallCurve(cases) }
      return
    }
    let curve = try PrecisionRecallCurve(cases)
    #expect(close(try averagePrecision(cases), expected))
    #expect(curve.averagePrecision == (try averagePrecision(cases)))
    #expect(curve.points.count == golden.prPoints)
    for (row, index) in stride(from: 0, to: curve.points.count, by: golden.stride).enumerated() {
      let point = curve.points[index]
      #expect(close(point.precision, precision[row]) && close(point.recall, recall[row]))
      #expect(close(point.threshold, thresholds[row]))
    }
  }

  @Test("Confusion matrix and rates at a fixed threshold", arguments: try GoldenFigures.read().cases)
  func fixedThreshold(_ golden: GoldenFigures.Case) throws {
    let point = try OperatingPoint(fixed: golden.fixedThreshold, on: golden.labelledScores())
    expectEqual(point, golden.fixed)
  }

  @Test("Thresholds of best accuracy and best F1", arguments: try GoldenFigures.read().cases)
  func bestThresholds(_ golden: GoldenFigures.Case) throws {
    guard let bestAccuracy = golden.bestAccuracy, let bestF1 = golden.bestF1 else { return }
    let cases = try golden.labelledScores()
    expectEqual(try .bestAccuracy(on: cases), bestAccuracy)
    expectEqual(try .bestF1(on: cases), bestF1)
    let figures = try ClassificationFigures(cases, fixedThreshold: golden.fixedThreshold)
    #expect(figures.auroc == (try auroc(cases)))
    #expect(figures.averagePrecision == (try averagePrecision(cases)))
    #expect(
      figures.operatingPoints == [
        try OperatingPoint(fixed: golden.fixedThreshold, on: cases), try .bestAccuracy(on: cases),
        try .bestF1(on: cases),
      ])
  }

  @Test("Mean and sample standard deviation are NumPy's")
  func statistics() throws {
    for golden in try GoldenFigures.read().statistics {
      let statistic = try TrialStatistic(golden.values)
      #expect(close(statistic.mean, golden.mean))
      #expect(statistic.trials == golden.values.count)
      #expect((statistic.standardDeviation == nil) == (golden.sd == nil))
      if let found = statistic.standardDeviation, let sd = golden.sd { #expect(close(found, sd)) }
    }
  }

  /// Rates that are not defined here are 0 in scikit-learn.
  private func expectEqual(_ point: OperatingPoint, _ golden: GoldenFigures.Point) {
    #expect(close(point.threshold, golden.threshold))
    #expect(
      point.confusion
        == ConfusionMatrix(
          truePositives: golden.tp, falsePositives: golden.fp, trueNegatives: golden.tn, falseNegatives: golden.fn))
    #expect(close(point.accuracy ?? 0, golden.accuracy))
    #expect(close(point.f1 ?? 0, golden.f1))
    #expect(close(point.sensitivity ?? 0, golden.sensitivity))
    #expect(close(point.specificity ?? 0, golden.specificity))
    #expect(close(point.precision ?? 0, golden.precision))
  }
}
