public import Evaluation
import Foundation

/// Figures as people read them.
public enum FigureFormat {
  /// A rate or area with three decimals, `0.912`; `–` where it is not defined.
  public static func rate(_ value: Double?) -> String {
    guard let value, value.isFinite else { return "–" }
    return fixed(value, decimals: 3)
  }

  /// A figure over trials, `0.912 ± 0.008`; without the deviation where there was one trial.
  public static func rate(_ statistic: TrialStatistic?) -> String {
    guard let statistic else { return "–" }
    let mean = rate(statistic.mean)
    return statistic.standardDeviation.map { "\(mean) ± \(rate($0))" } ?? mean
  }

  /// A figure with its interval, `0.912 (0.880 to 0.940)`; without it where the cases do not tell.
  public static func rate(_ estimate: Estimate?) -> String {
    guard let estimate else { return "–" }
    return rate(estimate.value) + (estimate.interval.map { " (\(interval($0)))" } ?? "")
  }

  /// `0.880 to 0.940`.
  public static func interval(_ interval: ConfidenceInterval) -> String {
    "\(rate(interval.lower)) to \(rate(interval.upper))"
  }

  /// How often chance alone makes such a difference: three decimals, `< 0.001`, or `–` where it is not known.
  public static func probability(_ p: Double?) -> String {
    guard let p, p.isFinite else { return "–" }
    return p < 0.001 ? "< 0.001" : fixed(p, decimals: 3)
  }

  /// A score or threshold of any size, four significant digits; `∞` and `–` for what is not finite.
  public static func number(_ value: Double) -> String {
    number(value, digitsOf: value)
  }

  /// A score or threshold over trials, `2.410 ± 0.120`, both with the decimals of the mean.
  public static func number(_ statistic: TrialStatistic?) -> String {
    guard let statistic else { return "–" }
    let scale = max(abs(statistic.mean), statistic.standardDeviation ?? 0)
    let mean = number(statistic.mean, digitsOf: scale)
    return statistic.standardDeviation.map { "\(mean) ± \(number($0, digitsOf: scale))" } ?? mean
  }

  private static func number(_ value: Double, digitsOf scale: Double) -> String {
    if value.isNaN { return "–" }
    if value.isInfinite { return value < 0 ? "−∞" : "∞" }
    if scale == 0 { return "0" }
    let magnitude = floor(log10(abs(scale)))
    if magnitude < -4 || magnitude > 6 { return String(format: "%.3e", value).replacing("-", with: "−") }
    return fixed(value, decimals: max(0, 3 - Int(magnitude)))
  }

  /// A time, `1 h 02 min`, `3 min 20 s` or `4.2 s`.
  public static func duration(_ duration: Duration) -> String {
    let seconds = Double(duration.components.seconds) + Double(duration.components.attoseconds) * 1e-18
    if seconds < 59.95 { return fixed(seconds, decimals: 1) + " s" }
    let whole = Int(seconds.rounded())
    return whole < 3600
      ? "\(whole / 60) min \(twoDigits(whole % 60)) s" : "\(whole / 3600) h \(twoDigits(whole % 3600 / 60)) min"
  }

  /// With so many decimals, always a point, and a true minus sign.
  static func fixed(_ value: Double, decimals: Int) -> String {
    let text = String(format: "%.\(decimals)f", value)
    let isZero = !text.contains { ("1"..."9").contains($0) }
    return text.hasPrefix("-") ? (isZero ? "" : "−") + text.dropFirst() : text
  }

  private static func twoDigits(_ value: Int) -> String {
    value < 10 ? "0\(value)" : "\(value)"
  }
}
