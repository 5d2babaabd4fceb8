import Testing

@testable import Torch

@Suite("Counting the memory of tensors")
struct MemoryMeterTests {
  @Test("The peak is what was held at one time, not what was taken in all")
  func peak() throws {
    let megabyte = [1 << 18]
    let one = try MemoryMeter.peak { for _ in 0..<5 { _ = try Tensor.zeros(megabyte) } }
    #expect(one == 1 << 20)
    let three = try MemoryMeter.peak {
      let held = try [Tensor.zeros(megabyte), .zeros(megabyte)]
      _ = try held[0] + held[1]
      withExtendedLifetime(held) {}
    }
    #expect(three == 3 << 20)
    #expect(try MemoryMeter.peak {} == 0)
  }

  @Test("What was held before does not count, nor that it goes; the backward pass does")
  func baseline() throws {
    var earlier: Tensor? = try .zeros([1 << 20])
    let peak = try MemoryMeter.peak {
      earlier = nil
      _ = try Tensor.zeros([1 << 18])
    }
    #expect(peak == 1 << 20 && earlier == nil)
    let weight = try Parameter(Tensor.ones([1 << 16]))
    let backward = try MemoryMeter.peak { try weight.tensor.squared().sum().backward() }
    #expect(backward >= 2 * 4 << 16 && weight.tensor.requiresGradient)
  }

  @Test("An error ends the count, and memory that cannot be had is told apart from other errors")
  func errors() throws {
    #expect(throws: TorchError.self) { try MemoryMeter.peak { _ = try Tensor.ones([2]) + Tensor.ones([3]) } }
    do {
      _ = try Tensor.zeros([1 << 58])
      Issue.record("memory for it was found")
    } catch let error as TorchError { #expect(error.isOutOfMemory) }
    do {
      _ = try Tensor.ones([2]) + Tensor.ones([3])
    } catch let error as TorchError { #expect(!error.isOutOfMemory) }
    #expect(throws: TorchError.self) { try Device.cpu.freeMemory() }
  }
}
