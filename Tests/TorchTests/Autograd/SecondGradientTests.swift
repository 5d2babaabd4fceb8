import Testing

@testable import Torch

@Suite("Gradients of gradients")
struct SecondGradientTests {
  static let operations: [DifferentiableCase] = [
    DifferentiableCase("cube", [4]) { try $0[0].squared() * $0[0] },
    DifferentiableCase("product and tanh", [2, 3], [3]) { try ($0[0] * $0[1]).tanh() },
    DifferentiableCase("linear", [2, 3], [4, 3], [4]) { try $0[0].linear($0[1], bias: $0[2]).squared() },
    DifferentiableCase("convolution and leaky ReLU", [2, 2, 5, 4], [3, 2, 3, 3]) {
      try $0[0].convolved(with: $0[1], stride: [2, 1], padding: [1, 1]).leakyReLU(slope: 0.2).squared()
    },
    DifferentiableCase("transposed convolution", [1, 2, 3, 3], [2, 3, 3, 3]) {
      try $0[0].convolved(with: $0[1], stride: [2, 2], padding: [1, 1], transposed: true).squared()
    },
    DifferentiableCase("layer norm of feature maps", [2, 2, 3, 2], [2], [2]) {
      try $0[0].groupNormalised(groups: 1, weight: $0[1], bias: $0[2], epsilon: 1e-3).squared()
    },
    DifferentiableCase("layer norm", [2, 5], [5], [5]) {
      try $0[0].layerNormalised([5], weight: $0[1], bias: $0[2], epsilon: 1e-3).squared()
    },
    DifferentiableCase("average pooling", [1, 2, 4, 4]) {
      try $0[0].squared().pooled(.average, kernel: [2, 2]).tanh()
    },
    DifferentiableCase("nearest resizing", [1, 2, 2, 3]) { try $0[0].squared().resized(to: [4, 6], .nearest) },
    DifferentiableCase("norm", [3, 4]) { try $0[0].norm(2, [1]) },
  ]

  @Test("The gradient of recorded gradients is their central difference", arguments: operations)
  func finiteDifferences(_ operation: DifferentiableCase) throws {
    let values = try operation.shapes.enumerated().map { try normal($1, seed: UInt64($0 + 1)).values() }
    func leaves(_ values: [[Double]]) throws -> [Tensor] {
      try zip(values, operation.shapes).map { try Tensor($0, shape: $1).requiringGradient() }
    }
    let weights = try normal(operation.function(leaves(values)).shape, seed: 99)
    // How the function's gradient with respect to its first input points along a random direction.
    let direction = try normal(operation.shapes[0], seed: 98)
    func slope(_ leaves: [Tensor], recording: Bool) throws -> Tensor {
      let objective = try (operation.function(leaves) * weights).sum()
      return try (objective.gradients(of: [leaves[0]], recording: recording)[0] * direction).sum()
    }
    let inputs = try leaves(values)
    let step = 1e-5
    for input in values.indices {
      let differences = try values[input].indices.map { element in
        var (above, below) = (values, values)
        above[input][element] += step
        below[input][element] -= step
        return try (slope(leaves(above), recording: false).item() - slope(leaves(below), recording: false).item())
          / (2 * step)
      }
      let expected = try Tensor(differences, shape: operation.shapes[input])
      // What the gradient does not depend on, like the bias of a linear function, has none.
      guard try expected.abs().maximum().item() > 1e-8 else { continue }
      let found = try slope(inputs, recording: true).gradients(of: [inputs[input]])[0]
      try expectClose(found, expected, within: 1e-6)
    }
  }

  @Test("Only recorded gradients are part of the graph, and the graph is still there to go back through")
  func recording() throws {
    let x = try Tensor([1.0, 2]).requiringGradient()
    let cube = try x.squared() * x
    let gradient = try cube.gradients(of: [x], recording: true)[0]
    #expect(gradient.requiresGradient)
    try expectClose(gradient.detached(), [3, 12])
    try expectClose(gradient.gradients(of: [x], recording: true)[0].detached(), [6, 12])
    try cube.sum().backward()
    try expectClose(#require(try x.gradient), [3, 12])
    #expect(try !x.squared().gradients(of: [x])[0].requiresGradient)
  }

  @Test("A linear layer of a size that another library multiplies has the second gradients of float64")
  func largeLinear() throws {
    let random = try Generator(seed: 6)
    let shapes = [[64, 96], [384, 96], [384]]
    let values = try shapes.map { try random.normal(shape: $0, dtype: .float64) }
    func results(_ dtype: DType) throws -> [Tensor] {
      let leaves = try values.map { try $0.to(dtype).requiringGradient() }
      let output = try leaves[0].linear(leaves[1], bias: leaves[2]).tanh()
      let gradients = try output.gradients(of: Array(leaves.prefix(2)), recording: true)
      let penalty = try gradients[0].squared().sum() + gradients[1].squared().mean()
      return try [penalty] + penalty.gradients(of: leaves)
    }
    for (found, expected) in zip(try results(.float32), try results(.float64)) {
      let scale = try expected.detached().abs().maximum().item()
      let difference = try (found.detached().to(.float64) - expected.detached()).abs().maximum().item()
      #expect(scale > 0 && difference < 1e-4 * scale, "\(difference) of \(scale)")
    }
  }

  @Test("Attention's kernel, which has no second gradient, says so instead of leaving it out")
  func attention() throws {
    let random = try Generator(seed: 7)
    let inputs = try (0..<3).map { _ in try random.normal(shape: [1, 2, 32, 16]).requiringGradient() }
    let output = try inputs[0].attention(keys: inputs[1], values: inputs[2])
    #expect(try output.gradients(of: inputs).count == 3)
    func second(_ output: Tensor, _ inputs: [Tensor]) throws -> Tensor {
      let gradient = try output.gradients(of: [inputs[0]], recording: true)[0]
      return try gradient.squared().sum().gradients(of: [inputs[1]])[0].detached()
    }
    do {
      let again = try inputs[0].attention(keys: inputs[1], values: inputs[2])
      let found = try second(again, inputs)
      // Where libtorch's own attention runs instead and knows its second gradient, it is that of the formula.
      let exact = try inputs.map { try $0.detached().to(.float64).requiringGradient() }
      let weights = try (exact[0].matmul(exact[1].transposed(2, 3)) / 4).softmax(axis: -1)
      try expectClose(found.to(.float64), second(weights.matmul(exact[2]), exact), within: 1e-4)
    } catch let error as TorchError {
      #expect(error.description.contains("cannot be differentiated again") || error.description.contains("derivative"))
    }
  }
}
