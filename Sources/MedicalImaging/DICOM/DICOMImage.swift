public import Foundation

/// A DICOM file's image: header, stored pixels, and what makes values and grey levels of them.
public struct DICOMImage: Equatable, Sendable {
  /// What belongs to one frame.
  public struct Frame: Equatable, Sendable {
    /// Where the frame lies in the patient; nil where the file does not tell.
    public let place: SlicePlace?
    /// From stored integers to the modality's values.
    public let transform: ModalityTransform
    /// From the modality's values to grey levels, in the file's order.
    public let windows: [DICOMWindow]
  }

  /// The path as it was given.
  public let path: String
  /// What the file tells about the image.
  public let header: DICOMHeader
  /// The identifier of the patient, apart from the header so that reports can leave it out; nil where there is none.
  public let patientIdentifier: String?
  /// What standard uptake values follow from; nil for anything but PET.
  public let uptake: PETUptake?
  /// The pixels as they are stored.
  public let pixels: DICOMPixels
  /// One per frame of `pixels`.
  public let frames: [Frame]
  private let palette: [LookupTable]

  /// The image in a file.
  /// - Throws: `ImageError`, for a path that is missing, a folder or unreadable, and for a file that is no DICOM, damaged (a
  ///   truncated one counts), too large, without pixels, or compressed in a way that is not read, which is named.
  public static func read(_ path: String) throws(ImageError) -> DICOMImage {
    try decode(FileContents.read(path), path: path)
  }

  /// The image in the bytes of a file.
  /// - Parameter path: what the file is called in messages.
  /// - Throws: `ImageError`, as `read` does.
  public static func decode(_ bytes: Data, path: String) throws(ImageError) -> DICOMImage {
    guard DICOMFile.begins(bytes) else { throw .unknownFormat(path: path) }
    return try DICOMImage(DICOMFile(bytes, path: path))
  }

  init(_ file: DICOMFile) throws(ImageError) {
    path = file.path
    header = DICOMHeader(file)
    patientIdentifier = file.content.text(.patientIdentifier)
    uptake = header.isPET ? PETUptake(file.content) : nil
    pixels = try file.decode()
    frames = try FrameGroups(file, header: header, count: pixels.frames, isSigned: pixels.isSigned).frames()
    palette = header.photometricInterpretation == "PALETTE COLOR" ? try Self.palette(file.content) : []
  }

  /// Whether the pixels have colours, by samples of their own or by a palette.
  public var isColour: Bool { pixels.samplesPerPixel == 3 || !palette.isEmpty }

  /// The modality's values of a frame, row by row.
  /// - Precondition: there is such a frame, and it is grey.
  public func values(frame: Int = 0) -> [Float] {
    precondition(!isColour)
    switch frames[frame].transform {
    case .linear(let slope, let intercept): return pixels.scaled(frame: frame, slope: slope, intercept: intercept)
    case .table: return pixels.map(frame: frame, frames[frame].transform.callAsFunction)
    }
  }

  /// A frame for viewing and for methods on images.
  ///
  /// Grey frames hold the modality's values, and their range is the frame's first window; where there is none, 0 ... 255 for
  /// up to 8 bits that are not transformed, and the smallest and the largest value otherwise. A window that is no straight
  /// line is applied: samples are grey levels, 0 ... 1. MONOCHROME1, where small values are bright, is turned around within
  /// the range, so that bright is large as everywhere else. Colours become RGB.
  /// - Throws: `ImageError.unsupported` for colours of a kind that is not read.
  /// - Precondition: there is such a frame.
  public func image(frame: Int = 0) throws(ImageError) -> Image2D {
    let spacing = frames[frame].place?.spacing ?? header.pixelSpacing ?? header.imagerPixelSpacing
    let provenance = Provenance(path: path, format: DICOMFile.format, bitsPerSample: pixels.bitsStored)
    func image(_ samples: [Float], channels: Int, range: ClosedRange<Float>) -> Image2D {
      Image2D(
        width: pixels.columns, height: pixels.rows, channels: channels, samples: samples, range: range,
        spacing: spacing, provenance: provenance)
    }
    if isColour {
      let (samples, maximum) = try colours(frame: frame)
      return image(samples, channels: 3, range: 0...maximum)
    }
    var samples = values(frame: frame)
    let range: ClosedRange<Float>
    if let window = frames[frame].windows.first {
      if window.range == nil { samples = samples.map(window.callAsFunction) }
      range = window.range ?? 0...1
    } else {
      range = defaultRange(frame: frame, samples)
    }
    if header.photometricInterpretation == "MONOCHROME1" {
      let sum = range.lowerBound + range.upperBound
      samples = samples.map { sum - $0 }
    }
    return image(samples, channels: 1, range: range)
  }

