import Evaluation
import Testing

@Suite("Rates, targets and calibration")
struct RatesTests {
  @Test(
    "Balanced accuracy, Matthews' correlation and negative predictive value",
    arguments: try GoldenStatistics.read().cases)
  func rates(_ golden: GoldenStatistics.Case) throws {
    let cases = try drawnScores(golden.drawn)
    for rates in golden.rates {
      let matrix = try ConfusionMatrix(cases, threshold: rates.threshold)
      #expect(matrix.truePositives == rates.tp && matrix.trueNegatives == rates.tn)
      #expect(close(matrix.balancedAccuracy ?? -2, rates.balancedAccuracy))
      #expect((matrix.matthewsCorrelation == nil) == (rates.mcc == nil))
      if let mcc = rates.mcc { #expect(close(matrix.matthewsCorrelation ?? -2, mcc)) }
      #expect((matrix.negativePredictiveValue == nil) == (rates.npv == nil))
      if let npv = rates.npv { #expect(close(matrix.negativePredictiveValue ?? -2, npv)) }
    }
  }

  @Test("Rates of one class alone are not known, and counts of a billion do not overflow")
  func extremes() {
    let normal = ConfusionMatrix(truePositives: 0, falsePositives: 2, trueNegatives: 3, falseNegatives: 0)
    #expect(normal.balancedAccuracy == nil && normal.matthewsCorrelation == nil)
    #expect(normal.negativePredictiveValue == 1)
    let billion = 1_000_000_000
    let large = ConfusionMatrix(
      truePositives: billion, falsePositives: billion, trueNegatives: billion, falseNegatives: billion)
    #expect(large.matthewsCorrelation == 0 && large.balancedAccuracy == 0.5)
    let inverted = ConfusionMatrix(
      truePositives: 0, falsePositives: billion, trueNegatives: 0, falseNegatives: billion)
    #expect(inverted.matthewsCorrelation == -1)
  }

  @Test("Sensitivity at a given specificity and the reverse", arguments: try GoldenStatistics.read().cases)
  func targets(_ golden: GoldenStatistics.Case) throws {
    let cases = try drawnScores(golden.drawn)
    for target in golden.targets {
      let sensitive = try OperatingPoint.highestSensitivity(atSpecificity: target.target, on: cases)
      #expect(close(sensitive.sensitivity ?? -1, target.sensitivity))
      #expect(close(sensitive.specificity ?? -1, target.specificityThere))
      #expect(close(sensitive.threshold, target.thresholdThere))
      let specific = try OperatingPoint.highestSpecificity(atSensitivity: target.target, on: cases)
      #expect(close(specific.specificity ?? -1, target.specificity))
      #expect(close(specific.sensitivity ?? -1, target.sensitivityThere))
      #expect(close(specific.threshold, target.thresholdOfSpecificity))
      for point in [sensitive, specific] {
        #expect(try ConfusionMatrix(cases, threshold: point.threshold) == point.confusion)
      }
    }
  }

  @Test("A target is reached by equality, and where only silence is specific enough the threshold is infinite")
  func targetsByHand() throws {
    // 20 normal cases, one of them the third highest of all.
    let scores = [9.0, 8, 7] + (0..<20).map { -Double($0) }
    let labels = [true, true, false, true] + [Bool](repeating: false, count: 19)
    let cases = try LabelledScores(scores: scores, labels: labels)
    let point = try OperatingPoint.highestSensitivity(atSpecificity: 0.95, on: cases)
    #expect(point.sensitivity == 1 && point.specificity == 0.95 && point.threshold == 0)
    #expect(point.rule == "specificity of at least 0.95")
    #expect(try OperatingPoint.highestSensitivity(atSpecificity: 0.951, on: cases).threshold == 8)
    let hard = try LabelledScores(scores: [2, 1, 0], labels: [false, true, true])
    let silent = try OperatingPoint.highestSensitivity(atSpecificity: 0.5, on: hard)
    #expect(silent.threshold == .infinity && silent.sensitivity == 0 && silent.specificity == 1)
    let specific = try OperatingPoint.highestSpecificity(atSensitivity: 0.5, on: hard)
    #expect(specific.specificity == 0 && specific.sensitivity == 1 && specific.threshold == 0)
    expectMessage("The target 1.5 is not a share; give a sensitivity or specificity from 0 to 1.") {
      _ = try OperatingPoint.highestSpecificity(atSensitivity: 1.5, on: hard)
    }
    #expect(throws: EvaluationError.self) { try OperatingPoint.highestSensitivity(atSpecificity: .nan, on: hard) }
    #expect(throws: EvaluationError.self) { try OperatingPoint.highestSpecificity(atSensitivity: .nan, on: hard) }
    #expect(SweepFigure.specificity(atSensitivity: .nan).value(ThresholdSweep(hard)) != nil)
    let one = try LabelledScores(scores: [1], labels: [true])
    #expect(throws: EvaluationError.oneClassOnly(missing: .normal, figure: "Sensitivity at a given specificity")) {
      try OperatingPoint.highestSensitivity(atSpecificity: 0.5, on: one)
    }
  }

  @Test("Brier score and calibration curve are scikit-learn's", arguments: try GoldenStatistics.read().cases)
  func calibration(_ golden: GoldenStatistics.Case) throws {
    let cases = try golden.probabilities()
    #expect(close(try brierScore(cases), golden.brier))
    for expected in golden.calibration {
      let bins = try #require(CalibrationCurve.Bins(rawValue: expected.strategy))
      let curve = try CalibrationCurve(cases, bins: bins, count: expected.bins)
      #expect(curve.points.map(\.count) == expected.counts)
      guard curve.points.count == expected.share.count else { continue }
      for (point, (share, probability)) in zip(curve.points, zip(expected.share, expected.probability)) {
        #expect(close(point.abnormalShare, share) && close(point.probability, probability))
        #expect(point.lower - 1e-12 <= point.probability && point.probability <= point.upper + 1e-12)
      }
      #expect(close(curve.expectedError, expected.expectedError))
      #expect(curve.maximumError >= curve.expectedError)
    }
  }

  @Test("A score outside 0 ... 1 is no probability, and its image is named")
  func notProbabilities() throws {
    let cases = try LabelledScores(scores: [0.5, 1.25], labels: [true, false], names: ["a.png", "b.png"])
    let message =
      "The score at index 1 (b.png) is 1.25, which is not a probability; give calibrated scores from 0 to 1."
    expectMessage(message) { _ = try brierScore(cases) }
    expectMessage(message) { _ = try CalibrationCurve(cases) }
    let sure = try LabelledScores(scores: [0, 1, 1], labels: [false, true, true])
    #expect(try brierScore(sure) == 0)
    #expect(try CalibrationCurve(sure).expectedError == 0)
    #expect(try CalibrationCurve(sure).points.map(\.count) == [1, 2])
    expectMessage("0 is too small a number of bins; give at least 1.") { _ = try CalibrationCurve(sure, count: 0) }
  }
}
