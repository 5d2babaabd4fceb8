import Foundation
import Testing

@testable import Torch

@Suite("Random generators")
struct GeneratorTests {
  private func draw(_ generator: Generator) throws -> [[Double]] {
    try [
      generator.uniform(shape: [5]).values(), generator.normal(shape: [20]).values(),
      generator.integers(in: 0..<1000, shape: [5]).values(), generator.permutation(9).values(),
      generator.bernoulli(0.5, shape: [9]).values(), generator.multinomial(.ones([9]), count: 5).values(),
    ]
  }

  @Test("The same seed gives the same numbers, another seed others, and one does not disturb the other")
  func seeds() throws {
    let (first, second, third) = (try Generator(seed: 7), try Generator(seed: 7), try Generator(seed: 8))
    let numbers = try draw(first)
    #expect(try draw(third) != numbers)
    #expect(try draw(second) == numbers)
    #expect(try draw(first) != numbers)
  }

  @Test("Numbers drawn on the processor for a device are the processor's, and lie there")
  func drawnElsewhere() throws {
    let there = try Generator(seed: 7, on: .best, drawnOn: .cpu)
    #expect(try draw(there) == draw(Generator(seed: 7)))
    #expect(try there.uniform(shape: [2]).device == .best)
  }

  @Test("Numbers are PyTorch's for the seed")
  func likePyTorch() throws {
    // torch.rand(3, generator=torch.Generator().manual_seed(42)) and torch.randperm(5, …) from the same seed.
    try expectClose(Generator(seed: 42).uniform(shape: [3]), [0.8822692633, 0.9150039554, 0.3828637600], within: 1e-7)
    #expect(try Generator(seed: 42).permutation(5).values(as: Int.self) == [2, 4, 3, 0, 1])
  }

  @Test("A restored state repeats what followed it, the second half of a pair of normal numbers included")
  func restoring() throws {
    let generator = try Generator(seed: 7)
    _ = try generator.normal(shape: [3])
    let state = try generator.state()
    let expected = try draw(generator)
    try generator.restore(state)
    #expect(try draw(generator) == expected)
    let other = try Generator(seed: 1)
    try other.restore(state)
    #expect(try draw(other) == expected)
  }

  @Test("Uniform and normal numbers have their moments and bounds")
  func moments() throws {
    let generator = try Generator(seed: 3)
    let uniform = try generator.uniform(-1, 3, shape: [20_000], dtype: .float64)
    #expect(try uniform.minimum().item() >= -1)
    #expect(try uniform.maximum().item() < 3)
    // Five standard errors: 5 · (4 / √12) / √20,000.
    #expect(try abs(uniform.mean().item() - 1) < 0.041)
    #expect(try abs(uniform.variance().item() - 16.0 / 12) < 0.045)
    let normal = try generator.normal(mean: 2, standardDeviation: 3, shape: [20_000], dtype: .float64)
    #expect(try abs(normal.mean().item() - 2) < 0.107)
    #expect(try abs(normal.variance().item() - 9) < 0.45)
    let beyond = try (normal - 2).abs().less(3).to(.float64).mean().item()
    #expect(abs(beyond - 0.6827) < 0.017)
  }

  @Test("Integers fill their range evenly, Bernoulli numbers are ones with their probability")
  func discrete() throws {
    let generator = try Generator(seed: 3)
    let integers = try generator.integers(in: -2..<3, shape: [10_000])
    #expect(integers.dtype == .int64)
    for value in -2..<3 {
      #expect(try abs(integers.equal(Double(value)).to(.float64).mean().item() - 0.2) < 0.02)
    }
    #expect(try integers.maximum().item() == 2)
    let ones = try generator.bernoulli(0.3, shape: [10_000])
    #expect(try abs(ones.mean().item() - 0.3) < 0.023)
    #expect(try ones.equal(0).or(ones.equal(1)).allTrue())
    #expect(try generator.bernoulli(1, shape: [3]).allTrue())
  }

  @Test("A permutation holds every number once", arguments: [0, 1, 2, 100])
  func permutation(count: Int) throws {
    let numbers = try Generator(seed: 5).permutation(count).values(as: Int.self)
    #expect(numbers.sorted() == Array(0..<count))
    #expect(count < 100 || numbers != Array(0..<count))
  }

  @Test("Indices are drawn by weight; without replacement each at most once")
  func multinomial() throws {
    let generator = try Generator(seed: 5)
    let weights = try Tensor([0.0, 1, 3, 1, 0, 0], shape: [2, 3])
    let drawn = try generator.multinomial(weights, count: 4000)
    #expect(drawn.shape == [2, 4000])
    let first = try drawn.selected(0, axis: 0)
    #expect(try abs(first.equal(2).to(.float64).mean().item() - 0.75) < 0.035)
    #expect(try !first.equal(0).anyTrue())
    #expect(try !drawn.selected(1, axis: 0).anyTrue())
    let once = try generator.multinomial(.ones([6]), count: 6, replacement: false).values(as: Int.self)
    #expect(once.sorted() == Array(0..<6))
  }

  @Test("Dropout zeroes with its probability, keeps the expectation, and nothing at zero")
  func dropout() throws {
    let generator = try Generator(seed: 5)
    let ones = try Tensor.ones([10_000], dtype: .float64)
    let dropped = try ones.dropout(0.2, generator: generator)
    #expect(try dropped.equal(0).or(dropped.equal(1.25)).allTrue())
    #expect(try abs(dropped.mean().item() - 1) < 0.025)
    let before = try generator.state().bytes()
    try expectClose(ones.dropout(0, generator: generator), ones)
    #expect(try generator.state().bytes() == before)
  }
}
