import Foundation
import MedicalImaging

/// Damages files: at the level of bytes, and where it does most harm, in the lengths of DICOM's elements and the fields of
/// NIfTI's header.
struct Mutator {
  private var random: SeededGenerator

  init(_ random: SeededGenerator) { self.random = random }

  enum Kind: CaseIterable {
    case flippedBits, overwrittenBytes, overwrittenNumber, truncation, insertion, removal, repetition, splice
    case elementLength, elementValue, elementTag, headerField
  }

  /// A damaged copy: half of them by one change, the others by up to four.
  /// - Parameter other: another file, of which a part may be put in.
  mutating func mutated(_ bytes: [UInt8], splicing other: [UInt8]) -> [UInt8] {
    var result = bytes
    for _ in 0...(random.index(below: 2) * random.index(below: 4)) {
      let kind = Kind.allCases[random.index(below: Kind.allCases.count)]
      change(&result, kind, other)
    }
    return result
  }

  mutating func change(_ bytes: inout [UInt8], _ kind: Kind, _ other: [UInt8]) {
    guard !bytes.isEmpty else { return bytes = Array(other.prefix(16)) }
    switch kind {
    case .flippedBits:
      for _ in 0...random.index(below: 8) { bytes[place(in: bytes)] ^= 1 << UInt8(random.index(below: 8)) }
    case .overwrittenBytes:
      for place in stretch(of: bytes, most: 16) { bytes[place] = UInt8(random.index(below: 256)) }
    case .overwrittenNumber: put(number(), into: &bytes, at: place(in: bytes))
    case .truncation: bytes.removeLast(1 + random.index(below: bytes.count))
    case .insertion:
      let new = (0...random.index(below: 32)).map { _ in UInt8(random.index(below: 256)) }
      bytes.insert(contentsOf: new, at: random.index(below: bytes.count + 1))
    case .removal: bytes.removeSubrange(stretch(of: bytes, most: 64))
    case .repetition:
      let part = bytes[stretch(of: bytes, most: 256)]
      for _ in 0...random.index(below: 8) { bytes.insert(contentsOf: part, at: random.index(below: bytes.count + 1)) }
    case .splice:
      let part = other.isEmpty ? [] : Array(other[stretch(of: other, most: other.count)])
      bytes.replaceSubrange(stretch(of: bytes, most: part.count + 1), with: part)
    case .elementLength:
      guard let element = element(in: bytes) else { return }
      put(number(), into: &bytes, at: element + (bytes[element + 4] == 0x4F ? 8 : random.index(below: 2) * 2 + 4))
    case .elementValue:
      guard let element = element(in: bytes) else { return }
      if random.index(below: 3) == 0 {
        put(decimal(), into: &bytes, at: element + 8)
      } else {
        put(number(), into: &bytes, at: element + [8, 12][random.index(below: 2)])
      }
    case .elementTag:
      guard let element = element(in: bytes) else { return }
      let tag = Self.tags[random.index(below: Self.tags.count)]
      put(Self.little(tag >> 16, 2) + Self.little(tag & 0xFFFF, 2), into: &bytes, at: element)
    case .headerField:
      let fields = Self.fields[bytes.first == 0x1C || bytes.starts(with: [0, 0, 2]) ? 1 : 0]
      let (field, width) = fields[random.index(below: fields.count)]
      let value = width < 4 || random.index(below: 2) == 0 ? Array(number().prefix(width)) : real(width)
      put(random.index(below: 4) == 0 ? value.reversed() : value, into: &bytes, at: field)
    }
  }

  // MARK: Places

  private mutating func place(in bytes: [UInt8]) -> Int { random.index(below: bytes.count) }

  private mutating func stretch(of bytes: [UInt8], most: Int) -> Range<Int> {
    let first = place(in: bytes)
    return first..<min(bytes.count, first + 1 + random.index(below: max(1, most)))
  }

  /// Where a data element of DICOM begins that matters to the image, its tag little endian; nil where there is none.
  private mutating func element(in bytes: [UInt8]) -> Int? {
    var found: [Int] = []
    for place in 0..<max(0, bytes.count - 12) where Self.lowBytes[Int(bytes[place])] {
      let group = UInt32(bytes[place + 1]) << 8 | UInt32(bytes[place])
      let tag = group << 16 | UInt32(bytes[place + 3]) << 8 | UInt32(bytes[place + 2])
      if Self.tags.contains(tag) { found.append(place) }
    }
    return found.isEmpty ? nil : found[random.index(below: found.count)]
  }

