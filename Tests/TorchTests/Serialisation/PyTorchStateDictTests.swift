import Foundation
import Testing

@testable import Torch

@Suite("PyTorch state dictionaries")
struct PyTorchStateDictTests {
  private typealias Fixtures = SerialisationFixtures

  @Test(
    "Every tensor of a file by torch.save is read, in its order, and every other entry listed",
    arguments: [
      "views.pth", "module.pth", "checkpoint.pth", "parameters.pth", "protocol4.pth", "protocol5.pth", "legacy.pth",
      "legacy-checkpoint.pth",
    ])
  func readsGolden(name: String) throws {
    let expected = try Fixtures.expected(name)
    let file = try PyTorchStateDict(contentsOf: Fixtures.golden(name), root: .everything)
    #expect(file.arrays == expected.storedArrays)
    #expect(file.ignored == expected.ignored)
  }

  @Test("The state dictionary of a checkpoint is found, and others by their key", arguments: ["", "legacy-"])
  func roots(prefix: String) throws {
    let url = Fixtures.golden("\(prefix)checkpoint.pth")
    let module = try Fixtures.expected("module.pth").storedArrays
    #expect(try PyTorchStateDict(contentsOf: url).arrays == module)
    #expect(try PyTorchStateDict(contentsOf: url, root: .key("state_dict")).arrays == module)
    let optimiser = try PyTorchStateDict(contentsOf: url, root: .key("optimizer"))
    #expect(optimiser.arrays.first?.name == "state.0.step")
    #expect(try PyTorchStateDict(contentsOf: Fixtures.golden("module.pth")).arrays == module)

    let error = #expect(throws: SerialisationError.self) { try PyTorchStateDict(contentsOf: url, root: .key("ema")) }
    #expect(
      error?.description
        == "\(url.path) has no dictionary \"ema\"; name one of its dictionaries or read everything.")
  }

  @Test(
    "What is no dictionary of tensors is refused with its reason",
    arguments: [
      ("single.pth", "holds a single value instead of a dictionary of tensors"),
      ("no-tensors.pth", "holds no tensors"),
      ("negated.pth", "stores tensor \"negated\" as a negated or conjugated view"),
      ("colliding.pth", "has two tensors that are both called \"a.b\" when joined by dots"),
      ("plain-pickle.pth", "is a pickle, but not one written by torch.save"),
      ("torchscript.pt", "is a TorchScript archive, which holds code"),
      ("cyclic.pth", "nests its dictionaries more than 64 deep or inside themselves"),
      ("malicious.pth", "asks for posix.system: refused, no code is run"),
      ("malicious-legacy.pth", "asks for posix.system: refused, no code is run"),
      ("malicious-protocol4.pth", "asks for posix.system: refused, no code is run"),
    ])
  func refuses(name: String, reason: String) throws {
    let url = Fixtures.golden(name)
    let error = #expect(throws: SerialisationError.self) { try PyTorchStateDict(contentsOf: url) }
    #expect(
      error?.description == "\(url.path) \(reason); save a dictionary of tensors in PyTorch, "
        + "torch.save(model.state_dict(), path), and read that.")
    #expect(!FileManager.default.fileExists(atPath: "norma-pickle-was-run"))
  }

  @Test("A file of another kind is refused")
  func anotherKind() throws {
    #expect(
      failure(of: Data("hello".utf8)) == "a.file is no file written by torch.save; "
        + "check that it is a .pth or .pt file and that it was copied whole.")
    #expect(failure(of: Data()) != nil)
  }

  @Test("A file cut anywhere is refused", arguments: ["views.pth", "legacy.pth"])
  func truncated(name: String) throws {
    let golden = try Data(contentsOf: Fixtures.golden(name))
    for length in 0..<golden.count {
      #expect(failure(of: golden.prefix(length)) != nil, "cut to \(length) bytes")
    }
  }

  @Test("Files from big-endian computers are refused")
  func bigEndian() throws {
    let pickle = Fixtures.dictionary("a", Fixtures.tensor(shape: [2], strides: [1]))
    #expect(failure(of: Fixtures.legacyFile(pickle)) == nil)
    #expect(
      failure(of: Fixtures.legacyFile(pickle, littleEndian: false))?
        .hasPrefix("a.file was saved on a big-endian computer;") == true)
    var zip = try Data(contentsOf: Fixtures.golden("views.pth"))
    let order = try #require(zip.range(of: Data("little".utf8)))
    zip.replaceSubrange(order, with: Data("bigbig".utf8))
    #expect(failure(of: zip)?.hasPrefix("a.file was saved on a big-endian computer;") == true)
  }

  @Test("A tensor that leaves its storage is refused, one that just fits is read")
  func bounds() throws {
    let faulty: [(offset: Int, shape: [Int], strides: [Int])] = [
      (0, [3], [1]), (1, [2], [1]), (2, [], []), (3, [0], [1]), (-1, [1], [1]), (0, [2], [2]), (0, [2, 2], [1, 1]),
      (0, [-1], [1]), (0, [2], [-1]), (0, [2], [1, 1]), (0, [.max], [1]), (0, [2], [.max]), (.max, [1], [1]),
      (1, [2, 2], [.max, 1]), (0, [1 << 31, 1 << 31, 1 << 31], [0, 0, 0]),
    ]
    for (offset, shape, strides) in faulty {
      let pickle = Fixtures.dictionary("a", Fixtures.tensor(offset: offset, shape: shape, strides: strides))
      #expect(
        failure(of: Fixtures.legacyFile(pickle))
          == "a.file has tensor \"a\" of shape \(shape), strides \(strides) and offset \(offset) reach beyond its "
          + "storage of 2 elements; the file is damaged, copy or download it again.")
    }
    let sound: [(offset: Int, shape: [Int], strides: [Int])] = [
      (1, [], []), (2, [0], [9]), (0, [1, 2], [.max, 1]), (1, [3], [0]), (0, [0, 1 << 62, 4], [0, 4, 1]),
      (1, [2, 1], [0, .max]), (0, [1, 2, 1], [.max, 0, .max]),
    ]
    for (offset, shape, strides) in sound {
      let pickle = Fixtures.dictionary("a", Fixtures.tensor(offset: offset, shape: shape, strides: strides))
      #expect(failure(of: Fixtures.legacyFile(pickle)) == nil)
    }
  }

  @Test("Hostile extents, strides and offsets are read or refused, never a crash")
  func hostileGeometry() {
    let values = [0, 0, 1, 1, 2, 3, 4, -1, .max, .min, 1 << 31, 1 << 62]
    var generator = SerialisationGenerator(state: 5)
    for _ in 0..<3000 {
      let rank = Int.random(in: 0...4, using: &generator)
      let numbers = (0...2 * rank).compactMap { _ in values.randomElement(using: &generator) }
      let tensor = Fixtures.tensor(
        offset: numbers[2 * rank], shape: Array(numbers[..<rank]), strides: Array(numbers[rank..<2 * rank]))
      let file = ByteReader(Fixtures.legacyFile(Fixtures.dictionary("a", tensor)), path: "a.file")
      guard let array = try? PyTorchStateDict(file).arrays.first else { continue }
      #expect(array.dtype.byteCount(of: array.shape) == array.data.count)
    }
  }

  @Test("A small file cannot ask for any amount of memory")
  func expansionIsLimited() throws {
    let pickle = Fixtures.dictionary("a", Fixtures.tensor(shape: [1 << 30, 1 << 10], strides: [0, 0]))
    #expect(
      failure(of: Fixtures.legacyFile(pickle))?
        .hasPrefix("a.file has tensor \"a\" expanded to 4398046511104 bytes, far more than the file;") == true)
  }

  private func failure(of bytes: Data) -> String? {
    Fixtures.failure(of: bytes) { file throws(SerialisationError) in _ = try PyTorchStateDict(file) }
  }
}
