import Foundation
import Testing
import Torch

@testable import Norma

@Suite("Patches of images and volumes")
struct PatchLayoutTests {
  private let image = PatchLayout(extents: [8, 12], patchSize: 4, channels: 2)
  private let volume = PatchLayout(extents: [4, 6, 8], patchSize: 2, channels: 1)

  @Test("A patch of an image holds its rows, channels innermost")
  func imagePatches() throws {
    let values = (0..<2 * 2 * 8 * 12).map(Float.init)
    let patches: [Float] = try image.patches(of: Tensor(values, shape: [2, 2, 8, 12])).values()
    #expect(image.count == 6 && image.patchWidth == 32)
    for sample in 0..<2 {
      for patch in 0..<6 {
        for (row, column, channel) in (0..<4).flatMap({ r in (0..<4).flatMap { c in (0..<2).map { (r, c, $0) } } }) {
          let (y, x) = (patch / 3 * 4 + row, patch % 3 * 4 + column)
          let expected = values[((sample * 2 + channel) * 8 + y) * 12 + x]
          #expect(patches[(sample * 6 + patch) * 32 + (row * 4 + column) * 2 + channel] == expected)
        }
      }
    }
  }

  @Test("A patch of a volume holds its slices, then its rows")
  func volumePatches() throws {
    let values = (0..<4 * 6 * 8).map(Float.init)
    let patches: [Float] = try volume.patches(of: Tensor(values, shape: [1, 1, 4, 6, 8])).values()
    #expect(volume.count == 24 && volume.patchWidth == 8)
    for patch in 0..<24 {
      for inner in 0..<8 {
        let z = patch / 12 * 2 + inner / 4
        let y = patch / 4 % 3 * 2 + inner / 2 % 2
        let x = patch % 4 * 2 + inner % 2
        #expect(patches[patch * 8 + inner] == values[(z * 6 + y) * 8 + x])
      }
    }
  }

  @Test("Images of patches of images are the images, in two and three dimensions")
  func roundTrip() throws {
    for layout in [image, volume] {
      let images = try Generator(seed: 2).normal(shape: [3, layout.channels] + layout.extents)
      let again = try layout.images(of: layout.patches(of: images))
      #expect(again.shape == images.shape)
      #expect(try again.values() == (images.values() as [Float]))
    }
  }

  @Test("A value per patch covers its patch's pixels")
  func spreading() throws {
    for layout in [image, volume] {
      let numbers = try Tensor.arange(0, Double(layout.count)).reshaped([1, -1])
      let spread = try layout.spread(numbers)
      #expect(spread.shape == [1, 1] + layout.extents)
      let single = PatchLayout(extents: layout.extents, patchSize: layout.patchSize, channels: 1)
      let patches = try single.patches(of: spread)
      let expected = try numbers.unsqueezed(2).expanded(patches.shape)
      #expect(try patches.values() == (expected.values() as [Float]))
    }
  }

  /// Sines, then cosines, of a position.
  private func encoded(_ position: Int, frequencies: Int) -> [Double] {
    let angles = (0..<frequencies).map { Double(position) / pow(10_000, Double($0) / Double(frequencies)) }
    return angles.map { sin($0) } + angles.map { cos($0) }
  }

  @Test("Positions in an image are MAE's: the column's code, then the row's")
  func imagePositions() throws {
    let positions = try image.positions(width: 16)
    #expect(positions.shape == [1, 6, 16])
    var expected: [Double] = []
    for patch in 0..<6 { expected += encoded(patch % 3, frequencies: 4) + encoded(patch / 3, frequencies: 4) }
    #expect(largestDifference(try positions.values(as: Double.self), expected) < 1e-6)
  }

  @Test("Positions in a volume code column, row and slice; features left over are zero")
  func volumePositions() throws {
    let positions = try volume.positions(width: 20)
    var expected: [Double] = []
    for patch in 0..<24 {
      for place in [patch % 4, patch / 4 % 3, patch / 12] { expected += encoded(place, frequencies: 3) }
      expected += [0, 0]
    }
    #expect(largestDifference(try positions.values(as: Double.self), expected) < 1e-6)
  }
}
