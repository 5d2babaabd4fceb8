import Evaluation
import Foundation
import Testing

/// What Scripts/golden/evaluation_statistics.py computed with scikit-learn, SciPy and from definitions.
struct GoldenStatistics: Decodable {
  struct Rates: Decodable {
    let threshold: Double
    let tp, fp, tn, fn: Int
    let balancedAccuracy: Double
    let mcc, npv: Double?
  }

  struct Target: Decodable {
    let target, sensitivity, specificityThere, specificity, sensitivityThere: Double
    let thresholdThere, thresholdOfSpecificity: Double?
  }

  struct Area: Decodable {
    let auroc, variance: Double
    let lower, upper: Double?
  }

  struct Comparison: Decodable {
    let difference, standardError, z, p: Double
  }

  struct Calibration: Decodable {
    let bins: Int
    let strategy: String
    let share, probability: [Double]
    let counts: [Int]
    let expectedError: Double
  }

  struct Case: Decodable, CustomTestStringConvertible {
    let drawn: GoldenFigures.Drawn
    let other: UInt64
    let rates: [Rates]
    let targets: [Target]
    let delong: Area
    let test: Comparison
    let brier: Double
    let calibration: [Calibration]

    var testDescription: String { "\(drawn.count) cases of seed \(drawn.seed)" }

    /// The second score of the same cases.
    func otherScores() throws -> LabelledScores {
      let first = try drawnScores(drawn)
      let recipe = GoldenFigures.Drawn(
        seed: other, count: drawn.count, prevalence: 0.5, shift: 0, levels: drawn.levels)
      let noise = try drawnScores(recipe).scores
      return try LabelledScores(scores: zip(noise, first.scores).map { $0 + 0.5 * $1 }, labels: first.labels)
    }

    /// The scores, halved so that they are probabilities.
    func probabilities() throws -> LabelledScores {
      let cases = try drawnScores(drawn)
      return try LabelledScores(scores: cases.scores.map { $0 / 2 }, labels: cases.labels)
    }
  }

  struct Welch: Decodable {
    let a, b: [Double]
    let t, df, p: Double
  }

  struct Wilson: Decodable {
    let successes, count: Int
    let level, lower, upper: Double
  }

  struct Interval: Decodable {
    let drawn: GoldenFigures.Drawn
    let lower, upper: Double
  }

  let bootstrap: Interval
  let cases: [Case]
  let welch: [Welch]
  let wilson: [Wilson]

  static func read() throws -> GoldenStatistics {
    try JSONDecoder().decode(GoldenStatistics.self, from: Data(contentsOf: GoldenFigures.file("statistics.json")))
  }
}
