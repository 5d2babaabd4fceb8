import Testing

@testable import Torch

/// A differentiable function of a few tensors of given shapes.
struct DifferentiableCase: Sendable, CustomTestStringConvertible {
  let testDescription: String
  let shapes: [[Int]]
  let function: @Sendable ([Tensor]) throws -> Tensor

  init(_ name: String, _ shapes: [Int]..., of function: @escaping @Sendable ([Tensor]) throws -> Tensor) {
    testDescription = name
    self.shapes = shapes
    self.function = function
  }
}

@Suite("Gradients against finite differences")
struct GradientCheckTests {
  private static let arithmetic: [DifferentiableCase] = [
    DifferentiableCase("addition, broadcast", [2, 3], [3]) { try $0[0] + $0[1] },
    DifferentiableCase("product, broadcast", [2, 3], [2, 1]) { try $0[0] * $0[1] },
    DifferentiableCase("quotient", [2, 3], [2, 3]) { try $0[0] / ($0[1].squared() + 1) },
    DifferentiableCase("functions", [6]) {
      try $0[0].exp() + $0[0].sin() * $0[0].cos() + ($0[0].squared() + 1).log() + $0[0].erf() + $0[0].tanh()
    },
    DifferentiableCase("roots", [6]) {
      try ($0[0].squared() + 1).squareRoot() * ($0[0].squared() + 2).reciprocalSquareRoot()
    },
    DifferentiableCase("gelu", [8]) { try $0[0].gelu() + $0[0].gelu(tanhApproximation: true) },
    DifferentiableCase("silu, elu, leakyReLU", [8]) {
      try $0[0].silu() + $0[0].elu(alpha: 2) + $0[0].leakyReLU(slope: 0.2)
    },
    DifferentiableCase("sigmoid and softplus", [8]) { try $0[0].sigmoid() + $0[0].logSigmoid() * $0[0].softplus() },
    DifferentiableCase("clamped", [8]) { try $0[0].clamped(-0.5, 0.7) },
    DifferentiableCase("lerp and addingProduct", [4], [4]) {
      try $0[0].lerp(toward: $0[1], weight: 0.3).addingProduct($0[0], $0[1], scale: 2)
    },
    DifferentiableCase("matmul", [2, 3, 4], [4, 2]) { try $0[0].matmul($0[1]) },
    DifferentiableCase("batchedProduct", [2, 3, 2], [2, 2, 4], [2, 3, 4]) {
      try $0[0].batchedProduct($0[1], addedTo: $0[2])
    },
    DifferentiableCase("einsum", [2, 3, 4], [3, 5, 4]) { try .einsum("bgc,gmc->bgm", $0[0], $0[1]) },
    DifferentiableCase("linear", [2, 3, 4], [5, 4], [5]) { try $0[0].linear($0[1], bias: $0[2]) },
  ]

