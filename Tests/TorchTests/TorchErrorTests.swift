import Testing

@testable import Torch

/// A call that must fail, and the operation that its error must name.
struct BadCall: Sendable, CustomTestStringConvertible {
  let operation: String
  let testDescription: String
  let call: @Sendable () throws -> Void

  init(_ operation: String, _ description: String, _ call: @escaping @Sendable () throws -> Void) {
    self.operation = operation
    testDescription = "\(operation): \(description)"
    self.call = call
  }
}

@Suite("Errors")
struct TorchErrorTests {
  private static func ones(_ shape: Int...) throws -> Tensor { try .ones(shape) }

  private static let arithmetic: [BadCall] = [
    BadCall("+", "shapes") { _ = try ones(2, 3) + ones(4) },
    BadCall("*", "shapes") { _ = try ones(2) * ones(3) },
    BadCall("matmul", "inner extents") { _ = try ones(2, 3).matmul(ones(2, 3)) },
    BadCall("matmul", "types") { _ = try ones(2, 2).matmul(Tensor.ones([2, 2], dtype: .float64)) },
    BadCall("batchedProduct", "axes") { _ = try ones(2, 3).batchedProduct(ones(3, 2), addedTo: ones(2, 2)) },
    BadCall("einsum", "equation") { _ = try Tensor.einsum("ij,jk->", ones(2, 2)) },
    BadCall("einsum", "no operands") { _ = try Tensor.einsum("") },
    BadCall("linear", "width") { _ = try ones(2, 3).linear(ones(4, 2)) },
    BadCall("negation", "truth values") { _ = try -Tensor([true]) },
    BadCall("lerp", "shapes") { _ = try ones(2).lerp(toward: ones(3), weight: 0.5) },
  ]

  private static let shapes: [BadCall] = [
    BadCall("tensor", "too few values") { _ = try Tensor([1.0, 2], shape: [3]) },
    BadCall("tensor", "negative extents") { _ = try Tensor([1.0, 2], shape: [-1, -2]) },
    BadCall("tensor", "overflowing extents") { _ = try Tensor([1.0], shape: [.max, .max]) },
    BadCall("full", "negative extent") { _ = try ones(-1) },
    BadCall("arange", "step of zero") { _ = try Tensor.arange(0, 3, step: 0) },
    BadCall("item", "several elements") { _ = try ones(2).item() },
    BadCall("item", "no element") { _ = try ones(0).item() },
    BadCall("reshaped", "elements") { _ = try ones(2, 3).reshaped([4]) },
    BadCall("reshaped", "two unknown") { _ = try ones(2, 3).reshaped([-1, -1]) },
    BadCall("permuted", "axis twice") { _ = try ones(2, 3).permuted([0, 0]) },
    BadCall("transposed", "axis") { _ = try ones(2, 3).transposed(0, 2) },
    BadCall("unsqueezed", "axis") { _ = try ones(2).unsqueezed(5) },
    BadCall("squeezed", "axis") { _ = try ones(2).squeezed(1) },
    BadCall("expanded", "extent") { _ = try ones(2).expanded([3]) },
    BadCall("repeatingEach", "negative") { _ = try ones(2).repeatingEach(-1, axis: 0) },
    BadCall("flipped", "axis") { _ = try ones(2).flipped([1]) },
    BadCall("rolled", "axis") { _ = try ones(2).rolled(by: 1, axis: 1) },
    BadCall("sliced", "step") { _ = try ones(4).sliced(0..<2, axis: 0, step: 0) },
    BadCall("selected", "index") { _ = try ones(2).selected(2, axis: 0) },
    BadCall("selecting", "index") { _ = try ones(2).selecting(Tensor([2]), axis: 0) },
    BadCall("selecting", "type of index") { _ = try ones(2).selecting(Tensor([1.0]), axis: 0) },
    BadCall("gathering", "index") { _ = try ones(2, 2).gathering(Tensor([5], shape: [1, 1]), axis: 1) },
    BadCall("scattering", "index") { _ = try ones(2).scattering(ones(1), at: Tensor([-1]), axis: 0) },
    BadCall("scatterAdding", "index") { _ = try ones(2).scatterAdding(ones(1), at: Tensor([2]), axis: 0) },
    BadCall("masked", "mask's type") { _ = try ones(2).masked(ones(2), by: 0) },
    BadCall("replacing", "shapes") { _ = try ones(2).replacing(with: ones(3), where: Tensor([true, false])) },
    BadCall("concatenated", "nothing") { _ = try Tensor.concatenated([], axis: 0) },
    BadCall("concatenated", "shapes") { _ = try Tensor.concatenated([ones(2, 3), ones(2, 4)], axis: 0) },
    BadCall("stacked", "nothing") { _ = try Tensor.stacked([]) },
    BadCall("unfolded", "kernel") { _ = try ones(1, 1, 2, 2).unfolded(kernel: [3, 3]) },
    BadCall("windows", "size") { _ = try ones(2).windows(size: 3, step: 1, axis: 0) },
    BadCall("windows", "step") { _ = try ones(2).windows(size: 1, step: 0, axis: 0) },
    BadCall("padded", "reflection beyond the edge") { _ = try ones(1, 1, 2).padded([2, 0], with: .reflect) },
    BadCall("padded", "odd list") { _ = try ones(2).padded([1]) },
    BadCall("channelsLast", "axes") { _ = try ones(2, 3).channelsLast() },
  ]

