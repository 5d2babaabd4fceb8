import Foundation

/// A small random generator whose whole sequence follows from one seed, on every platform: SplitMix64
/// (Steele, Lea & Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014).
///
/// The state advances by the golden-ratio increment 0x9E3779B97F4A7C15 and each output is a bijective mix of it,
/// so the period is 2⁶⁴ and every seed is a good one.
///
/// Use the methods here rather than the standard library's `shuffled(using:)` or `random(in:using:)`: how those
/// consume the generator is an implementation detail that may change with the toolchain, and a split must not.
public struct SeededGenerator: RandomNumberGenerator, Sendable {
  private var state: UInt64

  /// A generator at the start of the sequence belonging to `seed`.
  public init(seed: UInt64) {
    state = seed
  }

  /// The next 64 uniformly distributed bits.
  public mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }

  /// A number from the continuous uniform distribution on `range`: a + u·(b − a) with u = ⌊x / 2¹¹⌋ / 2⁵³ in [0, 1).
  public mutating func uniform(in range: ClosedRange<Double>) -> Double {
    range.lowerBound + unitUniform() * (range.upperBound - range.lowerBound)
  }

  /// An integer from the discrete uniform distribution on 0 ..< `count`, without modulo bias (rejection sampling).
  /// A `count` of 0 or 1 answers 0 and draws nothing.
  public mutating func index(below count: Int) -> Int {
    guard count > 1 else { return 0 }
    let bound = UInt64(count)
    let rejected = (0 &- bound) % bound  // 2⁶⁴ mod bound: values below it would favour the small remainders
    var drawn = next()
    while drawn < rejected { drawn = next() }
    return Int(drawn % bound)
  }

  /// A number from the normal distribution with this mean and standard deviation, by the Box–Muller transform
  /// µ + σ·√(−2 ln u₁)·cos(2π u₂), u₁ in (0, 1], u₂ in [0, 1); each call draws two uniform numbers.
  public mutating func normal(mean: Double = 0, sd: Double = 1) -> Double {
    let radius = (-2 * log(1 - unitUniform())).squareRoot()
    let angle = 2 * Double.pi * unitUniform()
    return mean + sd * radius * cos(angle)
  }

  /// Puts `elements` into a uniformly random order in place: Fisher–Yates from the last element down, Knuth's
  /// Algorithm P, so every one of the n! orders is equally likely.
  public mutating func shuffle<Element>(_ elements: inout [Element]) {
    for last in stride(from: elements.count - 1, to: 0, by: -1) {
      elements.swapAt(last, index(below: last + 1))
    }
  }

  /// The elements in a uniformly random order (see ``shuffle(_:)``).
  public mutating func shuffled<Element>(_ elements: [Element]) -> [Element] {
    var order = elements
    shuffle(&order)
    return order
  }

  private mutating func unitUniform() -> Double {
    Double(next() >> 11) * 0x1p-53
  }
}
