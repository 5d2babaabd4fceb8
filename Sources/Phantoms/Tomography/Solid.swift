/// A smooth body in patient coordinates.
protocol Solid: Sendable {
  /// The lowest and highest z of the body.
  var levels: ClosedRange<Float> { get }

  /// The body cut at a level; nil where it does not reach.
  func slice(at level: Float) -> SolidSlice?
}

extension Solid {
  /// How far inside the border a point lies, in millimetres; negative outside, `-.infinity` above and below a column.
  func depth(at point: SIMD3<Float>) -> Float {
    slice(at: point.z)?.section(at: point.y).depth(at: point.x) ?? -.infinity
  }
}

/// A polynomial of second degree in x and y.
struct PlaneQuadratic: Sendable {
  var xx: Float
  var xy: Float
  var yy: Float
  var x: Float
  var y: Float
  var constant: Float

  /// The polynomial in x alone at one y: coefficients of x², x and 1.
  @inline(__always)
  func coefficients(at y: Float) -> (square: Float, linear: Float, constant: Float) {
    (xx, xy * y + x, (yy * y + self.y) * y + constant)
  }
}

/// A solid cut across: two polynomials in the distances from `centre`.
///
/// `radius` is the squared normalised radius ρ², 1 on the border, and `gradient` is |∇ρ²|² / 4. To first order the border is
/// `ρ (1 - ρ) / √gradient` away, which is exact for a ball.
struct SolidSlice: Sendable {
  /// What the polynomials count from, (x, y).
  let centre: SIMD2<Float>
  let radius: PlaneQuadratic
  let gradient: PlaneQuadratic
  /// The solid's smallest semi-axis.
  let smallestRadius: Float

  /// The slice's row at one y.
  @inline(__always)
  func section(at y: Float) -> SolidSection {
    SolidSection(
      centre: centre.x, radius: radius.coefficients(at: y - centre.y),
      gradient: gradient.coefficients(at: y - centre.y),
      smallestRadius: smallestRadius)
  }
}

/// One row through a solid.
struct SolidSection: Sendable {
  let centre: Float
  let radius: (square: Float, linear: Float, constant: Float)
  let gradient: (square: Float, linear: Float, constant: Float)
  let smallestRadius: Float

  /// How far inside the border a point of the row lies, in millimetres; negative outside.
  @inline(__always)
  func depth(at x: Float) -> Float {
    let across = x - centre
    // The small number keeps 0 / 0 out of the centre and gives the smallest semi-axis there.
    let squared = max((radius.square * across + radius.linear) * across + radius.constant, 0) + 1e-6
    let steepness =
      max((gradient.square * across + gradient.linear) * across + gradient.constant, 0)
      + 1e-6 / (smallestRadius * smallestRadius)
    return (squared.squareRoot() - squared) / steepness.squareRoot()
  }

  /// The part of the row that lies no further than `reach` millimetres outside the solid; nil when none does.
  @inline(__always)
  func chord(reach: Float) -> (low: Float, high: Float)? {
    let limit = 1 + reach / smallestRadius
    let discriminant = radius.linear * radius.linear - 4 * radius.square * (radius.constant - limit * limit)
    guard discriminant > 0 else { return nil }
    let middle = centre - radius.linear / (2 * radius.square)
    let half = discriminant.squareRoot() / (2 * radius.square)
    return (middle - half, middle + half)
  }
}
