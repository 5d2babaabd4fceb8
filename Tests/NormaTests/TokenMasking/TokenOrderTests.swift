import Testing
import Torch

@testable import Norma

@Suite("Orders of tokens")
struct TokenOrderTests {
  private static let grids = [[4, 4], [8, 8], [3, 5], [26, 21], [4, 4, 4], [3, 2, 5], [7, 5, 9]]

  @Test("Every order visits each cell once, and its inverse undoes it", arguments: TokenCurve.allCases, grids)
  func inverse(_ curve: TokenCurve, _ extents: [Int]) throws {
    let order = TokenOrder(curve, extents: extents, seed: 7)
    #expect(order.cells.sorted() == Array(0..<extents.reduce(1, *)))
    let grids = try Generator(seed: 1).integers(in: 0..<100, shape: [2] + extents)
    let sequences = try order.sequences(of: grids)
    #expect(try order.grids(of: sequences).values(as: Int.self) == grids.values(as: Int.self))
    let all = try grids.values(as: Int.self)
    #expect(try sequences.values(as: Int.self).prefix(order.count).elementsEqual(order.cells.map { all[$0] }))
  }

  @Test("Coordinates are those of the cells")
  func coordinates() {
    let order = TokenOrder(.random, extents: [3, 2, 5], seed: 1)
    for place in 0..<30 {
      let found = (0..<3).map { order.coordinates(axis: $0)[place] }
      #expect((found[0] * 2 + found[1]) * 5 + found[2] == order.cells[place])
    }
  }

  @Test("The Hilbert curve of 4×4 goes as published")
  func hilbert() {
    let expected = [
      (0, 0), (1, 0), (1, 1), (0, 1), (0, 2), (0, 3), (1, 3), (1, 2), (2, 2), (2, 3), (3, 3), (3, 2), (3, 1), (2, 1),
      (2, 0), (3, 0),
    ]
    #expect(TokenOrder(.gilbert, extents: [4, 4], seed: 0).cells == expected.map { $0.0 * 4 + $0.1 })
  }

  /// Steps of a walk that are longer than one cell, and the longest.
  private func jumps(_ curve: TokenCurve, _ extents: [Int]) -> (count: Int, longest: Int) {
    let order = TokenOrder(curve, extents: extents, seed: 0)
    let lines = extents.indices.map(order.coordinates)
    let steps = (1..<order.count).map { place in
      lines.reduce(0) { $0 + abs($1[place] - $1[place - 1]) }
    }
    return (steps.count { $0 > 1 }, steps.max() ?? 0)
  }

  @Test(
    "The Hilbert curve steps from neighbour to neighbour",
    arguments: [[8, 8], [16, 16], [32, 32], [26, 21], [4, 4, 4], [8, 8, 8], [16, 16, 16]])
  func continuity(_ extents: [Int]) { #expect(jumps(.gilbert, extents).count == 0) }

  @Test("On 26×21×27 the Hilbert curve makes 73 longer steps, the longest of 4, as published")
  func oddBox() { #expect(jumps(.gilbert, [26, 21, 27]) == (73, 4)) }

  @Test("The snake never jumps, raster jumps at every row")
  func snake() {
    #expect(jumps(.snake, [5, 4]).count == 0 && jumps(.snake, [3, 4, 5]).count == 0)
    #expect(jumps(.raster, [5, 4]).count == 4)
  }

  @Test("A shuffle follows from its seed")
  func shuffle() {
    let first = TokenOrder(.random, extents: [8, 8], seed: 1)
    #expect(TokenOrder(.random, extents: [8, 8], seed: 1).cells == first.cells)
    #expect(TokenOrder(.random, extents: [8, 8], seed: 2).cells != first.cells)
  }
}
