import CMedicalImaging
public import Foundation

/// Reads image files. The format is told from the file's content, never from its name.
///
/// Samples keep the file's numbers: `0...255` for up to 8 bits (1, 2 and 4 bits are spread over it), `0...65535` for
/// 16 bits; floating-point samples keep their values and take the smallest and largest as their range. Palettes become
/// RGB, CMYK becomes RGB without a colour profile, MinIsWhite becomes MinIsBlack, the orientation tag of Exif or TIFF is
/// applied, and transparency is dropped. The spacing stays nil: a resolution tag speaks of paper, not of the patient.
/// DICOM gives the modality's values, its window as range, and its spacing (see `DICOMImage.image`).
///
/// An image of a NumPy array or archive is named behind a `#` (`images.npy#12`, `archive.npz#test_images/12`), and so is an
/// axial slice of a volume (`scan.nii.gz#z78`).
public enum ImageReader {
  /// The most pixels an image may have along one side.
  public static let maximumExtent = CMI_MAXIMUM_EXTENT
  /// The most samples (pixels times channels) an image may have: 1 GiB in memory.
  public static let maximumSamples = CMI_MAXIMUM_SAMPLES

  /// The image in a file.
  /// - Throws: `ImageError`, for a path that is missing, a folder or unreadable, and for a file of another format, damaged
  ///   (a truncated one counts, even where a decoder would fill in the rest), of an unsupported kind, too large, or a
  ///   volume.
  public static func read(_ path: String) throws(ImageError) -> Image2D {
    let place = ImagePath(path)
    if let slice = VolumeSlice(place) { return try slice.image() }
    if NumPyFile.isSignature(try FileContents.head(place.file, count: 8)) { return try NumPyImage(at: place).image }
    return try decode(FileContents.read(path), path: path)
  }

  /// The image in the bytes of a file.
  /// - Parameter path: what the file is called in messages and in the image's provenance.
  /// - Throws: `ImageError`, as `read` does.
  public static func decode(_ file: Data, path: String) throws(ImageError) -> Image2D {
    guard let format = ImageFormat(signatureOf: file) else {
      throw VolumeFormat(signatureOf: file) == nil ? .unknownFormat(path: path) : .otherKind(path: path, isVolume: true)
    }
    guard let reader = format.reader else { return try dicom(file, path: path) }
    var image = cmi_image()
    var message = [CChar](repeating: 0, count: CMI_MESSAGE_CAPACITY)
    let status = file.withUnsafeBytes { bytes in
      reader(bytes.bindMemory(to: UInt8.self).baseAddress, bytes.count, &image, &message)
    }
    defer { cmi_image_free(&image) }
    guard status == CMI_OK else {
      throw ImageError(status, reason: sentencePart(message), path: path, format: format.rawValue)
    }
    let count = Int(image.width) * Int(image.height) * Int(image.channels)
    return Image2D(
      width: Int(image.width), height: Int(image.height), channels: Int(image.channels),
      samples: Array(UnsafeBufferPointer(start: image.samples, count: count)), range: image.minimum...image.maximum,
      provenance: Provenance(path: path, format: format.rawValue, bitsPerSample: Int(image.bits_per_sample)))
  }
}

extension ImageReader {
  private static func dicom(_ bytes: Data, path: String) throws(ImageError) -> Image2D {
    let image = try DICOMImage.decode(bytes, path: path)
    guard image.frames.count == 1 else {
      guard image.frames.contains(where: { $0.place == nil }) else { throw .otherKind(path: path, isVolume: true) }
      throw .unsupported(
        path: path, format: DICOMFile.format, reason: "it holds \(image.frames.count) frames; store one image per file")
    }
    return try image.image()
  }
}

extension ImageError {
  /// What the status of a C function means.
  init(_ status: cmi_status, reason: String, path: String, format: String) {
    self =
      switch status {
      case CMI_UNSUPPORTED: .unsupported(path: path, format: format, reason: reason)
      case CMI_TOO_LARGE: .tooLarge(path: path, extent: reason)
      case CMI_NO_MEMORY: .outOfMemory(path: path, reason: reason)
      default: .corrupt(path: path, format: format, reason: reason)
      }
  }
}

/// A C message as a part of a sentence: up to its zero, without a full stop of its own.
func sentencePart(_ message: [CChar]) -> String {
  let bytes = message.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
  let text = String(decoding: bytes, as: UTF8.self)
  return text.hasSuffix(".") ? String(text.dropLast()) : text
}
