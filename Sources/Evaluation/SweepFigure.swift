/// A figure of labelled scores that can be read off a sweep over the thresholds, with the name that people know it by.
///
/// In a resample thresholds may repeat the counts of the one before, and both counts may be 0 at the first ones.
public struct SweepFigure: Sendable {
  /// What the figure is called, for people.
  public let name: String
  /// Computes the figure; nil where it is not defined. Both classes occur.
  public let value: @Sendable (ThresholdSweep) -> Double?

  /// Names a figure.
  public init(_ name: String, value: @escaping @Sendable (ThresholdSweep) -> Double?) {
    (self.name, self.value) = (name, value)
  }

  /// Area under the ROC curve.
  public static let auroc = SweepFigure("AUROC") { $0.areaUnderROC }
  /// Average precision.
  public static let averagePrecision = SweepFigure("average precision") { $0.averagePrecision }
  /// The highest F1 over the thresholds, chosen anew in each resample, as it was on the cases.
  public static let bestF1 = SweepFigure("best F1") { $0.bestF1.f1 }
  /// The highest accuracy over the thresholds, chosen anew in each resample.
  public static let bestAccuracy = SweepFigure("best accuracy") { $0.bestAccuracy.accuracy }

  /// See `OperatingPoint.highestSensitivity(atSpecificity:on:)`, chosen anew in each resample. `specificity` is 0 ... 1.
  public static func sensitivity(atSpecificity specificity: Double) -> SweepFigure {
    SweepFigure("sensitivity at a specificity of \(specificity)") {
      $0.highestSensitivity(atSpecificity: min(max(specificity, 0), 1)).sensitivity
    }
  }

  /// See `OperatingPoint.highestSpecificity(atSensitivity:on:)`, chosen anew in each resample. `sensitivity` is 0 ... 1.
  public static func specificity(atSensitivity sensitivity: Double) -> SweepFigure {
    SweepFigure("specificity at a sensitivity of \(sensitivity)") {
      $0.highestSpecificity(atSensitivity: min(max(sensitivity, 0), 1)).specificity
    }
  }

  /// A rate at a threshold that stays the same in every resample, for example
  /// `.rate("F1", at: 0.5) { $0.f1 }`.
  public static func rate(
    _ name: String, at threshold: Double, _ rate: @escaping @Sendable (ConfusionMatrix) -> Double?
  ) -> SweepFigure {
    SweepFigure(name) { sweep in
      var (low, high) = (0, sweep.thresholds.count)  // thresholds fall: the first one below lies in low ... high
      while low < high {
        let middle = (low + high) / 2
        if sweep.thresholds[middle] >= threshold { low = middle + 1 } else { high = middle }
      }
      return rate(low == 0 ? sweep.confusionAboveAll : sweep.confusion(at: low - 1))
    }
  }
}
