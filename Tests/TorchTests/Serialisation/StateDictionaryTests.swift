import Foundation
import Testing

@testable import Torch

@Suite("State dictionaries")
struct StateDictionaryTests {
  private func linear(seed: UInt64, inputs: Int = 2) throws -> Linear {
    try Linear(inputs: inputs, outputs: 3, generator: Generator(seed: seed))
  }

  private func dictionary(_ arrays: [StoredArray]) -> [String: StoredArray] {
    Dictionary(uniqueKeysWithValues: arrays.map { ($0.name, $0) })
  }

  @Test("A module's weights survive a file bit by bit")
  func roundTrip() throws {
    let (source, target) = (try linear(seed: 1), try linear(seed: 2))
    try SerialisationFixtures.inTemporaryFolder { folder in
      let url = folder.appendingPathComponent("weights.safetensors")
      try SafetensorsFile.write(storedArrays(source.namedParameters), to: url)
      try load(dictionary(SafetensorsFile(contentsOf: url).arrays()), into: target.namedParameters)
    }
    for (from, to) in zip(source.namedParameters, target.namedParameters) {
      #expect(try from.parameter.tensor.bytes() == to.parameter.tensor.bytes())
      #expect(to.parameter.tensor.requiresGradient)
    }
  }

  @Test("Every element type is stored under its name and read back", arguments: DType.allCases)
  func elementTypes(dtype: DType) throws {
    let tensor = try Tensor([0, 1, 1, 0, 1, 0], shape: [2, 3]).to(dtype)
    let array = try StoredArray(name: "a", tensor)
    #expect(array.dtype == dtype.stored)
    #expect(array.shape == [2, 3])
    #expect(array.data.count == 6 * dtype.width)
    let back = try array.tensor()
    #expect(back.dtype == dtype)
    #expect(try back.bytes() == tensor.bytes())
  }

  @Test("A view is stored row by row, and a prefix goes before each key")
  func viewsAndPrefixes() throws {
    let parameter = try Parameter(Tensor([Float(1), 2, 3, 4], shape: [2, 2]).transposed(0, 1))
    let stored = try storedArrays([("weight", parameter)], prefix: "model.")
    #expect(stored.map(\.name) == ["model.weight"])
    #expect(try stored[0].tensor().values(as: Float.self) == [1, 3, 2, 4])
  }

  @Test("Values of another type are converted to the parameter's")
  func conversion() throws {
    let parameter = try Parameter(Tensor.zeros([2]))
    try load(["a": StoredArray(name: "a", Tensor([1.5, -2.0]))], into: [("a", parameter)])
    #expect(parameter.tensor.dtype == .float32)
    try expectClose(parameter.tensor.detached(), [1.5, -2])
  }

  @Test("Arrays that do not fit are all named, and nothing is changed")
  func mismatch() throws {
    let module = try linear(seed: 1)
    let extra = try (0..<5).map { try StoredArray(name: "extra.\($0)", Tensor.ones([1])) }
    let arrays = try dictionary([StoredArray(name: "weight", Tensor.zeros([2, 3]))] + extra)
    let before = try module.weight.tensor.values()
    let error = try #require(throws: StateMismatch.self) { try load(arrays, into: module.namedParameters) }
    #expect(
      error
        == StateMismatch(
          missing: ["bias"], unexpected: ["extra.0", "extra.1", "extra.2", "extra.3", "extra.4"],
          differing: ["weight ([2, 3] in the file, [3, 2] here)"]))
    #expect(
      error.description
        == "the weights do not fit the network: missing bias; unexpected extra.0, extra.1, extra.2, … (5 in all); "
        + "of another shape weight ([2, 3] in the file, [3, 2] here)")
    #expect(try module.weight.tensor.values() == before)
  }

  @Test("One array that does not fit keeps those that do from being loaded")
  func allOrNothing() throws {
    let (module, other) = (try linear(seed: 1), try linear(seed: 2))
    var arrays = try dictionary(storedArrays(other.namedParameters))
    arrays["bias"] = nil
    let before = try module.weight.tensor.values()
    #expect(throws: StateMismatch(missing: ["bias"])) { try load(arrays, into: module.namedParameters) }
    #expect(try module.weight.tensor.values() == before)
  }

  @Test("An array whose bytes do not fill its shape is refused")
  func damagedArray() throws {
    let array = StoredArray(name: "a", dtype: .float32, shape: [3], data: Data(count: 8))
    #expect(throws: TorchError("tensor", "8 bytes do not fill the shape [3] of float32")) { _ = try array.tensor() }
  }
}
