import CMedicalImaging
public import Foundation

/// The file formats that are read, told apart by their first bytes.
public enum ImageFormat: String, CaseIterable, Sendable {
  /// Portable Network Graphics: 1 to 16 bits, grey, palette or RGB.
  case png = "PNG"
  /// JPEG with 8 bits per sample, baseline or progressive: grey, YCbCr, RGB or CMYK.
  case jpeg = "JPEG"
  /// TIFF with one page: unsigned up to 16 bits, grey, palette or RGB, or 32-bit floating-point grey.
  case tiff = "TIFF"
  /// DICOM with one frame: 1 to 32 bits, grey, palette or colours, uncompressed, RLE, JPEG, JPEG-LS or JPEG 2000.
  case dicom = "DICOM"

  /// The extensions by which a folder's images are found, in lower case.
  public static let fileExtensions: Set<String> = ["png", "jpg", "jpeg", "tif", "tiff", "dcm", "dicom"]

  /// The format whose signature the file begins with, DICOM's within the first 132 bytes; nil when it is none of these.
  public init?(signatureOf file: Data) {
    if let format = Self.allCases.first(where: { $0.signatures.contains { file.starts(with: $0) } }) {
      self = format
    } else if DICOMFile.begins(file) {
      self = .dicom
    } else {
      return nil
    }
  }

  static let list = (allCases.map(\.rawValue) + [NumPyFile.format]).joined(separator: ", ")

  private var signatures: [[UInt8]] {
    switch self {
    case .png: [[0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]]
    case .jpeg: [[0xFF, 0xD8, 0xFF]]
    case .tiff: [[0x49, 0x49, 42, 0], [0x4D, 0x4D, 0, 42], [0x49, 0x49, 43, 0], [0x4D, 0x4D, 0, 43]]  // and BigTIFF
    case .dicom: []
    }
  }

  /// The C function that reads the format; nil for DICOM, which takes more than one.
  var reader: cmi_reader? {
    switch self {
    case .png: cmi_read_png
    case .jpeg: cmi_read_jpeg
    case .tiff: cmi_read_tiff
    case .dicom: nil
    }
  }
}
