/// All figures of one evaluation: what `norma evaluate` prints, stores and reports.
public struct ClassificationFigures: Codable, Equatable, Sendable {
  /// Area under the ROC curve, 0 ... 1.
  public let auroc: Double
  /// Average precision, 0 ... 1.
  public let averagePrecision: Double
  /// Normal cases.
  public let normalCount: Int
  /// Abnormal cases.
  public let abnormalCount: Int
  /// Figures at single thresholds: the fixed one first where given, then best accuracy, then best F1.
  public let operatingPoints: [OperatingPoint]

  /// Creates figures that were computed before.
  public init(
    auroc: Double, averagePrecision: Double, normalCount: Int, abnormalCount: Int, operatingPoints: [OperatingPoint]
  ) {
    self.auroc = auroc
    self.averagePrecision = averagePrecision
    self.normalCount = normalCount
    self.abnormalCount = abnormalCount
    self.operatingPoints = operatingPoints
  }

  /// Computes every figure from one sweep over the thresholds.
  /// - Parameters:
  ///   - cases: scores with labels; both classes must occur.
  ///   - fixedThreshold: a threshold chosen without these labels, or nil.
  ///   - fixedRule: how that one was chosen, for people.
  /// - Throws: `EvaluationError.oneClassOnly` or `.thresholdNotANumber`.
  public init(
    _ cases: LabelledScores, fixedThreshold: Double? = nil, fixedRule: String = "fixed"
  ) throws(EvaluationError) {
    try cases.requireBothClasses(for: "AUROC")
    let sweep = ThresholdSweep(cases)
    var points: [OperatingPoint] = []
    if let fixedThreshold {
      points.append(try OperatingPoint(fixed: fixedThreshold, rule: fixedRule, on: cases))
    }
    points += [sweep.bestAccuracy, sweep.bestF1]
    self.init(
      auroc: sweep.areaUnderROC, averagePrecision: sweep.averagePrecision, normalCount: cases.normalCount,
      abnormalCount: cases.abnormalCount, operatingPoints: points)
  }

  /// The operating point that a rule chose, by its name; nil where there is none.
  public func operatingPoint(_ rule: String) -> OperatingPoint? {
    operatingPoints.first { $0.rule == rule }
  }
}
