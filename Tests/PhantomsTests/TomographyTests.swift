import MedicalImaging
import Testing

@testable import Phantoms

@Suite("Tomography")
struct TomographyTests {
  /// Voxels of 2, 3 and 4 mm around the origin.
  private let grid = VoxelGrid(
    depth: 31, height: 41, width: 61, spacing: SIMD3(2, 3, 4), origin: SIMD3(-60, -60, -60))

  private func volume(of solid: any Solid, inset: Float = 0, wall: Float = .infinity) -> Float {
    var voxels: Float = 0
    grid.forEachVoxel(of: solid, inset: inset, wall: wall) { _, occupancy in voxels += occupancy }
    return voxels * 2 * 3 * 4
  }

  @Test("A voxel's pieces lie around its centre")
  func division() {
    let fine = grid.divided(by: SIMD3(2, 1, 4))
    #expect(fine.count == 8 * grid.count)
    #expect(fine.spacing == SIMD3(1, 3, 1))
    #expect(fine.voxelPosition(of: grid.origin) == SIMD3(0.5, 0, 1.5))
    let window = grid.window(3..<8, 2..<4, 1..<2)
    #expect(window.count == 10)
    #expect(grid.voxelPosition(of: window.origin) == SIMD3(3, 2, 1))
  }

  @Test("A ball fills its volume and knows its distances")
  func ball() {
    let ball = Ellipsoid(centre: SIMD3(1, -2, 3), radii: SIMD3(30, 30, 30))
    #expect(abs(volume(of: ball) / (4 / 3 * .pi * 27000) - 1) < 0.01)
    #expect(abs(volume(of: ball, inset: 10) / (4 / 3 * .pi * 8000) - 1) < 0.015)
    #expect(abs(volume(of: ball, wall: 10) / (4 / 3 * .pi * 19000) - 1) < 0.01)
    #expect(abs(ball.depth(at: SIMD3(1, -2, 3)) - 30) < 0.1)
    #expect(abs(ball.depth(at: SIMD3(1, -2, 15)) - 18) < 0.01)
    #expect(abs(ball.depth(at: SIMD3(-44, -2, 3)) + 15) < 0.01)
  }

  @Test("A turned ellipsoid keeps its volume and reaches as far as its axes", arguments: [Float(0), 0.4, 1.2, -2])
  func ellipsoid(_ angle: Float) {
    let solid = Ellipsoid(centre: .zero, radii: SIMD3(40, 20, 25), turn: angle, twist: angle / 2)
    #expect(abs(volume(of: solid) / (4 / 3 * .pi * 20000) - 1) < 0.01)
    var highest: Float = -.infinity
    grid.forEachVoxel(of: solid) { index, _ in
      highest = max(highest, grid.origin.z + 4 * Float(index / (grid.width * grid.height)))
    }
    #expect(abs(highest - solid.levels.upperBound) < 6)
  }

  @Test("A column runs through its knots and ends flat")
  func column() throws {
    let column = Column(knots: [
      .init(level: -20, centre: SIMD2(0, 0), radii: SIMD2(20, 10)),
      .init(level: 0, centre: SIMD2(4, 0), radii: SIMD2(20, 10)),
      .init(level: 30, centre: SIMD2(4, 6), radii: SIMD2(10, 10)),
    ])
    for knot in column.knots {
      let section = try #require(column.section(at: knot.level))
      #expect(abs(section.centre.x - knot.centre.x) + abs(section.centre.y - knot.centre.y) < 1e-5)
      #expect(abs(section.radii.x - knot.radii.x) + abs(section.radii.y - knot.radii.y) < 1e-5)
    }
    #expect(column.slice(at: -21) == nil)
    #expect(column.slice(at: 31) == nil)
    let straight = Column(knots: [-40, 0, 40].map { .init(level: $0, centre: .zero, radii: SIMD2(20, 15)) })
    // 21 of the slices lie between its ends.
    #expect(abs(volume(of: straight) / (.pi * 300 * 21 * 4) - 1) < 0.01)
  }

  @Test("What is painted later takes the place of what was there")
  func painting() {
    var map = TissueMap(grid: grid)
    let ball = Ellipsoid(centre: .zero, radii: SIMD3(30, 30, 30))
    map.fill(ball, with: Tissue(uptake: 2, density: 40))
    map.fill(ball, with: Tissue(uptake: 5, density: 60), rows: { _, z in z > 1 })
    let middle = 15 * 41 * 61 + 20 * 61 + 30
    #expect(map.uptake[middle] == 2)
    #expect(map.density[middle] == 40)
    #expect(map.uptake[middle + 41 * 61] == 5)
    #expect(map.uptake[0] == 0)
    #expect(map.density[0] == -1000)
  }

  @Test("The blur has its variance along each axis and keeps the sum", arguments: [Float(1), 3, 6])
  func blur(_ sigma: Float) {
    var volume = [Float](repeating: 0, count: grid.count)
    volume[15 * 41 * 61 + 20 * 61 + 30] = 1
    VolumeFilter.gaussian(&volume, grid: grid, sigma: sigma)
    var sum: Float = 0
    var variance = SIMD3<Float>.zero
    for (index, value) in volume.enumerated() where value != 0 {
      let place = SIMD3(Float(index % 61) - 30, Float(index / 61 % 41) - 20, Float(index / (61 * 41)) - 15)
      sum += value
      variance += value * place * place * grid.spacing * grid.spacing
    }
    #expect(abs(sum - 1) < 1e-4)
    for axis in 0..<3 { #expect(abs(variance[axis] / (sigma * sigma) - 1) < 0.01) }
    let kept = volume.reduce(0) { $0 + $1 * $1 }.squareRoot()
    #expect(abs(kept - VolumeFilter.remainingNoise(sigma: sigma, spacing: grid.spacing)) < 1e-4)
  }

  @Test("Averaging gives the mean of each block")
  func mean() {
    let coarse = VoxelGrid(depth: 2, height: 1, width: 3, spacing: SIMD3(1, 1, 1), origin: .zero)
    let parts = SIMD3(2, 3, 1)
    let fine = coarse.divided(by: parts)
    let values = (0..<fine.count).map { Float($0 * $0) }
    let means = VolumeFilter.mean(of: values, grid: coarse, parts: parts)
    for z in 0..<2 {
      for x in 0..<3 {
        var sum: Float = 0
        for y in 0..<3 { sum += values[(z * 3 + y) * 6 + 2 * x] + values[(z * 3 + y) * 6 + 2 * x + 1] }
        #expect(abs(means[z * 3 + x] - sum / 6) < 1e-3)
      }
    }
  }
}
