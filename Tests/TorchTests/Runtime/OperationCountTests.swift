import Testing

@testable import Torch

/// Counts against what the formulas of the layers say.
@Suite("Counted operations")
struct OperationCountTests {
  private let random = try? Generator(seed: 5)

  private func drawn(_ shape: [Int], dtype: DType = .float32) throws -> Tensor {
    try #require(random).normal(shape: shape).to(dtype)
  }

  @Test(
    "A convolution takes N·C'·H'·W'·C·k² multiply-adds, and its gradients twice that",
    arguments: [
      (channels: [6, 8], kernel: 3, stride: 2, groups: 1, side: 9, result: 5),
      (channels: [4, 8], kernel: 5, stride: 1, groups: 2, side: 7, result: 7),
      (channels: [1, 16], kernel: 3, stride: 1, groups: 1, side: 16, result: 16),
    ] as [(channels: [Int], kernel: Int, stride: Int, groups: Int, side: Int, result: Int)])
  func convolution(channels: [Int], kernel: Int, stride: Int, groups: Int, side: Int, result: Int) throws {
    let input = try Parameter(drawn([2, channels[0], side, side]))
    let weight = try Parameter(drawn([channels[1], channels[0] / groups, kernel, kernel]))
    let expected = 2 * channels[1] * result * result * channels[0] / groups * kernel * kernel
    let (output, forward) = try OperationCount.of {
      try input.tensor.convolved(
        with: weight.tensor, stride: [stride, stride], padding: [kernel / 2, kernel / 2], groups: groups)
    }
    #expect(output.shape == [2, channels[1], result, result])
    #expect(forward.multiplyAdds == expected)
    #expect(forward.reducedMultiplyAdds == 0)
    let sizes = [input.tensor, weight.tensor].map { $0.shape.reduce(4, *) }
    #expect(forward.bytesRead >= sizes[0] + sizes[1])
    #expect(forward.bytesWritten >= output.shape.reduce(4, *))
    let (_, backward) = try OperationCount.of { try output.sum().backward() }
    #expect(backward.multiplyAdds == 2 * expected)
  }

  @Test("A transposed convolution spreads every weight from every place of its input")
  func transposed() throws {
    let (input, weight) = (try drawn([3, 4, 5, 6]), try drawn([4, 7, 4, 4]))
    let count = try OperationCount.of {
      try input.convolved(with: weight, stride: [2, 2], padding: [1, 1], transposed: true)
    }.count
    #expect(count.multiplyAdds == 3 * 5 * 6 * 4 * 7 * 16)
  }

  @Test("One gradient alone is counted alone")
  func oneGradient() throws {
    let input = try drawn([2, 3, 8, 8])
    let weight = try Parameter(drawn([4, 3, 3, 3]))
    let output = try input.convolved(with: weight.tensor, stride: [1, 1], padding: [1, 1])
    let count = try OperationCount.of { try output.sum().backward() }.count
    #expect(count.multiplyAdds == 2 * 8 * 8 * 4 * 3 * 9)
  }

  /// The larger one goes to oneDNN, past libtorch's own product.
  @Test(
    "A linear layer takes rows·inputs·outputs, and its gradients twice that",
    arguments: [[3, 5, 16, 24], [4, 96, 64, 48]])
  func linear(sizes: [Int]) throws {
    let input = try Parameter(drawn(Array(sizes.prefix(3))))
    let (weight, bias) = (try Parameter(drawn([sizes[3], sizes[2]])), try Parameter(drawn([sizes[3]])))
    let expected = sizes.reduce(1, *)
    let (output, forward) = try OperationCount.of { try input.tensor.linear(weight.tensor, bias: bias.tensor) }
    #expect(forward.multiplyAdds == expected)
    let backward = try OperationCount.of { try output.sum().backward() }.count
    #expect(backward.multiplyAdds == 2 * expected)
    let scoring = try withoutGradients {
      try OperationCount.of { try input.tensor.linearGELU(weight.tensor, bias: bias.tensor) }.count
    }
    #expect(scoring.multiplyAdds == expected)
  }

  @Test("Batched and plain products are counted once, whatever matmul makes of them")
  func products() throws {
    let (a, b) = (try drawn([6, 5, 4]), try drawn([6, 4, 3]))
    #expect(try OperationCount.of { try a.matmul(b) }.count.multiplyAdds == 6 * 5 * 4 * 3)
    #expect(try OperationCount.of { try a.matmul(drawn([4, 7])) }.count.multiplyAdds == 6 * 5 * 4 * 7)
    #expect(try OperationCount.of { try drawn([5, 4]).matmul(drawn([4])) }.count.multiplyAdds == 20)
  }

