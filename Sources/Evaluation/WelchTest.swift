/// Welch's t-test: do the trials of two methods have the same mean, where their spreads may differ (Welch 1947)?
///
/// SimSID's Table I compares methods so. Equal to `scipy.stats.ttest_ind(equal_var=False)`.
public struct WelchTest: Codable, Equatable, Sendable {
  /// Mean of the first minus mean of the second, in standard errors.
  public let t: Double
  /// Degrees of freedom after Welch and Satterthwaite, not necessarily whole.
  public let degreesOfFreedom: Double
  /// Two-sided: how often chance alone makes a difference at least as large, 0 ... 1.
  public let p: Double

  /// Tests two lists of figures, one per trial. One of them may be without spread.
  /// - Parameters:
  ///   - first: figures of one method, at least 2, finite.
  ///   - second: figures of the other, at least 2, finite; the counts may differ.
  /// - Throws: `EvaluationError.tooFewTrials`, `.scoreNotFinite`, or `.trialsWithoutSpread` where both are constant.
  ///   (SciPy reports p = 0 or NaN there, which three equal trials cannot bear out.)
  public init(_ first: [Double], _ second: [Double]) throws(EvaluationError) {
    for (values, name) in [(first, "the first"), (second, "the second")] {
      guard values.count >= 2 else { throw .tooFewTrials(trials: name, found: values.count) }
      if let index = values.firstIndex(where: { !$0.isFinite }) { throw .scoreNotFinite(index: index, name: nil) }
    }
    let (a, b) = (Self.meanAndError(of: first), Self.meanAndError(of: second))
    let squared = a.squaredError + b.squaredError
    guard squared > 0 else { throw .trialsWithoutSpread }
    t = (a.mean - b.mean) / squared.squareRoot()
    // The shares are formed first, so that tiny variances do not vanish when squared.
    let (shareOfA, shareOfB) = (a.squaredError / squared, b.squaredError / squared)
    degreesOfFreedom =
      1 / (shareOfA * shareOfA / Double(first.count - 1) + shareOfB * shareOfB / Double(second.count - 1))
    p = StudentDistribution.twoSided(t, degrees: degreesOfFreedom)
  }

  /// The mean and its squared standard error, s² / n. Equal values have exactly none, whatever rounding does to their mean.
  private static func meanAndError(of values: [Double]) -> (mean: Double, squaredError: Double) {
    if values.allSatisfy({ $0 == values[0] }) { return (values[0], 0) }
    let mean = values.reduce(0, +) / Double(values.count)
    let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    return (mean, squares / Double(values.count - 1) / Double(values.count))
  }
}
