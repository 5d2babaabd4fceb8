import Foundation
import Testing

@testable import Torch

/// What the tests of array files share: golden files, folders of their own and hand-made files.
enum SerialisationFixtures {
  /// What a golden file holds, according to Python.
  struct Expected: Decodable {
    struct Array: Decodable {
      let name: String
      let dtype: ArrayDType
      let shape: [Int]
      let data: Data
    }

    let arrays: [Array]
    let ignored: [String]

    var storedArrays: [StoredArray] {
      arrays.map { StoredArray(name: $0.name, dtype: $0.dtype, shape: $0.shape, data: $0.data) }
    }
  }

  /// A file made by Scripts/golden/serialisation.py.
  static func golden(_ name: String) -> URL {
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("Golden/serialisation/\(name)")
  }

  static func expected(_ name: String) throws -> Expected {
    let all = try JSONDecoder().decode([String: Expected].self, from: Data(contentsOf: golden("expected.json")))
    return try #require(all[name])
  }

  /// Runs `body` with a new folder, which is removed afterwards.
  static func inTemporaryFolder<T>(_ body: (URL) throws -> T) throws -> T {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("serialisation-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
    defer { try? FileManager.default.removeItem(at: folder) }
    return try body(folder)
  }

  /// The message with which reading those bytes as the file `a.file` fails; nil when it does not fail.
  static func failure(of bytes: Data, reading: (ByteReader) throws(SerialisationError) -> Void) -> String? {
    do {
      try reading(ByteReader(bytes, path: "a.file"))
      return nil
    } catch {
      return error.description
    }
  }

  /// A file in the format before PyTorch 1.6 with that pickle (opcodes after PROTO) and one storage "0" of two floats,
  /// 1 and 2, or none.
  static func legacyFile(_ pickle: [UInt8], littleEndian: Bool = true, hasStorage: Bool = true) -> Data {
    var file = Data([0x80, 2, 0x8A, 10, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19, 0x2E])
    file += [0x80, 2, 0x4D, 0xE9, 3, 0x2E]
    file += [0x80, 2, 0x7D] + text("little_endian") + [littleEndian ? 0x88 : 0x89, 0x73, 0x2E]
    file += [0x80, 2] + pickle
    guard hasStorage else { return file + [0x80, 2, 0x5D, 0x2E] }
    file += [0x80, 2, 0x5D] + text("0") + [0x61, 0x2E]
    file += [2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x80, 0x3F, 0, 0, 0, 0x40]
    return file
  }

  /// The opcode that pushes text.
  static func text(_ text: String) -> [UInt8] {
    [0x58] + withUnsafeBytes(of: UInt32(text.utf8.count).littleEndian) { Array($0) } + Array(text.utf8)
  }

  /// The opcodes that push a tensor over storage "0".
  static func tensor(offset: Int = 0, shape: [Int], strides: [Int]) -> [UInt8] {
    func integer(_ value: Int) -> [UInt8] { [0x8A, 8] + withUnsafeBytes(of: value.littleEndian) { Array($0) } }
    func tuple(_ values: [Int]) -> [UInt8] { [0x28] + values.flatMap(integer) + [0x74] }
    let storage =
      [0x28] + text("storage") + global("torch", "FloatStorage") + text("0") + text("cpu") + [0x4B, 2, 0x74]
    let function = global("torch._utils", "_rebuild_tensor")
    return function + [0x28] + storage + [0x51] + integer(offset) + tuple(shape) + tuple(strides) + [0x74, 0x52]
  }

  /// The opcode that pushes a name of Python.
  static func global(_ module: String, _ name: String) -> [UInt8] {
    [0x63] + Array("\(module)\n\(name)\n".utf8)
  }

  /// The opcodes of a dictionary with one entry, and the end of the pickle.
  static func dictionary(_ key: String, _ value: [UInt8]) -> [UInt8] {
    [0x7D] + text(key) + value + [0x73, 0x2E]
  }
}

/// A small seeded generator (SplitMix64).
struct SerialisationGenerator: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