  /// Widths of 32 go through this library's kernel where the processor has it, those of 12 through libtorch's.
  @Test("Attention takes two products of all pairs, its gradients four", arguments: [32, 12], [false, true])
  func attention(width: Int, causal: Bool) throws {
    let shape = [2, 3, 20, width]
    let inputs = try (0..<3).map { _ in try Parameter(drawn(shape)) }
    let pairs = causal ? 20 * 21 / 2 : 20 * 20
    let expected = 2 * 3 * pairs * 2 * width
    let (output, forward) = try OperationCount.of {
      try inputs[0].tensor.attention(keys: inputs[1].tensor, values: inputs[2].tensor, causal: causal)
    }
    #expect(forward.multiplyAdds == expected)
    #expect(forward.bytesRead >= 3 * shape.reduce(4, *))
    let backward = try OperationCount.of { try output.sum().backward() }.count
    #expect(backward.multiplyAdds == 2 * expected)
  }

  @Test("Products that mixed precision casts count as 16 bits")
  func reduced() throws {
    let (a, b) = (try drawn([8, 16]), try drawn([16, 4]))
    let mixed = try OperationCount.of {
      try withAutocast(.bfloat16, on: .cpu) { try a.matmul(b) }
    }.count
    #expect(mixed.multiplyAdds == 0 && mixed.reducedMultiplyAdds == 8 * 16 * 4)
    let direct = try OperationCount.of { try a.to(.bfloat16).matmul(b.to(.bfloat16)) }.count
    #expect(direct.reducedMultiplyAdds == 8 * 16 * 4)
  }

  @Test("Element by element: inputs are read once, the result is written once, and views move nothing")
  func bytes() throws {
    let (a, b) = (try drawn([100]), try drawn([100]))
    let sum = try OperationCount.of { try a + b }.count
    #expect(sum == OperationCount(bytesRead: 800, bytesWritten: 400, operators: 1))
    let views = try OperationCount.of { try a.reshaped([10, 10]).transposed(0, 1).sliced(0..<5, axis: 0) }.count
    #expect(views == OperationCount())
    let copy = try OperationCount.of { try a.reshaped([10, 10]).transposed(0, 1).contiguous() }.count
    #expect(copy == OperationCount(bytesRead: 400, bytesWritten: 400, operators: 1))
    let spread = try OperationCount.of { try a.reshaped([100, 1]).expanded([100, 50]) + 1 }.count
    #expect(spread == OperationCount(bytesRead: 400 + 8, bytesWritten: 20_000, operators: 1))  // and the 1 itself
  }

  @Test("Work outside is not counted, and a count inside a count is refused")
  func nesting() throws {
    let a = try drawn([4, 4])
    _ = try a.matmul(a)
    #expect(try OperationCount.of { () }.count == OperationCount())
    let error = try #require(throws: TorchError.self) {
      try OperationCount.of { try OperationCount.of { () } }
    }
    #expect(error.description == "count: operations of this thread are being counted already")
    #expect(try OperationCount.of { try a.matmul(a) }.count.multiplyAdds == 64)
  }

  @Test("What fails inside ends the count")
  func failing() throws {
    let a = try drawn([4, 3])
    #expect(throws: TorchError.self) { try OperationCount.of { try a.matmul(a) } }
    #expect(try OperationCount.of { try a + a }.count.operators == 1)
  }
}

@Suite("Machine's ceilings")
struct MachineCeilingsTests {
  static let known = MachineCeilings(
    threads: 1, device: "cpu",
    float32: [.init(route: "a", perSecond: 80), .init(route: "b", perSecond: 100)],
    bfloat16: [.init(route: "a", perSecond: 200)], memory: [.init(route: "copy", perSecond: 10)])

  @Test("The floor takes two operations for each multiply-add, at the best rate of its format")
  func floor() {
    let count = OperationCount(multiplyAdds: 300, reducedMultiplyAdds: 500, bytesRead: 30, bytesWritten: 20)
    #expect(Self.known.floor(of: count) == 6 + 5)  // 600 at 100 a second, 1,000 at 200
    #expect(Self.known.memorySeconds(of: count) == 5)
    let single = MachineCeilings(
      threads: 1, device: "cpu", float32: Self.known.float32, bfloat16: [], memory: Self.known.memory)
    #expect(single.floor(of: OperationCount(multiplyAdds: 50)) == 1)
  }

  @Test("All routes are measured, and rates are positive")
  func measured() throws {
    var sizes = MachineCeilings.Sizes()
    (sizes.matrix, sizes.linear, sizes.convolution) = (64, [64, 64, 96], [1, 16, 8])
    (sizes.numbers, sizes.seconds) = (4096, 0)
    let found = try MachineCeilings.measure(on: .cpu, sizes: sizes)
    #expect(found.float32.map(\.route) == found.bfloat16.map(\.route))
    #expect(found.float32.map(\.route).first == "matmul 64×64×64")
    #expect(found.memory.map(\.route) == ["copy", "triad", "sum"])
    #expect((found.float32 + found.bfloat16 + found.memory).allSatisfy { $0.perSecond > 0 && $0.perSecond.isFinite })
    #expect(found.threads == Runtime.threads && found.device == "cpu")
  }
}
