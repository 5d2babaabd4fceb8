import Foundation

/// The standard normal distribution.
enum NormalDistribution {
  /// P(|Z| ≥ |z|).
  static func twoSided(_ z: Double) -> Double { erfc(abs(z) / 2.0.squareRoot()) }

  /// P(Z ≤ z).
  static func cumulative(_ z: Double) -> Double { erfc(-z / 2.0.squareRoot()) / 2 }

  /// The z with P(Z ≤ z) = `probability`, to rounding: a first guess (Abramowitz and Stegun 26.2.23, to 4.5e-4) bettered by
  /// Halley's method, which triples the right digits at each step.
  static func quantile(_ probability: Double) -> Double {
    guard probability > 0 else { return -.infinity }
    guard probability < 1 else { return .infinity }
    let tail = min(probability, 1 - probability)
    let t = (-2 * log(tail)).squareRoot()
    var z = -(t - (2.515517 + t * (0.802853 + t * 0.010328)) / (1 + t * (1.432788 + t * (0.189269 + t * 0.001308))))
    for _ in 0..<3 {
      let density = exp(-z * z / 2) / (2 * Double.pi).squareRoot()
      let step = (cumulative(z) - tail) / density
      z -= step / (1 + z * step / 2)
    }
    return probability <= 0.5 ? z : -z
  }

  /// The z with P(|Z| ≤ z) = `level`.
  /// - Throws: `EvaluationError.levelNotAShare` unless 0 < `level` < 1.
  static func halfWidth(level: Double) throws(EvaluationError) -> Double {
    guard level > 0, level < 1 else { throw .levelNotAShare(level) }
    return -quantile((1 - level) / 2)
  }
}

/// Student's t distribution.
enum StudentDistribution {
  /// P(|T| ≥ |t|) with `degrees` of freedom, not necessarily whole: the regularised incomplete beta function
  /// I(ν / (ν + t²); ν / 2, 1 / 2) (Abramowitz and Stegun 26.7.1).
  static func twoSided(_ t: Double, degrees: Double) -> Double {
    guard t.isFinite else { return 0 }
    let (a, x, rest) = (degrees / 2, degrees / (degrees + t * t), t * t / (degrees + t * t))
    guard rest > 0 else { return 1 }
    // xᵃ (1 − x)^½ / B(a, ½); Γ(½) = √π. The smaller of x and 1 − x has all its digits.
    let logarithm = x < 0.5 ? log(x) : log1p(-rest)
    let front = exp(a * logarithm + log(rest) / 2 + logGammaHalfStep(a)) / Double.pi.squareRoot()
    if x < (a + 1) / (a + 2.5) { return front * continuedFraction(x, a, 0.5) / a }
    return 1 - front * continuedFraction(rest, 0.5, a) / 0.5
  }

  /// log Γ(a + ½) − log Γ(a) for a > 0, without the cancellation of two large logarithms.
  private static func logGammaHalfStep(_ a: Double) -> Double {
    var (a, shift) = (a, 0.0)
    while a < 16 {  // Γ(a + ½) / Γ(a) = Γ(a + 3/2) / Γ(a + 1) · a / (a + ½)
      shift += log(a / (a + 0.5))
      a += 1
    }
    // Stirling's series of both; what is left after six terms is below 1e-16 from 16 on.
    func correction(_ x: Double) -> Double {
      let y = 1 / (x * x)
      return (1.0 / 12 - y * (1.0 / 360 - y * (1.0 / 1260 - y * (1.0 / 1680 - y * (1.0 / 1188))))) / x
    }
    return shift + a * log1p(0.5 / a) + log(a) / 2 - 0.5 + correction(a + 0.5) - correction(a)
  }

  /// The continued fraction of the incomplete beta function (Abramowitz and Stegun 26.5.8), summed after Lentz (1976);
  /// converges fast for x < (a + 1) / (a + b + 2).
  private static func continuedFraction(_ x: Double, _ a: Double, _ b: Double) -> Double {
    let tiny = 1e-300
    func nonzero(_ value: Double) -> Double { abs(value) < tiny ? tiny : value }
    var c = 1.0
    var d = 1 / nonzero(1 - (a + b) * x / (a + 1))
    var sum = d
    for step in 1...100_000 {
      let m = Double(step)
      let even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
      d = 1 / nonzero(1 + even * d)
      c = nonzero(1 + even / c)
      sum *= d * c
      let odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
      d = 1 / nonzero(1 + odd * d)
      c = nonzero(1 + odd / c)
      sum *= d * c
      if abs(d * c - 1) < 1e-16 { break }
    }
    return sum
  }
}
