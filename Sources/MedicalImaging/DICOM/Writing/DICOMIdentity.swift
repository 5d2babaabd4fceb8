import Foundation

/// Whose image it is and of which study: what an object that is made of another one shares with it (PS3.3, C.7.1.1, C.7.2.1,
/// C.7.2.2).
///
/// Texts are copied byte by byte, with the character set they are written in. A text that breaks the rules of its type (too
/// long, control characters, characters without a character set, no date where a date stands) is left empty, never shortened
/// or mended: half of an identifier may be somebody else's.
struct DICOMIdentity: Equatable, Sendable {
  /// The elements.
  let elements: DICOMDataSet
  /// The names of the elements that were left empty.
  let omitted: [String]

  private struct Part {
    let tag: DICOMTag
    let type: String
    let name: String
    var isOptional = false  // left out where it is empty
  }

  private static let parts = [
    Part(tag: .studyDate, type: "DA", name: "study date"),
    Part(tag: .studyTime, type: "TM", name: "study time"),
    Part(tag: .accessionNumber, type: "SH", name: "accession number"),
    Part(tag: .referringPhysician, type: "PN", name: "referring physician's name"),
    Part(tag: .studyDescription, type: "LO", name: "study description", isOptional: true),
    Part(tag: .patientName, type: "PN", name: "patient's name"),
    Part(tag: .patientIdentifier, type: "LO", name: "patient's identifier"),
    Part(tag: .patientIdentifierIssuer, type: "LO", name: "issuer of the patient's identifier", isOptional: true),
    Part(tag: .birthDate, type: "DA", name: "patient's birth date"),
    Part(tag: .sex, type: "CS", name: "patient's sex"),
    Part(tag: .age, type: "AS", name: "patient's age", isOptional: true),
    Part(tag: .patientSize, type: "DS", name: "patient's size", isOptional: true),
    Part(tag: .patientWeight, type: "DS", name: "patient's weight", isOptional: true),
    Part(tag: .studyIdentifier, type: "SH", name: "study identifier"),
  ]

  init(_ item: DICOMItem) {
    let characters = DICOMCharacters(item.texts(.characterSet))
    var (elements, omitted) = (DICOMDataSet(), [String]())
    if let declaration = characters.declaration { elements[.characterSet] = DICOMValue("CS", Data(declaration.utf8)) }
    for part in Self.parts {
      let told = Self.trimmed(item.bytes(part.tag))
      let kept = Self.valid(told, type: part.type, characters) ?? Data()
      if kept.isEmpty && !told.isEmpty { omitted.append("\(part.name) \(part.tag.text)") }
      if !kept.isEmpty || !part.isOptional { elements[part.tag] = DICOMValue(part.type, kept) }
    }
    (self.elements, self.omitted) = (elements, omitted)
  }

  /// A value without the padding behind it.
  private static func trimmed(_ bytes: Data) -> Data {
    Data(bytes.prefix((bytes.lastIndex { $0 != 0x20 && $0 != 0 } ?? bytes.startIndex - 1) + 1 - bytes.startIndex))
  }

  /// The value in the form that its type demands; nil where it has none.
  private static func valid(_ bytes: Data, type: String, _ characters: DICOMCharacters) -> Data? {
    switch type {
    case "SH": return characters.allow(bytes, limit: 16) ? bytes : nil
    case "LO": return characters.allow(bytes, limit: 64) ? bytes : nil
    case "PN": return characters.allowName(bytes) ? bytes : nil
    default:
      let text = String(decoding: bytes, as: UTF8.self)
      return text.isEmpty ? bytes : plain(text, type: type).map { Data($0.utf8) }
    }
  }

  /// A code, date, time, age or number; older spellings of dates (`2025.01.31`) and times (`23:59`) are brought into today's.
  private static func plain(_ text: String, type: String) -> String? {
    switch type {
    case "CS": return text.wholeMatch(of: /[A-Z0-9 _]{1,16}/) == nil ? nil : text
    case "DA":
      guard let parts = text.wholeMatch(of: /([0-9]{4})\.?([0-9]{2})\.?([0-9]{2})/)?.output,
        let month = Int(parts.2), let day = Int(parts.3), 1...12 ~= month, 1...31 ~= day
      else { return nil }
      return "\(parts.1)\(parts.2)\(parts.3)"
    case "TM":
      let digits = text.filter { $0 != ":" }
      guard digits.wholeMatch(of: /([01][0-9]|2[0-3])([0-5][0-9](([0-5][0-9]|60)(\.[0-9]{1,6})?)?)?/) != nil else {
        return nil
      }
      return digits
    case "AS": return text.wholeMatch(of: /[0-9]{3}[DWMY]/) == nil ? nil : text
    case "DS": return text.count <= 16 && Double(text)?.isFinite == true ? text : nil
    default: return nil
    }
  }
}

extension DICOMTag {
  /// The tag as it is usually written, for example `(0010,0020)`.
  var text: String { String(format: "(%04X,%04X)", rawValue >> 16, rawValue & 0xFFFF) }
}
