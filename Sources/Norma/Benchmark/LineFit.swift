/// A straight line through points, by least squares.
public struct LineFit: Equatable, Sendable {
  /// Rise per unit of x.
  public let slope: Double
  /// Height at x = 0.
  public let intercept: Double
  /// Share of the heights' variance that the line explains; 1 where all points lie on it.
  public let r2: Double

  /// Fits a line.
  /// - Returns: nil with fewer than two different x.
  public init?(_ points: [(x: Double, y: Double)]) {
    let count = Double(points.count)
    let mean = (x: points.map(\.x).reduce(0, +) / count, y: points.map(\.y).reduce(0, +) / count)
    let spread = points.reduce(0) { $0 + ($1.x - mean.x) * ($1.x - mean.x) }
    guard points.count > 1, spread > 0 else { return nil }
    let slope = points.reduce(0) { $0 + ($1.x - mean.x) * ($1.y - mean.y) } / spread
    let intercept = mean.y - slope * mean.x
    let rest = points.reduce(0) {
      let error = $1.y - intercept - slope * $1.x
      return $0 + error * error
    }
    let all = points.reduce(0) { $0 + ($1.y - mean.y) * ($1.y - mean.y) }
    (self.slope, self.intercept, r2) = (slope, intercept, all == 0 ? 1 : 1 - rest / all)
  }

  /// The line's height at x.
  public func height(at x: Double) -> Double { intercept + slope * x }
}
