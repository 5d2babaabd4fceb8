import Foundation
import MedicalImaging
import Testing

/// What Scripts/golden/arrays.py wrote: NumPy files, and what NumPy finds in them.
struct ArrayGolden: Decodable, Sendable {
  let isVolume: Bool
  let extents: [Int]
  let bits: Int
  let low: Float
  let high: Float
  let samples: [Float]

  static func load() throws -> [String: ArrayGolden] {
    let file = Golden.folder.appendingPathComponent("arrays.json")
    return try JSONDecoder().decode([String: ArrayGolden].self, from: Data(contentsOf: file))
  }

  static func path(_ name: String) -> String { Golden.folder.appendingPathComponent("arrays/\(name)").path }

  /// Names of what can be read.
  static let readable = ((try? load().keys.sorted()) ?? [])
}

@Suite("NumPy files")
struct NumPyTests {
  @Test("Every type, byte order, order of axes, version and compression has NumPy's numbers")
  func samples() throws {
    let expected = try ArrayGolden.load()
    // 12 types, 9 of them in two byte orders, in two orders of axes, as images and as volumes; and 14 others.
    #expect(expected.count == (12 + 9) * 2 * 2 + 14)
    for (name, expected) in expected {
      let path = ArrayGolden.path(name)
      let read = try MedicalImage.read(path, isVolume: expected.isVolume)
      #expect(read.grid.extents == expected.extents, "\(name)")
      #expect(read.samples == expected.samples, "\(name)")
      #expect(read.range == expected.low...expected.high, "\(name)")
      let provenance =
        switch read {
        case .image(let image): image.provenance
        case .volume(let volume): volume.provenance
        }
      #expect(provenance == Provenance(path: path, format: "NumPy", bitsPerSample: expected.bits), "\(name)")
    }
  }

  @Test(
    "Each refusal is one sentence",
    arguments: [
      ("complex.npy", "its elements are complex numbers; store"),
      ("objects.npy", "its elements are Python objects; store"),
      ("texts.npy", "its elements are texts; store"),
      ("records.npy", "its elements are records of several fields; store"),
      ("long-double.npy", "its elements are floating-point numbers of 16 bytes; store"),
      ("version-4.npy", "version 4 of the format is not known; write version 1 to 3."),
      (
        "not-finite.npy",
        "2 of its 20 samples are not finite numbers; replace them by the value that its background has."
      ),
      ("line.npy", "its shape [7] is not that of an image."),
    ])
  func refusals(_ name: String, _ sentence: String) throws {
    let path = ArrayGolden.path(name)
    let start = "\(path) is a kind of NumPy that is not supported: \(sentence)"
    #expect(message { try ImageReader.read(path) }?.hasPrefix(start) == true)
  }

