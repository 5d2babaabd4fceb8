import Testing
import Torch

@testable import Norma

@Suite("Random shifts and changes of size")
struct AugmentationTests {
  private let side = 40

  private func augmentation(
    translation: Double = 0, scale: Double = 0, sampling: AugmentationConfiguration.Sampling = .linear
  ) -> Augmentation {
    var configuration = AugmentationConfiguration()
    (configuration.translation, configuration.scale, configuration.interpolation) = (translation, scale, sampling)
    return Augmentation(configuration)
  }

  /// The same image many times: a square in the middle, where `body` says how bright.
  private func squares(_ count: Int, half: Int = 6, _ value: (Int, Int) -> Float = { _, _ in 1 }) throws -> Tensor {
    let inside = side / 2 - half..<side / 2 + half
    let image = (0..<side * side).map { index in
      let (row, column) = (index / side, index % side)
      return inside.contains(row) && inside.contains(column) ? value(row, column) : 0
    }
    return try Tensor((0..<count).flatMap { _ in image }, shape: [count, 1, side, side])
  }

  private func images(_ tensor: Tensor) throws -> [[Float]] {
    let values: [Float] = try tensor.values()
    return (0..<tensor.extent(0)).map { Array(values[$0 * side * side..<($0 + 1) * side * side]) }
  }

  /// Row and column of the centre of gravity.
  private func centre(_ image: [Float]) -> (row: Double, column: Double) {
    var (mass, row, column) = (0.0, 0.0, 0.0)
    for (index, value) in image.enumerated() {
      mass += Double(value)
      row += Double(value) * Double(index / side)
      column += Double(value) * Double(index % side)
    }
    return (row / mass, column / mass)
  }

  @Test("Amounts of zero change nothing and draw nothing")
  func identity() throws {
    let random = try Generator(seed: 1)
    let before = try random.state().bytes()
    let batch = try squares(2) { Float($0 * 7 + $1) }
    #expect(try augmentation()(batch, random: random).values() == (batch.values() as [Float]))
    #expect(try random.state().bytes() == before)
  }

  @Test("A shift moves every pixel by whole pixels, both ways along both axes, at most by the share")
  func shifts() throws {
    let batch = try squares(120) { Float(1 + ($0 * 31 + $1 * 17) % 11) }
    let original = try images(batch)[0]
    let moved = try images(augmentation(translation: 0.05)(batch, random: Generator(seed: 4)))
    var seen: Set<[Int]> = []
    let start = centre(original)
    for image in moved {
      let end = centre(image)
      let (down, right) = (Int((end.row - start.row).rounded()), Int((end.column - start.column).rounded()))
      seen.insert([down, right])
      let expected = (0..<side * side).map { index -> Float in
        let (row, column) = (index / side - down, index % side - right)
        return (0..<side).contains(row) && (0..<side).contains(column) ? original[row * side + column] : 0
      }
      #expect(largestDifference(image, expected) < 1e-3)
    }
    #expect(seen.allSatisfy { $0.allSatisfy { abs($0) <= 2 } })
    #expect(Set(seen.map { $0[0] }) == [-2, -1, 0, 1, 2])
    #expect(Set(seen.map { $0[1] }) == [-2, -1, 0, 1, 2])
  }

  @Test("A change of size keeps the centre and stays within its bounds, both ways")
  func scales() throws {
    let moved = try images(augmentation(scale: 0.2)(squares(200), random: Generator(seed: 5)))
    let areas = moved.map { $0.reduce(0) { $0 + Double($1) } }
    let original = 144.0
    #expect(areas.allSatisfy { $0 >= original * 0.64 * 0.92 && $0 <= original * 1.44 * 1.08 })
    #expect((areas.min() ?? 0) < original * 0.75 && (areas.max() ?? 0) > original * 1.3)
    for image in moved {
      let middle = Double(side - 1) / 2
      #expect(abs(centre(image).row - middle) < 1e-3 && abs(centre(image).column - middle) < 1e-3)
    }
  }

  @Test("What comes in from outside is the background")
  func outside() throws {
    let ones = try Tensor.ones([60, 1, side, side])
    let dark = try images(augmentation(translation: 0.05)(ones, random: Generator(seed: 6)))
    #expect(Set(dark.flatMap { $0 }.map { ($0 * 100).rounded() }) == [0, 100])
    let black = try images(augmentation(translation: 0.05)(ones, background: -1, random: Generator(seed: 6)))
    #expect(Set(black.flatMap { $0 }.map { ($0 * 100).rounded() }) == [-100, 100])
  }

  private func published(_ change: (inout AugmentationConfiguration) -> Void) -> Augmentation {
    var configuration = AugmentationConfiguration()
    (configuration.translation, configuration.scale) = (0, 0)
    change(&configuration)
    return Augmentation(configuration)
  }

  @Test("Half of the images are mirrored left to right where that is asked for, the others stay")
  func flips() throws {
    let batch = try squares(200, half: 20) { Float($0 * 7 + $1) }
    let original = try images(batch)[0]
    let mirrored = original.indices.map { original[$0 / side * side + side - 1 - $0 % side] }
    let moved = try images(published { $0.horizontalFlip = true }(batch, random: Generator(seed: 4)))
    let (same, turned) = (
      moved.count { largestDifference($0, original) < 1e-2 }, moved.count { largestDifference($0, mirrored) < 1e-2 }
    )
    #expect(same + turned == 200)
    #expect((70...130).contains(turned))
  }

  @Test("A crop shows a part of the image, all of it inside, of at least the share")
  func crops() throws {
    let ramp = (0..<side * side).map { Float($0 % side) }
    let batch = try Tensor((0..<100).flatMap { _ in ramp }, shape: [100, 1, side, side])
    let moved = try images(published { $0.smallestCrop = 0.5 }(batch, background: -100, random: Generator(seed: 4)))
    var extents: [Float] = []
    for image in moved {
      let row = image[side * 20..<side * 21]
      #expect(image.allSatisfy { $0 > -0.01 && $0 < Float(side) - 0.99 })
      let step = (row[side * 20 + 30] - row[side * 20 + 10]) / 20
      extents.append(step * step)
    }
    #expect(extents.allSatisfy { (0.5 - 1e-3)...(1 + 1e-3) ~= $0 })
    #expect((extents.min() ?? 0) < 0.55 && (extents.max() ?? 1) > 0.95)
    let places = Set(moved.map { Int($0[side * 20]) })
    #expect(places.count > 4, "crops lie in different places")
  }

  @Test("The nearest pixel invents no grey levels")
  func nearest() throws {
    let batch = try squares(20)
    let moved = try augmentation(translation: 0.05, scale: 0.05, sampling: .nearest)(batch, random: Generator(seed: 7))
    #expect(Set(try moved.values() as [Float]) == [0, 1])
  }

  @Test("The same seed moves alike, another one differently")
  func seeds() throws {
    let batch = try squares(4)
    let published = Augmentation(AugmentationConfiguration())
    let first: [Float] = try published(batch, random: Generator(seed: 8)).values()
    #expect(try published(batch, random: Generator(seed: 8)).values() == first)
    #expect(try published(batch, random: Generator(seed: 9)).values() != first)
  }
}
