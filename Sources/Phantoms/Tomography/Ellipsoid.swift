import Foundation

/// An ellipsoid in any direction.
struct Ellipsoid: Solid {
  /// Patient coordinates in millimetres.
  let centre: SIMD3<Float>
  /// Semi-axes in millimetres, along x, y and z before turning.
  let radii: SIMD3<Float>
  /// The quadratic form's columns: ρ² = pᵀ M p for p counted from the centre.
  private let form: (x: SIMD3<Float>, y: SIMD3<Float>, z: SIMD3<Float>)
  private let halfHeight: Float

  /// Creates an ellipsoid turned by `turn` radians in the coronal plane (x towards z), then by `twist` in the axial plane
  /// (x towards y).
  init(centre: SIMD3<Float>, radii: SIMD3<Float>, turn: Float = 0, twist: Float = 0) {
    self.centre = centre
    self.radii = radii
    let axes = [
      SIMD3(cos(twist) * cos(turn), sin(twist) * cos(turn), sin(turn)), SIMD3(-sin(twist), cos(twist), 0),
      SIMD3(-cos(twist) * sin(turn), -sin(twist) * sin(turn), cos(turn)),
    ]
    var form = (x: SIMD3<Float>.zero, y: SIMD3<Float>.zero, z: SIMD3<Float>.zero)
    var squaredHeight: Float = 0
    for (axis, direction) in axes.enumerated() {
      let weighted = direction / (radii[axis] * radii[axis])
      form.x += direction.x * weighted
      form.y += direction.y * weighted
      form.z += direction.z * weighted
      squaredHeight += direction.z * direction.z * radii[axis] * radii[axis]
    }
    self.form = form
    halfHeight = squaredHeight.squareRoot()
  }

  var levels: ClosedRange<Float> { centre.z - halfHeight...centre.z + halfHeight }

  func slice(at level: Float) -> SolidSlice? {
    let z = level - centre.z
    func dot(_ first: SIMD3<Float>, _ second: SIMD3<Float>) -> Float { (first * second).sum() }
    return SolidSlice(
      centre: SIMD2(centre.x, centre.y),
      radius: PlaneQuadratic(
        xx: form.x.x, xy: 2 * form.x.y, yy: form.y.y, x: 2 * form.x.z * z, y: 2 * form.y.z * z,
        constant: form.z.z * z * z),
      gradient: PlaneQuadratic(
        xx: dot(form.x, form.x), xy: 2 * dot(form.x, form.y), yy: dot(form.y, form.y), x: 2 * dot(form.x, form.z) * z,
        y: 2 * dot(form.y, form.z) * z, constant: dot(form.z, form.z) * z * z),
      smallestRadius: radii.min())
  }
}
