/// A threshold, the rule that chose it, and the confusion matrix there.
///
/// In JSON the rates stand beside the counts for readers; an infinite threshold is left out, as is an undefined rate.
public struct OperatingPoint: Equatable, Sendable {
  /// How the threshold was chosen, for people: `best accuracy`, `best F1`, `fixed` or the caller's words.
  public let rule: String
  /// Cases with a score of at least this are called abnormal; infinity calls nothing abnormal.
  public let threshold: Double
  /// The counts at this threshold.
  public let confusion: ConfusionMatrix

  /// Share of right calls, 0 ... 1.
  public var accuracy: Double? { confusion.accuracy }
  /// 2 TP / (2 TP + FP + FN), 0 ... 1.
  public var f1: Double? { confusion.f1 }
  /// TP / (TP + FN), 0 ... 1; recall.
  public var sensitivity: Double? { confusion.sensitivity }
  /// TN / (TN + FP), 0 ... 1.
  public var specificity: Double? { confusion.specificity }
  /// TP / (TP + FP), 0 ... 1.
  public var precision: Double? { confusion.precision }
  /// (sensitivity + specificity) / 2, 0 ... 1.
  public var balancedAccuracy: Double? { confusion.balancedAccuracy }
  /// Matthews' correlation, −1 ... 1.
  public var matthewsCorrelation: Double? { confusion.matthewsCorrelation }
  /// TN / (TN + FN), 0 ... 1.
  public var negativePredictiveValue: Double? { confusion.negativePredictiveValue }

  /// Creates an operating point.
  public init(rule: String, threshold: Double, confusion: ConfusionMatrix) {
    self.rule = rule
    self.threshold = threshold
    self.confusion = confusion
  }

  /// Applies a threshold that was chosen without these labels, for example the 95th percentile of normal training scores.
  /// - Throws: `EvaluationError.thresholdNotANumber`.
  public init(fixed threshold: Double, rule: String = "fixed", on cases: LabelledScores) throws(EvaluationError) {
    self.init(rule: rule, threshold: threshold, confusion: try ConfusionMatrix(cases, threshold: threshold))
  }

  /// The threshold with the highest accuracy; of several the highest, that is the first on the ROC curve.
  ///
  /// The protocol of SQUID (CVPR 2023) and SimSID (TPAMI 2024). It looks at the labels of the cases it reports on, so its
  /// figures are upper bounds. The ROC curve's first threshold, infinity, takes part.
  /// - Throws: `EvaluationError.oneClassOnly` unless normal and abnormal cases occur.
  public static func bestAccuracy(on cases: LabelledScores) throws(EvaluationError) -> OperatingPoint {
    try cases.requireBothClasses(for: "The threshold of best accuracy")
    return ThresholdSweep(cases).bestAccuracy
  }

  /// The threshold with the highest F1; of several the highest. It looks at the labels, so its figures are upper bounds.
  /// - Throws: `EvaluationError.oneClassOnly` where no abnormal case occurs.
  public static func bestF1(on cases: LabelledScores) throws(EvaluationError) -> OperatingPoint {
    try cases.requireAbnormal(for: "The threshold of best F1")
    return ThresholdSweep(cases).bestF1
  }
}

extension ThresholdSweep {
  var bestAccuracy: OperatingPoint {
    // TP + TN = TP − FP + normal, so the largest TP − FP wins; the point above all scores has 0.
    var best = (index: -1, margin: 0)
    for (index, (hits, alarms)) in zip(truePositives, falsePositives).enumerated() where hits - alarms > best.margin {
      best = (index, hits - alarms)
    }
    guard best.index >= 0 else {
      return OperatingPoint(rule: "best accuracy", threshold: .infinity, confusion: confusionAboveAll)
    }
    return OperatingPoint(
      rule: "best accuracy", threshold: thresholds[best.index], confusion: confusion(at: best.index))
  }

  /// An abnormal case must occur.
  var bestF1: OperatingPoint {
    var best = (index: 0, f1: -1.0)
    for (index, (hits, alarms)) in zip(truePositives, falsePositives).enumerated() {
      // 2 TP + FP + FN = TP + FP + abnormal.
      let f1 = 2 * Double(hits) / Double(hits + alarms + abnormalCount)
      if f1 > best.f1 { best = (index, f1) }
    }
    return OperatingPoint(rule: "best F1", threshold: thresholds[best.index], confusion: confusion(at: best.index))
  }
}

extension OperatingPoint: Codable {
  private enum CodingKeys: String, CodingKey {
    case rule, threshold, confusion, accuracy, f1, sensitivity, specificity, precision
    case balancedAccuracy, matthewsCorrelation, negativePredictiveValue
  }

  /// Reads rule, threshold and counts; the rates follow from the counts.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      rule: try values.decode(String.self, forKey: .rule),
      threshold: try values.decodeIfPresent(Double.self, forKey: .threshold) ?? .infinity,
      confusion: try values.decode(ConfusionMatrix.self, forKey: .confusion))
  }

  /// Writes everything; an infinite threshold and undefined rates are left out.
  public func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(rule, forKey: .rule)
    try values.encodeIfPresent(threshold.isFinite ? threshold : nil, forKey: .threshold)
    try values.encode(confusion, forKey: .confusion)
    try values.encodeIfPresent(accuracy, forKey: .accuracy)
    try values.encodeIfPresent(f1, forKey: .f1)
    try values.encodeIfPresent(sensitivity, forKey: .sensitivity)
    try values.encodeIfPresent(specificity, forKey: .specificity)
    try values.encodeIfPresent(precision, forKey: .precision)
    try values.encodeIfPresent(balancedAccuracy, forKey: .balancedAccuracy)
    try values.encodeIfPresent(matthewsCorrelation, forKey: .matthewsCorrelation)
    try values.encodeIfPresent(negativePredictiveValue, forKey: .negativePredictiveValue)
  }
}
