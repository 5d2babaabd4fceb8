/// How many cases of each class were called what: TP, FP, TN and FN, and the rates that follow from them.
///
/// A rate whose denominator is zero is nil: it is not known. (scikit-learn reports 0 and warns.)
public struct ConfusionMatrix: Codable, Equatable, Sendable {
  /// TP: abnormal cases called abnormal.
  public let truePositives: Int
  /// FP: normal cases called abnormal.
  public let falsePositives: Int
  /// TN: normal cases called normal.
  public let trueNegatives: Int
  /// FN: abnormal cases called normal.
  public let falseNegatives: Int

  /// Creates a matrix from its four counts.
  public init(truePositives: Int, falsePositives: Int, trueNegatives: Int, falseNegatives: Int) {
    self.truePositives = truePositives
    self.falsePositives = falsePositives
    self.trueNegatives = trueNegatives
    self.falseNegatives = falseNegatives
  }

  /// Counts the cases at a threshold: a score of at least `threshold` is called abnormal.
  /// - Parameters:
  ///   - cases: scores with labels; one class alone is fine.
  ///   - threshold: any number, infinities included.
  /// - Throws: `EvaluationError.thresholdNotANumber`.
  public init(_ cases: LabelledScores, threshold: Double) throws(EvaluationError) {
    if threshold.isNaN { throw .thresholdNotANumber }
    var (hits, alarms) = (0, 0)
    for (score, abnormal) in zip(cases.scores, cases.labels) where score >= threshold {
      if abnormal { hits += 1 } else { alarms += 1 }
    }
    self.init(
      truePositives: hits, falsePositives: alarms,
      trueNegatives: cases.normalCount - alarms, falseNegatives: cases.abnormalCount - hits)
  }

  /// TP + FP + TN + FN.
  public var count: Int { truePositives + falsePositives + trueNegatives + falseNegatives }
  /// (TP + TN) / all, 0 ... 1; nil without cases.
  public var accuracy: Double? { ratio(truePositives + trueNegatives, count) }
  /// Recall, TP / (TP + FN), 0 ... 1; nil without abnormal cases.
  public var sensitivity: Double? { ratio(truePositives, truePositives + falseNegatives) }
  /// TN / (TN + FP), 0 ... 1; nil without normal cases.
  public var specificity: Double? { ratio(trueNegatives, trueNegatives + falsePositives) }
  /// Positive predictive value, TP / (TP + FP), 0 ... 1; nil where nothing is called abnormal.
  public var precision: Double? { ratio(truePositives, truePositives + falsePositives) }
  /// TN / (TN + FN), 0 ... 1; nil where nothing is called normal.
  public var negativePredictiveValue: Double? { ratio(trueNegatives, trueNegatives + falseNegatives) }
  /// (sensitivity + specificity) / 2, 0 ... 1, one half by chance; nil unless both classes occur.
  public var balancedAccuracy: Double? {
    guard let sensitivity, let specificity else { return nil }
    return (sensitivity + specificity) / 2
  }
  /// Matthews' correlation of calls and truth, −1 ... 1, zero by chance (Matthews 1975): (TP · TN − FP · FN) /
  /// √((TP + FP) (TP + FN) (TN + FP) (TN + FN)); nil where only one class occurs or is called.
  public var matthewsCorrelation: Double? {
    guard let precision, let negativePredictiveValue, let sensitivity, let specificity else { return nil }
    // TP · TN / √… and FP · FN / √…, each from rates, so that large counts do not overflow.
    return (precision * sensitivity * specificity * negativePredictiveValue).squareRoot()
      - ((1 - precision) * (1 - sensitivity) * (1 - specificity) * (1 - negativePredictiveValue)).squareRoot()
  }
  /// F1 = Dice = 2 TP / (2 TP + FP + FN), 0 ... 1; nil where nothing is abnormal and nothing called so.
  public var f1: Double? { ratio(2 * truePositives, 2 * truePositives + falsePositives + falseNegatives) }

  private func ratio(_ numerator: Int, _ denominator: Int) -> Double? {
    denominator == 0 ? nil : Double(numerator) / Double(denominator)
  }
}