  /// Which bytes tags begin with, little endian.
  private static let lowBytes = (0..<256).map { byte in tags.contains { $0 >> 16 & 0xFF == UInt32(byte) } }
  /// Tags that reading depends on: transfer syntax, place, pixels, tables, windows, frames, items.
  private static let tags: [UInt32] = [
    0x0002_0000, 0x0002_0010, 0x0004_1220, 0x0008_0016, 0x0008_0060, 0x0018_0050, 0x0018_0088, 0x0018_1164,
    0x0020_0013, 0x0020_0032, 0x0020_0037, 0x0020_9111, 0x0020_9113, 0x0020_9116, 0x0028_0002, 0x0028_0004,
    0x0028_0006, 0x0028_0008, 0x0028_0010, 0x0028_0011, 0x0028_0030, 0x0028_0100, 0x0028_0101, 0x0028_0102,
    0x0028_0103, 0x0028_1050, 0x0028_1051, 0x0028_1052, 0x0028_1053, 0x0028_1054, 0x0028_1056, 0x0028_1101,
    0x0028_1102, 0x0028_1103, 0x0028_1201, 0x0028_1202, 0x0028_1203, 0x0028_3000, 0x0028_3002, 0x0028_3006,
    0x0028_3010, 0x0028_9110, 0x0028_9132, 0x0028_9145, 0x3004_000C, 0x5200_9229, 0x5200_9230, 0x7FE0_0001,
    0x7FE0_0008, 0x7FE0_0010, 0xFFFE_E000, 0xFFFE_E00D, 0xFFFE_E0DD,
  ]

  /// Offset and width of the fields of NIfTI-1 and NIfTI-2: size, dimensions, type, spacing, offset, scaling, forms, mark.
  private static let fields: [[(Int, Int)]] = [
    [(0, 4), (40, 2), (68, 2), (70, 2), (72, 2), (108, 4), (112, 4), (116, 4), (123, 1), (252, 2), (254, 2), (344, 4)]
      + (0..<8).map { (40 + 2 * $0, 2) } + (0..<8).map { (76 + 4 * $0, 4) } + (0..<18).map { (256 + 4 * $0, 4) },
    [(0, 4), (4, 4), (8, 4), (12, 2), (14, 2), (168, 8), (176, 8), (184, 8), (344, 4), (348, 4), (500, 4), (504, 4)]
      + (0..<8).map { (16 + 8 * $0, 8) } + (0..<8).map { (104 + 8 * $0, 8) } + (0..<18).map { (352 + 8 * $0, 8) },
  ]

  // MARK: Values

  /// A number of two, four or eight bytes that programs stumble over.
  private mutating func number() -> [UInt8] {
    let width = [2, 4, 8][random.index(below: 3)]
    let numbers: [UInt64] = [
      0, 1, 2, 3, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 1 << 16, 1 << 24, 0x7FFF_FFFF, 1 << 31,
    ]
    let choice = random.index(below: numbers.count + 6)
    let number =
      choice < numbers.count
      ? numbers[choice] : choice < numbers.count + 2 ? .max &- UInt64(random.index(below: 16)) : random.next() >> 48
    let bytes = (0..<width).map { UInt8(truncatingIfNeeded: number >> UInt64(8 * $0)) }
    return random.index(below: 4) == 0 ? bytes.reversed() : bytes
  }

  /// A floating-point number of four or eight bytes.
  private mutating func real(_ width: Int) -> [UInt8] {
    let numbers: [Double] = [0, -0.0, 1, -1, 1e-40, 1e38, -1e38, 1e300, 1e9, 0.5, .nan, .infinity, -.infinity]
    let number = numbers[random.index(below: numbers.count)]
    return width == 4 ? withUnsafeBytes(of: Float(number), Array.init) : withUnsafeBytes(of: number, Array.init)
  }

  /// A number in text.
  private mutating func decimal() -> [UInt8] {
    let texts = [
      "1e308", "-1e308", "nan", "inf", "0", "-1", "99999999999999999999", "1e-300", "\\\\\\", "1\\2", "0x10", "",
    ]
    return Array(texts[random.index(below: texts.count)].utf8) + (random.index(below: 2) == 0 ? [0x20] : [])
  }

  private static func little(_ number: UInt32, _ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: number >> UInt32(8 * $0)) }
  }

  private func put(_ value: [UInt8], into bytes: inout [UInt8], at place: Int) {
    for (index, byte) in value.enumerated() where place + index < bytes.count { bytes[place + index] = byte }
  }
}
