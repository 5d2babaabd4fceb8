import Testing

@testable import Norma
@testable import Torch

@Suite("CutPaste's pretext task")
struct CutPasteTaskTests {
  private let side = 64

  private func task(_ change: (inout CutPasteTaskConfiguration) -> Void = { $0.jitter = 0 }) -> CutPasteTask {
    var configuration = CutPasteTaskConfiguration()
    change(&configuration)
    return CutPasteTask(configuration: configuration, lowest: -1)
  }

  /// Images whose pixels all differ.
  private func images(_ count: Int) throws -> Tensor {
    try Generator(seed: 1).permutation(count * side * side).to(.float32).reshaped([count, 1, side, side])
      / Double(count * side * side) * 1.6 - 0.8
  }

  private func pixels(_ images: Tensor, _ index: Int) throws -> [Float] {
    try images.selected(index, axis: 0).values()
  }

  @Test("A pasted patch is a rectangle of the published area and aspect, and an exact copy of another place")
  func movedCopies() throws {
    let normal = try images(24)
    let (pasted, masks) = try task().pasted(.rectangle, onto: normal, random: Generator(seed: 2))
    var (tall, moved) = (0, 0)
    for index in 0..<24 {
      let (before, after) = (try pixels(normal, index), try pixels(pasted, index))
      let mask = try masks.selected(index, axis: 0).to(.float32).values() as [Float]
      let inside = mask.indices.filter { mask[$0] > 0 }
      let (rows, columns) = (inside.map { $0 / side }, inside.map { $0 % side })
      let (top, left) = (try #require(rows.min()), try #require(columns.min()))
      let (height, width) = (try #require(rows.max()) - top + 1, try #require(columns.max()) - left + 1)
      #expect(inside.count == height * width)
      let area = Double(inside.count) / Double(side * side)
      #expect((0.015...0.17).contains(area))
      #expect((0.22...4.5).contains(Double(height) / Double(width)))
      if height > width { tall += 1 }
      for pixel in mask.indices where mask[pixel] == 0 { #expect(after[pixel] == before[pixel]) }
      let start = try #require(before.firstIndex(of: after[top * side + left]))
      let offset = start - (top * side + left)
      #expect(inside.allSatisfy { after[$0] == before[$0 + offset] })
      if offset != 0 { moved += 1 }
    }
    #expect((4...20).contains(tall) && moved >= 22)
  }

  @Test("A scar is a thin patch of the image's own pixels, of the published size at 256 pixels, turned")
  func scars() throws {
    let normal = try images(24)
    let (scarred, masks) = try task().pasted(.scar, onto: normal, random: Generator(seed: 3))
    let counts = try masks.to(.float32).sum([1, 2]).values() as [Float]
    // 0.5 to 4 times 2.5 to 6.25 pixels, rounded to whole ones.
    #expect(counts.allSatisfy { (1...30).contains($0) } && Set(counts).count > 6)
    for index in 0..<24 {
      let (before, after) = (Set(try pixels(normal, index)), try pixels(scarred, index))
      #expect(after.allSatisfy(before.contains))
    }
    let large = task {
      $0.jitter = 0
      ($0.scarWidth, $0.scarLength, $0.scarRotation) = ([32, 32], [96, 96], 45)
    }
    let turned = try large.pasted(.scar, onto: normal, random: Generator(seed: 4)).mask
    // 8 by 24 pixels whatever the angle, but for those at the rim.
    #expect(try turned.to(.float32).sum([1, 2]).values(as: Double.self).allSatisfy { abs($0 - 192) < 24 })
    // The longest column: 24 to 25 pixels up to an angle of 18 degrees, then 8 / sin, down to 11 at 45 degrees.
    let longest = Set(try turned.to(.float32).sum([1]).maximum([1]).values() as [Float])
    #expect(longest.count > 4 && longest.allSatisfy { (10...26).contains($0) })
  }

  @Test("Jitter changes brightness and contrast of the patch alone, and no more than it may")
  func jitter() throws {
    let normal = try images(12) * 0.5
    let still = try task().pasted(.rectangle, onto: normal, random: Generator(seed: 5))
    let changed = try task { $0.jitter = 0.1 }.pasted(.rectangle, onto: normal, random: Generator(seed: 5))
    #expect(try still.mask.to(.float32).bytes() == changed.mask.to(.float32).bytes())
    for index in 0..<12 {
      let mask = try still.mask.selected(index, axis: 0).to(.float32).values() as [Float]
      let (a, b) = (try pixels(still.images, index), try pixels(changed.images, index))
      let inside = mask.indices.filter { mask[$0] > 0 }
      #expect(mask.indices.allSatisfy { mask[$0] > 0 || a[$0] == b[$0] })
      let low = try #require(inside.min { a[$0] < a[$1] })
      let high = try #require(inside.max { a[$0] < a[$1] })
      let slope = (b[high] - b[low]) / (a[high] - a[low])
      #expect((0.80...1.22).contains(slope) && slope != 1)
      #expect(inside.allSatisfy { abs(b[$0] - (b[low] + slope * (a[$0] - a[low]))) < 1e-4 })
      let mean = inside.reduce(0) { $0 + a[$1] } / Float(inside.count)
      let brightness = (b[low] + slope * (mean - a[low]) + 1) / (mean + 1)
      #expect((0.899...1.101).contains(brightness))
    }
  }

  @Test("Every class is alike often, normal images come first and as they are")
  func balance() throws {
    let normal = try images(5)
    let (made, classes) = try task()(normal, random: Generator(seed: 6))
    #expect(made.shape == [15, 1, side, side])
    #expect(try classes.values(as: Int.self) == [0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2])
    #expect(try made.sliced(0..<5, axis: 0).values() as [Float] == normal.values())
    let again = try task()(normal, random: Generator(seed: 6)).images
    #expect(try again.bytes() == made.bytes())
  }

  @Test("Settings that cannot work are named")
  func validation() {
    func message(_ change: (inout CutPasteTaskConfiguration) -> Void) -> String {
      var configuration = CutPasteTaskConfiguration()
      change(&configuration)
      do { try configuration.validate() } catch { return "\(error)" }
      return "valid"
    }
    #expect(message { _ in } == "valid")
    #expect(
      message { $0.patchArea = [0.2, 0.1] }
        == "configuration key 'detector.task.patchArea' is [0.2, 0.1]; it may be two numbers, ascending, above 0 and at "
        + "most 0.5")
    #expect(
      message { $0.momentum = 1 }
        == "configuration key 'detector.task.momentum' is 1.0; it may be 0 to below 1")
  }
}
