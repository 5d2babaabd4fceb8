import Foundation
import Testing

@testable import Norma
@testable import Torch

@Suite("In-painting block and patch grid")
struct InpaintingTests {
  private let images = 2
  private let grid = 3
  private let width = 8

  private func random(_ seed: UInt64) throws -> Tensor {
    try Generator(seed: seed).normal(shape: [images, grid * grid, width])
  }

  /// A patch's neighbours row by row without itself; nil where the grid ends.
  private func neighbours(of patch: Int) -> [Int?] {
    let (row, column) = (patch / grid, patch % grid)
    var all: [Int?] = []
    for dy in -1...1 {
      for dx in -1...1 where (dy, dx) != (0, 0) {
        let (y, x) = (row + dy, column + dx)
        all.append((0..<grid).contains(y) && (0..<grid).contains(x) ? y * grid + x : nil)
      }
    }
    return all
  }

  @Test("Cutting goes row by row, joining undoes it")
  func patches() throws {
    let image = try Tensor((0..<2 * 2 * 36).map(Float.init), shape: [2, 2, 6, 6])
    let grid = PatchGrid(side: 3)
    let patches = try grid.split(image)
    #expect(patches.shape == [18, 2, 2, 2])
    let values = try patches.values()
    for index in values.indices {
      let (x, y, channel, patch, item) = (index % 2, index / 2 % 2, index / 4 % 2, index / 8 % 9, index / 72)
      let (row, column) = (patch / 3 * 2 + y, patch % 3 * 2 + x)
      #expect(values[index] == Float(((item * 2 + channel) * 6 + row) * 6 + column))
    }
    #expect(try largestDifference(grid.joined(patches), image) == 0)
  }

  @Test("The position code is the patch's number in binary, most significant bit first")
  func positionCode() {
    #expect(InpaintingBlock.positionBits(grid: 1) == 1)
    #expect(InpaintingBlock.positionCode(grid: 1) == [0])
    #expect(InpaintingBlock.positionBits(grid: 2) == 3)
    #expect(InpaintingBlock.positionCode(grid: 2) == [0, 0, 0, 0, 0, 1, 0, 1, 0, 0, 1, 1])
    #expect(InpaintingBlock.positionBits(grid: 4) == 5)
    let code = InpaintingBlock.positionCode(grid: 4)
    #expect(code.count == 80)
    #expect(Array(code[5 * 11..<5 * 12]) == [0, 1, 0, 1, 1])
    #expect(InpaintingBlock.positionBits(grid: 8) == 7)
  }

  @Test("The convolution mixer sees eight neighbours in order, zeros beyond the border, never the centre")
  func convolutionMixer() throws {
    let mixer = try NeighbourMixer(width: width, grid: grid, kind: .convolution, generator: Generator(seed: 1))
    let memories = try random(2)
    let found = try mixer(features: random(3), memories: memories, mode: .evaluation).values()
    let weight = try mixer.parameter("convolution.weight").tensor.detached().values()
    let bias = try mixer.parameter("convolution.bias").tensor.detached().values()
    let m = try memories.values()
    for image in 0..<images {
      for patch in 0..<grid * grid {
        for output in 0..<width {
          var sum = bias[output]
          for (token, neighbour) in neighbours(of: patch).enumerated() {
            guard let neighbour else { continue }
            let cell = token < 4 ? token : token + 1
            for input in 0..<width {
              sum += weight[(output * width + input) * 9 + cell] * m[(image * grid * grid + neighbour) * width + input]
            }
          }
          #expect(abs(found[(image * grid * grid + patch) * width + output] - max(sum, 0)) < 1e-5)
        }
      }
    }
  }