  private static let reductions: [DifferentiableCase] = [
    DifferentiableCase("mean and variance", [3, 4]) { try $0[0].mean([1]) * $0[0].variance([1], correction: 1) },
    DifferentiableCase("maximum and minimum", [3, 4]) { try $0[0].maximum([1]) * $0[0].minimum([1]) },
    DifferentiableCase("norm", [3, 4]) { try $0[0].norm(2, [1]) + $0[0].norm(1, [1]) + $0[0].norm(3, [1]) },
    DifferentiableCase("logSumExp", [3, 4]) { try $0[0].logSumExp([1]) },
    DifferentiableCase("softmax", [3, 4]) { try $0[0].softmax(axis: 1) },
    DifferentiableCase("logSoftmax", [3, 4]) { try $0[0].logSoftmax(axis: 0) },
    DifferentiableCase("cumulativeSum", [3, 4]) { try $0[0].cumulativeSum(axis: 1) },
    DifferentiableCase("top and sorted", [3, 5]) {
      try $0[0].top(2, axis: 1).values + $0[0].sorted(axis: 1).values.sliced(0..<2, axis: 1)
    },
    DifferentiableCase("kthSmallest and quantile", [3, 5]) { try $0[0].kthSmallest(2, axis: 1) + $0[0].quantile(0.3) },
    DifferentiableCase("pairwiseDistances", [2, 3, 4], [2, 5, 4]) { try $0[0].pairwiseDistances(to: $0[1]) },
    DifferentiableCase("cholesky", [3, 3]) {
      try ($0[0].matmul($0[0].transposed(0, 1)) + Tensor([1.0, 0, 0, 0, 1, 0, 0, 0, 1], shape: [3, 3])).cholesky()
    },
    DifferentiableCase("gathering", [3, 4]) {
      try $0[0].gathering(Tensor([3, 0, 1, 1, 2, 2], shape: [3, 2]), axis: 1)
    },
    DifferentiableCase("scattering", [3, 4], [3, 2]) {
      let indices = try Tensor([3, 0, 1, 2, 2, 0], shape: [3, 2])
      return try $0[0].scattering($0[1], at: indices, axis: 1) + $0[0].scatterAdding($0[1], at: indices, axis: 1)
    },
    DifferentiableCase("selecting and masks", [3, 4]) {
      try $0[0].selecting(Tensor([2, 0, 2]), axis: 1)
        + $0[0].masked(Tensor([true, false, true, true]), by: 1).sliced(1..<4, axis: 1)
    },
    DifferentiableCase("windows and padding", [1, 2, 5]) {
      try $0[0].padded([2, 1], with: .reflect).windows(size: 3, step: 2, axis: 2)
    },
    DifferentiableCase("unfolded", [1, 2, 4, 3]) { try $0[0].unfolded(kernel: [2, 2], padding: [1, 0]) },
    DifferentiableCase("embedding", [4, 3]) { try $0[0].embedding(Tensor([3, 1, 3])) },
  ]

  private static let layers: [DifferentiableCase] = [
    DifferentiableCase("convolution", [2, 2, 5, 4], [4, 1, 3, 2], [4]) {
      try $0[0].convolved(with: $0[1], bias: $0[2], stride: [2, 1], padding: [1, 0], groups: 2)
    },
    DifferentiableCase("convolution in 3-D", [1, 2, 3, 3, 3], [2, 2, 2, 2, 2], [2]) {
      try $0[0].convolved(with: $0[1], bias: $0[2], stride: [1, 1, 1], padding: [0, 1, 0])
    },
    DifferentiableCase("transposed convolution", [2, 2, 3, 3], [2, 3, 3, 3], [3]) {
      try $0[0].convolved(
        with: $0[1], bias: $0[2], stride: [2, 2], padding: [1, 1], transposed: true, outputPadding: [1, 0])
    },
    DifferentiableCase("batch norm in training", [3, 2, 2, 3], [2], [2]) {
      try $0[0].batchNormalised(
        weight: $0[1], bias: $0[2], runningMean: nil, runningVariance: nil, training: true, momentum: 0.1, epsilon: 1e-3
      )
    },
    DifferentiableCase("instance norm", [2, 2, 2, 3], [2], [2]) {
      try $0[0].instanceNormalised(weight: $0[1], bias: $0[2], epsilon: 1e-3)
    },
    DifferentiableCase("layer norm", [2, 3, 4], [4], [4]) {
      try $0[0].layerNormalised([4], weight: $0[1], bias: $0[2], epsilon: 1e-3)
    },
    DifferentiableCase("group norm", [2, 4, 2, 2], [4], [4]) {
      try $0[0].groupNormalised(groups: 2, weight: $0[1], bias: $0[2], epsilon: 1e-3)
    },
    DifferentiableCase("attention", [1, 2, 3, 4], [1, 2, 5, 4], [1, 2, 5, 4]) {
      try $0[0].attention(keys: $0[1], values: $0[2])
    },
    DifferentiableCase("causal attention", [1, 2, 3, 4], [1, 2, 3, 4], [1, 2, 3, 4]) {
      try $0[0].attention(keys: $0[1], values: $0[2], causal: true)
    },
    DifferentiableCase("attention with a mask", [1, 1, 3, 4], [1, 1, 3, 4], [1, 1, 3, 4], [3, 3]) {
      try $0[0].attention(keys: $0[1], values: $0[2], mask: $0[3])
    },
    DifferentiableCase("maximum pooling", [1, 2, 4, 5]) {
      try $0[0].pooled(.maximum, kernel: [2, 3], stride: [2, 1])
    },
    DifferentiableCase("average pooling", [1, 2, 4, 5]) {
      try $0[0].pooled(.average, kernel: [2, 3], stride: [2, 1], padding: [1, 1])
    },
    DifferentiableCase("adaptive average pooling", [1, 2, 5, 4]) { try $0[0].averagePooled(to: [3, 2]) },
    DifferentiableCase("linear resizing", [1, 2, 3, 4]) { try $0[0].resized(to: [5, 3]) },
    DifferentiableCase("trilinear resizing", [1, 1, 2, 3, 2]) { try $0[0].resized(to: [3, 2, 4]) },
    DifferentiableCase("antialiased linear resizing", [1, 2, 6, 5]) { try $0[0].resized(to: [2, 3], antialias: true) },
    DifferentiableCase("cubic resizing", [1, 2, 3, 4]) { try $0[0].resized(to: [5, 3], .cubic) },
    DifferentiableCase("antialiased cubic resizing", [1, 2, 6, 5]) {
      try $0[0].resized(to: [2, 3], .cubic, antialias: true)
    },
    DifferentiableCase("sampling, linear", [1, 2, 4, 3], [1, 2, 3, 2]) { try $0[0].sampled(at: $0[1] * 0.5) },
    DifferentiableCase("sampling, cubic", [1, 2, 4, 3], [1, 2, 3, 2]) {
      try $0[0].sampled(at: $0[1] * 0.5, .cubic, outside: .border)
    },
    DifferentiableCase("affine grid", [1, 2, 3]) { try .affineGrid($0[0], size: [1, 1, 3, 4]) },
  ]

