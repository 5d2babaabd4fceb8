/// Precision against recall over all thresholds.
///
/// The same points as scikit-learn's `precision_recall_curve`: thresholds ascending, recall descending, and a last point
/// with precision 1, recall 0 and the threshold infinity.
public struct PrecisionRecallCurve: Equatable, Sendable {
  /// One point of the curve.
  public struct Point: Equatable, Sendable {
    /// TP / (TP + FP), 0 ... 1; 1 by convention in the last point.
    public let precision: Double
    /// TP / (TP + FN), 0 ... 1.
    public let recall: Double
    /// Cases with a score of at least this are called abnormal; infinity in the last point.
    public let threshold: Double

    /// Creates a point.
    public init(precision: Double, recall: Double, threshold: Double) {
      self.precision = precision
      self.recall = recall
      self.threshold = threshold
    }
  }

  /// The points, thresholds ascending.
  public let points: [Point]
  /// The average precision, 0 ... 1, see `averagePrecision(_:)`.
  public let averagePrecision: Double
  /// The share of abnormal cases: what a detector that knows nothing reaches.
  public let prevalence: Double

  /// Computes the curve.
  /// - Throws: `EvaluationError.oneClassOnly` where no abnormal case occurs; without normal ones precision is 1.
  public init(_ cases: LabelledScores) throws(EvaluationError) {
    try cases.requireAbnormal(for: "The precision-recall curve")
    self.init(ThresholdSweep(cases))
  }

  init(_ sweep: ThresholdSweep) {
    var points: [Point] = []
    points.reserveCapacity(sweep.thresholds.count + 1)
    for index in sweep.thresholds.indices.reversed() {
      let hits = Double(sweep.truePositives[index])
      points.append(
        Point(
          precision: hits / (hits + Double(sweep.falsePositives[index])),
          recall: hits / Double(sweep.abnormalCount), threshold: sweep.thresholds[index]))
    }
    points.append(Point(precision: 1, recall: 0, threshold: .infinity))
    self.points = points
    averagePrecision = sweep.averagePrecision
    prevalence = Double(sweep.abnormalCount) / Double(sweep.abnormalCount + sweep.normalCount)
  }
}

/// Average precision, the step integral of the precision-recall curve: Σ (Rᵢ − Rᵢ₋₁) · Pᵢ over descending thresholds
/// (scikit-learn's `average_precision_score`). Complexity: O(n log n).
/// - Returns: 0 ... 1; a detector that knows nothing reaches about the share of abnormal cases.
/// - Throws: `EvaluationError.oneClassOnly` where no abnormal case occurs.
public func averagePrecision(_ cases: LabelledScores) throws(EvaluationError) -> Double {
  try cases.requireAbnormal(for: "Average precision")
  return ThresholdSweep(cases).averagePrecision
}

extension ThresholdSweep {
  /// Σ ΔTP · precision / abnormal; an abnormal case must occur.
  var averagePrecision: Double {
    var sum = 0.0
    var before = 0
    for (hits, alarms) in zip(truePositives, falsePositives) where hits > before {
      sum += Double(hits - before) * Double(hits) / Double(hits + alarms)
      before = hits
    }
    return sum / Double(abnormalCount)
  }
}
