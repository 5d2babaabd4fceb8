import Foundation
import Testing

@testable import Norma
@testable import Torch

@Suite("Shrinkage of memory weights")
struct MemoryShrinkageTests {
  private let similarities = [0.3, -1.2, 2.1, 0.9, 1.7, -0.4, 1.1, 0.2]

  private func shrinkage(_ change: (inout SimSIDConfiguration) -> Void) -> MemoryShrinkage {
    MemoryShrinkage(.tiny(change))
  }

  private func softmax(_ values: [Double]) -> [Double] {
    let exponentials = values.map { exp($0) }
    return exponentials.map { $0 / exponentials.reduce(0, +) }
  }

  private func weights(_ shrinkage: MemoryShrinkage, _ values: [Double]) throws -> [Double] {
    try shrinkage.weights(Tensor(values, shape: [1, values.count])).values(as: Double.self)
  }

  private func expectClose(_ found: [Double], _ expected: [Double], _ tolerance: Double = 1e-9) {
    #expect(found.count == expected.count && zip(found, expected).allSatisfy { abs($0 - $1) <= tolerance })
  }

  @Test("The strict rule keeps k − 1 items, which sum to 1", arguments: [2, 3, 5, 8])
  func strict(_ k: Int) throws {
    let found = try weights(shrinkage { $0.activeItems = k }, similarities)
    let soft = softmax(similarities)
    let threshold = soft.sorted(by: >)[k - 1]
    let kept = soft.map { $0 > threshold ? $0 : 0 }
    expectClose(found, kept.map { $0 / kept.reduce(0, +) })
    #expect(found.filter { $0 > 1e-12 }.count == k - 1)
    #expect(abs(found.reduce(0, +) - 1) < 1e-12)
  }

  @Test("The inclusive rule keeps k items, even when all of them tie")
  func inclusive() throws {
    let shrinkage = shrinkage {
      $0.strictThreshold = false
      $0.activeItems = 3
    }
    let found = try weights(shrinkage, similarities)
    let soft = softmax(similarities)
    let threshold = soft.sorted(by: >)[2]
    let kept = soft.map { $0 >= threshold ? $0 : 0 }
    expectClose(found, kept.map { $0 / kept.reduce(0, +) })
    let tied = try weights(shrinkage, [Double](repeating: 0.7, count: 8))
    expectClose(tied.sorted(by: >), [1.0 / 3, 1.0 / 3, 1.0 / 3, 0, 0, 0, 0, 0])
  }

  @Test("Under the strict rule nothing survives a tie of all")
  func strictTie() throws {
    expectClose(try weights(shrinkage { $0.activeItems = 5 }, [1, 1, 1, 1, 1, 1]), [0, 0, 0, 0, 0, 0])
  }

  @Test("Hard shrinkage cuts raw products below λ, without a softmax")
  func hard() throws {
    let shrinkage = shrinkage {
      $0.shrinkage = .hard
      $0.hardThreshold = 0.5
    }
    let cut = similarities.map { s in s * max(s - 0.5, 0) / (abs(s - 0.5) + 1e-12) }
    let total = cut.reduce(0) { $0 + abs($1) }
    expectClose(try weights(shrinkage, similarities), cut.map { $0 / total })
    expectClose(try weights(shrinkage, [0.1, -2, 0.4]), [0, 0, 0])
  }

  @Test("Without shrinkage the weights are the softmax")
  func none() throws {
    expectClose(try weights(shrinkage { $0.shrinkage = .none }, similarities), softmax(similarities))
  }

  @Test("The gradient passes straight through to the softmax", arguments: [true, false])
  func straightThrough(_ isStrict: Bool) throws {
    let shrinkage = shrinkage {
      $0.strictThreshold = isStrict
      $0.activeItems = 3
    }
    let upstream = [0.4, -1, 0.3, 2, -0.7, 0.1, 1.3, -0.2]
    let input = try Tensor(similarities, shape: [1, 8]).requiringGradient()
    let loss = try (shrinkage.weights(input) * Tensor(upstream, shape: [1, 8])).sum()
    let soft = softmax(similarities)
    let mean = zip(soft, upstream).reduce(0) { $0 + $1.0 * $1.1 }
    expectClose(
      try loss.gradients(of: [input])[0].values(as: Double.self), zip(soft, upstream).map { $0 * ($1 - mean) })
  }

  @Test("Hard shrinkage and softmax have the gradients of their finite differences", arguments: ["hard", "none"])
  func finiteDifferences(_ kind: String) throws {
    let shrinkage = shrinkage {
      $0.shrinkage = kind == "hard" ? .hard : .none
      $0.hardThreshold = 0.5
    }
    let upstream = try Tensor([0.4, -1, 0.3, 2, -0.7, 0.1, 1.3, -0.2], shape: [1, 8])
    func loss(_ values: [Double]) throws -> Double {
      try (shrinkage.weights(Tensor(values, shape: [1, 8])) * upstream).sum().item()
    }
    let input = try Tensor(similarities, shape: [1, 8]).requiringGradient()
    let found = try (shrinkage.weights(input) * upstream).sum().gradients(of: [input])[0].values(as: Double.self)
    let step = 1e-6
    let expected = try similarities.indices.map { index in
      var (above, below) = (similarities, similarities)
      above[index] += step
      below[index] -= step
      return (try loss(above) - loss(below)) / (2 * step)
    }
    expectClose(found, expected, 1e-7)
  }
}
