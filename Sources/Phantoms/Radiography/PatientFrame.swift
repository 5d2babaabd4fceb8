import Foundation

/// The similarity between pixels and patient.
///
/// Patient coordinates are centimetres in the frontal plane, origin amid the chest, x towards the right of the image (the
/// patient's left), y towards the feet. Anatomy is drawn in these coordinates and so does not depend on the image's size.
struct PatientFrame: Sendable {
  /// Pixels along each edge of the square image.
  let size: Int
  /// Centimetres of patient that one pixel covers.
  let pixelPitch: Float
  private let cosine: Float
  private let sine: Float
  private let shift: SIMD2<Float>

  /// Creates the frame of a detector `fieldOfView` centimetres wide for a patient scaled by `scale`, turned by `rotation`
  /// radians and moved by `shift` centimetres.
  init(size: Int, fieldOfView: Float, scale: Float, rotation: Float, shift: SIMD2<Float>) {
    self.size = size
    pixelPitch = fieldOfView / Float(size) / scale
    cosine = cos(rotation)
    sine = sin(rotation)
    self.shift = shift
  }

  /// The patient point under the centre of a pixel.
  @inline(__always)
  func patientPoint(column: Int, row: Int) -> SIMD2<Float> {
    let centre = Float(size - 1) / 2
    let x = (Float(column) - centre) * pixelPitch - shift.x
    let y = (Float(row) - centre) * pixelPitch - shift.y
    return SIMD2(cosine * x + sine * y, cosine * y - sine * x)
  }

  /// The (column, row) position, in pixels, of a patient point.
  @inline(__always)
  func pixelPosition(of point: SIMD2<Float>) -> SIMD2<Float> {
    let centre = Float(size - 1) / 2
    let x = cosine * point.x - sine * point.y + shift.x
    let y = sine * point.x + cosine * point.y + shift.y
    return SIMD2(x / pixelPitch + centre, y / pixelPitch + centre)
  }

  /// Evaluates `value` at each pixel's patient point, row by row.
  @inline(__always)
  func map(_ value: (SIMD2<Float>) -> Float) -> [Float] {
    [Float](unsafeUninitializedCapacity: size * size) { buffer, count in
      for row in 0..<size {
        for column in 0..<size {
          buffer[row * size + column] = value(patientPoint(column: column, row: row))
        }
      }
      count = size * size
    }
  }
}
