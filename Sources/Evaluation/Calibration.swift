/// How far probabilities are from what happens: the mean of (probability − truth)², 0 ... 1, lower is better (Brier 1950).
///
/// scikit-learn's `brier_score_loss`. One class alone is fine.
/// - Parameter cases: their scores are probabilities of being abnormal, 0 ... 1.
/// - Throws: `EvaluationError.scoreNotAProbability`, naming the case.
public func brierScore(_ cases: LabelledScores) throws(EvaluationError) -> Double {
  try cases.requireProbabilities()
  let squares = zip(cases.scores, cases.labels).reduce(0.0) { sum, scored in
    let difference = scored.0 - (scored.1 ? 1 : 0)
    return sum + difference * difference
  }
  return squares / Double(cases.count)
}

/// How often cases are abnormal among those of about the same probability: the reliability diagram.
///
/// The same bins as scikit-learn's `calibration_curve`: a probability on an edge belongs to the bin below it, and bins
/// without cases are left out.
public struct CalibrationCurve: Codable, Equatable, Sendable {
  /// How the range of probabilities is divided.
  public enum Bins: String, Codable, Sendable {
    /// 0 ... 1 in equal parts.
    case uniform
    /// At the quantiles of the probabilities, so that bins hold about equally many cases.
    case quantile
  }

  /// One bin with cases in it.
  public struct Point: Codable, Equatable, Sendable {
    /// Lower edge, not in the bin but for the first one's.
    public let lower: Double
    /// Upper edge.
    public let upper: Double
    /// The mean probability of the cases, 0 ... 1.
    public let probability: Double
    /// The share of abnormal ones among them, 0 ... 1.
    public let abnormalShare: Double
    /// Cases in the bin, at least 1.
    public let count: Int
  }

  /// The bins that hold cases, ascending.
  public let points: [Point]

  /// The expected calibration error: the mean distance of probability and abnormal share, each bin weighing as much as it
  /// has cases, 0 ... 1 (Naeini et al. 2015).
  public var expectedError: Double {
    let distances = points.map { Double($0.count) * abs($0.probability - $0.abnormalShare) }
    return distances.reduce(0, +) / Double(points.reduce(0) { $0 + $1.count })
  }

  /// The largest distance of probability and abnormal share in a bin, 0 ... 1.
  public var maximumError: Double { points.map { abs($0.probability - $0.abnormalShare) }.max() ?? 0 }

  /// Counts the cases of each bin.
  /// - Parameters:
  ///   - cases: their scores are probabilities of being abnormal, 0 ... 1. One class alone is fine.
  ///   - bins: how the range is divided.
  ///   - count: how many bins, at least 1.
  /// - Throws: `EvaluationError.scoreNotAProbability`, naming the case, or `.countTooSmall`.
  public init(_ cases: LabelledScores, bins: Bins = .uniform, count: Int = 10) throws(EvaluationError) {
    try cases.requireProbabilities()
    guard count >= 1 else { throw .countTooSmall("bins", found: count, needed: 1) }
    // i · (1 / n), not i / n: what NumPy's `linspace` computes decides where scores on an edge go.
    var edges = (0..<count).map { Double($0) * (1 / Double(count)) } + [1]
    if bins == .quantile {
      let sorted = cases.scores.sorted()
      edges = edges.map { Evaluation.quantile($0 * 100 / 100, ofSorted: sorted) }
    }
    var sums = [(probability: Double, abnormal: Int, count: Int)](repeating: (0, 0, 0), count: count)
    let inner = edges.dropFirst().dropLast()
    for (score, isAbnormal) in zip(cases.scores, cases.labels) {
      var (low, high) = (inner.startIndex, inner.endIndex)  // the first inner edge of at least `score`
      while low < high {
        let middle = (low + high) / 2
        if inner[middle] < score { low = middle + 1 } else { high = middle }
      }
      sums[low - 1].probability += score
      sums[low - 1].abnormal += isAbnormal ? 1 : 0
      sums[low - 1].count += 1
    }
    points = sums.indices.filter { sums[$0].count > 0 }.map { bin in
      let (sum, count) = (sums[bin], Double(sums[bin].count))
      return Point(
        lower: edges[bin], upper: edges[bin + 1], probability: sum.probability / count,
        abnormalShare: Double(sum.abnormal) / count, count: sum.count)
    }
  }
}

extension LabelledScores {
  fileprivate func requireProbabilities() throws(EvaluationError) {
    if let index = scores.firstIndex(where: { $0 < 0 || $0 > 1 }) {
      throw .scoreNotAProbability(scores[index], index: index, name: names?[index])
    }
  }
}
