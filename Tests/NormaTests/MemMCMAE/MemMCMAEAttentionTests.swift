import Foundation
import Testing

@testable import Norma
@testable import Torch

@Suite("The two operators of MemMC-MAE")
struct MemMCMAEAttentionTests {
  private let batch = 2
  private let count = 5
  private let width = 12
  private let heads = 3
  private let slots = 4

  private func inputs() throws -> (projected: Tensor, keys: Tensor, values: Tensor) {
    let random = try Generator(seed: 7)
    return (
      try random.normal(shape: [batch, count, 3 * width], dtype: .float64),
      try random.normal(standardDeviation: 0.25, shape: [slots, width], dtype: .float64),
      try random.normal(standardDeviation: 0.25, shape: [slots, width], dtype: .float64)
    )
  }

  /// softmax(Q [K; √d·M_K]ᵀ / √d) [V; √m·M_V] with loops, head by head.
  private func explicit(_ projected: [Double], _ keys: [Double], _ values: [Double]) -> [Double] {
    let depth = width / heads
    var result = [Double](repeating: 0, count: batch * count * width)
    func part(_ image: Int, _ token: Int, _ third: Int, _ head: Int) -> [Double] {
      let start = (image * count + token) * 3 * width + third * width + head * depth
      return Array(projected[start..<start + depth])
    }
    for image in 0..<batch {
      for head in 0..<heads {
        let memory = (0..<slots).map { $0 * width + head * depth }
        let allKeys =
          (0..<count).map { part(image, $0, 1, head) }
          + memory.map { start in keys[start..<start + depth].map { $0 * sqrt(Double(depth)) } }
        let allValues =
          (0..<count).map { part(image, $0, 2, head) }
          + memory.map { start in values[start..<start + depth].map { $0 * sqrt(Double(slots)) } }
        for token in 0..<count {
          let query = part(image, token, 0, head)
          let weights = allKeys.map { key in exp(zip(query, key).reduce(0) { $0 + $1.0 * $1.1 } / sqrt(Double(depth))) }
          let total = weights.reduce(0, +)
          for column in 0..<depth {
            let sum = zip(weights, allValues).reduce(0) { $0 + $1.0 * $1.1[column] }
            result[(image * count + token) * width + head * depth + column] = sum / total
          }
        }
      }
    }
    return result
  }

  @Test("Memory attention equals the formula in double precision")
  func formula() throws {
    let (projected, keys, values) = try inputs()
    let found = try MemoryAttention.attended(projected, memory: (keys, values), heads: heads)
    #expect(found.shape == [batch, count, width])
    let expected = explicit(
      try projected.values(as: Double.self), try keys.values(as: Double.self), try values.values(as: Double.self))
    #expect(largestDifference(try found.values(as: Double.self), expected) < 1e-12)
    let single = try MemoryAttention.attended(
      projected.to(.float32), memory: (keys.to(.float32), values.to(.float32)), heads: heads)
    #expect(largestDifference(try single.values(as: Double.self), expected) < 1e-6)
  }

  @Test("Gradients of memory and tokens equal finite differences")
  func gradients() throws {
    let (projected, keys, values) = try inputs()
    let upstream = try Generator(seed: 9).normal(shape: [batch, count, width], dtype: .float64)
    func loss(_ list: [Tensor]) throws -> Tensor {
      try (MemoryAttention.attended(list[0], memory: (list[1], list[2]), heads: heads) * upstream).sum()
    }
    try expectFiniteDifferences(of: [projected, keys, values], loss)
  }

  @Test("Gradients of the gates equal finite differences, and the gates the formula")
  func gates() throws {
    let random = try Generator(seed: 3)
    let tokens = try random.normal(shape: [batch, count, width], dtype: .float64)
    let read = try random.normal(shape: [2, batch * count, width], dtype: .float64)
    let weight = try random.normal(standardDeviation: 0.3, shape: [2, 2 * width, width], dtype: .float64)
    let bias = try random.normal(shape: [2, 1, width], dtype: .float64)
    let found = try MultiLevelCrossAttention.gatedSum(tokens, read, weight: weight, bias: bias)
      .values(as: Double.self)
    let (y, c) = (try tokens.values(as: Double.self), try read.values(as: Double.self))
    let (w, b) = (try weight.values(as: Double.self), try bias.values(as: Double.self))
    for row in 0..<batch * count {
      for column in 0..<width {
        var expected = 0.0
        for level in 0..<2 {
          let start = (level * batch * count + row) * width
          let joined = y[row * width..<(row + 1) * width] + c[start..<start + width]
          let sum = joined.enumerated().reduce(b[level * width + column]) { sum, entry in
            sum + entry.element * w[(level * 2 * width + entry.offset) * width + column]
          }
          expected += c[start + column] / (1 + exp(-sum))
        }
        #expect(abs(found[row * width + column] - expected) < 1e-12)
      }
    }
    let upstream = try random.normal(shape: [batch * count, width], dtype: .float64)
    try expectFiniteDifferences(of: [tokens, read, weight, bias]) { list in
      try (MultiLevelCrossAttention.gatedSum(list[0], list[1], weight: list[2], bias: list[3]) * upstream).sum()
    }
  }

