import Testing

@testable import Torch

@Suite("Gradients")
struct AutogradTests {
  @Test("Backward adds to what a leaf has; clearing forgets it")
  func accumulation() throws {
    let x = try Tensor([1.0, 2]).requiringGradient()
    #expect(try x.gradient == nil)
    try x.squared().sum().backward()
    try expectClose(#require(try x.gradient), [2, 4])
    try x.sum().backward()
    try expectClose(#require(try x.gradient), [3, 5])
    try x.clearGradient()
    #expect(try x.gradient == nil)
  }

  @Test("A detached tensor has the same values and passes no gradient")
  func detached() throws {
    let x = try Tensor([1.0, 2]).requiringGradient()
    let stopped = try x.squared().detached()
    #expect(!stopped.requiresGradient)
    try (stopped * x).sum().backward()
    try expectClose(#require(try x.gradient), [1, 4])
  }

  @Test("Copies and changes of type pass gradients")
  func copies() throws {
    let x = try Tensor([1.0, 2]).requiringGradient()
    try (x.copy() * 2 + x.to(.float32).to(.float64) * 3).sum().backward()
    try expectClose(#require(try x.gradient), [5, 5])
  }

  @Test("Nothing is recorded without gradients, however deep, and recording resumes after an error")
  func withoutRecording() throws {
    struct Stop: Error {}
    let x = try Tensor([1.0]).requiringGradient()
    try withoutGradients {
      withoutGradients {}
      let product = try x * 2
      #expect(!product.requiresGradient)
    }
    #expect(try (x * 2).requiresGradient)
    #expect(throws: Stop.self) { try withoutGradients { throw Stop() } }
    #expect(try (x * 2).requiresGradient)
  }

  @Test("Gradients of a sum come in the order of the inputs, and leaves accumulate nothing")
  func gradientsOfInputs() throws {
    let (x, y) = (try Tensor([1.0, 2]).requiringGradient(), try Tensor([3.0, 4]).requiringGradient())
    let gradients = try (x * y.squared()).gradients(of: [y, x])
    try expectClose(gradients[0], [6, 16])
    try expectClose(gradients[1], [9, 16])
    #expect(try x.gradient == nil)
    #expect(try y.gradient == nil)
    #expect(try torchError { _ = try x.squared().gradients(of: [y]) }.operation == "gradients")
  }

  @Test("A frozen module passes gradients to its inputs and collects none")
  func frozen() throws {
    let layer = try Linear(inputs: 2, outputs: 3, generator: Generator(seed: 1))
    let x = try normal([4, 2], dtype: .float32).requiringGradient()
    try layer.frozen { try layer(x).sum() }.backward()
    try expectClose(#require(try x.gradient), layer.weight.tensor.detached().sum([0]).expanded([4, 2]))
    #expect(try layer.weight.tensor.gradient == nil)
    #expect(try layer.bias?.tensor.gradient == nil)
    try layer(x).sum().backward()
    #expect(try layer.weight.tensor.gradient != nil)
  }

  @Test("A module stays frozen after a freeze inside, and thaws after an error")
  func nestedFreezing() throws {
    struct Stop: Error {}
    let layer = try Linear(inputs: 2, outputs: 3, generator: Generator(seed: 1))
    try layer.frozen {
      try layer.frozen {}
      #expect(!layer.weight.tensor.requiresGradient)
    }
    #expect(layer.weight.tensor.requiresGradient)
    #expect(throws: Stop.self) { try layer.frozen { throw Stop() } }
    #expect(layer.weight.tensor.requiresGradient)
  }
}
