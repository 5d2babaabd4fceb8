import Foundation
import Testing

@testable import Torch

/// What bfloat16 does to a result: a product of values rounded to 8 bits is off by 2⁻⁸ of each factor at most, and the result
/// is rounded again. Sums of n random terms spread less than their largest possible error; four steps bound all.
@Suite("Operators in mixed precision")
struct MixedPrecisionOperatorTests {
  static let tolerance = 4.0 / 256

  @Test("Convolutions run in bfloat16, forward and transposed, 2-D and 3-D", arguments: [2, 3], [false, true])
  func convolution(_ axes: Int, _ transposed: Bool) throws {
    let random = try Generator(seed: 5)
    let convolution = try Convolution(
      inputChannels: 8, outputChannels: 8, kernelSize: 3, stride: 2, padding: 1, spatialAxes: axes,
      transposed: transposed, outputPadding: transposed ? 1 : 0, generator: random)
    let input = try random.normal(shape: [2, 8] + [Int](repeating: 8, count: axes))
    func run() throws -> (output: Tensor, gradients: [Tensor]) {
      let leaf = try input.requiringGradient()
      let output = try convolution(leaf)
      let weights = try normal(output.shape, seed: 9, dtype: .float32)
      let loss = try (output.to(.float32) * weights).sum()
      return (try output.detached(), try loss.gradients(of: [leaf, convolution.weight.tensor]))
    }
    let (expected, mixed) = (try run(), try withAutocast(.bfloat16, on: .cpu) { try run() })
    #expect(mixed.output.dtype == .bfloat16)
    try expectNear(mixed.output.to(.float32), expected.output)
    for (gradient, right) in zip(mixed.gradients, expected.gradients) {
      #expect(gradient.dtype == .float32)
      try expectNear(gradient, right)
    }
  }

  @Test("Attention in mixed precision is that in float32, rounded at the end", arguments: [false, true], [16, 12])
  func attention(_ causal: Bool, _ width: Int) throws {
    let random = try Generator(seed: 6)
    let inputs = try (0..<3).map { _ in try random.normal(shape: [2, 3, 24, width]) }
    let keep = try random.uniform(shape: [2, 24]).greater(0.2).to(.float32)
    func run() throws -> (output: Tensor, gradients: [Tensor]) {
      let leaves = try inputs.map { try $0.requiringGradient() }
      let output = try leaves[0].attention(keys: leaves[1], values: leaves[2], keep: keep, causal: causal)
      let loss = try (output.to(.float32) * normal(output.shape, seed: 9, dtype: .float32)).sum()
      return (try output.detached(), try loss.gradients(of: leaves))
    }
    let (expected, mixed) = (try run(), try withAutocast(.bfloat16, on: .cpu) { try run() })
    #expect(mixed.output.dtype == .bfloat16)
    try expectNear(mixed.output.to(.float32), expected.output)
    for (gradient, right) in zip(mixed.gradients, expected.gradients) { try expectNear(gradient, right) }
    // The scope goes on after it.
    try withAutocast(.bfloat16, on: .cpu) {
      _ = try run()
      #expect(try inputs[0].matmul(inputs[1].transposed(2, 3)).dtype == .bfloat16)
    }
  }

  @Test("Other threads keep their own precision")
  func threads() async throws {
    try await withThrowingTaskGroup(of: Bool.self) { group in
      for index in 0..<8 {
        group.addTask {
          let type = index % 2 == 0 ? DType.bfloat16 : nil
          let a = try Tensor.ones([4, 4])
          return try withAutocast(type, on: .cpu) {
            try (0..<50).allSatisfy { _ in try a.matmul(a).dtype == type ?? .float32 }
          }
        }
      }
      for try await holds in group { #expect(holds) }
    }
  }

  @Test("What another thread does between two uses of a weight changes no bit of its gradient")
  func otherThreads() throws {
    let linear = try Linear(inputs: 24, outputs: 24, bias: false, generator: Generator(seed: 1))
    let (first, second) = (
      try normal([40, 24], seed: 1, dtype: .float32), try normal([40, 24], seed: 2, dtype: .float32)
    )
    func gradient(between: () -> Void) throws -> [Double] {
      let loss = try withAutocast(.bfloat16, on: .cpu) {
        let sum = try linear(first).to(.float32).squared().sum()
        between()
        return try sum + linear(second).to(.float32).squared().sum()
      }
      return try loss.gradients(of: [linear.weight.tensor])[0].values()
    }
    let alone = try gradient {}
    let beside = try gradient {
      let done = DispatchSemaphore(value: 0)
      Thread.detachNewThread {
        try? withAutocast(.bfloat16, on: .cpu) {}
        done.signal()
      }
      done.wait()
    }
    #expect(alone == beside)
  }

  @Test("An error that names the type is told from others")
  func errors() {
    #expect(TorchError("cholesky", "\"cholesky_cpu\" not implemented for 'BFloat16'").isAboutBFloat16)
    #expect(
      TorchError("linear", "expected m1 and m2 to have the same dtype, but got: c10::BFloat16 != float").isAboutBFloat16
    )
    #expect(!TorchError("linear", "mat1 and mat2 shapes cannot be multiplied").isAboutBFloat16)
  }

  #if os(Linux) && arch(x86_64)
    @Test("The processor has what the system says that it has")
    func detection() throws {
      let flags = try String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)
      #expect(Device.cpu.hasNativeBFloat16 == flags.contains("avx512_bf16"))
    }
  #endif

  /// Within the tolerance, in units of the largest value.
  private func expectNear(_ found: Tensor, _ expected: Tensor) throws {
    #expect(found.shape == expected.shape)
    let scale = try expected.abs().maximum().item()
    #expect(try (found - expected).abs().maximum().item() < Self.tolerance * scale)
  }
}
