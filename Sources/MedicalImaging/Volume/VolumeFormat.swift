public import Foundation

/// The file formats of volumes that are read, told apart by their first bytes.
public enum VolumeFormat: String, CaseIterable, Sendable {
  /// NIfTI-1 or NIfTI-2, in one file or as header and voxels, compressed with gzip or not.
  case nifti = "NIfTI"
  /// A DICOM series: a folder of slices, a DICOMDIR, or one file of many frames.
  case dicom = "DICOM"

  /// The extensions by which a folder's volumes are found, in lower case.
  public static let fileExtensions: Set<String> = ["nii", "nii.gz", "hdr", "hdr.gz"]

  /// The format whose signature the file begins with, DICOM's within the first 132 bytes; nil when it is none of these.
  public init?(signatureOf file: Data) {
    if let format = Self.allCases.first(where: { $0.signatures.contains { file.starts(with: $0) } }) {
      self = format
    } else if ImageFormat(signatureOf: file) == .dicom {
      self = .dicom
    } else {
      return nil
    }
  }

  /// Whether a file's name has such an extension.
  static func isNamed(_ name: String) -> Bool {
    let lower = name.lowercased()
    return fileExtensions.contains { lower.hasSuffix("." + $0) }
  }

  static let list = (allCases.map(\.rawValue) + [NumPyFile.format]).joined(separator: ", ")

  private var signatures: [[UInt8]] {
    switch self {
    case .nifti:  // gzip, or the length of a header, 348 or 540, in either byte order
      [[0x1F, 0x8B], [0x5C, 1, 0, 0], [0, 0, 1, 0x5C], [0x1C, 2, 0, 0], [0, 0, 2, 0x1C]]
    case .dicom: []
    }
  }
}
