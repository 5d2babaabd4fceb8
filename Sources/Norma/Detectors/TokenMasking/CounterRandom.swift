/// Random numbers by name instead of by order: the same counters always give the same number, in whatever batch, on whatever
/// device they are asked for.
enum CounterRandom {
  /// Mixes counters into 64 well-spread bits (SplitMix64's finaliser after each).
  static func hash(_ counters: UInt64...) -> UInt64 {
    var state: UInt64 = 0x9E37_79B9_7F4A_7C15
    for counter in counters { state = mixed(state &+ mixed(counter &+ 0x9E37_79B9_7F4A_7C15)) }
    return state
  }

  /// A number in 0 ..< 1 with 24 random bits.
  static func uniform(_ key: UInt64, _ first: Int, _ second: Int) -> Float {
    let bits = mixed(mixed(key &+ UInt64(truncatingIfNeeded: first)) &+ UInt64(truncatingIfNeeded: second))
    return Float(bits >> 40) * 0x1p-24
  }

  /// What identifies a sequence: a hash of its tokens.
  static func key(of tokens: some Sequence<Int>, seed: Int) -> UInt64 {
    var state = mixed(UInt64(truncatingIfNeeded: seed))
    for token in tokens { state = mixed(state &+ UInt64(truncatingIfNeeded: token) &+ 1) }
    return state
  }

  private static func mixed(_ value: UInt64) -> UInt64 {
    var z = value
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
