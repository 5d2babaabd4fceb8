/// Uptake and density of a patient, painted solid by solid: what comes later takes the place of what was there.
struct TissueMap: Sendable {
  let grid: VoxelGrid
  /// SUV, 0 in air.
  private(set) var uptake: [Float]
  /// Hounsfield units.
  private(set) var density: [Float]

  /// Creates a map full of air.
  init(grid: VoxelGrid) {
    self.grid = grid
    uptake = [Float](repeating: 0, count: grid.count)
    density = [Float](repeating: Tissue.Density.air, count: grid.count)
  }

  /// Fills a solid, shrunk by `inset` millimetres or hollow with a shell of `wall` millimetres. Voxels on the border get the
  /// share that lies inside.
  /// `rows` tells which rows, by y and z, take part.
  mutating func fill(
    _ solid: any Solid, with tissue: Tissue, inset: Float = 0, wall: Float = .infinity,
    rows: (_ y: Float, _ z: Float) -> Bool = { _, _ in true }
  ) {
    uptake.withUnsafeMutableBufferPointer { uptake in
      density.withUnsafeMutableBufferPointer { density in
        grid.forEachVoxel(of: solid, inset: inset, wall: wall, rows: rows) { index, occupancy in
          uptake[index] += occupancy * (tissue.uptake - uptake[index])
          density[index] += occupancy * (tissue.density - density[index])
        }
      }
    }
  }
}
