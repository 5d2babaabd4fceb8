import Testing

@testable import Torch

@Suite("Devices")
struct DeviceTests {
  @Test("The processor is always there and read in any case")
  func processor() throws {
    #expect(try Device(parsing: "cpu") == .cpu)
    #expect(try Device(parsing: "CPU") == .cpu)
    #expect(Device.cpu.isAvailable)
    #expect(Device.best.isAvailable)
    #expect(try Tensor.ones([1]).device == .cpu)
  }

  @Test(
    "Names are those that are read", arguments: [(Device.cpu, "cpu"), (Device(.mps), "mps"), (Device(.cuda), "cuda:0")])
  func names(device: Device, name: String) throws {
    #expect(device.description == name)
    guard device.isAvailable else { return }
    #expect(try Device(parsing: name) == device)
  }

  @Test(
    "Any other text is refused with what could be written",
    arguments: [
      "", "gpu", "cpu:0", "cpu:1", "mps:0", "cuda:", "cuda:x", "cuda:-1", "cuda:0:1", " cpu",
      "cuda:99999999999999999999",
    ])
  func unreadable(text: String) throws {
    #expect(
      try torchError { _ = try Device(parsing: text) }
        == TorchError("device", "'\(text)' is none of cpu, cuda, cuda:N and mps"))
  }

  @Test(
    "A device that this machine lacks is refused, whatever its index",
    arguments: ["cuda:127", "cuda:256", "cuda:99999999999"])
  func absent(text: String) throws {
    #expect(
      try torchError { _ = try Device(parsing: text) }.description
        == "device: \(text) cannot be used on this machine; leave --device out to take \(Device.best)")
  }

  @Test("Tensors and generators on an absent device throw", arguments: Device.Kind.allCases)
  func absentTensors(kind: Device.Kind) throws {
    let device = Device(kind)
    guard !device.isAvailable else { return }
    #expect(try torchError { _ = try Tensor.ones([1], on: device) }.operation == "full")
    #expect(try torchError { _ = try Tensor.ones([1]).to(device) }.operation == "to \(device)")
    #expect(try torchError { _ = try Generator(seed: 1, on: device) }.operation == "generator")
  }

  @Test("The best device computes what the processor does", arguments: [DType.float32])
  func bestDevice(dtype: DType) throws {
    let (a, b) = (try normal([3, 4], dtype: dtype), try normal([4, 2], seed: 2, dtype: dtype))
    let there = try a.to(.best).matmul(b.to(.best))
    #expect(there.device == .best)
    try expectClose(there.to(.cpu), a.matmul(b), within: 1e-3)
  }
}
