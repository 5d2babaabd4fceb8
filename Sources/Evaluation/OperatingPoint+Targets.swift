extension OperatingPoint {
  /// The point with the highest sensitivity among those with a specificity of at least `specificity`; of several the most
  /// specific one.
  ///
  /// On scikit-learn's `roc_curve` that is the largest `tpr` where `1 − fpr` reaches the target. Nothing is interpolated:
  /// the point can be had. It looks at the labels of the cases it reports on, so its sensitivity is an upper bound. The
  /// threshold is infinite where only calling nothing abnormal is specific enough.
  /// - Parameter specificity: the target, 0 ... 1.
  /// - Throws: `EvaluationError.oneClassOnly` unless both classes occur, or `.targetNotAShare`.
  public static func highestSensitivity(
    atSpecificity specificity: Double, on cases: LabelledScores
  ) throws(EvaluationError) -> OperatingPoint {
    guard specificity >= 0, specificity <= 1 else { throw .targetNotAShare(specificity) }
    try cases.requireBothClasses(for: "Sensitivity at a given specificity")
    return ThresholdSweep(cases).highestSensitivity(atSpecificity: specificity)
  }

  /// The point with the highest specificity among those with a sensitivity of at least `sensitivity`; of several the most
  /// sensitive one. See `highestSensitivity(atSpecificity:on:)`.
  /// - Parameter sensitivity: the target, 0 ... 1.
  /// - Throws: `EvaluationError.oneClassOnly` unless both classes occur, or `.targetNotAShare`.
  public static func highestSpecificity(
    atSensitivity sensitivity: Double, on cases: LabelledScores
  ) throws(EvaluationError) -> OperatingPoint {
    guard sensitivity >= 0, sensitivity <= 1 else { throw .targetNotAShare(sensitivity) }
    try cases.requireBothClasses(for: "Specificity at a given sensitivity")
    return ThresholdSweep(cases).highestSpecificity(atSensitivity: sensitivity)
  }
}

extension ThresholdSweep {
  /// Both classes must occur; the target lies in 0 ... 1.
  func highestSensitivity(atSpecificity target: Double) -> OperatingPoint {
    // Rates are compared as quotients: 19 of 20 is then the same number as a target written 0.95.
    let enough = falsePositives.partitioningIndex {
      Double(normalCount - $0) / Double(normalCount) < target
    }
    let hits = enough == 0 ? 0 : truePositives[enough - 1]
    let first = truePositives.partitioningIndex { $0 >= hits }
    return point(hits == 0 ? nil : first, rule: "specificity of at least \(target)")
  }

  /// Both classes must occur; the target lies in 0 ... 1.
  func highestSpecificity(atSensitivity target: Double) -> OperatingPoint {
    let enough = truePositives.partitioningIndex { !(Double($0) / Double(abnormalCount) < target) }
    let alarms = target == 0 ? 0 : falsePositives[enough]
    // The last threshold with these alarms, then the first with as many hits: no threshold lower than needed.
    let last = falsePositives.partitioningIndex { $0 > alarms } - 1
    guard last >= 0, truePositives[last] > 0 else { return point(nil, rule: "sensitivity of at least \(target)") }
    let first = truePositives.partitioningIndex { $0 >= truePositives[last] }
    return point(first, rule: "sensitivity of at least \(target)")
  }

  private func point(_ index: Int?, rule: String) -> OperatingPoint {
    guard let index else { return OperatingPoint(rule: rule, threshold: .infinity, confusion: confusionAboveAll) }
    return OperatingPoint(rule: rule, threshold: thresholds[index], confusion: confusion(at: index))
  }
}

extension [Int] {
  /// The first index whose element, and with it every later one, meets the condition; `count` where none does.
  func partitioningIndex(where belongs: (Int) -> Bool) -> Int {
    var (low, high) = (0, count)
    while low < high {
      let middle = (low + high) / 2
      if belongs(self[middle]) { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
