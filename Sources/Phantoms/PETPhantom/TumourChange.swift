/// What one tumour adds to the PET and changes in the CT, on the part of the grid that it reaches.
struct TumourChange: Sendable {
  private let columns: Range<Int>
  private let rows: Range<Int>
  private let slices: Range<Int>
  private let grid: VoxelGrid
  /// What is added to the blurred uptake, at least 0.
  private let uptake: [Float]
  /// What is added to the density.
  private let density: [Float]

  /// Measures a tumour: where it is hotter than the healthy tissue, it takes its place.
  /// - Parameters:
  ///   - tissue: the healthy patient on `grid.divided(by: parts)`.
  ///   - blur: the PET's, in millimetres.
  ///   - contrast: factor of the added uptake.
  init(
    of tumour: Tumour, in tissue: TissueMap, anatomy: BodyAnatomy, grid: VoxelGrid, parts: SIMD3<Int>, blur: Float,
    contrast: Float
  ) {
    let fine = tissue.grid
    func voxels(_ axis: Int, _ count: Int) -> Range<Int> {
      let blurred = VolumeFilter.reach(sigma: blur, spacing: fine.spacing, axis: axis)
      let reach = tumour.reach / grid.spacing[axis] + Float(blurred) / Float(parts[axis]) + 1
      let middle = grid.voxelPosition(of: tumour.centre)[axis]
      let first = min(max(Int((middle - reach).rounded(.down)), 0), count - 1)
      return first..<max(min(Int((middle + reach).rounded(.up)) + 1, count), first + 1)
    }
    self.grid = grid
    columns = voxels(0, grid.width)
    rows = voxels(1, grid.height)
    slices = voxels(2, grid.depth)
    let window = grid.window(columns, rows, slices)
    let fineWindow = window.divided(by: parts)
    var share = Self.occupancy(of: tumour.lobes, on: fineWindow)
    let skin = Self.occupancy(of: anatomy.outlines.map(\.solid), on: fineWindow)
    var change = [Float](repeating: 0, count: share.count)
    let first = SIMD3(columns.lowerBound, rows.lowerBound, slices.lowerBound) &* parts
    for z in 0..<fineWindow.depth {
      for y in 0..<fineWindow.height {
        let source = ((z + first.z) * fine.height + y + first.y) * fine.width + first.x
        let target = (z * fineWindow.height + y) * fineWindow.width
        for x in 0..<fineWindow.width where share[target + x] > 0 {
          let filled = min(share[target + x], skin[target + x])
          change[target + x] = filled * contrast * max(tumour.uptake - tissue.uptake[source + x], 0)
          share[target + x] = filled * (tumour.lesion.density - tissue.density[source + x])
        }
      }
    }
    VolumeFilter.gaussian(&change, grid: fineWindow, sigma: blur)
    uptake = VolumeFilter.mean(of: change, grid: window, parts: parts)
    density = VolumeFilter.mean(of: share, grid: window, parts: parts)
  }

  /// Adds the change to whole volumes and marks where it exceeds the mask's threshold.
  /// - Returns: how many voxels were marked.
  func add(to uptake: inout [Float], _ density: inout [Float], _ mask: inout [Bool]) -> Int {
    let threshold = PETPhantom.maskThreshold * (self.uptake.max() ?? 0)
    var marked = 0
    for z in slices {
      for y in rows {
        let target = (z * grid.height + y) * grid.width
        let source = ((z - slices.lowerBound) * rows.count + y - rows.lowerBound) * columns.count - columns.lowerBound
        for x in columns {
          uptake[target + x] += self.uptake[source + x]
          density[target + x] += self.density[source + x]
          guard self.uptake[source + x] > threshold else { continue }
          mask[target + x] = true
          marked += 1
        }
      }
    }
    return marked
  }

  /// The share of each voxel that the solids fill together.
  private static func occupancy(of solids: [any Solid], on grid: VoxelGrid) -> [Float] {
    var shares = [Float](repeating: 0, count: grid.count)
    shares.withUnsafeMutableBufferPointer { shares in
      for solid in solids {
        grid.forEachVoxel(of: solid) { index, occupancy in shares[index] = max(shares[index], occupancy) }
      }
    }
    return shares
  }
}