  private static let reductions: [BadCall] = [
    BadCall("sum", "axis") { _ = try ones(2).sum([1]) },
    BadCall("maximum", "empty") { _ = try ones(0).maximum() },
    BadCall("softmax", "axis") { _ = try ones(2).softmax(axis: 1) },
    BadCall("indexOfMaximum", "empty") { _ = try ones(0).indexOfMaximum(axis: 0) },
    BadCall("top", "too many") { _ = try ones(2).top(3, axis: 0) },
    BadCall("top", "negative") { _ = try ones(2).top(-1, axis: 0) },
    BadCall("sorted", "axis") { _ = try ones(2).sorted(axis: 1) },
    BadCall("kthSmallest", "zero") { _ = try ones(2).kthSmallest(0, axis: 0) },
    BadCall("quantile", "range") { _ = try ones(2).quantile(1.5) },
    BadCall("pairwiseDistances", "width") { _ = try ones(2, 3).pairwiseDistances(to: ones(2, 4)) },
    BadCall("pairwiseDistances", "negative power") { _ = try ones(2, 3).pairwiseDistances(to: ones(2, 3), p: -1) },
    BadCall("cholesky", "not positive definite") { _ = try (-ones(2, 2)).cholesky() },
    BadCall("symmetricEigen", "not square") { _ = try ones(2, 3).symmetricEigen() },
    BadCall("triangularSolve", "not square") { _ = try ones(2, 3).triangularSolve(ones(2, 1)) },
  ]