  @Test("The attention mixer is eight heads over eight tokens, two residual sub-layers around it")
  func attentionMixer() throws {
    let mixer = try NeighbourMixer(width: width, grid: grid, kind: .attention, generator: Generator(seed: 1))
    for (index, (_, parameter)) in mixer.namedParameters.enumerated() {
      let noise = try Generator(seed: UInt64(index)).normal(shape: parameter.tensor.shape)
      try parameter.assign(parameter.tensor.detached() + noise * 0.3)
    }
    func parameter(_ key: String) throws -> [Double] {
      try mixer.parameter(key).tensor.detached().to(.float64).values(as: Double.self)
    }
    let (inWeight, inBias) = (
      try parameter("attention.inputProjection.weight"), try parameter("attention.inputProjection.bias")
    )
    let (outWeight, outBias) = (
      try parameter("attention.outputProjection.weight"), try parameter("attention.outputProjection.bias")
    )
    func linear(_ x: [Double], _ weight: [Double], _ bias: [Double], from first: Int = 0, count: Int) -> [Double] {
      (first..<first + count).map { row in x.indices.reduce(bias[row]) { $0 + weight[row * x.count + $1] * x[$1] } }
    }
    func norm(_ x: [Double], _ name: String) throws -> [Double] {
      let mean = x.reduce(0, +) / Double(x.count)
      let variance = x.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(x.count)
      let (scale, shift) = (try parameter("\(name).weight"), try parameter("\(name).bias"))
      return x.indices.map { (x[$0] - mean) / (variance + 1e-5).squareRoot() * scale[$0] + shift[$0] }
    }
    let (features, memories) = (try random(2), try random(3))
    let found = try mixer(features: features, memories: memories, mode: .evaluation)
    let (f, m, result) = (
      try features.to(.float64).values(as: Double.self), try memories.to(.float64).values(as: Double.self),
      try found.to(.float64).values(as: Double.self)
    )
    for row in 0..<images * grid * grid {
      let (image, patch) = (row / 9, row % 9)
      func vector(_ all: [Double], _ patch: Int) -> [Double] {
        Array(all[(image * 9 + patch) * width..<(image * 9 + patch + 1) * width])
      }
      let tokens = neighbours(of: patch).map { $0.map { vector(m, $0) } ?? [Double](repeating: 0, count: width) }
      let query = linear(vector(f, patch), inWeight, inBias, count: width)
      let keys = tokens.map { linear($0, inWeight, inBias, from: width, count: width) }
      let values = tokens.map { linear($0, inWeight, inBias, from: 2 * width, count: width) }
      let heads = (0..<width).map { head in  // eight heads of width 1, scale 1
        let exponentials = keys.map { exp(query[head] * $0[head]) }
        let total = exponentials.reduce(0, +)
        return (0..<8).reduce(0) { $0 + exponentials[$1] / total * values[$1][head] }
      }
      let own = vector(m, patch)
      let attended = try norm(linear(heads, outWeight, outBias, count: width), "attentionNorm")
      let first = zip(attended, own).map { max($0 + $1, 0) }
      let hidden = linear(
        first, try parameter("feedForward.0.weight"), try parameter("feedForward.0.bias"), count: width / 4
      ).map { max($0, 0) }
      let second = try norm(
        linear(hidden, parameter("feedForward.1.weight"), parameter("feedForward.1.bias"), count: width),
        "feedForwardNorm")
      for column in 0..<width {
        #expect(abs(result[row * width + column] - max(second[column] + first[column], 0)) < 1e-4)
      }
    }
  }

  @Test("The block's gradient is the slope along any direction, of input and of weights")
  func directionalDerivative() throws {
    let configuration = SimSIDConfiguration.tiny {
      $0.shrinkage = .none
      $0.width = 4
    }
    let block = try InpaintingBlock(configuration, generator: Generator(seed: 4))
    for (key, parameter) in block.namedParameters where key.hasPrefix("mixer.attention.") || key == "memory.items" {
      try parameter.assign(parameter.tensor.detached() * 4)  // away from a layer norm of next to nothing, all curvature
    }
    let upstream = try Generator(seed: 6).normal(shape: [8, 64, 1, 1]).to(.float64)
    let input = try Generator(seed: 5).normal(shape: [8, 64, 1, 1]).requiringGradient()
    func loss(_ x: Tensor) throws -> Tensor {
      try (block(x, mode: .evaluation, random: Generator(seed: 0)).to(.float64) * upstream).sum()
    }
    try loss(input).backward()
    let (weights, step) = (block.trainableParameters, 1e-4)
    let start = try weights.map { try $0.tensor.detached().copy() }
    for seed in UInt64(100)..<104 {
      let directions = try (weights.map(\.tensor) + [input]).enumerated().map { index, tensor in
        try Generator(seed: seed * 1000 + UInt64(index)).normal(shape: tensor.shape)
      }
      let gradients = try weights.map { try #require(try $0.tensor.gradient) } + [#require(try input.gradient)]
      let expected = try zip(gradients, directions).reduce(0) { sum, pair in
        sum + (try (pair.0.to(.float64) * pair.1.to(.float64)).sum().item())
      }
      func moved(_ amount: Double) throws -> Double {
        for (index, weight) in weights.enumerated() { try weight.assign(start[index] + directions[index] * amount) }
        return try loss(input.detached() + directions[weights.count] * amount).item()
      }
      let slope = try (moved(step) - moved(-step)) / (2 * step)
      let length = try gradients.reduce(0) { $0 + (try $1.to(.float64).squared().sum().item()) }.squareRoot()
      #expect(abs(slope - expected) < 0.02 * length)
    }
  }
}
