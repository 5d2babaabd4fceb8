import Foundation

/// The characters that the texts of a file may consist of, as its character set says (PS3.3, C.12.1.1.2; PS3.5, 6.1).
struct DICOMCharacters {
  /// The character set as it is declared; nil for the default one, ASCII, and for one that is not known.
  let declaration: String?
  private let isUnicode: Bool
  private let hasEscapes: Bool
  /// Whether the second byte of a character may look like an ASCII one.
  private let hasPairs: Bool

  /// The characters of a declaration's values.
  init(_ values: [String]) {
    let known = /(ISO_IR [0-9]{1,3}|ISO 2022 IR [0-9]{1,3}|GB18030|GBK)?/
    let isKnown = values.contains { !$0.isEmpty } && values.allSatisfy { $0.wholeMatch(of: known) != nil }
    declaration = isKnown ? values.joined(separator: "\\") : nil
    isUnicode = isKnown && values == ["ISO_IR 192"]
    hasEscapes = isKnown && values.contains { $0.hasPrefix("ISO 2022") }
    hasPairs = isKnown && (hasEscapes || values.contains { $0.hasPrefix("GB") })
  }

  /// Whether bytes are one text of at most `limit` characters.
  func allow(_ bytes: Data, limit: Int) -> Bool {
    guard bytes.allSatisfy({ ($0 >= 0x20 && $0 != 0x7F) || ($0 == 0x1B && hasEscapes) }) else { return false }
    if bytes.contains(0x5C), !hasPairs { return false }  // separates values
    if declaration == nil { return bytes.count <= limit && bytes.allSatisfy { $0 < 0x80 } }
    if isUnicode { return String(data: bytes, encoding: .utf8).map { $0.unicodeScalars.count <= limit } ?? false }
    return bytes.count <= (hasPairs ? 4 * limit : limit)  // up to four bytes a character
  }

  /// Whether bytes are the name of a person: up to three spellings of 64 characters each.
  func allowName(_ bytes: Data) -> Bool {
    if hasEscapes { return allow(bytes, limit: 3 * 64 + 2) }  // where = may be half of a character
    let spellings = bytes.split(separator: 0x3D, omittingEmptySubsequences: false)
    return spellings.count <= 3 && spellings.allSatisfy { allow(Data($0), limit: 64) }
  }
}
