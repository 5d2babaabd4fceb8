import CMedicalImaging
import Foundation

/// A DICOM file taken apart, for one thread at a time.
final class DICOMFile {
  static let format = ImageFormat.dicom.rawValue

  let path: String
  private let handle: OpaquePointer

  /// - Throws: `ImageError` for a file that is damaged.
  init(_ bytes: Data, path: String) throws(ImageError) {
    var opened: OpaquePointer?
    var message = [CChar](repeating: 0, count: CMI_MESSAGE_CAPACITY)
    let status = bytes.withUnsafeBytes {
      cmi_dicom_open($0.bindMemory(to: UInt8.self).baseAddress, $0.count, &opened, &message)
    }
    guard status == CMI_OK, let opened else {
      throw ImageError(status, reason: sentencePart(message), path: path, format: Self.format)
    }
    handle = opened
    self.path = path
  }

  deinit { cmi_dicom_close(handle) }

  /// Whether a file begins as DICOM does; its first 132 bytes tell.
  static func begins(_ file: Data) -> Bool {
    file.withUnsafeBytes { cmi_is_dicom($0.bindMemory(to: UInt8.self).baseAddress, $0.count) }
  }

  var transferSyntax: String { String(cString: cmi_dicom_transfer_syntax(handle)) }

  /// The data elements that are nested in nothing.
  var content: DICOMItem { DICOMItem(file: self, place: []) }

  fileprivate func find(_ place: [UInt32]) -> cmi_dicom_value? {
    var value = cmi_dicom_value()
    return cmi_dicom_find(handle, place, place.count, &value) ? value : nil
  }

  /// The pixels as they are stored.
  func decode() throws(ImageError) -> DICOMPixels {
    var pixels = cmi_dicom_pixels()
    var message = [CChar](repeating: 0, count: CMI_MESSAGE_CAPACITY)
    let status = cmi_dicom_decode(handle, &pixels, &message)
    defer { cmi_dicom_pixels_free(&pixels) }
    guard status == CMI_OK else {
      throw ImageError(status, reason: sentencePart(message), path: path, format: Self.format)
    }
    return DICOMPixels(pixels)
  }

  func damaged(_ reason: String) -> ImageError { .corrupt(path: path, format: Self.format, reason: reason) }
  func unsupported(_ reason: String) -> ImageError { .unsupported(path: path, format: Self.format, reason: reason) }
}

/// The data elements of a file, or of an item of a sequence in it.
struct DICOMItem {
  let file: DICOMFile
  /// The way to the item: tag of a sequence, number of the item, and so on.
  let place: [UInt32]

  /// The parts of a text, without padding; none where the element is absent or empty.
  func texts(_ tag: DICOMTag) -> [String] {
    guard let value = file.find(place + [tag.rawValue]), value.count > 0 else { return [] }
    let bytes = UnsafeBufferPointer(start: value.bytes, count: value.count)
    // Identifiers, codes and numbers are plain ASCII; a text in another character set still gets a name of its own.
    let text = String(bytes: bytes, encoding: .utf8) ?? String(bytes.map { Character(Unicode.Scalar($0)) })
    return text.split(separator: "\\", omittingEmptySubsequences: false).map {
      $0.trimmingCharacters(in: .whitespaces.union(.controlCharacters))
    }
  }

  /// A text as a whole; nil where it is absent or empty.
  func text(_ tag: DICOMTag) -> String? {
    let text = texts(tag).joined(separator: "\\")
    return text.isEmpty ? nil : text
  }

  /// The numbers of a text; none where one of them is no finite number.
  func numbers(_ tag: DICOMTag) -> [Double] {
    let numbers = texts(tag).map { Double($0) ?? .nan }
    return numbers.allSatisfy(\.isFinite) ? numbers : []
  }

  func number(_ tag: DICOMTag) -> Double? { numbers(tag).first }

  /// The value as it stands; empty where the element is absent.
  func bytes(_ tag: DICOMTag) -> Data {
    file.find(place + [tag.rawValue]).flatMap { value in value.bytes.map { Data(bytes: $0, count: value.count) } }
      ?? Data()
  }

  /// The 16-bit words of a binary value.
  func words(_ tag: DICOMTag) -> [UInt16] {
    guard let value = file.find(place + [tag.rawValue]), let bytes = value.bytes else { return [] }
    return (0..<value.count / 2).map { index in
      let (first, second) = (UInt16(bytes[2 * index]), UInt16(bytes[2 * index + 1]))
      return value.is_big_endian ? first << 8 | second : second << 8 | first
    }
  }

  /// The items of a sequence; none where it is absent.
  func items(_ tag: DICOMTag) -> [DICOMItem] {
    let count = file.find(place + [tag.rawValue, 0])?.items ?? 0
    return (0..<count).map { DICOMItem(file: file, place: place + [tag.rawValue, $0]) }
  }
}
