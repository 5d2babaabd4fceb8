import Testing
import Torch

@testable import Norma

@Suite("Masks over patches")
struct PatchMaskTests {
  private func random(rows: Int = 5, ratio: Double = 0.75, seed: UInt64 = 4) throws -> PatchMask {
    try .random(rows: rows, patches: 36, ratio: ratio, random: Generator(seed: seed))
  }

  private func lists(_ tensor: Tensor) throws -> [[Int]] {
    let values = try tensor.to(.float32).values().map { Int($0) }
    return (0..<tensor.extent(0)).map { Array(values[$0 * tensor.extent(1)..<($0 + 1) * tensor.extent(1)]) }
  }

  @Test("Exactly round((1 − r) · n) patches are visible in each row, and the hidden ones are the others")
  func counts() throws {
    for (ratio, visible) in [(0.75, 9), (0.5, 18), (0.9, 4), (0.01, 36)] {
      let mask = try random(ratio: ratio)
      for (shown, hidden) in zip(try lists(mask.visible), try lists(mask.hidden)) {
        #expect(shown.count == visible && Set(shown).count == visible)
        #expect(hidden.indices.filter { hidden[$0] == 0 } == shown.sorted())
        #expect(hidden.reduce(0, +) == 36 - visible)
      }
    }
  }

  @Test("The same seed gives the same masks, another seed and another row others")
  func seeds() throws {
    let first = try lists(random().visible)
    #expect(try first == lists(random().visible))
    #expect(try first != lists(random(seed: 5).visible))
    #expect(Set(first).count == first.count)
  }

  @Test("Every patch is hidden about as often as the ratio says")
  func isUniform() throws {
    let shares: [Float] = try random(rows: 4000).hidden.mean([0]).values()
    #expect(shares.allSatisfy { abs($0 - 0.75) < 0.04 })
  }

  @Test("Tokens that are taken out and put back stand where they stood, the fill elsewhere")
  func restoring() throws {
    let tokens = try Generator(seed: 1).normal(shape: [5, 36, 7])
    let fill = try Tensor.full(9, shape: [1, 1, 7])
    let mask = try random()
    let restored = try mask.restored(mask.visible(of: tokens), among: fill)
    let hidden = try mask.hidden.unsqueezed(2)
    let expected = try tokens * (1 - hidden) + hidden * 9
    #expect(try restored.values() == (expected.values() as [Float]))
    let whole = try PatchMask(noise: Generator(seed: 3).uniform(shape: [5, 36]), visibleCount: 36)
    #expect(try whole.restored(whole.visible(of: tokens), among: fill).values() == (tokens.values() as [Float]))
  }

  @Test("With more rows than images, row k · B + b looks at image b")
  func repeatedImages() throws {
    let tokens = try Generator(seed: 1).normal(shape: [2, 36, 3])
    let mask = try random(rows: 3)
    let together = try mask.repeated(for: 2).visible(of: tokens)
    #expect(together.shape == [6, 9, 3])
    for row in 0..<3 {
      for image in 0..<2 {
        let alone = try PatchMask(visible: mask.visible.sliced(row..<row + 1, axis: 0), patches: 36)
          .visible(of: tokens.sliced(image..<image + 1, axis: 0))
        let found = try together.sliced(row * 2 + image..<row * 2 + image + 1, axis: 0)
        #expect(try found.values() == (alone.values() as [Float]))
      }
    }
  }

  @Test("Complementary masks show every patch once in each group")
  func complementary() throws {
    let mask = try PatchMask.complementary(rows: 8, patches: 36, ratio: 0.75, random: Generator(seed: 6))
    let rows = try lists(mask.visible)
    #expect(rows.count == 8 && rows.allSatisfy { $0.count == 9 })
    for group in [rows[0..<4], rows[4..<8]] { #expect(group.flatMap { $0 }.sorted() == Array(0..<36)) }
    #expect(Set(rows[0]) != Set(rows[4]))
    #expect(throws: TorchError.self) {
      try PatchMask.complementary(rows: 6, patches: 36, ratio: 0.75, random: Generator(seed: 6))
    }
    #expect(throws: TorchError.self) {
      try PatchMask.complementary(rows: 4, patches: 38, ratio: 0.75, random: Generator(seed: 6))
    }
  }
}