  private static let layers: [BadCall] = [
    BadCall("convolution", "channels") {
      _ = try ones(1, 2, 4, 4).convolved(with: ones(1, 3, 3, 3), stride: [1, 1], padding: [0, 0])
    },
    BadCall("convolution", "kernel larger than input") {
      _ = try ones(1, 1, 2, 2).convolved(with: ones(1, 1, 3, 3), stride: [1, 1], padding: [0, 0])
    },
    BadCall("convolution", "groups of zero") {
      _ = try ones(1, 1, 2, 2).convolved(with: ones(1, 1, 1, 1), stride: [1, 1], padding: [0, 0], groups: 0)
    },
    BadCall("convolution", "stride of zero") {
      _ = try ones(1, 1, 2, 2).convolved(with: ones(1, 1, 1, 1), stride: [0, 0], padding: [0, 0])
    },
    BadCall("convolution", "rank") {
      _ = try ones(2, 2, 2).convolved(with: ones(1, 1, 1, 1, 1), stride: [1, 1, 1], padding: [0, 0, 0])
    },
    BadCall("convolution", "groups that do not divide") {
      _ = try Convolution(inputChannels: 3, outputChannels: 4, kernelSize: 3, groups: 2, generator: Generator(seed: 1))
    },
    BadCall("convolution", "spatial axes") {
      _ = try Convolution(
        inputChannels: 3, outputChannels: 4, kernelSize: 3, spatialAxes: -1, generator: Generator(seed: 1))
    },
    BadCall("batchNorm", "one value per channel") { _ = try BatchNorm(channels: 2)(ones(1, 2), mode: .training) },
    BadCall("batchNorm", "channels") { _ = try BatchNorm(channels: 2)(ones(4, 3, 2, 2), mode: .evaluation) },
    BadCall("instanceNorm", "axes") { _ = try ones(2).instanceNormalised() },
    BadCall("layerNorm", "width") { _ = try LayerNorm(width: 3)(ones(2, 4)) },
    BadCall("groupNorm", "groups that do not divide") { _ = try ones(1, 3, 2, 2).groupNormalised(groups: 2) },
    BadCall("groupNorm", "no groups") { _ = try ones(1, 3, 2, 2).groupNormalised(groups: 0) },
    BadCall("embedding", "index") { _ = try ones(2, 3).embedding(Tensor([2])) },
    BadCall("embedding", "type of index") { _ = try ones(2, 3).embedding(ones(1)) },
    BadCall("attention", "widths") {
      _ = try ones(1, 1, 2, 4).attention(keys: ones(1, 1, 2, 3), values: ones(1, 1, 2, 3))
    },
    BadCall("attention", "mask") {
      _ = try ones(1, 1, 2, 4).attention(keys: ones(1, 1, 2, 4), values: ones(1, 1, 2, 4), mask: ones(3, 3))
    },
    BadCall("attention", "heads") { _ = try MultiHeadAttention(width: 5, heads: 2, generator: Generator(seed: 1)) },
    BadCall("attention", "rank") {
      _ = try MultiHeadAttention(width: 4, heads: 2, generator: Generator(seed: 1))(
        query: ones(4), keys: ones(4), values: ones(4))
    },
    BadCall("xavier", "rank") { _ = try Initialisation.xavier([3], Generator(seed: 1)) },
    BadCall("maxPool", "rank") { _ = try ones(2, 2).pooled(.maximum, kernel: [2, 2]) },
    BadCall("averagePool", "stride of zero") {
      _ = try ones(1, 1, 2, 2).pooled(.average, kernel: [2, 2], stride: [0, 0])
    },
    BadCall("averagePool", "cells") { _ = try ones(1, 1, 2, 2).averagePooled(to: [-1, 1]) },
    BadCall("resize", "rank") { _ = try ones(1, 2, 2).resized(to: [2, 2]) },
    BadCall("resize", "empty") { _ = try ones(1, 1, 2, 2).resized(to: [0, 2]) },
    BadCall("resize", "antialiasing in 3-D") { _ = try ones(1, 1, 2, 2, 2).resized(to: [1, 1, 1], antialias: true) },
    BadCall("resize", "cubic in 3-D") { _ = try ones(1, 1, 2, 2, 2).resized(to: [1, 1, 1], .cubic) },
    BadCall("affineGrid", "maps") { _ = try Tensor.affineGrid(ones(1, 3, 3), size: [1, 1, 2, 2]) },
    BadCall("sample", "grid") { _ = try ones(1, 1, 2, 2).sampled(at: ones(1, 2, 2, 3)) },
    BadCall("dropout", "probability") { _ = try ones(2).dropout(1, generator: Generator(seed: 1)) },
    BadCall("dropout", "negative probability") { _ = try ones(2).dropout(-0.5, generator: Generator(seed: 1)) },
  ]