  @Test("A path that does not name one image says how to")
  func parts() {
    let (stack, archive) = (ArrayGolden.path("uint8.npy"), ArrayGolden.path("stored.npz"))
    #expect(
      message { try ImageReader.read(stack) }
        == "\(stack) names no image: the array's shape is [3, 4, 5]; name one of its first axis by its number, from "
        + "\(stack)#0 to \(stack)#2.")
    #expect(
      message { try ImageReader.read(stack + "#3") }
        == "\(stack)#3 names no image: the array's shape is [3, 4, 5], counted from 0.")
    let arrays = "train_images, train_labels, val_images, val_labels, test_images, test_labels"
    for part in ["", "#images/0", "#train_images/x"] {
      #expect(
        message { try ImageReader.read(archive + part) }
          == "\(archive)\(part) names no image: the archive holds the arrays \(arrays); name an image as "
          + "\(archive)#train_images/0.")
    }
    #expect(
      message { try ImageReader.read(archive + "#val_images") }
        == "\(archive)#val_images names no image: the array's shape is [3, 4, 5]; name one of its first axis by its number, "
        + "from \(archive)#val_images/0 to \(archive)#val_images/2.")
    let (volumes, colour, empty) = (
      ArrayGolden.path("volumes.npy"), ArrayGolden.path("colour.npy"), ArrayGolden.path("empty.npy")
    )
    #expect(message { try ImageReader.read(volumes + "#0") }?.hasPrefix("\(volumes)#0 is a volume where") == true)
    #expect(message { try VolumeReader.read(colour + "#0") }?.hasPrefix("\(colour)#0 is a two-dimensional") == true)
    #expect(message { try VolumeReader.read(stack + "#0") }?.hasPrefix("\(stack)#0 is a two-dimensional") == true)
    #expect(
      message { try VolumeReader.read(empty) }
        == "\(empty) is a damaged NumPy file: its shape [0, 4, 5] holds no numbers.")
  }

  @Test(
    "A file that ends early is damaged wherever it ends",
    arguments: [
      "uint16.npy", "version-2.npy", "float64-big-endian-fortran.npy", "compressed.npz", "stored.npz", "zip64.npz",
    ])
  func truncated(_ name: String) throws {
    let folder = try TemporaryFolder()
    let whole = try Data(contentsOf: URL(fileURLWithPath: ArrayGolden.path(name)))
    let part = name.hasSuffix(".npz") ? (name.hasPrefix("zip64") ? "#images/0" : "#test_images/0") : "#0"
    for length in Set(stride(from: 8, to: whole.count, by: 11)).union([whole.count - 1]) {
      let path = try folder.write("cut", whole.prefix(length)) + part
      #expect(message { try ImageReader.read(path) }?.contains(" is a damaged NumPy file: ") == true, "\(length)")
    }
  }

  @Test("Damaged bytes never crash the reader, and never change a sample of what is compressed unseen")
  func damaged() throws {
    let folder = try TemporaryFolder()
    var generator = SeededGenerator(seed: 5)
    for name in ["uint16.npy", "halves.npy", "compressed.npz", "stored.npz", "zip64.npz", "findings.npz"] {
      let whole = try Data(contentsOf: URL(fileURLWithPath: ArrayGolden.path(name)))
      for round in 0..<200 {
        var bytes = whole
        let start = round % 2 == 0 || !name.hasSuffix(".npz") ? 0 : whole.count - min(whole.count, 300)
        for _ in 0..<2 {
          bytes[start + generator.index(below: whole.count - start)] = UInt8(truncatingIfNeeded: generator.next())
        }
        let path = try folder.write("scan-\(round).npz", bytes)
        _ = message { try ImageReader.read(path + "#0") }
        _ = message { try VolumeReader.read(path) }
        _ = message { try ImageDataSet.open(path, normalClass: "0") }
        guard name == "compressed.npz" else { continue }
        if let image = try? ImageReader.read(path + "#test_images/3") {
          let expected = try ArrayGolden.load()["compressed.npz#test_images/3"]
          #expect(image.width * image.height != 20 || image.samples == expected?.samples, "round \(round)")
        }
      }
    }
  }

  @Test("Extents that cannot be are refused before memory is taken")
  func sizes() throws {
    let folder = try TemporaryFolder()
    func declaring(_ shape: String, _ order: String = "False", _ type: String = "|u1") throws -> String {
      let text = "{'descr': '\(type)', 'fortran_order': \(order), 'shape': (\(shape)), }"
      let header = [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(text.utf8.count), 0] + Array(text.utf8)
      return try folder.write("array.npy", Data(header + Array(repeating: 7, count: 40)))
    }
    for shape in ["100000, 100000", "4611686018427387904, 4, 4", "9223372036854775807, 9223372036854775807"] {
      let path = try declaring(shape, "True", "<f8")
      #expect(message { try ImageReader.read(path) }?.contains("the file ends early: 40 bytes of numbers") == true)
    }
    for shape in ["0, 4611686018427387904, 4611686018427387904", "4611686018427387904, 0, 4611686018427387904"] {
      for order in ["True", "False"] {
        let path = try declaring(shape, order)
        #expect(message { try VolumeReader.read(path) }?.hasSuffix("holds no numbers.") == true)
        #expect(message { try ImageReader.read(path + "#0") } != nil)
      }
    }
    let huge = try declaring("99999999999999999999, 2")
    #expect(message { try ImageReader.read(huge) }?.contains("is no shape") == true)
    // Keys in any order, quotes of either kind, shapes with Python 2's suffix.
    let text = #"{"shape": (2L, 3L), "descr": "<u2", "fortran_order": False}"#
    let header = [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(text.utf8.count), 0] + Array(text.utf8)
    let path = try folder.write("old.npy", Data(header + [1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 1]))
    #expect(try ImageReader.read(path).samples == [1, 2, 3, 4, 5, 262])
  }

  @Test("A mask is what lies above a half, in numbers of any type")
  func masks() throws {
    let folder = try TemporaryFolder()
    let text = "{'descr': '|u1', 'fortran_order': False, 'shape': (2, 2), }"
    let header = [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(text.utf8.count), 0] + Array(text.utf8)
    let path = try folder.write("mask.npy", Data(header + [0, 1, 0, 3]))
    #expect(try ImageReader.read(path).markedPixels == [false, true, false, true])
  }
}
