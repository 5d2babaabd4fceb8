import Foundation

/// A DICOM image of 16 bits with patient, study and series, for tests of commands; explicit, little endian.
struct DICOMSlice {
  var columns = 64
  var samples: [UInt16]
  /// Where it lies, to the left, back and head; nil for a radiograph.
  var position: [Double]?
  var number = 1
  var spacing = [0.5, 0.5]
  /// What a sample of 1 stands for.
  var slope = 1.0
  var patient = "case 7"

  /// The bytes of a file.
  var file: Data {
    var elements: [(tag: UInt32, type: String, value: Data)] = []
    func add(_ tag: UInt32, _ type: String, _ text: String) {
      let padding = text.utf8.count % 2 == 0 ? "" : type == "UI" ? "\0" : " "
      elements.append((tag, type, Data((text + padding).utf8)))
    }
    func add(_ tag: UInt32, word: Int) { elements.append((tag, "US", Self.bytes(word, 2))) }
    func add(_ tag: UInt32, _ numbers: [Double]) { add(tag, "DS", numbers.map { "\($0)" }.joined(separator: "\\")) }
    add(0x0002_0010, "UI", "1.2.840.10008.1.2.1")
    add(0x0008_0016, "UI", "1.2.840.10008.5.1.4.1.1.\(position == nil ? "1" : "2")")
    add(0x0008_0018, "UI", "1.2.3.4.5.\(number)")
    add(0x0008_0060, "CS", position == nil ? "CR" : "CT")
    add(0x0010_0010, "PN", "Doe^Jane")
    add(0x0010_0020, "LO", patient)
    add(0x0020_000D, "UI", "1.2.3.4")
    add(0x0020_000E, "UI", "1.2.3.4.5")
    if let position {
      add(0x0020_0032, position)
      add(0x0020_0037, [1, 0, 0, 0, 1, 0])
      add(0x0020_0052, "UI", "1.2.3.4.6")
    }
    add(0x0028_0002, word: 1)
    add(0x0028_0004, "CS", "MONOCHROME2")
    add(0x0028_0010, word: samples.count / columns)
    add(0x0028_0011, word: columns)
    add(0x0028_0030, spacing)
    for (tag, number) in [(0x0028_0100, 16), (0x0028_0101, 16), (0x0028_0102, 15), (0x0028_0103, 0)] as [(UInt32, Int)]
    {
      add(tag, word: number)
    }
    add(0x0028_1052, [0])
    add(0x0028_1053, [slope])
    elements.append((0x7FE0_0010, "OW", samples.reduce(into: Data()) { $0 += Self.bytes(Int($1), 2) }))
    return elements.reduce(into: Data(count: 128) + Data("DICM".utf8)) { file, element in
      file += Self.bytes(Int(element.tag >> 16), 2) + Self.bytes(Int(element.tag & 0xFFFF), 2) + Data(element.type.utf8)
      file +=
        element.type == "OW"
        ? Self.bytes(0, 2) + Self.bytes(element.value.count, 4) : Self.bytes(element.value.count, 2)
      file += element.value
    }
  }

  private static func bytes(_ number: Int, _ count: Int) -> Data {
    Data((0..<count).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) })
  }
}
