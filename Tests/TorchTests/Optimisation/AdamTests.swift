import Foundation
import Testing

@testable import Torch

@Suite("Adam")
struct AdamTests {
  private static func options(decoupled: Bool) -> AdamOptions {
    AdamOptions(
      learningRate: 0.01, beta1: 0.5, beta2: 0.999, epsilon: 1e-7, weightDecay: 0.1, decoupledWeightDecay: decoupled)
  }

  /// Gives `parameter` that gradient.
  private static func setGradient(_ gradient: Tensor, of parameter: Parameter) throws {
    try (parameter.tensor * gradient).sum().backward()
  }

  @Test("Each step is PyTorch's, with coupled and decoupled weight decay", arguments: [false, true])
  func trajectory(decoupled: Bool) throws {
    let golden = try OperatorGolden()[decoupled ? "adamw" : "adam"]
    let parameter = try Parameter(golden["initial"])
    let adam = Adam()
    try adam.addGroup([("w", parameter)], Self.options(decoupled: decoupled))
    for step in 0..<5 {
      try Self.setGradient(golden["gradients"].selected(step, axis: 0), of: parameter)
      try adam.step()
      try expectClose(parameter.tensor.detached(), golden["expected"].selected(step, axis: 0))
      #expect(try parameter.tensor.gradient == nil)
    }
    #expect(adam.state.map(\.key) == ["w.firstMoment", "w.secondMoment", "w.steps"])
    #expect(try adam.state[2].parameter.tensor.item() == 5)
  }

  @Test("RMSprop divides each gradient by the root of the mean of its squares, without correction")
  func rmsProp() throws {
    let parameter = try Parameter(Tensor([1.0, -2]))
    let optimiser = Adam()
    try optimiser.addGroup([("w", parameter)], .rmsProp(learningRate: 0.1, decay: 0.9, epsilon: 1e-3))
    var (weights, squares) = ([1.0, -2], [0.0, 0])
    for gradient in [[0.5, -1], [0, 3], [2, 0.1]] {
      try Self.setGradient(Tensor(gradient), of: parameter)
      try optimiser.step()
      for index in 0..<2 {
        squares[index] = 0.9 * squares[index] + 0.1 * gradient[index] * gradient[index]
        weights[index] -= 0.1 * gradient[index] / (squares[index].squareRoot() + 1e-3)
      }
      try expectClose(parameter.tensor.detached(), weights)
    }
  }

  @Test("State taken after two steps and put into another optimiser continues the trajectory")
  func resuming() throws {
    let golden = try OperatorGolden()["adam"]
    let first = try Parameter(golden["initial"])
    let adam = Adam()
    try adam.addGroup([("w", first)], Self.options(decoupled: false))
    for step in 0..<2 {
      try Self.setGradient(golden["gradients"].selected(step, axis: 0), of: first)
      try adam.step()
    }
    let second = try Parameter(first.tensor)
    let resumed = Adam()
    try resumed.addGroup([("w", second)], Self.options(decoupled: false))
    let arrays = try storedArrays(adam.state)
    try load(Dictionary(uniqueKeysWithValues: arrays.map { ($0.name, $0) }), into: resumed.state)
    try Self.setGradient(golden["gradients"].selected(2, axis: 0), of: second)
    try resumed.step()
    try expectClose(second.tensor.detached(), golden["expected"].selected(2, axis: 0))
  }

  @Test("A group has its own rate, the scale acts on all, and a weight without a gradient stays")
  func groups() throws {
    let parameters = try (0..<3).map { _ in try Parameter(Tensor([1.0])) }
    let adam = Adam()
    try adam.addGroup([("a", parameters[0]), ("c", parameters[2])], AdamOptions(learningRate: 0.1))
    try adam.addGroup([("b", parameters[1])], AdamOptions(learningRate: 0.2))
    adam.learningRateScale = 0.5
    #expect(adam.learningRates == [0.05, 0.1])
    for parameter in parameters[..<2] { try Self.setGradient(Tensor([3.0]), of: parameter) }
    try adam.step()
    // The first step of Adam is the rate times the sign, but for ε.
    try expectClose(parameters[0].tensor.detached(), [0.95], within: 1e-8)
    try expectClose(parameters[1].tensor.detached(), [0.9], within: 1e-8)
    try expectClose(parameters[2].tensor.detached(), [1])
  }

  @Test("The optimiser of a module leaves its buffers alone, and its weights in their memory layout")
  func ofAModule() throws {
    let norm = try BatchNorm(channels: 2)
    let adam = try Adam(norm, AdamOptions(learningRate: 0.1))
    #expect(
      adam.state.map(\.key) == [
        "weight.firstMoment", "weight.secondMoment", "weight.steps", "bias.firstMoment", "bias.secondMoment",
        "bias.steps",
      ])
    #expect(try adam.state.allSatisfy { try !$0.parameter.tensor.anyTrue() })
  }

  @Test("Channels-last weights are optimised as row-major ones are")
  func memoryLayout() throws {
    var results: [[Double]] = []
    for channelsLast in [false, true] {
      let generator = try Generator(seed: 4)
      let convolution = try Convolution(inputChannels: 3, outputChannels: 4, kernelSize: 3, generator: generator)
      if channelsLast { try convolution.preferChannelsLast() }
      let adam = try Adam(convolution, AdamOptions(learningRate: 0.01))
      let image = try generator.normal(shape: [2, 3, 6, 6])
      for _ in 0..<3 {
        try convolution(image).squared().mean().backward()
        try adam.step()
      }
      results.append(try convolution.weight.tensor.values())
    }
    try expectClose(results[1], results[0], within: 1e-5)
  }

  @Test("Clipping scales all gradients to the joint norm and returns the norm before")
  func clipping() throws {
    let (a, b) = (try Parameter(Tensor([0.0])), try Parameter(Tensor([0.0, 0])))
    let adam = Adam()
    try adam.addGroup([("a", a), ("b", b)], AdamOptions(learningRate: 1))
    #expect(try adam.clipGradients(toNorm: 1) == 0)
    try Self.setGradient(Tensor([3.0]), of: a)
    try Self.setGradient(Tensor([0.0, 4]), of: b)
    #expect(try abs(adam.clipGradients(toNorm: 10) - 5) < 1e-12)
    try expectClose(#require(try a.tensor.gradient), [3])
    #expect(try abs(adam.clipGradients(toNorm: 1) - 5) < 1e-12)
    try expectClose(#require(try a.tensor.gradient), [0.6], within: 1e-6)
    try expectClose(#require(try b.tensor.gradient), [0, 0.8], within: 1e-6)
    try adam.clearGradients()
    #expect(try a.tensor.gradient == nil)
  }
}
