import Foundation

/// Round numbers along an axis: steps of 1, 2 or 5 times a power of ten.
struct AxisTicks: Equatable {
  /// The numbers to label, ascending, inside `range`.
  let values: [Double]
  /// Their labels, all with the same decimals.
  let labels: [String]
  /// The axis from end to end.
  let range: ClosedRange<Double>

  /// Chooses ticks.
  /// - Parameters:
  ///   - range: what the axis must show; a single value is widened, ±1e300 is the end.
  ///   - expands: whether the axis may grow to the next tick at both ends.
  ///   - isWhole: whether only whole numbers are labelled.
  ///   - count: about how many ticks to aim for.
  init(covering range: ClosedRange<Double>, expands: Bool, isWhole: Bool = false, count: Int = 5) {
    // Kept where steps and their logarithms stay ordinary numbers.
    let shown = range.clamped(to: -1e300...1e300)
    var (lower, upper) = (shown.lowerBound, shown.upperBound)
    if upper - lower <= max(abs(upper) * 1e-12, 1e-290) {
      let margin = abs(lower) < 1e-280 ? 1 : abs(lower) / 10
      (lower, upper) = (lower - margin, upper + margin)
    }
    let rough = (upper - lower) / Double(max(count, 1))
    let power = pow(10, floor(log10(rough)))
    let finest = ([1, 2, 5].first { $0 * power >= rough * 0.999_999 } ?? 10) * power
    let step = isWhole ? max(finest, 1) : finest
    if expands {
      lower = floor(lower / step + 1e-9) * step
      upper = ceil(upper / step - 1e-9) * step
    }
    let first = ceil(lower / step - 1e-9)
    let last = floor(upper / step + 1e-9)
    let decimals = max(0, -Int(floor(log10(step) + 1e-9)))
    values = stride(from: first, through: last, by: 1).map { $0 * step }
    labels = values.map { value in
      decimals > 6 || abs(value) >= 1e7 ? FigureFormat.number(value) : FigureFormat.fixed(value, decimals: decimals)
    }
    self.range = lower...upper
  }
}
