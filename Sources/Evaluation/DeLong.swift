import Foundation

/// The uncertainty of AUROC without resampling (DeLong, DeLong and Clarke-Pearson 1988), in O(n log n) by midranks (Sun and
/// Xu 2014, IEEE Signal Processing Letters 21:1389).
///
/// Each case has a placement: the share of the other class that it is ordered rightly against, ties counting one half.
/// AUROC is the mean placement of either class, and its variance follows from how placements vary within each.
public struct DeLong: Equatable, Sendable {
  /// Area under the ROC curve, 0 ... 1, equal to `Evaluation.auroc(_:)`.
  public let auroc: Double
  /// The estimated variance of `auroc`; 0 where the classes are told apart without an error.
  public let variance: Double
  /// Per abnormal case, in order: the share of normal ones that score lower.
  let abnormalPlacements: [Double]
  /// Per normal case, in order: the share of abnormal ones that score higher.
  let normalPlacements: [Double]

  /// The estimated standard deviation of `auroc`.
  public var standardError: Double { variance.squareRoot() }

  /// Estimates AUROC and its variance.
  /// - Throws: `EvaluationError.tooFewCases` unless there are two cases of each class.
  public init(_ cases: LabelledScores) throws(EvaluationError) {
    try cases.requireBothClasses(for: "DeLong's variance of AUROC")
    for (kind, count) in [(EvaluationError.Class.normal, cases.normalCount), (.abnormal, cases.abnormalCount)]
    where count < 2 {
      throw .tooFewCases(kind, found: count, needed: 2, figure: "DeLong's variance of AUROC")
    }
    let all = midranks(of: cases.scores)
    let ranks = [false, true].map { kind in zip(all, cases.labels).filter { $0.1 == kind }.map(\.0) }
    let (normal, abnormal) = (Double(cases.normalCount), Double(cases.abnormalCount))
    // A midrank among all less the midrank among one's own class counts the cases of the other class that lie below.
    abnormalPlacements = zip(ranks[1], midranks(of: cases.scores(abnormal: true))).map { ($0 - $1) / normal }
    normalPlacements = zip(ranks[0], midranks(of: cases.scores(abnormal: false))).map { 1 - ($0 - $1) / abnormal }
    auroc = ThresholdSweep(cases).areaUnderROC
    variance =
      covariance(abnormalPlacements, abnormalPlacements) / abnormal
      + covariance(normalPlacements, normalPlacements) / normal
  }

  /// The confidence interval of AUROC, on the logit scale: symmetric about log(AUROC / (1 − AUROC)) (Pepe 2003, §5.2.5).
  ///
  /// It never leaves 0 ... 1, and covers as often as promised also near 1, where the plain interval AUROC ± z · error
  /// covers too seldom: in 2,000 draws of 20 + 20 normally distributed scores with a true AUROC of 0.9, 95.3 % against
  /// 88.3 %.
  /// - Returns: nil where the variance is 0, since cases without an error do not tell how rare errors are.
  /// - Throws: `EvaluationError.levelNotAShare`.
  public func interval(level: Double = 0.95) throws(EvaluationError) -> ConfidenceInterval? {
    let z = try NormalDistribution.halfWidth(level: level)
    guard variance > 0, auroc > 0, auroc < 1 else { return nil }
    let centre = log(auroc / (1 - auroc))
    let half = z * standardError / (auroc * (1 - auroc))
    return ConfidenceInterval(
      lower: 1 / (1 + exp(half - centre)), upper: 1 / (1 + exp(-half - centre)), level: level)
  }
}

/// DeLong's test: do two scores of the same cases have the same AUROC?
public struct DeLongTest: Codable, Equatable, Sendable {
  /// AUROC of the first score minus AUROC of the second.
  public let difference: Double
  /// The estimated standard deviation of `difference`, in which the scores' correlation is taken into account.
  public let standardError: Double
  /// `difference` in standard errors; nil where these are 0 and the difference is not.
  public let z: Double?
  /// Two-sided: how often chance alone makes a difference at least as large, 0 ... 1; nil with `z`.
  public let p: Double?

  /// Compares two scores of the same cases.
  /// - Throws: `EvaluationError.casesDiffer` unless labels and, where both have them, names agree one by one;
  ///   `.countsDiffer`; or `.tooFewCases`.
  public init(_ first: LabelledScores, _ second: LabelledScores) throws(EvaluationError) {
    guard first.count == second.count else {
      throw .countsDiffer(scores: first.count, labels: second.count, names: nil)
    }
    for index in 0..<first.count {
      let named = first.names.flatMap { names in second.names.map { names[index] == $0[index] } } ?? true
      guard named, first.labels[index] == second.labels[index] else {
        throw .casesDiffer(index: index, name: first.names?[index])
      }
    }
    let (a, b) = (try DeLong(first), try DeLong(second))
    difference = a.auroc - b.auroc
    // The variance of the difference is that of the differing placements: no cancellation between nearly equal scores.
    let abnormal = zip(a.abnormalPlacements, b.abnormalPlacements).map { $0 - $1 }
    let normal = zip(a.normalPlacements, b.normalPlacements).map { $0 - $1 }
    let variance =
      covariance(abnormal, abnormal) / Double(abnormal.count) + covariance(normal, normal) / Double(normal.count)
    standardError = variance.squareRoot()
    // Without any variance equal areas are no difference at all, and nothing can be said of unequal ones.
    z = variance > 0 ? difference / variance.squareRoot() : difference == 0 ? 0 : nil
    p = z.map(NormalDistribution.twoSided)
  }
}

/// The rank of each value among all, from 1; equal values share the mean of their ranks.
private func midranks(of values: [Double]) -> [Double] {
  let order = values.indices.sorted { values[$0] < values[$1] }
  var ranks = [Double](repeating: 0, count: values.count)
  var first = 0
  while first < order.count {
    var end = first + 1
    while end < order.count, values[order[end]] == values[order[first]] { end += 1 }
    for place in first..<end { ranks[order[place]] = Double(first + 1 + end) / 2 }
    first = end
  }
  return ranks
}

/// The sample covariance, with n − 1.
private func covariance(_ a: [Double], _ b: [Double]) -> Double {
  let (meanOfA, meanOfB) = (a.reduce(0, +) / Double(a.count), b.reduce(0, +) / Double(b.count))
  return zip(a, b).reduce(0) { $0 + ($1.0 - meanOfA) * ($1.1 - meanOfB) } / Double(a.count - 1)
}
