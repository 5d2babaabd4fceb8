/// Why an image could not be read or written. Each case prints as one sentence that names the file.
public enum ImageError: Error, Equatable, Sendable, CustomStringConvertible {
  /// There is nothing at this path.
  case missing(path: String)
  /// A folder stands where an image file was expected.
  case folder(path: String)
  /// The system does not let the file be read; `reason` is the system's.
  case notReadable(path: String, reason: String)
  /// The first bytes are those of none of the formats read.
  case unknownFormat(path: String)
  /// The first bytes are those of no format of volumes that is read.
  case unknownVolumeFormat(path: String)
  /// A volume stands where a two-dimensional image is expected, or the reverse.
  case otherKind(path: String, isVolume: Bool)
  /// The path names a part of a file (behind a `#`) that is not there, or none where there are several; `reason` says which.
  case noPart(path: String, reason: String)
  /// The file is truncated or damaged; `reason` is the decoding library's.
  case corrupt(path: String, format: String, reason: String)
  /// The file is valid, but of a kind that is not read; `reason` names the kind.
  case unsupported(path: String, format: String, reason: String)
  /// The image exceeds the limits of ``ImageReader``; `extent` is what the file declares.
  case tooLarge(path: String, extent: String)
  /// There is not enough memory for the image.
  case outOfMemory(path: String, reason: String)
  /// The image was read, but what was to be done with it failed.
  case rejected(path: String, reason: String)
  /// The image cannot be stored in this way.
  case notEncodable(reason: String)
  /// The system does not let the file be written; `reason` is the system's.
  case notWritable(path: String, reason: String)

  /// Whether the file is a volume in place of an image, or the reverse.
  public var isOtherKind: Bool {
    if case .otherKind = self { true } else { false }
  }

  /// The sentence.
  public var description: String {
    switch self {
    case .missing(let path):
      "\(path) does not exist; check the path."
    case .folder(let path):
      "\(path) is a folder; name an image file in it."
    case .notReadable(let path, let reason):
      "\(path) cannot be read: \(reason)."
    case .unknownFormat(let path):
      "\(path) is not an image in a format that is read (\(ImageFormat.list))."
    case .unknownVolumeFormat(let path):
      "\(path) is not a volume in a format that is read (\(VolumeFormat.list))."
    case .otherKind(let path, let isVolume):
      isVolume
        ? "\(path) is a volume where a two-dimensional image is expected; choose a method for volumes, or give images."
        : "\(path) is a two-dimensional image where a volume (\(VolumeFormat.list)) is expected; choose a method for "
          + "images, or give volumes."
    case .noPart(let path, let reason):
      "\(path) names no image: \(reason)."
    case .corrupt(let path, let format, let reason):
      "\(path) is a damaged \(format) file: \(reason)."
    case .unsupported(let path, let format, let reason):
      "\(path) is a kind of \(format) that is not supported: \(reason)."
    case .tooLarge(let path, let extent):
      "\(path) is too large (\(extent)); at most \(ImageReader.maximumExtent) pixels a side and "
        + "\(ImageReader.maximumSamples) samples are read."
    case .outOfMemory(let path, let reason):
      "\(path) does not fit into memory (\(reason))."
    case .rejected(let path, let reason):
      "\(path) cannot be used: \(reason)."
    case .notEncodable(let reason):
      "The image cannot be written as PNG: \(reason)."
    case .notWritable(let path, let reason):
      "\(path) cannot be written: \(reason)."
    }
  }
}
