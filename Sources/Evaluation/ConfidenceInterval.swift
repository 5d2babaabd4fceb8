/// Where a figure lies with a stated confidence.
public struct ConfidenceInterval: Codable, Equatable, Sendable {
  /// The lower end.
  public let lower: Double
  /// The upper end, at least `lower`.
  public let upper: Double
  /// How sure, 0 ... 1: such intervals hold the true figure in this share of repeated studies.
  public let level: Double

  /// Creates an interval that was computed before.
  public init(lower: Double, upper: Double, level: Double = 0.95) {
    (self.lower, self.upper, self.level) = (lower, upper, level)
  }

  /// The interval of a share after Wilson (1927), for sensitivity, specificity, accuracy and the like at a threshold that
  /// was chosen without these cases.
  ///
  /// It stays within 0 ... 1 and holds for few cases and for shares of 0 and 1, where the plain one has no width.
  /// - Parameters:
  ///   - successes: at most `cases`.
  ///   - cases: at least 1; nil is returned otherwise.
  /// - Throws: `EvaluationError.levelNotAShare`.
  public init?(share successes: Int, of cases: Int, level: Double = 0.95) throws(EvaluationError) {
    let z = try NormalDistribution.halfWidth(level: level)
    guard cases > 0, (0...cases).contains(successes) else { return nil }
    let n = Double(cases)
    let share = Double(successes) / n
    let centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    let half = z / (1 + z * z / n) * (share * (1 - share) / n + z * z / (4 * n * n)).squareRoot()
    // At 0 and 1 the ends are 0 and 1 but for rounding.
    self.init(
      lower: successes == 0 ? 0 : centre - half, upper: successes == cases ? 1 : centre + half, level: level)
  }

  /// Whether a value lies in the interval, its ends included.
  public func contains(_ value: Double) -> Bool { lower <= value && value <= upper }
}
