/// The receiver operating characteristic: sensitivity against the false positive rate over all thresholds.
///
/// The same points as scikit-learn's `roc_curve(drop_intermediate=False)`: the first has the threshold infinity and lies
/// in (0, 0), the last has the lowest score and lies in (1, 1).
public struct ROCCurve: Equatable, Sendable {
  /// One point of the curve.
  public struct Point: Equatable, Sendable {
    /// FP / (FP + TN), 0 ... 1.
    public let falsePositiveRate: Double
    /// TP / (TP + FN), 0 ... 1.
    public let truePositiveRate: Double
    /// Cases with a score of at least this are called abnormal; infinity in the first point.
    public let threshold: Double

    /// Creates a point.
    public init(falsePositiveRate: Double, truePositiveRate: Double, threshold: Double) {
      self.falsePositiveRate = falsePositiveRate
      self.truePositiveRate = truePositiveRate
      self.threshold = threshold
    }
  }

  /// The points, thresholds descending.
  public let points: [Point]
  /// The area under the curve, 0 ... 1, see `auroc(_:)`.
  public let area: Double

  /// Computes the curve.
  /// - Throws: `EvaluationError.oneClassOnly` unless normal and abnormal cases occur.
  public init(_ cases: LabelledScores) throws(EvaluationError) {
    try cases.requireBothClasses(for: "The ROC curve")
    self.init(ThresholdSweep(cases))
  }

  init(_ sweep: ThresholdSweep) {
    let positives = Double(sweep.abnormalCount)
    let negatives = Double(sweep.normalCount)
    var points = [Point(falsePositiveRate: 0, truePositiveRate: 0, threshold: .infinity)]
    points.reserveCapacity(sweep.thresholds.count + 1)
    for (index, threshold) in sweep.thresholds.enumerated() {
      points.append(
        Point(
          falsePositiveRate: Double(sweep.falsePositives[index]) / negatives,
          truePositiveRate: Double(sweep.truePositives[index]) / positives, threshold: threshold))
    }
    self.points = points
    area = sweep.areaUnderROC
  }
}

/// AUROC, the area under the ROC curve: the probability that an abnormal case scores higher than a normal one, ties
/// counting one half (Mann-Whitney U / (abnormal · normal)).
///
/// Counted in integers, so ties and order of the cases change nothing. Complexity: O(n log n).
/// - Returns: 0 ... 1; 0.5 is chance.
/// - Throws: `EvaluationError.oneClassOnly` unless normal and abnormal cases occur.
public func auroc(_ cases: LabelledScores) throws(EvaluationError) -> Double {
  try cases.requireBothClasses(for: "AUROC")
  return ThresholdSweep(cases).areaUnderROC
}

extension ThresholdSweep {
  /// U / (abnormal · normal); both classes must occur.
  var areaUnderROC: Double {
    // Twice the trapezoids' area is a whole number: Σ ΔFP · (TP before + TP after) = 2 U.
    var twiceU = 0
    truePositives.withUnsafeBufferPointer { hits in
      falsePositives.withUnsafeBufferPointer { alarms in
        var (positivesBefore, negativesBefore) = (0, 0)
        for place in 0..<hits.count {
          twiceU &+= (alarms[place] &- negativesBefore) &* (hits[place] &+ positivesBefore)
          (positivesBefore, negativesBefore) = (hits[place], alarms[place])
        }
      }
    }
    return Double(twiceU) / (2 * Double(abnormalCount) * Double(normalCount))
  }
}
