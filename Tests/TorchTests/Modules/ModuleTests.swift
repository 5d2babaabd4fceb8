import Testing

@testable import Torch

/// A small network with every kind of part.
private final class Pyramid: Module {
  let stem: Convolution
  let norms: [BatchNorm]
  let head: Linear

  init(generator: Generator) throws(TorchError) {
    stem = try Convolution(inputChannels: 1, outputChannels: 2, kernelSize: 3, bias: false, generator: generator)
    norms = [try BatchNorm(channels: 2), try BatchNorm(channels: 2)]
    head = try Linear(inputs: 2, outputs: 3, generator: generator)
    super.init()
  }

  override var parts: [Part] { [.module("stem", stem)] + Part.modules("norms", norms) + [.module("head", head)] }
}

@Suite("Modules")
struct ModuleTests {
  @Test("Keys are dotted, in the order of the parts")
  func keys() throws {
    let pyramid = try Pyramid(generator: Generator(seed: 1))
    #expect(
      pyramid.namedParameters.map(\.key) == [
        "stem.weight", "norms.0.weight", "norms.0.bias", "norms.0.runningMean", "norms.0.runningVariance",
        "norms.1.weight", "norms.1.bias", "norms.1.runningMean", "norms.1.runningVariance", "head.weight", "head.bias",
      ])
  }

  @Test("Keys of single layers are those of the documentation")
  func layerKeys() throws {
    let generator = try Generator(seed: 1)
    func keys(_ module: Module) -> [String] { module.namedParameters.map(\.key) }
    #expect(
      try keys(MultiHeadAttention(width: 4, heads: 2, generator: generator)) == [
        "inputProjection.weight", "inputProjection.bias", "outputProjection.weight", "outputProjection.bias",
      ])
    #expect(try keys(Linear(inputs: 2, outputs: 2, bias: false, generator: generator)) == ["weight"])
    #expect(try keys(Embedding(entries: 2, width: 2, generator: generator)) == ["weight"])
    #expect(try keys(LayerNorm(width: 2)) == ["weight", "bias"])
    #expect(try keys(GroupNorm(groups: 1, channels: 2)) == ["weight", "bias"])
  }

  @Test("Only weights are trained and counted")
  func counting() throws {
    let pyramid = try Pyramid(generator: Generator(seed: 1))
    #expect(pyramid.parameterCount == 18 + 2 * 4 + 9)
    #expect(pyramid.trainableParameters.count == 7)
    #expect(!pyramid.norms[0].runningMean.tensor.requiresGradient)
  }

  @Test("Moving and changing the memory layout keep values and keys; gradients are still collected")
  func moving() throws {
    let pyramid = try Pyramid(generator: Generator(seed: 1))
    let before = try pyramid.namedParameters.map { try $0.parameter.tensor.values() }
    try pyramid.move(to: .cpu)
    try pyramid.preferChannelsLast()
    #expect(try pyramid.namedParameters.map { try $0.parameter.tensor.values() } == before)
    #expect(pyramid.stem.weight.tensor.requiresGradient)
    try pyramid.stem(normal([1, 1, 5, 5], dtype: .float32)).sum().backward()
    #expect(try pyramid.stem.weight.tensor.gradient != nil)
    try pyramid.clearGradients()
    #expect(try pyramid.stem.weight.tensor.gradient == nil)
  }

  @Test("A parameter owns its memory: changing it changes neither the value given nor another parameter")
  func ownership() throws {
    let value = try Tensor.ones([2])
    let (first, second) = (try Parameter(value), try Parameter(value, isTrainable: false))
    try first.assign(.full(5, shape: [2]))
    try second.fill(7)
    try expectClose(value, [1, 1])
    try expectClose(first.tensor.detached(), [5, 5])
    try expectClose(second.tensor, [7, 7])
  }

  @Test("Slices are overwritten in place at their indices, weights included")
  func overwriting() throws {
    let table = try Parameter(Tensor.zeros([2, 4, 1]))
    let held = table.tensor
    try table.overwrite(at: Tensor([3, 1]), axis: 1, with: Tensor([Float(1), 2, 3, 4], shape: [2, 2, 1]))
    try expectClose(held.detached(), [0, 2, 0, 1, 0, 4, 0, 3])
    #expect(table.tensor.requiresGradient)
  }

  @Test("Layers start as PyTorch's do: uniform within ±1/√fan-in, Xavier for attention")
  func initialisation() throws {
    let generator = try Generator(seed: 3)
    func expectUniform(_ tensor: Tensor, within bound: Double) throws {
      let values = try tensor.detached().values()
      #expect(values.allSatisfy { abs($0) <= bound })
      #expect(try abs(tensor.detached().mean().item()) < 0.05 * bound)
      #expect(try abs(tensor.detached().variance().item() / (bound * bound / 3) - 1) < 0.05)
    }
    try expectUniform(Linear(inputs: 100, outputs: 64, generator: generator).weight.tensor, within: 0.1)
    let convolution = try Convolution(
      inputChannels: 25, outputChannels: 64, kernelSize: 2, generator: generator)
    try expectUniform(convolution.weight.tensor, within: 0.1)
    let attention = try MultiHeadAttention(width: 60, heads: 4, generator: generator)
    let parameters = Dictionary(uniqueKeysWithValues: attention.namedParameters.map { ($0.key, $0.parameter.tensor) })
    try expectUniform(#require(parameters["inputProjection.weight"]), within: (6.0 / 240).squareRoot())
    #expect(try #require(parameters["inputProjection.bias"]).detached().anyTrue() == false)
    #expect(try #require(parameters["outputProjection.bias"]).detached().anyTrue() == false)
    let table = try Embedding(entries: 100, width: 50, generator: generator)
    #expect(try abs(table.weight.tensor.detached().variance().item() - 1) < 0.1)
    try expectClose(table(Tensor([7])).detached(), table.weight.tensor.detached().sliced(7..<8, axis: 0))
  }

  @Test("A mask hides keys from queries, the same for every head")
  func maskedAttention() throws {
    let attention = try MultiHeadAttention(width: 4, heads: 2, generator: Generator(seed: 1))
    let (query, keys) = (try normal([1, 3, 4], dtype: .float32), try normal([1, 5, 4], seed: 2, dtype: .float32))
    let mask = try Tensor([true, true, true, false, false], shape: [1, 1, 1, 5])
    let short = try keys.sliced(0..<3, axis: 1)
    try expectClose(
      attention(query: query, keys: keys, values: keys, mask: mask), attention(query: query, keys: short, values: short)
    )
    let causal = try attention(query: query, keys: query, values: query, causal: true)
    let start = try query.sliced(0..<1, axis: 1)
    try expectClose(causal.sliced(0..<1, axis: 1), attention(query: start, keys: start, values: start))
  }
}
