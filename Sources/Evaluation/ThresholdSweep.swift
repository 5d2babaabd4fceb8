/// The confusion matrices at every distinct score as threshold, from the highest score to the lowest.
///
/// All curves and threshold rules read this one sweep. Cases with equal scores fall together, so ties are exact.
/// Complexity: O(n log n).
public struct ThresholdSweep: Equatable, Sendable {
  /// The distinct scores, descending.
  public let thresholds: [Double]
  /// Abnormal cases with a score of at least the threshold; ascending.
  public internal(set) var truePositives: [Int]
  /// Normal cases with a score of at least the threshold; ascending.
  public internal(set) var falsePositives: [Int]
  /// All abnormal cases.
  public internal(set) var abnormalCount: Int
  /// All normal cases.
  public internal(set) var normalCount: Int

  /// Sweeps the threshold over the scores.
  public init(_ cases: LabelledScores) {
    // The classes are sorted apart, as plain numbers, and merged: several times faster than sorting pairs.
    let abnormal = cases.scores(abnormal: true).sorted(by: >)
    let normal = cases.scores(abnormal: false).sorted(by: >)
    var thresholds: [Double] = []
    var truePositives: [Int] = []
    var falsePositives: [Int] = []
    var (positives, negatives) = (0, 0)
    while positives < abnormal.count || negatives < normal.count {
      let threshold: Double
      if negatives == normal.count {
        threshold = abnormal[positives]
      } else if positives == abnormal.count {
        threshold = normal[negatives]
      } else {
        threshold = max(abnormal[positives], normal[negatives])
      }
      while positives < abnormal.count, abnormal[positives] == threshold { positives += 1 }
      while negatives < normal.count, normal[negatives] == threshold { negatives += 1 }
      thresholds.append(threshold)
      truePositives.append(positives)
      falsePositives.append(negatives)
    }
    self.thresholds = thresholds
    self.truePositives = truePositives
    self.falsePositives = falsePositives
    abnormalCount = abnormal.count
    normalCount = normal.count
  }

  /// A sweep that was counted elsewhere; thresholds that no curve would show may be missing.
  init(
    thresholds: [Double], truePositives: [Int], falsePositives: [Int], abnormalCount: Int, normalCount: Int
  ) {
    (self.thresholds, self.truePositives, self.falsePositives) = (thresholds, truePositives, falsePositives)
    (self.abnormalCount, self.normalCount) = (abnormalCount, normalCount)
  }

  /// The confusion matrix at `thresholds[index]`.
  public func confusion(at index: Int) -> ConfusionMatrix {
    ConfusionMatrix(
      truePositives: truePositives[index], falsePositives: falsePositives[index],
      trueNegatives: normalCount - falsePositives[index], falseNegatives: abnormalCount - truePositives[index])
  }

  /// The confusion matrix above every score, where nothing is called abnormal.
  var confusionAboveAll: ConfusionMatrix {
    ConfusionMatrix(truePositives: 0, falsePositives: 0, trueNegatives: normalCount, falseNegatives: abnormalCount)
  }
}
