/// A curve on a grid with the interval of each of its points: what a plot of ROC or precision-recall shades.
///
/// The band is pointwise: each of its points holds the true one with the stated confidence, not all at once.
public struct CurveBand: Codable, Equatable, Sendable {
  /// One point of the grid.
  public struct Point: Codable, Equatable, Sendable {
    /// False positive rate, or recall.
    public let x: Double
    /// True positive rate, or precision, of the cases.
    public let y: Double
    /// Lower end of the interval of `y`.
    public let lower: Double
    /// Upper end of the interval of `y`.
    public let upper: Double
  }

  /// The points, `x` ascending from 0 to 1 in even steps.
  public let points: [Point]
  /// The confidence level.
  public let level: Double
}

extension Bootstrap {
  /// The ROC curve, sensitivity at given false positive rates, with percentile intervals (vertical averaging of
  /// Fawcett 2006). Between the points of a curve it is straight; where it rises vertically its upper end counts.
  /// - Parameter steps: of the grid, at least 1.
  /// - Throws: `EvaluationError`, see `intervals(of:on:)`.
  public func rocBand(on cases: LabelledScores, steps: Int = 100) throws(EvaluationError) -> CurveBand {
    try band(on: cases, steps: steps) { $0.sensitivities(steps: steps) }
  }

  /// The precision-recall curve, precision at given recalls, with percentile intervals: the precision at the highest
  /// threshold that reaches the recall, which is the step that average precision sums. At recall 0 the first one counts.
  /// - Parameter steps: of the grid, at least 1.
  /// - Throws: `EvaluationError`, see `intervals(of:on:)`.
  public func precisionRecallBand(on cases: LabelledScores, steps: Int = 100) throws(EvaluationError) -> CurveBand {
    try band(on: cases, steps: steps) { $0.precisions(steps: steps) }
  }

  private func band(
    on cases: LabelledScores, steps: Int, _ curve: (ThresholdSweep) -> [Double]
  ) throws(EvaluationError) -> CurveBand {
    guard steps >= 1 else { throw .countTooSmall("steps of the grid", found: steps, needed: 1) }
    var resampler = try resampler(of: cases)
    let found = curve(resampler.sweep)
    var drawn = [[Double]](repeating: [], count: steps + 1)
    for _ in 0..<resamples {
      resampler.draw()
      for (index, y) in curve(resampler.sweep).enumerated() { drawn[index].append(y) }
    }
    let points = found.indices.map { index in
      let sorted = drawn[index].sorted()
      return CurveBand.Point(
        x: Double(index) / Double(steps), y: found[index], lower: quantile((1 - level) / 2, ofSorted: sorted),
        upper: quantile((1 + level) / 2, ofSorted: sorted))
    }
    return CurveBand(points: points, level: level)
  }
}

extension ThresholdSweep {
  /// The true positive rate at the false positive rates 0, 1 / steps ... 1. Both classes occur.
  func sensitivities(steps: Int) -> [Double] {
    var (next, before) = (0, (alarms: 0, hits: 0))
    return (0...steps).map { step in
      let alarms = Double(step) * Double(normalCount) / Double(steps)
      while next < falsePositives.count, Double(falsePositives[next]) <= alarms {
        before = (falsePositives[next], truePositives[next])
        next += 1
      }
      guard next < falsePositives.count else { return 1 }
      let slope = Double(truePositives[next] - before.hits) / Double(falsePositives[next] - before.alarms)
      return (Double(before.hits) + (alarms - Double(before.alarms)) * slope) / Double(abnormalCount)
    }
  }

  /// The precision at the recalls 0, 1 / steps ... 1. Both classes occur.
  func precisions(steps: Int) -> [Double] {
    var next = 0
    return (0...steps).map { step in
      // Counts are compared as whole numbers. At recall 0 the first threshold with any call counts.
      while next + 1 < truePositives.count,
        truePositives[next] * steps < step * abnormalCount || truePositives[next] + falsePositives[next] == 0
      { next += 1 }
      return Double(truePositives[next]) / Double(truePositives[next] + falsePositives[next])
    }
  }
}