  /// Compares gradients with central differences at a handful of entries of every input.
  private func expectFiniteDifferences(of inputs: [Tensor], _ loss: ([Tensor]) throws -> Tensor) throws {
    let leaves = try inputs.map { try $0.requiringGradient() }
    let gradients = try loss(leaves).gradients(of: leaves)
    let step = 1e-6
    for (position, input) in inputs.enumerated() {
      let gradient = try gradients[position].values(as: Double.self)
      let values = try input.values(as: Double.self)
      for entry in stride(from: 0, to: values.count, by: max(1, values.count / 7)) {
        func shifted(_ amount: Double) throws -> Double {
          var changed = values
          changed[entry] += amount
          var list = inputs
          list[position] = try Tensor(changed, shape: input.shape)
          return try loss(list).item()
        }
        let slope = try (shifted(step) - shifted(-step)) / (2 * step)
        #expect(abs(slope - gradient[entry]) < 1e-6 * max(1, abs(slope)), "input \(position), entry \(entry)")
      }
    }
  }

  @Test("Without slots no memory keys exist, and memory takes part in the result")
  func slotsCount() throws {
    let plain = try MemoryAttention(width: width, heads: heads, slots: 0, generator: Generator(seed: 1))
    #expect(plain.namedParameters.map(\.key).allSatisfy { !$0.contains("memory") })
    let (projected, keys, values) = try inputs()
    let without = try MemoryAttention.attended(projected, memory: nil, heads: heads)
    let with = try MemoryAttention.attended(projected, memory: (keys, values), heads: heads)
    #expect(try largestDifference(without, with) > 0.01)
  }

  @Test("Memory starts with deviations 1/d and 1/m")
  func initialisation() throws {
    let attention = try MemoryAttention(width: 64, heads: 4, slots: 100, generator: Generator(seed: 1))
    for (key, deviation) in [("memoryKeys", 1.0 / 16), ("memoryValues", 1.0 / 100)] {
      let found = try attention.parameter(key).tensor.detached().variance().squareRoot().item()
      #expect(abs(found / deviation - 1) < 0.05, "\(key)")
    }
  }

  @Test("With all gates open and one level, the meshed read is plain cross-attention")
  func openGates() throws {
    let gated = try MultiLevelCrossAttention(
      width: width, heads: heads, levels: 1, gated: true, generator: Generator(seed: 5))
    let plain = try MultiLevelCrossAttention(
      width: width, heads: heads, levels: 1, gated: false, generator: Generator(seed: 6))
    for (key, parameter) in plain.namedParameters { try parameter.assign(gated.parameter(key).tensor.detached()) }
    let weight = try gated.parameter("gates.weight")
    let tokens = try Generator(seed: 1).normal(shape: [batch, count, width])
    let levels = try Generator(seed: 2).normal(shape: [1, batch, 3, width])
    let expected = try plain(tokens, levels: levels)
    #expect(try largestDifference(gated(tokens, levels: levels), expected) > 0.01)
    try weight.fill(0)
    try gated.parameter("gates.bias").fill(60)
    #expect(try largestDifference(gated(tokens, levels: levels), expected) < 1e-6)
  }

  @Test("Levels in one batch read as one after the other, divided by the root of their number")
  func levelByLevel() throws {
    let gated = try MultiLevelCrossAttention(
      width: width, heads: heads, levels: 3, gated: true, generator: Generator(seed: 5))
    let single = try MultiLevelCrossAttention(
      width: width, heads: heads, levels: 1, gated: true, generator: Generator(seed: 6))
    let tokens = try Generator(seed: 1).normal(shape: [batch, count, width])
    let levels = try Generator(seed: 2).normal(shape: [3, batch, 4, width])
    try gated.parameter("gates.bias").assign(Generator(seed: 8).normal(shape: [3, 1, width]))
    var sum = try tokens.zerosLike()
    for level in 0..<3 {
      for (key, parameter) in single.namedParameters {
        let source = try gated.parameter(key).tensor.detached()
        try parameter.assign(key.hasPrefix("gates") ? source.sliced(level..<level + 1, axis: 0) : source)
      }
      sum = try sum + single(tokens, levels: levels.sliced(level..<level + 1, axis: 0))
    }
    #expect(try largestDifference(gated(tokens, levels: levels), sum / 3.0.squareRoot()) < 1e-6)
  }
}
