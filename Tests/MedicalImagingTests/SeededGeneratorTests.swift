import Foundation
import MedicalImaging
import Testing

@Suite("SeededGenerator")
struct SeededGeneratorTests {
  @Test("The sequence is SplitMix64's")
  func reference() {
    // The reference implementation's (Vigna, splitmix64.c) first numbers for seed 1234567.
    var generator = SeededGenerator(seed: 1_234_567)
    let numbers = (0..<5).map { _ in generator.next() }
    #expect(
      numbers == [
        6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423, 4_593_380_528_125_082_431,
        16_408_922_859_458_223_821,
      ])
  }

  @Test("Uniform numbers fill their range evenly")
  func uniform() {
    var generator = SeededGenerator(seed: 3)
    let numbers = (0..<20000).map { _ in generator.uniform(in: -2...4) }
    #expect(numbers.allSatisfy { (-2...4).contains($0) })
    let mean = numbers.reduce(0, +) / 20000
    let variance = numbers.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 20000
    #expect(abs(mean - 1) < 0.05)
    #expect(abs(variance - 3) < 0.1)  // (b - a)² / 12
  }

  @Test("Normal numbers have the mean and deviation asked for")
  func normal() {
    var generator = SeededGenerator(seed: 4)
    let numbers = (0..<20000).map { _ in generator.normal(mean: 5, sd: 2) }
    let mean = numbers.reduce(0, +) / 20000
    let variance = numbers.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 20000
    #expect(abs(mean - 5) < 0.06)
    #expect(abs(variance - 4) < 0.15)
    let within = Double(numbers.count { abs($0 - 5) < 2 }) / 20000
    #expect(abs(within - 0.6827) < 0.015)
  }

  @Test("Shuffles keep the elements, reach every order equally often, and repeat with the seed")
  func shuffle() {
    var generator = SeededGenerator(seed: 9)
    var counts: [[Int]: Int] = [:]
    for _ in 0..<6000 { counts[generator.shuffled([1, 2, 3]), default: 0] += 1 }
    #expect(counts.count == 6)
    for (order, count) in counts {
      #expect(order.sorted() == [1, 2, 3])
      #expect(abs(count - 1000) < 150)
    }
    var first = SeededGenerator(seed: 9)
    var second = SeededGenerator(seed: 9)
    #expect(first.shuffled(Array(0..<50)) == second.shuffled(Array(0..<50)))
    #expect(generator.index(below: 0) == 0)
  }
}
