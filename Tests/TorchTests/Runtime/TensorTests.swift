import Testing

@testable import Torch

@Suite("Tensors")
struct TensorTests {
  @Test("Values go in and come out row by row, of every Swift type")
  func values() throws {
    #expect(try Tensor([Float(1), 2, 3, 4], shape: [2, 2]).transposed(0, 1).values() as [Float] == [1, 3, 2, 4])
    #expect(try Tensor([1, -2]).values(as: Int.self) == [1, -2])
    #expect(try Tensor([UInt8(255), 0]).values(as: UInt8.self) == [255, 0])
    #expect(try Tensor([true, false]).values(as: Bool.self) == [true, false])
    #expect(try Tensor([Double.pi]).values(as: Double.self) == [.pi])
    #expect(try Tensor([Double]()).values(as: Double.self) == [])
    let number = try Tensor([5.0], shape: [])
    #expect(number.shape == [])
    #expect(number.rank == 0)
    #expect(number.count == 1)
    #expect(try number.item() == 5)
  }

  @Test("Values are converted from one type to another", arguments: DType.allCases)
  func conversion(dtype: DType) throws {
    let tensor = try Tensor([0.0, 1, 2.75]).to(dtype)
    #expect(tensor.dtype == dtype)
    let expected: [Double] = dtype == .bool ? [0, 1, 1] : dtype.isFloatingPoint ? [0, 1, 2.75] : [0, 1, 2]
    #expect(try tensor.values(as: Double.self) == expected)
    #expect(try tensor.values(as: Bool.self) == [false, true, true])
    #expect(try tensor.values(as: Int.self) == expected.map { Int($0) })
    #expect(try tensor.bytes().count == 3 * dtype.width)
  }

  @Test("Half precisions round to nearest")
  func halfPrecision() throws {
    #expect(try Tensor([1 + 1.0 / 2048, 65504.0, 1e6]).to(.float16).values(as: Double.self) == [1, 65504, .infinity])
    #expect(try Tensor([1 + 3.0 / 256, 3e38]).to(.bfloat16).values(as: Double.self)[0] == 1 + 2.0 / 128)
  }

  @Test("Bytes are copied in whatever their alignment, and are little-endian")
  func bytes() throws {
    let bytes: [UInt8] = [9, 1, 0, 0, 0x80, 0, 0]
    let tensor = try bytes[1...].withUnsafeBytes {
      try Tensor(bytes: UnsafeRawBufferPointer(rebasing: $0[..<4]), dtype: .int16, shape: [2, 1])
    }
    #expect(try tensor.values(as: Int.self) == [1, -32768])
    #expect(try tensor.bytes() == [1, 0, 0, 0x80])
  }

  @Test("Constants and ranges have the type asked for")
  func creation() throws {
    try expectClose(Tensor.full(2.5, shape: [2], dtype: .float64), Tensor([2.5, 2.5]))
    #expect(try Tensor.arange(1, 7, step: 2.5).values(as: Double.self) == [1, 3.5, 6])
    #expect(try Tensor.arange(0, 3, dtype: .int64).values(as: Int.self) == [0, 1, 2])
    let ones = try Tensor.zeros([2, 0, 3], dtype: .int8).onesLike()
    #expect(ones.shape == [2, 0, 3])
    #expect(ones.dtype == .int8)
    #expect(try Tensor([true, true]).zerosLike().values(as: Bool.self) == [false, false])
  }

  @Test("Operations leave their inputs alone; a copy has memory of its own")
  func valueSemantics() throws {
    let original = try Tensor([1.0, 2])
    var copy = try original.copy()
    try copy.fill(9)
    _ = try original * 2
    try expectClose(original, [1, 2])
    try expectClose(copy, [9, 9])
  }

  @Test("The description tells type, shape and device, no values")
  func description() throws {
    #expect(try Tensor([1.5]).description == "Tensor(float64, [1], cpu)")
  }
}
