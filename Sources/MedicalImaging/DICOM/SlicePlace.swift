/// Where a slice lies in the patient, in DICOM's coordinates: millimetres towards left, back and head.
public struct SlicePlace: Equatable, Sendable {
  /// The centre of the first pixel.
  public var position: SIMD3<Double>
  /// The direction, of length 1, from one column to the next.
  public var alongRow: SIMD3<Double>
  /// The direction, of length 1, from one row to the next.
  public var alongColumn: SIMD3<Double>
  /// Millimetres between pixels.
  public var spacing: PixelSpacing

  /// Creates a place.
  public init(
    position: SIMD3<Double>, alongRow: SIMD3<Double>, alongColumn: SIMD3<Double>, spacing: PixelSpacing
  ) {
    (self.position, self.alongRow, self.alongColumn, self.spacing) = (position, alongRow, alongColumn, spacing)
  }

  /// The place that numbers describe; nil where some are missing, the
  /// directions are not perpendicular, or the place is a thousand kilometres away.
  init?(position: [Double], orientation: [Double], spacing: PixelSpacing?) {
    guard position.count == 3, position.allSatisfy({ abs($0) < 1e9 }), orientation.count == 6, let spacing else {
      return nil
    }
    let row = SIMD3(orientation[0], orientation[1], orientation[2])
    let column = SIMD3(orientation[3], orientation[4], orientation[5])
    let (rowLength, columnLength) = ((row * row).sum().squareRoot(), (column * column).sum().squareRoot())
    guard abs(rowLength - 1) < 1e-2, abs(columnLength - 1) < 1e-2, abs((row * column).sum()) < 1e-2 else { return nil }
    self.init(
      position: SIMD3(position[0], position[1], position[2]), alongRow: row / rowLength,
      alongColumn: column / columnLength, spacing: spacing)
  }

  /// The direction that rows and columns are perpendicular to.
  public var normal: SIMD3<Double> {
    let (r, c) = (alongRow, alongColumn)
    return SIMD3(r.y * c.z - r.z * c.y, r.z * c.x - r.x * c.z, r.x * c.y - r.y * c.x)
  }

  /// How far along a direction the slice lies.
  func height(along direction: SIMD3<Double>) -> Double { (position * direction).sum() }
}
