import Foundation

/// How the voxels of a volume lie in the patient: an affine map from voxel indices to millimetres.
///
/// Millimetres are NIfTI's: x grows towards the patient's right, y towards the front, z towards the head (RAS). Index
/// (0, 0, 0) is the centre of the first voxel.
public struct Affine3D: Equatable, Sendable {
  /// The way from one voxel to the next along the volume's x.
  public var x: SIMD3<Double>
  /// The way from one voxel to the next along the volume's y.
  public var y: SIMD3<Double>
  /// The way from one voxel to the next along the volume's z.
  public var z: SIMD3<Double>
  /// The centre of the first voxel.
  public var origin: SIMD3<Double>

  /// Creates a map from its columns.
  public init(x: SIMD3<Double>, y: SIMD3<Double>, z: SIMD3<Double>, origin: SIMD3<Double> = .zero) {
    (self.x, self.y, self.z, self.origin) = (x, y, z, origin)
  }

  /// The map of voxels along the patient's axes.
  /// - Parameter spacing: millimetres between neighbours along x, y and z.
  public init(spacing: SIMD3<Double>, origin: SIMD3<Double> = .zero) {
    self.init(
      x: SIMD3(spacing.x, 0, 0), y: SIMD3(0, spacing.y, 0), z: SIMD3(0, 0, spacing.z), origin: origin)
  }

  /// The 4×4 matrix, row by row.
  public var matrix: [[Double]] {
    (0..<3).map { [x[$0], y[$0], z[$0], origin[$0]] } + [[0, 0, 0, 1]]
  }

  /// Millimetres between neighbours along the volume's x, y and z.
  public var spacing: SIMD3<Double> {
    SIMD3((x * x).sum().squareRoot(), (y * y).sum().squareRoot(), (z * z).sum().squareRoot())
  }

  /// Degrees between an axis and the normal of the other two, the largest of the three: how far a gantry was tilted; 0 where all
  /// axes are perpendicular.
  public var tilt: Double {
    [(x, y, z), (y, z, x), (z, x, y)].map { axis, first, second in
      let normal = SIMD3(
        first.y * second.z - first.z * second.y, first.z * second.x - first.x * second.z,
        first.x * second.y - first.y * second.x)
      let along = abs((axis * normal).sum()) / max((normal * normal).sum().squareRoot(), 1e-300)
      return atan2(max((axis * axis).sum() - along * along, 0).squareRoot(), along) * 180 / .pi
    }.max() ?? 0
  }

  /// Where an index lies; fractions are places between voxels.
  public func position(of index: SIMD3<Double>) -> SIMD3<Double> {
    origin + x * index.x + y * index.y + z * index.z
  }

  /// The map of a grid over the same space whose voxels are `factors` times as long along x, y and z.
  public func coarser(by factors: SIMD3<Double>) -> Affine3D {
    Affine3D(
      x: x * factors.x, y: y * factors.y, z: z * factors.z, origin: position(of: (factors - 1) / 2))
  }

  /// The volume's axes that run closest to the patient's, all three of them different.
  public var anatomicalAxes: AnatomicalAxes {
    let columns = [x, y, z]
    let lengths = [spacing.x, spacing.y, spacing.z]
    func likeness(_ axis: Int, _ direction: Int) -> Double { columns[axis][direction] / max(lengths[axis], 1e-300) }
    let orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]]
    func total(_ order: [Int]) -> Double { (0..<3).reduce(0) { $0 + abs(likeness(order[$1], $1)) } }
    let best = orders.reduce(orders[0]) { total($1) > total($0) ? $1 : $0 }
    return AnatomicalAxes(axes: best, ascends: (0..<3).map { likeness(best[$0], $0) >= 0 })
  }
}

/// Which axis of a volume runs along which axis of the patient.
public struct AnatomicalAxes: Equatable, Sendable {
  /// For right, front and head: the volume's axis, 0 for x, 1 for y, 2 for z.
  public let axes: [Int]
  /// Whether indices along that axis grow towards right, front and head.
  public let ascends: [Bool]
}
