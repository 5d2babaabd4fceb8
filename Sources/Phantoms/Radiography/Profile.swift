/// Cross-sections of smooth bodies.
enum Profile {
  /// The chord of a body with a round rim: 0 outside, rising like a circle of radius `width` inside, 1 further in.
  /// `distance` is how far inside the border the point lies.
  @inline(__always)
  static func rim(_ distance: Float, width: Float) -> Float {
    let inside = min(max(distance / width, 0), 1)
    return (inside * (2 - inside)).squareRoot()
  }

  /// A smooth step: 0 below `low`, 1 above `high`, cubic between.
  @inline(__always)
  static func step(_ value: Float, from low: Float, to high: Float) -> Float {
    let inside = min(max((value - low) / (high - low), 0), 1)
    return inside * inside * (3 - 2 * inside)
  }

  /// Half the chord of a unit ball at `offset` from its centre, offsets being fractions of the semi-axes.
  @inline(__always)
  static func ellipsoid(_ offset: SIMD2<Float>) -> Float {
    max(1 - (offset * offset).sum(), 0).squareRoot()
  }
}
