import Evaluation
import Foundation
import Testing

/// The figures that scikit-learn computed, see Scripts/golden/evaluation.py.
struct GoldenFigures: Decodable {
  struct Point: Decodable {
    let threshold: Double?
    let tp, fp, tn, fn: Int
    let accuracy, f1, sensitivity, specificity, precision: Double
  }

  struct Drawn: Decodable {
    let seed: UInt64
    let count: Int
    let prevalence, shift, levels: Double
  }

  struct Case: Decodable, CustomTestStringConvertible {
    let name: String
    let scores: [Double]?
    let labels: [Int]?
    let drawn: Drawn?
    let fixedThreshold: Double
    let stride: Int
    let fixed: Point
    let auroc, averagePrecision: Double?
    let rocPoints, prPoints: Int?
    let fpr, tpr, precision, recall: [Double]?
    let rocThresholds, prThresholds: [Double?]?
    let bestAccuracy, bestF1: Point?

    var testDescription: String { name }

    func labelledScores() throws -> LabelledScores {
      if let scores, let labels { return try LabelledScores(scores: scores, labels: labels.map { $0 == 1 }) }
      guard let drawn else { throw CocoaError(.coderValueNotFound) }
      return try drawnScores(drawn)
    }
  }

  struct Statistic: Decodable {
    let values: [Double]
    let mean: Double
    let sd: Double?
  }

  let cases: [Case]
  let statistics: [Statistic]

  static func file(_ name: String) -> URL {
    URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Golden/\(name)")
  }

  static func read() throws -> GoldenFigures {
    try JSONDecoder().decode(GoldenFigures.self, from: Data(contentsOf: file("figures.json")))
  }
}

/// Draws the cases that the golden script drew.
func drawnScores(_ recipe: GoldenFigures.Drawn) throws -> LabelledScores {
  var generator = SplitMix64(state: recipe.seed)
  var scores: [Double] = []
  var labels: [Bool] = []
  for _ in 0..<recipe.count {
    let label = generator.uniform() < recipe.prevalence
    let score = generator.uniform() + (label ? recipe.shift : 0)
    scores.append(recipe.levels > 0 ? (score * recipe.levels).rounded(.down) / recipe.levels : score)
    labels.append(label)
  }
  return try LabelledScores(scores: scores, labels: labels)
}

/// Steele, Lea and Flood 2014.
struct SplitMix64 {
  var state: UInt64

  mutating func uniform() -> Double {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return Double((z ^ (z >> 31)) >> 11) * 0x1p-53
  }
}

/// Equal to 1e-9, infinities included; golden files write infinity as null.
func close(_ found: Double, _ expected: Double?) -> Bool {
  guard let expected else { return found == .infinity }
  return abs(found - expected) <= 1e-9 * max(1, abs(expected))
}
