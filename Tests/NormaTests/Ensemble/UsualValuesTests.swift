import Foundation
import MedicalImaging
import Testing
import Torch

@testable import Norma

@Suite("The common scale of an ensemble's members")
struct UsualValuesTests {
  /// Mean 2.25, variance 1.1875; shares 1/8, 1/2 and 7/8.
  private let usual = UsualValues(of: [4, 2, 1, 2])
  private let deviation = 1.1875.squareRoot()

  @Test("Ranks by hand: equal values count half, between two it is linear, and beyond the ends the order is kept")
  func ranks() {
    let expected: [(Double, Double)] = [
      (1, 0.125), (1.5, 0.3125), (2, 0.5), (3, 0.6875), (4, 0.875), (4 + deviation, 0.9375),
      (4 + 3 * deviation, 1 - 0.125 / 4), (1 - deviation, 0.0625), (1 - 3 * deviation, 0.125 / 4),
    ]
    for (value, rank) in expected { #expect(abs(usual.rank(value) - rank) < 1e-7, "\(value)") }
    let many = stride(from: -1e4, through: 1e4, by: 0.37).map(usual.rank)
    #expect(zip(many, many.dropFirst()).allSatisfy { $0 < $1 } && many.allSatisfy { $0 > 0 && $0 < 1 })
    #expect(usual.rank(.nan).isNaN)
  }

  @Test("The ranks of a map are those of its values, in every part of the scale")
  func rankedMaps() throws {
    let squares = (0...1000).map { Double($0 * $0) / 7 }
    let scales: [[Double]] = [[4, 2, 1, 2], [3], [3, 3], squares]
    for values in scales {
      let usual = UsualValues(of: values)
      let highest = values.max() ?? 0
      let between = (0..<2000).map { (Double($0) / 1800 - 0.05) * (highest + 1) }
      let points: [Float] = (values + between).map { Float($0) } + [.infinity, -.infinity]
      let ranks: [Float] = try usual.ranks(Tensor(points, shape: [1, points.count])).values()
      #expect(ranks == points.map { Float(usual.rank(Double($0))) })
    }
    let map = try Tensor([Float](arrayLiteral: 1, .nan, 4, 3, 2, 1), shape: [2, 3])
    let ranks = try usual.ranks(map)
    let numbers: [Float] = try ranks.contiguous().values()
    #expect(ranks.shape == [2, 3] && numbers[1].isNaN && numbers[2] == 0.875 && numbers[3] == 0.6875)
    // A view that lies otherwise in memory.
    let turned: [Float] = try usual.ranks(map.transposed(0, 1)).contiguous().values()
    #expect([turned[0], turned[1], turned[4], turned[5]] == [0.125, 0.6875, 0.875, 0.125])
  }

  @Test("A single usual value has the middle rank, and others lie on their side of it")
  func one() {
    let usual = UsualValues(of: [3])
    #expect(usual.rank(3) == 0.5 && usual.rank(2) < 0.5 && usual.rank(4) > 0.5)
  }

  @Test("Standardised scores, and fusion by hand")
  func fusion() {
    typealias Fusion = EnsembleConfiguration.Fusion
    #expect(abs(usual.standardised(4) - 1.75 / deviation) < 1e-7)
    let other = UsualValues(of: [0, 10])  // mean 5, deviation 5, ranks 1/4 and 3/4
    let both = [usual, other]
    #expect(abs(Fusion.mean([4, 20], usual: both) - (1.75 / deviation + 3) / 2) < 1e-7)
    #expect(abs(Fusion.maximum([4, 20], usual: both) - 3) < 1e-7)
    #expect(abs(Fusion.rank([4, 5], usual: both) - (0.875 + 0.5) / 2) < 1e-7)
    for fusion in Fusion.allCases {
      #expect(fusion([4, .nan], usual: both).isNaN && fusion([.nan, 4], usual: both).isNaN)
    }
  }

  /// 0 to 1000: median 500, 99.5 % at 995.
  private let values = UsualValues(of: (0...1000).map(Double.init))

  @Test("Maps by hand: each in units of its usual range, resized to the image, and put together there")
  func maps() throws {
    typealias Fusion = EnsembleConfiguration.Fusion
    let grid = ImageGrid(width: 4, height: 2)
    let whole = GridPlacement(stretching: grid, to: [2, 4])
    let coarse = GridPlacement(stretching: grid, to: [1, 1])
    let first = try Tensor([Float](arrayLiteral: 500, 995, 1490, 5, 500, 500, 500, 500), shape: [2, 4])
    let second = try Tensor([Float(995)], shape: [1, 1])
    let parts = [(map: first, placement: whole, usual: values), (map: second, placement: coarse, usual: values)]
    let mean: [Float] = try #require(try Fusion.mean(parts)).values()
    #expect(largestDifference(mean, [0.5, 1, 1.5, 0, 0.5, 0.5, 0.5, 0.5]) < 1e-6)
    let highest: [Float] = try #require(try Fusion.maximum(parts)).values()
    #expect(largestDifference(highest, [1, 1, 2, 1, 1, 1, 1, 1]) < 1e-6)
    let rank: [Float] = try #require(try Fusion.rank(parts)).contiguous().values()
    let expected = [500, 995, 1490, 5, 500, 500, 500, 500].map { Float((values.rank($0) + values.rank(995)) / 2) }
    #expect(largestDifference(rank, expected) < 1e-6)
    #expect(try Fusion.mean([]) == nil)
  }

  @Test("Where a member sees nothing of an image, its map is as low as anywhere")
  func unseen() throws {
    let grid = ImageGrid(width: 4, height: 1)
    let half = GridPlacement(
      grid: grid,
      axes: [
        AxisPlacement(extent: 1, source: 0..<1, resampled: 1, count: 1),
        AxisPlacement(extent: 4, source: 1..<3, resampled: 2, count: 2),
      ])
    let map = try Tensor([Float](arrayLiteral: 995, 5), shape: [1, 2])
    for fusion in [EnsembleConfiguration.Fusion.mean, .maximum] {
      let fused = try #require(try fusion([(map: map, placement: half, usual: values)]))
      #expect(fused.shape == [1, 4])
      #expect(largestDifference(try fused.contiguous().values(), [Float](arrayLiteral: -1, 1, -1, -1)) < 1e-6)
    }
  }

  @Test("A map that is the same everywhere on normal images stays finite")
  func constant() throws {
    let scaled: [Float] = try UsualValues(of: [2, 2]).scaled(Tensor([Float](arrayLiteral: 2, 5))).values()
    #expect(scaled == [0, 3])
  }
}
