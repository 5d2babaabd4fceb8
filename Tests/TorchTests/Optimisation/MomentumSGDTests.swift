import Testing

@testable import Torch

@Suite("Stochastic gradient descent with momentum")
struct MomentumSGDTests {
  private static let options = MomentumSGDOptions(learningRate: 0.1, momentum: 0.5, weightDecay: 0.1)

  /// Moves `parameter` by one step with a gradient of 2.
  private func step(_ optimiser: MomentumSGD, _ parameter: Parameter) throws {
    try (parameter.tensor * 2).sum().backward()
    try optimiser.step()
    #expect(try parameter.tensor.gradient == nil)
  }

  @Test("Steps are those of a calculation by hand, scaled by the schedule")
  func trajectory() throws {
    let parameter = try Parameter(Tensor([1.0]))
    let still = try Parameter(Tensor([7.0]))
    let optimiser = try MomentumSGD([("w", parameter), ("still", still)], Self.options)
    try step(optimiser, parameter)  // v = 2 + 0.1 · 1 = 2.1
    try expectClose(parameter.tensor.detached(), [0.79])
    try step(optimiser, parameter)  // v = 0.5 · 2.1 + 2 + 0.079 = 3.129
    try expectClose(parameter.tensor.detached(), [0.4771])
    optimiser.learningRateScale = 0.5
    #expect(optimiser.learningRates == [0.05])
    try step(optimiser, parameter)  // v = 0.5 · 3.129 + 2 + 0.04771 = 3.61221
    try expectClose(parameter.tensor.detached(), [0.2964895])
    try expectClose(still.tensor.detached(), [7])
  }

  @Test("State put into another optimiser continues the trajectory")
  func resuming() throws {
    let first = try Parameter(Tensor([1.0]))
    let optimiser = try MomentumSGD([("w", first)], Self.options)
    try step(optimiser, first)
    let second = try Parameter(first.tensor)
    let resumed = try MomentumSGD([("w", second)], Self.options)
    let arrays = try storedArrays(optimiser.state)
    #expect(arrays.map(\.name) == ["w.direction"])
    try load(Dictionary(uniqueKeysWithValues: arrays.map { ($0.name, $0) }), into: resumed.state)
    try step(resumed, second)
    try expectClose(second.tensor.detached(), [0.4771])
  }

  @Test("Options make the optimiser of a module's weights, not of its buffers")
  func ofAModule() throws {
    let made = try Self.options.makeOptimiser(of: BatchNorm(channels: 2))
    #expect(made.state.map(\.key) == ["weight.direction", "bias.direction"])
    #expect(try AdamOptions(learningRate: 0.2).makeOptimiser(of: BatchNorm(channels: 2)).learningRates == [0.2])
  }
}