  private static let others: [BadCall] = [
    BadCall("meanSquaredError", "shapes") { _ = try ones(2).meanSquaredError(to: ones(3)) },
    BadCall("binaryCrossEntropy", "shapes") { _ = try ones(2).binaryCrossEntropy(logitsAgainst: ones(3)) },
    BadCall("crossEntropy", "class") { _ = try ones(1, 3).crossEntropy(classes: Tensor([3])) },
    BadCall("crossEntropy", "batch") { _ = try ones(1, 3).crossEntropy(classes: Tensor([0, 1])) },
    BadCall("backward", "no gradient") { try ones(1).backward() },
    BadCall("backward", "several elements") { try ones(2).requiringGradient().backward() },
    BadCall("gradients", "no gradient") { _ = try ones(2).gradients(of: [ones(2)]) },
    BadCall("requiresGradient", "integers") { _ = try Parameter(Tensor([1])) },
    BadCall("assign", "shapes") { try Parameter(ones(2)).assign(ones(3)) },
    BadCall("overwrite", "index") { try Parameter(ones(2)).overwrite(at: Tensor([2]), axis: 0, with: ones(1)) },
    BadCall("overwrite", "shapes") { try Parameter(ones(2)).overwrite(at: Tensor([0]), axis: 0, with: ones(3)) },
    BadCall("bernoulli", "probability") { _ = try Generator(seed: 1).bernoulli(1.5, shape: [2]) },
    BadCall("integers", "empty range") { _ = try Generator(seed: 1).integers(in: 3..<3, shape: [2]) },
    BadCall("permutation", "negative") { _ = try Generator(seed: 1).permutation(-1) },
    BadCall("uniform", "reversed bounds") { _ = try Generator(seed: 1).uniform(1, 0, shape: [2]) },
    BadCall("normal", "negative deviation") { _ = try Generator(seed: 1).normal(standardDeviation: -1, shape: [2]) },
    BadCall("multinomial", "negative weight") { _ = try Generator(seed: 1).multinomial(-ones(3), count: 1) },
    BadCall("multinomial", "too many without replacement") {
      _ = try Generator(seed: 1).multinomial(ones(3), count: 4, replacement: false)
    },
    BadCall("generator state", "length") { try Generator(seed: 1).restore(Tensor([UInt8(1), 2])) },
    BadCall("generator state", "type") { try Generator(seed: 1).restore(ones(5056)) },
  ]

  @Test(
    "A bad call throws an error with the operation's name and one line",
    arguments: arithmetic + shapes + reductions + layers + others)
  func badCalls(_ bad: BadCall) throws {
    let error = try torchError { try bad.call() }
    #expect(error.operation == bad.operation)
    #expect(!error.reason.isEmpty)
    #expect(!error.reason.contains("\n"))
    #expect(error.description == "\(error.operation): \(error.reason)")
  }

  @Test("Norma's own reasons are exact")
  func ownReasons() throws {
    func message(_ body: () throws -> Void) throws -> String { try torchError { try body() }.description }
    #expect(try message { _ = try Tensor([1.0, 2], shape: [3]) } == "tensor: 2 values do not fill the shape [3]")
    let bytes: [UInt8] = [1, 2, 3]
    #expect(
      try message { _ = try bytes.withUnsafeBytes { try Tensor(bytes: $0, dtype: .int16, shape: [2]) } }
        == "tensor: 3 bytes do not fill the shape [2] of int16")
    #expect(
      try message { _ = try Self.ones(2).dropout(1, generator: Generator(seed: 1)) }
        == "dropout: the probability 1.0 is not in 0 ..< 1")
    #expect(
      try message { _ = try MultiHeadAttention(width: 5, heads: 2, generator: Generator(seed: 1)) }
        == "attention: 2 heads do not divide a width of 5")
    #expect(
      try message { _ = try Self.ones(1, 2, 2).resized(to: [2, 2]) }
        == "resize: a tensor of 3 axes cannot be resized to 2 extents")
    #expect(
      try message { _ = try BatchNorm(channels: 2)(Self.ones(1, 2, 1, 1), mode: .training) }
        == "batchNorm: training needs more than one value per channel, and the input has shape [1, 2, 1, 1]")
    #expect(
      try message { try Parameter(Self.ones(2)).assign(Self.ones(3)) } == "assign: shapes differ: [2] and [3]")
  }

  @Test("An error of one operation does not stay for the next")
  func recovery() throws {
    try torchError { _ = try Self.ones(2) + Self.ones(3) }
    try expectClose(Self.ones(2) + Self.ones(2), [2, 2])
  }
}
