import Testing

@testable import Torch

@Suite("Runtime")
struct RuntimeTests {
  @Test("The version is a version; there is at least one thread")
  func facts() {
    #expect(Runtime.version.split(separator: ".").count >= 3)
    #expect(Runtime.version.first?.isNumber == true)
    #expect(Runtime.threads >= 1)
  }

  @Test("Mixed precision changes the type of products inside the scope only")
  func autocast() throws {
    let a = try normal([4, 4], dtype: .float32)
    try withAutocast(.bfloat16, on: .cpu) {
      let product = try a.matmul(a)
      #expect(product.dtype == .bfloat16)
      #expect(try (a + a).dtype == .float32)
      #expect(try withAutocast(.float16, on: .cpu) { try a.matmul(a).dtype } == .float16)
      #expect(try a.matmul(a).dtype == .bfloat16)
    }
    #expect(try a.matmul(a).dtype == .float32)
    #expect(try withAutocast(nil, on: .cpu) { try a.matmul(a).dtype } == .float32)
  }

  @Test("Mixed precision ends with an error")
  func autocastAfterError() throws {
    struct Stop: Error {}
    let a = try Tensor.ones([2, 2])
    #expect(throws: Stop.self) { try withAutocast(.bfloat16, on: .cpu) { throw Stop() } }
    #expect(try a.matmul(a).dtype == .float32)
  }

  @Test("A part of the scope can keep full precision, and mixed precision goes on after it")
  func withoutMixedPrecision() throws {
    let a = try normal([4, 4], dtype: .float32)
    try withAutocast(.bfloat16, on: .cpu) {
      let inside = try withoutAutocast(on: .cpu) { () throws(TorchError) in try a.matmul(a) }
      #expect(inside.dtype == .float32)
      #expect(try a.matmul(a).dtype == .bfloat16)
      let error = #expect(throws: TorchError.self) {
        try withoutAutocast(on: .cpu) { () throws(TorchError) in try a.matmul(.ones([3, 3])) }
      }
      #expect(error?.operation == "matmul")
      #expect(try a.matmul(a).dtype == .bfloat16)
    }
    #expect(try withoutAutocast(on: .cpu) { () throws(TorchError) in try a.matmul(a).dtype } == .float32)
    #expect(try a.matmul(a).dtype == .float32)
  }

  @Test("Results in mixed precision are near those in full")
  func autocastValues() throws {
    let (x, layer) = (
      try normal([3, 8], dtype: .float32), try Linear(inputs: 8, outputs: 4, generator: Generator(seed: 1))
    )
    let mixed = try withAutocast(.bfloat16, on: .cpu) { try layer(x) }
    try expectClose(mixed.to(.float32), layer(x), within: 4 * Tolerance.of(.bfloat16))
  }

  @Test("A weight used without gradients first still collects them later in the same mixed-precision scope")
  func autocastCache() throws {
    let (x, layer) = (
      try normal([3, 8], dtype: .float32), try Linear(inputs: 8, outputs: 4, generator: Generator(seed: 1))
    )
    try withAutocast(.bfloat16, on: .cpu) {
      _ = try withoutGradients { () throws(TorchError) in try layer(x) }
      _ = try layer.frozen { try layer(x) }
      try layer(x).to(.float32).sum().backward()
    }
    #expect(try layer.weight.tensor.gradient != nil)
  }
}
