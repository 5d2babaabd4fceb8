import Foundation
import Testing

@testable import Torch

@Suite("Damaged array files")
struct SerialisationFuzzTests {
  private typealias Fixtures = SerialisationFixtures

  @Test(
    "No change of bytes crashes a reader: it reads the file or throws",
    arguments: [
      "arrays.safetensors", "views.pth", "checkpoint.pth", "protocol4.pth", "legacy.pth", "legacy-checkpoint.pth",
    ])
  func mutations(name: String) throws {
    let golden = try Data(contentsOf: Fixtures.golden(name))
    let rounds = Int(ProcessInfo.processInfo.environment["NORMA_FUZZ_ROUNDS"] ?? "") ?? 150
    var generator = SerialisationGenerator(state: 11)
    for _ in 0..<rounds {
      let file = ByteReader(Self.mutated(golden, &generator), path: name)
      if name.hasSuffix(".safetensors") {
        guard let read = try? SafetensorsFile(file) else { continue }
        Self.expectConsistent(read.arrays())
      } else {
        guard let read = try? PyTorchStateDict(file, root: .everything) else { continue }
        Self.expectConsistent(read.arrays)
      }
    }
  }

  private static func expectConsistent(_ arrays: [StoredArray]) {
    for array in arrays {
      #expect(array.dtype.byteCount(of: array.shape) == array.data.count)
    }
  }

  /// One to four changes: a random byte, an extreme byte, a bit, bytes removed, or bytes copied from elsewhere.
  private static func mutated(_ golden: Data, _ generator: inout SerialisationGenerator) -> Data {
    var bytes = [UInt8](golden)
    for _ in 0..<Int.random(in: 1...4, using: &generator) {
      let position = Int.random(in: 0..<bytes.count, using: &generator)
      let length = Int.random(in: 1...min(8, bytes.count - position), using: &generator)
      switch Int.random(in: 0..<5, using: &generator) {
      case 0: bytes[position] = UInt8.random(in: 0...255, using: &generator)
      case 1: bytes[position] = Bool.random(using: &generator) ? 0xFF : 0
      case 2: bytes[position] ^= 1 << UInt8.random(in: 0...7, using: &generator)
      case 3: bytes.removeSubrange(position..<position + length)
      default:
        let source = Int.random(in: 0...bytes.count - length, using: &generator)
        bytes.replaceSubrange(position..<position + length, with: Array(bytes[source..<source + length]))
      }
    }
    return Data(bytes)
  }
}
