import Testing

@testable import Torch

@Suite("Weight averages")
struct WeightAverageTests {
  @Test("Each update moves by 1 − min(decay, n / (n + 10)), buffers included")
  func updates() throws {
    let norm = try BatchNorm(channels: 1)
    let average = try WeightAverage(norm, decay: 0.2)
    var expected = (weight: 1.0, mean: 0.0)
    for (index, value) in [3.0, -1, 4].enumerated() {
      try norm.weight.assign(.full(value, shape: [1]))
      try norm.runningMean.assign(.full(2 * value, shape: [1]))
      try average.update()
      let kept = min(0.2, Double(index + 1) / Double(index + 11))
      expected = (kept * expected.weight + (1 - kept) * value, kept * expected.mean + (1 - kept) * 2 * value)
    }
    #expect(average.updateCount == 3)
    #expect(average.state.map(\.key) == ["weight", "bias", "runningMean", "runningVariance"])
    try expectClose(average.state[0].parameter.tensor, [expected.weight])
    try expectClose(average.state[2].parameter.tensor, [expected.mean])
    try expectClose(norm.weight.tensor.detached(), [4])
  }

  @Test("A resumed average counts on")
  func resuming() throws {
    let layer = try LayerNorm(width: 1)
    let average = try WeightAverage(layer, decay: 0.9)
    average.updateCount = 89
    try layer.weight.assign(.full(2, shape: [1]))
    try average.update()
    try expectClose(average.state[0].parameter.tensor, [0.9 * 1 + 0.1 * 2])
  }

  @Test("Exchanging puts the average into the module; twice is as before")
  func exchange() throws {
    let layer = try LayerNorm(width: 2)
    let average = try WeightAverage(layer, decay: 0.5)
    try layer.weight.assign(Tensor([Float(5), 6]))
    let weight = layer.weight.tensor
    try average.exchange()
    try expectClose(weight.detached(), [1, 1])
    try expectClose(average.state[0].parameter.tensor, [5, 6])
    #expect(layer.weight.tensor.requiresGradient)
    try average.exchange()
    try expectClose(weight.detached(), [5, 6])
    try expectClose(average.state[0].parameter.tensor, [1, 1])
  }

  @Test("Integers are not averaged")
  func integers() throws {
    final class Counter: Module {
      let count: Parameter
      init(_ count: Parameter) { self.count = count }
      override var parts: [Part] { [.tensor("count", count)] }
    }
    let counter = try Counter(Parameter(Tensor([3]), isTrainable: false))
    let average = try WeightAverage(counter, decay: 0.5)
    #expect(average.state.isEmpty)
    try average.update()
    try average.exchange()
    #expect(try counter.count.tensor.values(as: Int.self) == [3])
  }
}
