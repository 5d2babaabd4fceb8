/// Where a volume's voxels lie in the patient.
///
/// Patient coordinates are millimetres: x towards the patient's left, y towards the back, z towards the head. Samples run along
/// x first, then y, then z: sample `(z * height + y) * width + x` belongs to column x, row y, slice z.
struct VoxelGrid: Equatable, Sendable {
  /// Voxels along z, y and x.
  let depth: Int
  let height: Int
  let width: Int
  /// Millimetres between neighbours along x, y and z.
  let spacing: SIMD3<Float>
  /// The centre of the first voxel.
  let origin: SIMD3<Float>

  /// Voxels in all.
  var count: Int { depth * height * width }

  /// Width of the smoothed edge that a solid's border gets, in millimetres: one voxel.
  var edge: Float { (spacing.x + spacing.y + spacing.z) / 3 }

  /// The (x, y, z) position, in voxels, of a patient point.
  func voxelPosition(of point: SIMD3<Float>) -> SIMD3<Float> {
    (point - origin) / spacing
  }

  /// The grid with each voxel cut into `parts.x` by `parts.y` by `parts.z` voxels.
  func divided(by parts: SIMD3<Int>) -> VoxelGrid {
    let pieces = SIMD3<Float>(Float(parts.x), Float(parts.y), Float(parts.z))
    let finer = spacing / pieces
    return VoxelGrid(
      depth: depth * parts.z, height: height * parts.y, width: width * parts.x, spacing: finer,
      origin: origin - spacing / 2 + finer / 2)
  }

  /// The part of the grid made of the given columns, rows and slices.
  func window(_ columns: Range<Int>, _ rows: Range<Int>, _ slices: Range<Int>) -> VoxelGrid {
    let first = SIMD3(Float(columns.lowerBound), Float(rows.lowerBound), Float(slices.lowerBound))
    return VoxelGrid(
      depth: slices.count, height: rows.count, width: columns.count, spacing: spacing, origin: origin + first * spacing)
  }

  /// Calls `body` with sample index and occupancy, above 0 and at most 1, of each voxel that `solid` fills at least in part.
  /// - Parameters:
  ///   - inset: millimetres by which the solid is shrunk all round.
  ///   - wall: thickness in millimetres of the shell that is left of the solid; infinite leaves it whole.
  ///   - rows: whether the row at (y, z) takes part.
  @inline(__always)
  func forEachVoxel(
    of solid: any Solid, inset: Float = 0, wall: Float = .infinity,
    rows: (_ y: Float, _ z: Float) -> Bool = { _, _ in true },
    _ body: (_ index: Int, _ occupancy: Float) -> Void
  ) {
    let reach = edge / 2 - min(inset, 0)
    let steepness = 1 / edge
    let levels = solid.levels
    for z in Self.indices(
      from: levels.lowerBound - reach, to: levels.upperBound + reach, origin: origin.z, step: spacing.z, count: depth)
    {
      let level = origin.z + Float(z) * spacing.z
      guard let slice = solid.slice(at: level) else { continue }
      for y in 0..<height {
        let back = origin.y + Float(y) * spacing.y
        let section = slice.section(at: back)
        guard let chord = section.chord(reach: reach), rows(back, level) else { continue }
        let row = (z * height + y) * width
        for x in Self.indices(from: chord.low, to: chord.high, origin: origin.x, step: spacing.x, count: width) {
          let depth = section.depth(at: origin.x + Float(x) * spacing.x) - inset
          let occupancy = 0.5 + min(depth, wall - depth) * steepness
          if occupancy > 0 { body(row + x, min(occupancy, 1)) }
        }
      }
    }
  }

  /// The indices of the voxels whose centres lie between two coordinates.
  @inline(__always)
  private static func indices(from low: Float, to high: Float, origin: Float, step: Float, count: Int) -> Range<Int> {
    let limit = Float(count)
    let first = min(max(((low - origin) / step).rounded(.up), 0), limit)
    let end = min(max(((high - origin) / step).rounded(.down) + 1, first), limit)
    return Int(first)..<Int(end)
  }
}
