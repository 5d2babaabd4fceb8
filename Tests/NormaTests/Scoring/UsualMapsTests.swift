import Testing
import Torch

@testable import Norma

@Suite("Maps in standard deviations of normal images")
struct UsualMapsTests {
  private func maps(seed: UInt64, count: Int) throws -> [Tensor] {
    let random = try Generator(seed: seed)
    return [
      try random.normal(mean: 3, standardDeviation: 2, shape: [count, 4, 5]),
      try random.uniform(0, 0.1, shape: [count, 4, 5]),
    ]
  }

  @Test("Means and deviations are those of all images, however they come in batches")
  func moments() throws {
    let all = try maps(seed: 1, count: 9)
    var tally = UsualMaps.Tally()
    for range in [0..<4, 4..<9] {
      try tally.add(all.map { map throws(TorchError) in try map.sliced(range, axis: 0) })
    }
    let usual = try tally.usual()
    for (index, map) in all.enumerated() {
      let values = try map.values(as: Double.self)
      var (means, deviations) = ([Double](), [Double]())
      for pixel in 0..<20 {
        let column = (0..<9).map { values[$0 * 20 + pixel] }
        let mean = column.reduce(0, +) / 9
        means.append(mean)
        deviations.append((column.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 9).squareRoot())
      }
      let least = deviations.reduce(0, +) / 20 * 0.2 + 1e-6
      #expect(largestDifference(try usual.mean.selected(index, axis: 0).values(as: Double.self), means) < 1e-6)
      let found = try usual.deviation.selected(index, axis: 0).values(as: Double.self)
      #expect(largestDifference(found, deviations.map { $0 + least }) < 1e-5)
    }
  }

  @Test("The sum is that of the weighted standardised maps, and comes back from its state")
  func sum() throws {
    var tally = UsualMaps.Tally()
    try tally.add(maps(seed: 1, count: 9))
    let usual = try tally.usual()
    let found = try maps(seed: 2, count: 3)
    let sum = try usual.standardisedSum([(found[0], 1), (found[1], 0.5)])
    var expected = [Double](repeating: 0, count: 60)
    for (index, weight) in [(0, 1.0), (1, 0.5)] {
      let values = try found[index].values(as: Double.self)
      let mean = try usual.mean.selected(index, axis: 0).values(as: Double.self)
      let deviation = try usual.deviation.selected(index, axis: 0).values(as: Double.self)
      for entry in 0..<60 { expected[entry] += weight * (values[entry] - mean[entry % 20]) / deviation[entry % 20] }
    }
    #expect(largestDifference(try sum.values(as: Double.self), expected) < 1e-4)
    let again = try #require(UsualMaps(usual.state)).standardisedSum([(found[0], 1), (found[1], 0.5)])
    #expect(try again.values() == (sum.values() as [Float]))
    #expect(UsualMaps([:]) == nil, "nothing was fitted")
    #expect(throws: TorchError.self) { try UsualMaps.Tally().usual() }
  }
}
