import Evaluation
import Foundation
import Testing

/// Do intervals hold the true figure as often as they promise? Scores are exponentially distributed, with mean 1 where
/// normal and mean θ where abnormal, so that the true AUROC is θ / (1 + θ).
@Suite("Coverage by simulation")
struct CoverageTests {
  private let draws = 2_000
  private let promised = 0.93...0.97

  /// Cases of a study, `size` of each class.
  private func study(_ generator: inout SplitMix64, size: Int, mean: Double) throws -> LabelledScores {
    let labels = (0..<2 * size).map { $0 < size }
    let scores = labels.map { -log(1 - generator.uniform()) * ($0 ? mean : 1) }
    return try LabelledScores(scores: scores, labels: labels)
  }

  @Test("DeLong's 95 % intervals", arguments: [0.75, 0.9])
  func delong(_ auroc: Double) throws {
    var generator = SplitMix64(state: 51)
    var covered = 0
    for _ in 0..<draws {
      let cases = try study(&generator, size: 20, mean: auroc / (1 - auroc))
      if try DeLong(cases).interval()?.contains(auroc) == true { covered += 1 }
    }
    #expect(promised.contains(Double(covered) / Double(draws)), "\(covered) of \(draws)")
  }

  @Test("The bootstrap's 95 % intervals", arguments: [0.75, 0.9])
  func bootstrap(_ auroc: Double) throws {
    var generator = SplitMix64(state: 52)
    var covered = 0
    for seed in 0..<draws {
      let cases = try study(&generator, size: 20, mean: auroc / (1 - auroc))
      let bootstrap = Bootstrap(resamples: 250, seed: UInt64(seed))
      if try bootstrap.interval(of: .auroc, on: cases)?.contains(auroc) == true { covered += 1 }
    }
    #expect(promised.contains(Double(covered) / Double(draws)), "\(covered) of \(draws)")
  }

  @Test("p of DeLong's test is uniform where two correlated scores are equally good")
  func null() throws {
    var generator = SplitMix64(state: 53)
    var ps: [Double] = []
    for _ in 0..<1_000 {
      let base = try study(&generator, size: 40, mean: 3)
      // Each score is the common one times noise of its own.
      let pair = try (0..<2).map { _ in
        try LabelledScores(
          scores: base.scores.map { $0 * (0.2 + generator.uniform()) }, labels: base.labels)
      }
      ps.append(try #require(try DeLongTest(pair[0], pair[1]).p))
    }
    ps.sort()
    // Kolmogorov and Smirnov's largest distance from the uniform distribution; chance exceeds the bound in 1 of 100 seeds.
    let distance = ps.enumerated().map { index, p in
      max(p - Double(index) / Double(ps.count), Double(index + 1) / Double(ps.count) - p)
    }.max()
    #expect(try #require(distance) < 1.628 / Double(ps.count).squareRoot())
  }
}
