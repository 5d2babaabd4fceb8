import CMedicalImaging
import Foundation

/// Data elements that are to be written, or an item of a sequence of them.
struct DICOMDataSet: Equatable, Sendable {
  private var values: [UInt32: DICOMValue] = [:]

  subscript(tag: DICOMTag) -> DICOMValue? {
    get { values[tag.rawValue] }
    set { values[tag.rawValue] = newValue }
  }

  init(_ values: [DICOMTag: DICOMValue] = [:]) { merge(values) }

  /// Sets many elements; those that are there are replaced.
  mutating func merge(_ new: [DICOMTag: DICOMValue]) { for (tag, value) in new { self[tag] = value } }

  /// Sets all elements of another data set; those that are there are replaced.
  mutating func merge(_ other: DICOMDataSet) { values.merge(other.values) { $1 } }

  /// A concept as a code (PS3.3, table 8.8-1).
  static func code(_ value: String, _ scheme: String, _ meaning: String) -> DICOMDataSet {
    DICOMDataSet([.codeValue: .short(value), .codingScheme: .short(scheme), .codeMeaning: .long(meaning)])
  }

  /// Writes a file under a temporary name that is then renamed, so that no half-written file remains.
  /// - Throws: `ImageError.notWritable`.
  func write(to path: String) throws(ImageError) {
    let file = URL(fileURLWithPath: path)
    let temporary = file.deletingLastPathComponent().appendingPathComponent(".\(UUID().uuidString).dcm")
    defer { try? FileManager.default.removeItem(at: temporary) }
    var flat: [(tag: UInt32, value: DICOMValue?, count: Int)] = []
    flatten(into: &flat)
    // Pixels stay where they are; everything else lies in one piece.
    let pixels = flat.last.flatMap { $0.tag >> 16 == 0x7FE0 ? $0.value?.bytes : nil } ?? Data()
    if !pixels.isEmpty { flat.removeLast() }
    let small = Data(flat.compactMap { $0.value?.bytes }.joined())
    var message = [CChar](repeating: 0, count: CMI_MESSAGE_CAPACITY)
    let status = small.withUnsafeBytes { small in
      pixels.withUnsafeBytes { pixels in
        var place = small.bindMemory(to: UInt8.self).baseAddress
        var elements = flat.map { part in
          let element = cmi_dicom_element(part.tag, type: part.value?.type, bytes: place, count: part.count)
          place = place.map { $0 + (part.value?.bytes?.count ?? 0) }
          return element
        }
        if !pixels.isEmpty, let base = pixels.bindMemory(to: UInt8.self).baseAddress, let (tag, value) = last {
          elements.append(cmi_dicom_element(tag, type: value.type, bytes: base, count: pixels.count))
        }
        return cmi_write_dicom(temporary.path, elements, elements.count, &message)
      }
    }
    guard status == CMI_OK else { throw .notWritable(path: path, reason: sentencePart(message)) }
    guard rename(temporary.path, path) == 0 else {
      throw .notWritable(path: path, reason: "it cannot be put in its place")
    }
  }

  private var last: (tag: UInt32, value: DICOMValue)? {
    values.max { $0.key < $1.key }.map { ($0.key, $0.value) }
  }

  /// The elements in the order of their tags, items with what they hold behind their sequence.
  private func flatten(into flat: inout [(tag: UInt32, value: DICOMValue?, count: Int)]) {
    for (tag, value) in values.sorted(by: { $0.key < $1.key }) {
      switch value.content {
      case .bytes(let bytes): flat.append((tag, value, bytes.count))
      case .items(let items):
        flat.append((tag, value, items.count))
        for item in items {
          flat.append((0xFFFE_E000, nil, item.values.count))
          item.flatten(into: &flat)
        }
      }
    }
  }
}

extension cmi_dicom_element {
  fileprivate init(_ tag: UInt32, type: String?, bytes: UnsafePointer<UInt8>?, count: Int) {
    let letters = (type ?? "").utf8.prefix(2).map { CChar(bitPattern: $0) } + [0, 0]
    self.init(tag: tag, type: (letters[0], letters[1], 0), bytes: bytes, count: count)
  }
}
