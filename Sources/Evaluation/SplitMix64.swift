/// A small generator of random numbers (Steele, Lea and Flood 2014), the same on every platform.
struct SplitMix64 {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  /// 64 random bits.
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  /// The generator after this many numbers.
  func advanced(by count: Int) -> SplitMix64 {
    SplitMix64(seed: state &+ UInt64(truncatingIfNeeded: count) &* 0x9E37_79B9_7F4A_7C15)
  }

  /// A whole number in `0 ..< bound`, all equally likely (Lemire 2019, with its rejection).
  /// - Precondition: `bound` is positive.
  mutating func next(below bound: UInt64) -> Int {
    var product = next().multipliedFullWidth(by: bound)
    if product.low < bound {
      let leftOver = (0 &- bound) % bound
      while product.low < leftOver { product = next().multipliedFullWidth(by: bound) }
    }
    return Int(truncatingIfNeeded: product.high)
  }
}
