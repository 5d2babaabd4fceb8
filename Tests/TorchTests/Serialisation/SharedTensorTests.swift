import Foundation
import Testing

@testable import Torch

@Suite("Tensors over the bytes of a file")
struct SharedTensorTests {
  private static let width = 160  // 160 × 160 floats are more than the smallest array that is shared

  private func numbers(_ seed: UInt64) throws -> Tensor {
    try Generator(seed: seed).normal(shape: [Self.width, Self.width])
  }

  /// Bytes whose memory is known, and whether they were given back.
  private final class Bytes {
    let memory: UnsafeMutableRawPointer
    let count: Int
    var areFreed = false
    init(_ tensor: Tensor) throws {
      let bytes = try tensor.bytes()
      count = bytes.count
      memory = .allocate(byteCount: count + 8, alignment: 16)
      memory.copyMemory(from: bytes, byteCount: count)
    }
    /// - Parameter offset: bytes before the array's first.
    func data(offset: Int = 0) -> Data {
      Data(bytesNoCopy: memory, count: count + offset, deallocator: .custom { _, _ in self.areFreed = true })
    }
  }

  @Test("The tensor has the array's values and no memory of its own, and keeps the array's alive")
  func sharing() throws {
    let bytes = try Bytes(numbers(1))
    var tensor: Tensor? = try StoredArray(
      name: "a", dtype: .float32, shape: [Self.width, Self.width], data: bytes.data()
    ).sharedTensor()
    #expect(!bytes.areFreed)
    #expect(try tensor?.bytes() == numbers(1).bytes())
    bytes.memory.storeBytes(of: 42, as: Float.self)
    #expect(try tensor?.reshaped([-1]).selected(0, axis: 0).item() == 42)
    var view = try tensor?.selected(3, axis: 0)
    tensor = nil
    #expect(!bytes.areFreed && view != nil)
    view = nil
    #expect(bytes.areFreed)
  }

  @Test("Arrays that lie where their type cannot, and small ones, are copied; both have the array's values")
  func copies() throws {
    let bytes = try Bytes(numbers(2))
    memmove(bytes.memory + 1, bytes.memory, bytes.count)
    let odd = bytes.data(offset: 1)
    let array = StoredArray(name: "a", dtype: .float32, shape: [Self.width, Self.width], data: odd[1...])
    let tensor = try array.sharedTensor()
    #expect(try tensor.bytes() == numbers(2).bytes())
    bytes.memory.storeBytes(of: 0, toByteOffset: 5, as: Int32.self)
    #expect(try tensor.bytes() == numbers(2).bytes())

    let few = try Bytes(Tensor([Float(1), 2, 3]))
    let small = try StoredArray(name: "b", dtype: .float32, shape: [3], data: few.data()).sharedTensor()
    few.memory.storeBytes(of: 42, as: Float.self)
    #expect(try small.values(as: Float.self) == [1, 2, 3])
    #expect(throws: TorchError.self) {
      try StoredArray(name: "c", dtype: .float32, shape: [4], data: few.data()).sharedTensor()
    }
  }

  /// A file with the weights of a layer, and a layer that lies over it.
  private func adopted(in folder: URL) throws -> (layer: Linear, file: SafetensorsFile) {
    let url = folder.appendingPathComponent("weights.safetensors")
    let source = try Linear(inputs: Self.width, outputs: Self.width, generator: Generator(seed: 1))
    try SafetensorsFile.write(storedArrays(source.namedParameters), to: url)
    let file = try SafetensorsFile(contentsOf: url)
    let layer = try withoutInitialisation {
      try Linear(inputs: Self.width, outputs: Self.width, generator: Generator(seed: 2))
    }
    let arrays = Dictionary(uniqueKeysWithValues: file.arrays().map { ($0.name, $0) })
    try load(arrays, into: layer.namedParameters, adopting: true)
    #expect(try layer.weight.tensor.bytes() == source.weight.tensor.bytes())
    #expect(layer.weight.tensor.requiresGradient && layer.bias?.tensor.requiresGradient == true)
    return (layer, file)
  }

  /// What writes to a layer's weight, each in its own way.
  private static let writers: [(name: String, write: @Sendable (Linear) throws -> Void)] = [
    ("assign", { try $0.weight.assign(.zeros([width, width])) }), ("fill", { try $0.weight.fill(0) }),
    ("overwrite", { try $0.weight.overwrite(at: Tensor([0]), axis: 0, with: .zeros([1, width])) }),
    (
      "Adam",
      { layer in
        let optimiser = try AdamOptions(learningRate: 0.1).makeOptimiser(of: layer)
        try layer(.ones([1, width])).squared().sum().backward()
        try optimiser.step()
      }
    ),
    (
      "SGD",
      { layer in
        let optimiser = try MomentumSGDOptions(learningRate: 0.1).makeOptimiser(of: layer)
        try layer(.ones([1, width])).squared().sum().backward()
        try optimiser.step()
      }
    ),
    (
      "average",
      { layer in
        let average = try WeightAverage(layer, decay: 0.5)
        try average.state[0].parameter.fill(3)
        try average.exchange()
      }
    ),
  ]

  @Test("Whatever writes to such weights changes them, and neither the file's arrays nor the file", arguments: 0..<6)
  func writing(_ number: Int) throws {
    try SerialisationFixtures.inTemporaryFolder { folder in
      let (layer, file) = try adopted(in: folder)
      let before = try (
        layer.weight.tensor.bytes(), Data(contentsOf: folder.appendingPathComponent("weights.safetensors"))
      )
      try Self.writers[number].write(layer)
      #expect(try layer.weight.tensor.bytes() != before.0)
      #expect(try file.array(named: "weight").tensor().bytes() == before.0)
      #expect(try Data(contentsOf: folder.appendingPathComponent("weights.safetensors")) == before.1)
    }
  }

  @Test("A file that is replaced or removed meanwhile leaves the weights as they were")
  func replacing() throws {
    try SerialisationFixtures.inTemporaryFolder { folder in
      let layer = try adopted(in: folder).layer
      let before = try layer.weight.tensor.bytes()
      let url = folder.appendingPathComponent("weights.safetensors")
      try Data([1, 2, 3]).write(to: url, options: .atomic)
      #expect(try layer.weight.tensor.bytes() == before)
      try FileManager.default.removeItem(at: url)
      #expect(try layer.weight.tensor.bytes() == before)
    }
  }

  @Test("Layers that are about to be loaded draw no numbers, others do")
  func initialisation() throws {
    let random = try Generator(seed: 1)
    let fresh = try random.state().bytes()
    _ = try withoutInitialisation {
      try (Linear(inputs: 9, outputs: 9, generator: random), Linear.xavier(inputs: 9, outputs: 9, generator: random))
    }
    #expect(try random.state().bytes() == fresh)
    _ = try Linear(inputs: 9, outputs: 9, generator: random)
    #expect(try random.state().bytes() != fresh)
  }

  @Test("A parameter never shares memory with a tensor that somebody else has")
  func ownership() throws {
    let zeros = try Tensor.zeros([4, 4])
    let parameters = try [
      Parameter(zeros), Parameter(zeros, isTrainable: false), Parameter(zeros.transposed(0, 1)),
      Parameter(zeros.sliced(0..<2, axis: 0)), Parameter(zeros.expanded([2, 4, 4])),
    ]
    for parameter in parameters {
      try parameter.fill(1)
      #expect(try zeros.values(as: Float.self).allSatisfy { $0 == 0 })
      #expect(try parameter.tensor.values(as: Float.self).allSatisfy { $0 == 1 })
    }
  }
}
