import Testing
import Torch

@testable import Norma

@Suite("Random changes of volumes")
struct VolumeAugmentationTests {
  private let sides = (depth: 10, height: 20, width: 40)

  private func augmentation(_ change: (inout AugmentationConfiguration) -> Void) -> Augmentation {
    var configuration = AugmentationConfiguration()
    (configuration.translation, configuration.scale) = (0, 0)
    change(&configuration)
    return Augmentation(configuration)
  }

  /// The same volume many times: a box in the middle whose halves along x differ, in two channels.
  private func boxes(_ count: Int) throws -> Tensor {
    let volume = (0..<sides.depth * sides.height * sides.width).map { index -> Float in
      let (x, y, z) = (index % sides.width, index / sides.width % sides.height, index / (sides.width * sides.height))
      return (3..<7).contains(z) && (6..<14).contains(y) && (12..<28).contains(x) ? (x < 20 ? 1 : 2) : 0
    }
    let values = (0..<count).flatMap { _ in volume + volume.map { 3 * $0 } }
    return try Tensor(values, shape: [count, 2, sides.depth, sides.height, sides.width])
  }

  /// Mass and centre of gravity, along z, y and x, of each volume's first channel.
  private func centres(_ batch: Tensor) throws -> [(mass: Double, centre: [Double])] {
    try (0..<batch.extent(0)).map { index in
      let volume = try batch.selected(index, axis: 0).selected(0, axis: 0).to(.float64)
      let mass = try volume.sum().values(as: Double.self)[0]
      let centre = try (0..<3).map { axis in
        let others = [0, 1, 2].filter { $0 != axis }
        let line = try volume.sum(others).values(as: Double.self)
        return line.enumerated().reduce(0) { $0 + Double($1.offset) * $1.element } / mass
      }
      return (mass, centre)
    }
  }

  @Test("A shift moves every voxel by whole voxels, along each axis at most by its own share")
  func shifts() throws {
    let batch = try boxes(60)
    let start = try centres(batch)[0]
    let moved = try augmentation { $0.translation = 0.1 }(batch, random: Generator(seed: 3))
    let channels = try (moved.sliced(0..<1, axis: 1) * 3 - moved.sliced(1..<2, axis: 1)).abs().maximum().values(
      as: Float.self)
    #expect(channels[0] < 1e-4)
    var seen = [Set<Int>](repeating: [], count: 3)
    for (mass, centre) in try centres(moved) {
      #expect(abs(mass - start.mass) < 0.05)
      for (axis, most) in [1, 2, 4].enumerated() {
        let shift = centre[axis] - start.centre[axis]
        #expect(abs(shift - shift.rounded()) < 1e-3 && abs(shift) < Double(most) + 1e-3)
        seen[axis].insert(Int(shift.rounded()))
      }
    }
    #expect(seen.map(\.count) == [3, 5, 9])
  }

  @Test("A change of size is the same along all axes, around the middle")
  func scales() throws {
    let batch = try boxes(40)
    let start = try centres(batch)[0]
    let scaled = try centres(augmentation { $0.scale = 0.2 }(batch, random: Generator(seed: 5)))
    for (mass, centre) in scaled {
      #expect((0.75 * 0.75 * 0.75 * 0.9...1.25 * 1.25 * 1.25 * 1.1).contains(mass / start.mass))
      #expect(abs(centre[0] - 4.5) < 0.05 && abs(centre[1] - 9.5) < 0.05)
    }
    #expect(scaled.map(\.mass).max() ?? 0 > 1.3 * start.mass && scaled.map(\.mass).min() ?? 9e9 < 0.8 * start.mass)
  }

  @Test("Reflection turns around x alone, and crops keep at least their share of the volume")
  func reflections() throws {
    let batch = try boxes(40)
    let start = try centres(batch)[0]
    let mirrored = try centres(augmentation { $0.horizontalFlip = true }(batch, random: Generator(seed: 6)))
    let places = Set(mirrored.map { ($0.centre[2] * 100).rounded() })
    #expect(places == [(start.centre[2] * 100).rounded(), ((39 - start.centre[2]) * 100).rounded()])
    #expect(mirrored.allSatisfy { abs($0.centre[0] - 4.5) < 1e-3 && abs($0.centre[1] - 9.5) < 1e-3 })
    let whole = try Tensor.ones([30, 1, 8, 8, 8])
    let kept = try augmentation { $0.smallestCrop = 0.5 }(whole, background: -1, random: Generator(seed: 7))
    #expect(try (kept - 1).abs().maximum().values(as: Float.self)[0] < 1e-5)  // nothing from outside comes in
    let grown = try centres(augmentation { $0.smallestCrop = 0.5 }(batch, random: Generator(seed: 8)))
    #expect(grown.allSatisfy { $0.mass < 2.4 * start.mass } && grown.contains { $0.mass > 1.2 * start.mass })
  }

  @Test("What comes in from outside is the background")
  func background() throws {
    let batch = try Tensor.ones([20, 1, 6, 8, 10])
    let moved = try augmentation { $0.translation = 0.3 }(batch, background: -1, random: Generator(seed: 9))
    let values: [Float] = try moved.values()
    #expect(values.contains { abs($0 + 1) < 1e-5 } && values.allSatisfy { abs(abs($0) - 1) < 1e-4 })
  }
}
