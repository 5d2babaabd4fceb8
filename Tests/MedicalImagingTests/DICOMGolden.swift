import Foundation

/// What Scripts/golden/dicom.py wrote: DICOM files, and what pydicom finds in them.
struct DICOMGolden: Decodable, Sendable {
  let columns: Int
  let rows: Int
  let frames: Int
  let samples: Int
  let bits: Int
  let signed: Bool
  let syntax: String
  let stored: [Int]
  let values: [Float]?
  let levels: [[Float]]?
  let colours: [Float]?

  static func load() throws -> [String: DICOMGolden] {
    let file = Golden.folder.appendingPathComponent("dicom.json")
    return try JSONDecoder().decode([String: DICOMGolden].self, from: Data(contentsOf: file))
  }

  static func path(_ name: String) -> String { Golden.folder.appendingPathComponent("dicom/\(name)").path }

  /// Names of the files that can be read, and that hold what `part` asks for.
  static func readable(with part: (DICOMGolden) -> Bool = { _ in true }) -> [String] {
    ((try? load()) ?? [:]).filter { part($0.value) }.keys.sorted()
  }
}

/// Puts DICOM files together, explicit and little endian, for tests that need many of them.
struct DICOMWriter {
  /// Tag, type and value of each element.
  var elements: [UInt32: (type: String, value: Data)] = [:]

  mutating func set(_ tag: UInt32, _ type: String, _ text: String) {
    elements[tag] = (type, Data((text.utf8.count % 2 == 0 ? text : text + (type == "UI" ? "\0" : " ")).utf8))
  }

  mutating func set(_ tag: UInt32, _ numbers: [Double]) {
    set(tag, "DS", numbers.map { String($0) }.joined(separator: "\\"))
  }

  mutating func set(_ tag: UInt32, word: Int) {
    elements[tag] = ("US", Self.bytes(word, 2))
  }

  mutating func set(_ tag: UInt32, items: [DICOMWriter]) {
    elements[tag] = (
      "SQ",
      items.reduce(into: Data()) { data, item in
        let content = item.content
        data += Self.bytes(0xFFFE, 2) + Self.bytes(0xE000, 2) + Self.bytes(content.count, 4) + content
      }
    )
  }

  static func bytes(_ number: Int, _ count: Int) -> Data {
    Data((0..<count).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) })
  }

  /// The elements in the order of their tags.
  var content: Data {
    elements.sorted { $0.key < $1.key }.reduce(into: Data()) { data, element in
      let (tag, (type, value)) = element
      data += Self.bytes(Int(tag >> 16), 2) + Self.bytes(Int(tag & 0xFFFF), 2) + Data(type.utf8)
      let isLong = ["OB", "OW", "SQ"].contains(type)
      data += isLong ? Self.bytes(0, 2) + Self.bytes(value.count, 4) : Self.bytes(value.count, 2)
      data += value
    }
  }

  /// The file.
  var file: Data {
    var meta = DICOMWriter()
    meta.set(0x0002_0010, "UI", "1.2.840.10008.1.2.1")
    return Data(count: 128) + Data("DICM".utf8) + meta.content + content
  }

  /// A slice of 16-bit samples.
  static func slice(
    _ samples: [Int], columns: Int, position: [Double]?, orientation: [Double] = [1, 0, 0, 0, 1, 0],
    spacing: [Double] = [0.75, 0.5], modality: String = "CT", series: String = "1.2.3"
  ) -> DICOMWriter {
    var writer = DICOMWriter()
    writer.set(0x0008_0060, "CS", modality)
    writer.set(0x0020_000E, "UI", series)
    if let position { writer.set(0x0020_0032, position) }
    writer.set(0x0020_0037, orientation)
    writer.set(0x0028_0002, word: 1)
    writer.set(0x0028_0004, "CS", "MONOCHROME2")
    writer.set(0x0028_0010, word: samples.count / columns)
    writer.set(0x0028_0011, word: columns)
    writer.set(0x0028_0030, spacing)
    for tag in [0x0028_0100, 0x0028_0101] { writer.set(UInt32(tag), word: 16) }
    writer.set(0x0028_0102, word: 15)
    writer.set(0x0028_0103, word: 0)
    writer.elements[0x7FE0_0010] = ("OW", samples.reduce(into: Data()) { $0 += bytes($1, 2) })
    return writer
  }
}