  private func defaultRange(frame: Int, _ samples: [Float]) -> ClosedRange<Float> {
    if frames[frame].transform == .identity, !pixels.isSigned, pixels.bitsStored <= 8 {
      return 0...Float(pixels.limits.upperBound)
    }
    return samples.reduce(samples[0]...samples[0]) { min($0.lowerBound, $1)...max($0.upperBound, $1) }
  }

  // MARK: Colours

  /// Red, green and blue of a frame, channel by channel, and the largest value there can be.
  private func colours(frame: Int) throws(ImageError) -> ([Float], Float) {
    if !palette.isEmpty {
      let indices = pixels.stored(frame: frame)
      return (palette.flatMap { table in indices.map { Float(table[$0]) } }, palette[0].maximum)
    }
    let stored = pixels.stored(frame: frame)
    let maximum = Float(pixels.limits.upperBound)
    func channel(_ index: Int) -> [Float] { stride(from: index, to: stored.count, by: 3).map { Float(stored[$0]) } }
    let channels = (0..<3).map(channel)
    switch header.photometricInterpretation {
    case "RGB", "YBR_ICT", "YBR_RCT":  // JPEG 2000 turns its own transformations back
      return (channels.flatMap { $0 }, maximum)
    case "YBR_FULL", "YBR_FULL_422":
      return (Self.rgb(channels, maximum: maximum), maximum)
    case let kind:
      throw .unsupported(
        path: path, format: DICOMFile.format, reason: "its colours are \(kind.isEmpty ? "not described" : kind)")
    }
  }

  /// Red, green and blue of luma and chroma (DICOM PS3.3, C.7.6.3.1.2), rounded to whole numbers.
  private static func rgb(_ channels: [[Float]], maximum: Float) -> [Float] {
    let middle = (maximum + 1) / 2
    func mix(_ blue: Float, _ red: Float) -> [Float] {
      channels[0].indices.map { pixel in
        let value = channels[0][pixel] + blue * (channels[1][pixel] - middle) + red * (channels[2][pixel] - middle)
        return min(max((value + 0.5).rounded(.down), 0), maximum)
      }
    }
    return mix(0, 1.402) + mix(-0.114 * 1.772 / 0.587, -0.299 * 1.402 / 0.587) + mix(1.772, 0)
  }

  private static func palette(_ item: DICOMItem) throws(ImageError) -> [LookupTable] {
    let tags: [(descriptor: DICOMTag, table: DICOMTag, segments: DICOMTag)] = [
      (.redDescriptor, .redTable, .redSegments), (.greenDescriptor, .greenTable, .greenSegments),
      (.blueDescriptor, .blueTable, .blueSegments),
    ]
    var tables: [LookupTable] = []
    for tag in tags {
      let (descriptor, segments) = (item.words(tag.descriptor), item.words(tag.segments))
      let data = segments.isEmpty ? item.words(tag.table) : segments
      guard !data.isEmpty else { throw item.file.unsupported("its palette is missing") }
      let table =
        segments.isEmpty
        ? LookupTable(descriptor: descriptor, data: data, isSigned: false)
        : LookupTable(descriptor: descriptor, segments: segments)
      guard let table else {
        throw item.file.damaged("the description of its palette and the palette do not fit together")
      }
      tables.append(table)
    }
    guard Set(tables.map(\.bits)).count == 1 else { throw item.file.unsupported("its palette mixes depths") }
    return tables
  }
}