  private static let losses: [DifferentiableCase] = [
    DifferentiableCase("mean squared error", [2, 3], [2, 3]) { try $0[0].meanSquaredError(to: $0[1]) },
    DifferentiableCase("mean absolute error", [2, 3], [2, 3]) { try $0[0].meanAbsoluteError(to: $0[1]) },
    DifferentiableCase("smooth L1", [2, 3], [2, 3]) { try $0[0].smoothL1(to: $0[1], beta: 0.5) },
    DifferentiableCase("binary cross entropy", [2, 3], [2, 3]) {
      try $0[0].binaryCrossEntropy(logitsAgainst: $0[1].sigmoid())
    },
    DifferentiableCase("cross entropy", [3, 4]) {
      try $0[0].crossEntropy(classes: Tensor([2, 0, -100]), labelSmoothing: 0.1)
    },
  ]

  @Test("The gradient is the central difference", arguments: arithmetic + reductions + layers + losses)
  func gradient(_ operation: DifferentiableCase) throws {
    let values = try operation.shapes.enumerated().map { try normal($1, seed: UInt64($0 + 1)).values() }
    func tensors(_ values: [[Double]]) throws -> [Tensor] {
      try zip(values, operation.shapes).map { try Tensor($0, shape: $1) }
    }
    // Random weights on the output make each of its elements count differently.
    let weights = try normal(operation.function(tensors(values)).shape, seed: 99)
    func objective(_ values: [[Double]]) throws -> Double {
      try (operation.function(tensors(values)) * weights).sum().item()
    }

    let leaves = try tensors(values).map { try $0.requiringGradient() }
    let gradients = try (operation.function(leaves) * weights).gradients(of: leaves)
    let step = 1e-5
    for input in values.indices {
      let differences = try values[input].indices.map { element in
        var (above, below) = (values, values)
        above[input][element] += step
        below[input][element] -= step
        return try (objective(above) - objective(below)) / (2 * step)
      }
      try expectClose(gradients[input], Tensor(differences, shape: operation.shapes[input]), within: 1e-7)
    }
  }
}
