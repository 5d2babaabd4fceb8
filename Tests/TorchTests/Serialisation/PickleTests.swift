import Foundation
import Testing

@testable import Torch

@Suite("Pickles")
struct PickleTests {
  private typealias Fixtures = SerialisationFixtures

  @Test(
    "Simple values are rebuilt",
    arguments: [
      ("4E", PickleValue.none), ("88", .bool(true)), ("89", .bool(false)), ("4B FF", .integer(255)),
      ("4D FF FF", .integer(65535)), ("4A FE FF FF FF", .integer(-2)), ("8A 00", .integer(0)),
      ("8A 02 00 FF", .integer(-256)), ("8A 08 FF FF FF FF FF FF FF 7F", .integer(.max)),
      ("8A 09 00 00 00 00 00 00 00 80 00", .longInteger(Data([0, 0, 0, 0, 0, 0, 0, 0x80, 0]))),
      ("8B 01 00 00 00 80", .integer(-128)), ("47 BF F8 00 00 00 00 00 00", .real(-1.5)), ("55 01 41", .text("A")),
      ("54 01 00 00 00 41", .text("A")), ("8C 02 C3 A9", .text("é")), ("8D 01 00 00 00 00 00 00 00 41", .text("A")),
      ("43 01 FF", .bytes(Data([0xFF]))), ("42 01 00 00 00 FF", .bytes(Data([0xFF]))),
      ("8E 01 00 00 00 00 00 00 00 FF", .bytes(Data([0xFF]))), ("4E 88 30", .none), ("88 28 4E 31", .bool(true)),
      ("88 28 30", .bool(true)), ("88 71 05 30 68 05", .bool(true)), ("88 94 30 6A 00 00 00 00", .bool(true)),
    ])
  func simpleValues(code: String, value: PickleValue) throws {
    #expect(try read(code + " 2E").root == value)
  }

  @Test("Tuples, lists, sets and dictionaries are rebuilt and shared by reference")
  func compounds() throws {
    let cases: [(String, PickleObject.Kind, [PickleValue])] = [
      ("29", .tuple, []), ("4E 85", .tuple, [.none]), ("4E 88 86", .tuple, [.none, .bool(true)]),
      ("4E 88 89 87", .tuple, [.none, .bool(true), .bool(false)]), ("28 4E 88 74", .tuple, [.none, .bool(true)]),
      ("5D 4E 61", .list, [.none]), ("5D 28 4E 88 65", .list, [.none, .bool(true)]), ("28 4E 6C", .list, [.none]),
      ("8F 28 4E 90", .list, [.none]), ("28 4E 91", .list, [.none]),
      ("7D 4E 88 73", .dictionary, [.none, .bool(true)]),
      ("28 4E 88 64", .dictionary, [.none, .bool(true)]), ("7D 28 4E 88 75", .dictionary, [.none, .bool(true)]),
      ("5D 32 4E 61 30", .list, [.none]),
    ]
    for (code, kind, items) in cases {
      let document = try read(code + " 2E")
      #expect(document.items(document.root, kind) == items, "\(code)")
    }
  }

  @Test("An ordered dictionary of Python 2 is rebuilt from its list of pairs, attributes are left out")
  func orderedDictionary() throws {
    let pairs: [UInt8] = [0x5D, 0x28, 0x5D, 0x28, 0x4B, 1, 0x88, 0x65, 0x4B, 2, 0x89, 0x86, 0x65, 0x85, 0x52]
    let attributes: [UInt8] = [0x7D, 0x55, 1, 0x5F, 0x4E, 0x73, 0x62, 0x2E]
    let document = try read(Fixtures.global("collections", "OrderedDict") + pairs + attributes)
    #expect(document.items(document.root, .dictionary) == [.integer(1), .bool(true), .integer(2), .bool(false)])
  }

  @Test(
    "A broken pickle is refused with its reason",
    arguments: [
      ("2E", "takes a value where there is none"), ("4E 28 2E", "takes a value where there is none"),
      ("4E 86 2E", "takes a value where there is none"), ("4E 74 2E", "closes a list that was not opened"),
      ("68 00 2E", "recalls a value that it never stored"), ("4E 4E 61 2E", "adds items to a value that takes none"),
      ("7D 28 4E 75 2E", "has a dictionary key without a value"),
      ("4E 29 52 2E", "calls something that is no function"),
      ("4E 4E 93 2E", "names a function by something other than text"), ("55 01 FF 2E", "has text that is not UTF-8"),
      ("8D FF FF FF FF FF FF FF FF 2E", "has a length out of range"),
      ("4E 51 2E", "refers to outside data in an unknown way"),
    ])
  func broken(code: String, reason: String) throws {
    let error = #expect(throws: SerialisationError.self) { try read(code) }
    #expect(
      error?.description == "a.pth holds a pickle that \(reason); the file is damaged, copy or download it again.")
  }

  @Test("Instructions that make instances of classes are refused")
  func unknownInstruction() throws {
    let error = #expect(throws: SerialisationError.self) { try read("4E 29 81 2E") }
    #expect(error?.reason == "holds a pickle with instruction 0x81, which is not for tensors")
  }

  @Test(
    "Every name but those that rebuild tensors is refused",
    arguments: [
      ("os", "system"), ("builtins", "eval"), ("torch.storage", "_load_from_bytes"), ("torch", "load"),
      ("torch._utils", "_rebuild_tensor_v2.__globals__"), ("collections", "OrderedDict.__class__"), ("", ""),
    ])
  func refusedNames(module: String, name: String) throws {
    let short =
      [0x8C, UInt8(module.utf8.count)] + Array(module.utf8) + [0x8C, UInt8(name.utf8.count)] + Array(name.utf8)
    for code in [Fixtures.global(module, name), short + [0x93]] {
      let error = #expect(throws: SerialisationError.self) { try read(code + [0x2E]) }
      #expect(error?.reason == "asks for \(module).\(name): refused, no code is run")
    }
  }

  @Test("A million nested tuples neither exhaust the stack nor pass for a state dictionary")
  func deepNesting() throws {
    let nested = [0x29] + [UInt8](repeating: 0x85, count: 1_000_000)
    #expect(try read(nested + [0x2E]).objects.count == 1_000_001)
    let file = Fixtures.legacyFile(Fixtures.dictionary("a", nested), hasStorage: false)
    #expect(
      failure(of: file)?.hasPrefix("a.file nests its dictionaries more than 64 deep or inside themselves;") == true)
  }

  @Test("A dictionary that holds itself many times over is refused in bounded time")
  func exponentialSharing() throws {
    // Level n is a list of level n − 1 twice: 2⁴⁰ entries in 300 bytes.
    var code: [UInt8] = [0x29, 0x85]
    for _ in 0..<40 { code += [0x32, 0x86] }
    let file = Fixtures.legacyFile(Fixtures.dictionary("a", code), hasStorage: false)
    #expect(failure(of: file)?.hasPrefix("a.file holds more entries than any set of weights;") == true)
  }

  private func failure(of bytes: Data) -> String? {
    Fixtures.failure(of: bytes) { file throws(SerialisationError) in _ = try PyTorchStateDict(file) }
  }

  private func read(_ hexadecimal: String) throws -> PickleDocument {
    try read(hexadecimal.split(separator: " ").compactMap { UInt8($0, radix: 16) })
  }

  private func read(_ code: [UInt8]) throws -> PickleDocument {
    var reader = ByteReader(Data(code), path: "a.pth")
    return try PickleMachine.read(&reader)
  }
}
