import MedicalImaging

/// The independent sources of chance in one phantom: adding a lesion draws from its own stream and so leaves the anatomy,
/// the exposure and the noise as they were.
enum RandomStream: UInt64 {
  case anatomy = 1
  case vessels
  case texture
  case acquisition
  case noise
  case lesion

  /// The stream's generator for the phantom of `seed`; `variant` parts streams of the same kind.
  func generator(seed: UInt64, variant: UInt64 = 0) -> SeededGenerator {
    SeededGenerator(seed: Self.mixed(Self.mixed(seed) &+ rawValue &* 0x9E37_79B9_7F4A_7C15 &+ variant))
  }

  /// The finaliser of SplitMix64 (Steele, Lea and Flood 2014): neighbouring seeds give unrelated results.
  private static func mixed(_ value: UInt64) -> UInt64 {
    var mixed = value &+ 0x9E37_79B9_7F4A_7C15
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}

extension SeededGenerator {
  /// A uniform number in `range`.
  mutating func uniform(_ range: ClosedRange<Float>) -> Float {
    Float(uniform(in: Double(range.lowerBound)...Double(range.upperBound)))
  }

  /// True with probability `probability`.
  mutating func happens(_ probability: Float) -> Bool {
    uniform(0...1) < probability
  }
}
