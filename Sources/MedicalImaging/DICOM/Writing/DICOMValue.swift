import Foundation

/// The value of a data element: its type (PS3.5, 6.2) and its bytes, or the items of a sequence.
struct DICOMValue: Equatable, Sendable {
  enum Content: Equatable, Sendable {
    case bytes(Data)
    case items([DICOMDataSet])
  }

  let type: String
  let content: Content

  /// The bytes; nil of a sequence.
  var bytes: Data? {
    if case .bytes(let bytes) = content { bytes } else { nil }
  }

  /// A value as it stands, padded to an even length.
  init(_ type: String, _ bytes: Data) {
    self.type = type
    let padding: [UInt8] = bytes.count % 2 == 0 ? [] : [["UI", "OB"].contains(type) ? 0 : 0x20]
    content = .bytes(padding.isEmpty ? bytes : bytes + padding)
  }

  private init(type: String, items: [DICOMDataSet]) { (self.type, content) = (type, .items(items)) }

  private static func text(_ type: String, _ parts: [String], limit: Int) -> DICOMValue {
    DICOMValue(type, Data(parts.map { String($0.prefix(limit)) }.joined(separator: "\\").utf8))
  }

  /// Words of our own, such as the name of a map, without what would need a character set or separate values.
  private static func words(_ type: String, _ text: String, limit: Int) -> DICOMValue {
    self.text(
      type, [String(text.map { $0.isASCII && $0 >= " " && $0 != "\\" && $0 != "\u{7F}" ? $0 : "?" })], limit: limit)
  }

  static func codes(_ texts: String...) -> DICOMValue { text("CS", texts, limit: 16) }
  static func uid(_ uid: String) -> DICOMValue { text("UI", [uid], limit: 64) }
  static func short(_ words: String) -> DICOMValue { self.words("SH", words, limit: 16) }
  static func long(_ words: String) -> DICOMValue { self.words("LO", words, limit: 64) }
  static func name(_ words: String) -> DICOMValue { self.words("PN", words, limit: 64) }
  static func paragraph(_ words: String) -> DICOMValue { self.words("ST", words, limit: 1024) }
  static func remark(_ words: String) -> DICOMValue { self.words("LT", words, limit: 10240) }
  static func date(_ moment: DICOMMoment) -> DICOMValue { text("DA", [moment.date], limit: 8) }
  static func time(_ moment: DICOMMoment) -> DICOMValue { text("TM", [moment.time], limit: 14) }
  static func integer(_ number: Int) -> DICOMValue { text("IS", [String(number)], limit: 12) }
  static func decimals(_ numbers: [Double]) -> DICOMValue { text("DS", numbers.map(decimal), limit: 16) }
  static func items(_ items: [DICOMDataSet]) -> DICOMValue { DICOMValue(type: "SQ", items: items) }
  static func items(_ items: DICOMDataSet...) -> DICOMValue { DICOMValue(type: "SQ", items: items) }

  static func word(_ number: Int) -> DICOMValue { little("US", [UInt16(clamping: number)]) }
  static func long(_ number: Int) -> DICOMValue { little("UL", [UInt32(clamping: number)]) }
  static func double(_ number: Double) -> DICOMValue { little("FD", [number.bitPattern]) }

  static func tag(_ tag: DICOMTag) -> DICOMValue {
    little("AT", [UInt16(truncatingIfNeeded: tag.rawValue >> 16), UInt16(truncatingIfNeeded: tag.rawValue)])
  }

  /// 32-bit floating-point pixels.
  static func pixels(_ samples: [Float]) -> DICOMValue { little("OF", samples.map(\.bitPattern)) }
  /// Pixels of 16 bits.
  static func pixels(_ samples: [UInt16]) -> DICOMValue { little("OW", samples) }
  /// Pixels of 8 bits a sample.
  static func pixels(_ samples: [UInt8]) -> DICOMValue { DICOMValue("OB", Data(samples)) }

  private static func little<Word: FixedWidthInteger>(_ type: String, _ words: [Word]) -> DICOMValue {
    let ordered = Word(1).littleEndian == 1 ? words : words.map(\.littleEndian)
    return DICOMValue(type, ordered.withUnsafeBytes { Data($0) })
  }

  /// A number in the most digits that 16 characters hold.
  static func decimal(_ number: Double) -> String {
    let shortest = "\(number)"
    let plain = shortest.hasSuffix(".0") ? String(shortest.dropLast(2)) : shortest
    if plain.count <= 16 { return plain }
    let texts = (1...17).reversed().lazy.map { String(format: "%.*g", $0, number) }
    return texts.first { $0.count <= 16 } ?? "0"
  }
}

/// A moment as DICOM tells it: the date and the time of day where the program runs.
struct DICOMMoment: Equatable, Sendable {
  /// For example `20250131`.
  let date: String
  /// For example `235959`.
  let time: String

  init(_ moment: Date) {
    let parts = Calendar(identifier: .gregorian).dateComponents(
      [.year, .month, .day, .hour, .minute, .second], from: moment)
    func digits(_ part: Int?, _ count: Int) -> String { String(format: "%0\(count)d", part ?? 0) }
    date = digits(parts.year, 4) + digits(parts.month, 2) + digits(parts.day, 2)
    time = digits(parts.hour, 2) + digits(parts.minute, 2) + digits(parts.second, 2)
  }
}

/// Unique identifiers.
enum DICOMUID {
  /// An identifier that nothing else has: 2.25 and a random UUID as a decimal number (PS3.5, B.2).
  static func fresh() -> String { "2.25." + decimal(UUID()) }

  /// The 128 bits of a UUID as one decimal number.
  static func decimal(_ identifier: UUID) -> String {
    var digits: [Int] = [0]  // least first
    for byte in withUnsafeBytes(of: identifier.uuid, Array.init) {
      var carry = Int(byte)
      for place in digits.indices {
        let value = digits[place] * 256 + carry
        (digits[place], carry) = (value % 10, value / 10)
      }
      while carry > 0 {
        digits.append(carry % 10)
        carry /= 10
      }
    }
    return digits.reversed().map(String.init).joined()
  }

  /// Whether a text can be an identifier: up to 64 digits and dots. Numbers that begin with 0, which the standard forbids,
  /// occur and are let through: an identifier that is changed identifies nothing.
  static func isValid(_ text: String) -> Bool {
    text.count <= 64 && text.wholeMatch(of: /[0-9]+(\.[0-9]+)+/) != nil
  }
}
