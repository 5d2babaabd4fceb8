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
  /// F1 = Dice = 2 TP / (2 TP + FP + FN), 0 ... 1; nil where nothing is abnormal and nothing called so.
  public var f1: Double? { ratio(2 * truePositives, 2 * truePositives + falsePositives + falseNegatives) }

  private func ratio(_ numerator: Int, _ denominator: Int) -> Double? {
    denominator == 0 ? nil : Double(numerator) / Double(denominator)
  }
}
