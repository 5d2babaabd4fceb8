/// An upright body with elliptical cross-sections: trunk, limbs, spine. Its ends are flat.
struct Column: Solid {
  /// The cross-section at one level.
  struct Knot: Sendable {
    /// z in millimetres.
    var level: Float
    /// (x, y) of the middle.
    var centre: SIMD2<Float>
    /// Semi-axes along x and y.
    var radii: SIMD2<Float>
  }

  /// At least two cross-sections with rising levels; between them a cubic Hermite curve runs through middles and semi-axes.
  let knots: [Knot]

  var levels: ClosedRange<Float> { knots[0].level...knots[knots.count - 1].level }

  func slice(at level: Float) -> SolidSlice? {
    guard let (centre, radii) = section(at: level) else { return nil }
    let squared = radii * radii
    return SolidSlice(
      centre: centre,
      radius: PlaneQuadratic(xx: 1 / squared.x, xy: 0, yy: 1 / squared.y, x: 0, y: 0, constant: 0),
      gradient: PlaneQuadratic(
        xx: 1 / (squared.x * squared.x), xy: 0, yy: 1 / (squared.y * squared.y), x: 0, y: 0, constant: 0),
      smallestRadius: radii.min())
  }

  /// Middle and semi-axes at a level; nil above and below the column.
  func section(at level: Float) -> (centre: SIMD2<Float>, radii: SIMD2<Float>)? {
    guard levels.contains(level), let upper = knots.indices.dropFirst().first(where: { knots[$0].level >= level })
    else { return nil }
    let length = knots[upper].level - knots[upper - 1].level
    let t = (level - knots[upper - 1].level) / length
    let start = values(upper - 1)
    let rise = values(upper) - start
    let startSlope = length * slope(upper - 1)
    let bend = 3 * rise - 2 * startSlope - length * slope(upper)
    let twist = startSlope + length * slope(upper) - 2 * rise
    let value = start + t * (startSlope + t * (bend + t * twist))
    return (value.lowHalf, value.highHalf)
  }

  private func values(_ index: Int) -> SIMD4<Float> {
    SIMD4(lowHalf: knots[index].centre, highHalf: knots[index].radii)
  }

  private func slope(_ index: Int) -> SIMD4<Float> {
    let before = max(index - 1, 0)
    let after = min(index + 1, knots.count - 1)
    return (values(after) - values(before)) / (knots[after].level - knots[before].level)
  }
}
