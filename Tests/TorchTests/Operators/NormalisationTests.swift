import Testing

@testable import Torch

@Suite("Normalisation")
struct NormalisationTests {
  /// `(x − mean) / √(variance + ε) · scale + shift`, statistics over `axes`.
  private func formula(_ x: Tensor, over axes: [Int], scale: Tensor, shift: Tensor, epsilon: Double) throws -> Tensor {
    let (mean, variance) = (try x.mean(axes, keepingAxes: true), try x.variance(axes, keepingAxes: true))
    return try (x - mean) / (variance + epsilon).squareRoot() * scale + shift
  }

  private func batchNorm(channels: Int, epsilon: Double = 1e-3) throws -> BatchNorm {
    let norm = try BatchNorm(channels: channels, epsilon: epsilon)
    try norm.weight.assign(normal([channels], seed: 11, dtype: .float32))
    try norm.bias.assign(normal([channels], seed: 12, dtype: .float32))
    try norm.runningMean.assign(normal([channels], seed: 13, dtype: .float32))
    try norm.runningVariance.assign(normal([channels], seed: 14, dtype: .float32).squared() + 0.5)
    return norm
  }

  @Test("Batch norm uses the batch's statistics in training and moves the running ones by the momentum")
  func training() throws {
    let norm = try batchNorm(channels: 3)
    let (mean, variance) = (try norm.runningMean.tensor.copy(), try norm.runningVariance.tensor.copy())
    let x = try normal([4, 3, 5, 2], dtype: .float32) * 2 + 1
    let expected = try formula(
      x, over: [0, 2, 3], scale: norm.weight.tensor.reshaped([3, 1, 1]), shift: norm.bias.tensor.reshaped([3, 1, 1]),
      epsilon: 1e-3)
    try expectClose(norm(x, mode: .training), expected)
    try expectClose(norm.runningMean.tensor, mean * 0.9 + x.mean([0, 2, 3]) * 0.1)
    try expectClose(norm.runningVariance.tensor, variance * 0.9 + x.variance([0, 2, 3], correction: 1) * 0.1)
  }

  @Test(
    "Batch norm with a sum and a ReLU behind it is what the operators give in float64, with all gradients",
    arguments: [false, true], [0.0, 300])
  func rectified(adding: Bool, mean: Double) throws {
    let (x, other) = try (normal([5, 20, 9, 7], seed: 3) * 2 + mean, normal([5, 20, 9, 7], seed: 4))
    func results(_ dtype: DType) throws -> (output: Tensor, slopes: [Tensor], running: [Tensor]) {
      let inputs = try [x.channelsLast(), normal([20], seed: 11), normal([20], seed: 12), other.channelsLast()]
      let leaves = try inputs.prefix(adding ? 4 : 3).map { try $0.to(dtype).requiringGradient() }
      let running = [try Tensor.zeros([20], dtype: dtype), try Tensor.ones([20], dtype: dtype)]
      let output = try leaves[0].batchNormalisedReLU(
        adding: adding ? leaves[3] : nil, weight: leaves[1], bias: leaves[2], runningMean: running[0],
        runningVariance: running[1], momentum: 0.2, epsilon: 1e-3)
      let upstream = try normal(output.shape, seed: 9).to(dtype)
      return try (output.detached(), (output * upstream).sum().gradients(of: leaves), running)
    }
    let (found, expected) = (try results(.float32), try results(.float64))
    let tolerance = mean == 0 ? 1e-5 : 1e-3  // the samples themselves are rounded to 3e-5 there
    func near(_ found: Tensor, _ expected: Tensor) throws {
      let scale = max(1, try expected.abs().maximum().item())
      #expect(try (found.to(.float64) - expected).abs().maximum().item() < tolerance * scale)
    }
    try near(found.output, expected.output)
    for (found, expected) in zip(found.slopes + found.running, expected.slopes + expected.running) {
      try near(found, expected)
    }
  }

  @Test("The gradient of a recorded gradient through norm, sum and ReLU is that in float64")
  func rectifiedSecondGradients() throws {
    func results(_ dtype: DType) throws -> [Tensor] {
      let (x, other) = (
        try normal([3, 6, 4, 5], seed: 3).channelsLast(), try normal([3, 6, 4, 5], seed: 4).channelsLast()
      )
      let leaves = try [x, normal([6], seed: 11), normal([6], seed: 12), other].map {
        try $0.to(dtype).requiringGradient()
      }
      let output = try leaves[0].batchNormalisedReLU(
        adding: leaves[3], weight: leaves[1], bias: leaves[2], runningMean: .zeros([6], dtype: dtype),
        runningVariance: .ones([6], dtype: dtype), momentum: 0.1, epsilon: 1e-3)
      let slope = try output.squared().sum().gradients(of: [leaves[0]], recording: true)[0]
      return try slope.squared().sum().gradients(of: leaves)
    }
    for (found, expected) in zip(try results(.float32), try results(.float64)) {
      let scale = max(1, try expected.abs().maximum().item())
      #expect(try (found.to(.float64) - expected).abs().maximum().item() < 1e-4 * scale)
    }
  }

  @Test("Batch norm uses the running statistics in evaluation and leaves them alone")
  func evaluation() throws {
    let norm = try batchNorm(channels: 3)
    let before = try norm.namedParameters.map { try $0.parameter.tensor.values() }
    let x = try normal([2, 3, 4, 4], dtype: .float32)
    let deviation = try (norm.runningVariance.tensor + 1e-3).squareRoot()
    let expected =
      try (x - norm.runningMean.tensor.reshaped([3, 1, 1])) / deviation.reshaped([3, 1, 1])
      * norm.weight.tensor.reshaped([3, 1, 1]) + norm.bias.tensor.reshaped([3, 1, 1])
    try expectClose(norm(x, mode: .evaluation), expected)
    #expect(try norm.namedParameters.map { try $0.parameter.tensor.values() } == before)
  }

  @Test(
    "Batch norm by sample is instance norm, and training on batches of one",
    arguments: [[3, 4, 5, 6], [2, 4, 3, 5, 4]])
  func perSample(shape: [Int]) throws {
    let norm = try batchNorm(channels: 4)
    let before = try norm.namedParameters.map { try $0.parameter.tensor.values() }
    let x = try normal(shape, dtype: .float32) * 3 - 1
    let spatial = Array(2..<shape.count)
    let perChannel = [4] + spatial.map { _ in 1 }
    let result = try norm(x, mode: .perSample)
    #expect(try norm.namedParameters.map { try $0.parameter.tensor.values() } == before)
    try expectClose(
      result,
      formula(
        x, over: spatial, scale: norm.weight.tensor.reshaped(perChannel), shift: norm.bias.tensor.reshaped(perChannel),
        epsilon: 1e-3))
    let alone = try (0..<shape[0]).map { try norm(x.sliced($0..<$0 + 1, axis: 0), mode: .training) }
    try expectClose(result, Tensor.concatenated(alone, axis: 0))
  }

  @Test(
    "A norm folded into a convolution gives what both give in evaluation", arguments: [false, true], [false, true])
  func folding(transposed: Bool, bias: Bool) throws {
    let generator = try Generator(seed: 5)
    let convolution = try Convolution(
      inputChannels: 4, outputChannels: 6, kernelSize: 3, stride: 2, padding: 1, groups: transposed ? 1 : 2, bias: bias,
      transposed: transposed, outputPadding: transposed ? 1 : 0, generator: generator)
    let norm = try batchNorm(channels: 6)
    let x = try generator.normal(shape: [2, 4, 7, 5])
    let (weight, shift) = try norm.folded(into: convolution)
    #expect(weight.shape == convolution.weight.tensor.shape)
    try expectClose(
      convolution.apply(x, weight: weight, bias: shift), norm(convolution(x), mode: .evaluation))
  }

  @Test("A norm that cannot be folded says why")
  func foldingErrors() throws {
    let generator = try Generator(seed: 5)
    func convolution(groups: Int, transposed: Bool) throws -> Convolution {
      try Convolution(
        inputChannels: 4, outputChannels: 6, kernelSize: 1, groups: groups, transposed: transposed, generator: generator
      )
    }
    #expect(
      try torchError { _ = try BatchNorm(channels: 6).folded(into: convolution(groups: 2, transposed: true)) }
        == TorchError("fold", "a transposed convolution in 2 groups cannot take a norm in"))
    #expect(
      try torchError { _ = try BatchNorm(channels: 1).folded(into: convolution(groups: 1, transposed: false)) }
        == TorchError("fold", "1 channels do not fit a convolution to 6"))
  }

  @Test("Layer and group norm follow the formula")
  func layerAndGroupNorm() throws {
    let x = try normal([2, 5, 6], dtype: .float32)
    let layer = try LayerNorm(width: 6, epsilon: 1e-2)
    try layer.weight.assign(normal([6], seed: 2, dtype: .float32))
    try layer.bias.assign(normal([6], seed: 3, dtype: .float32))
    try expectClose(
      layer(x), formula(x, over: [2], scale: layer.weight.tensor, shift: layer.bias.tensor, epsilon: 1e-2))

    let image = try normal([2, 6, 4, 3], dtype: .float32)
    let group = try GroupNorm(groups: 3, channels: 6, epsilon: 1e-2)
    try group.weight.assign(normal([6], seed: 4, dtype: .float32))
    let grouped = try formula(
      image.reshaped([2, 3, 2, 4, 3]), over: [2, 3, 4], scale: group.weight.tensor.reshaped([3, 2, 1, 1]),
      shift: .zeros([1]), epsilon: 1e-2)
    try expectClose(group(image), grouped.reshaped([2, 6, 4, 3]))
  }
}
