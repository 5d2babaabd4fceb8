/// What an image's file holds, without its samples.
public struct FileFacts: Equatable, Sendable {
  /// Bins of the histogram.
  public static let bins = 32

  /// The grid that the samples lie on.
  public let grid: ImageGrid
  /// 1 for grey, 3 for colour; of three equal channels 1, and `isGreyInColour` is set.
  public let channels: Int
  /// Whether grey is stored as three equal channels.
  public let isGreyInColour: Bool
  /// Millimetres between samples, along x first; nil where the file does not tell.
  public let spacing: [Double]?
  /// The format's usual name.
  public let format: String
  /// Bits that each sample has in the file; nil where the format does not tell.
  public let bitsPerSample: Int?
  /// How a DICOM file is written and compressed; nil for other formats.
  public let transferSyntax: TransferSyntax?
  /// The smallest and the largest sample, of colours those of their grey.
  public let extremes: ClosedRange<Float>
  /// The samples' mean.
  public let mean: Double
  /// How many samples lie in each of `bins` equal parts of the image's range, from black to white; what lies outside counts
  /// at the ends.
  public let histogram: [Int]
  /// What is worth knowing although the image can be used, one sentence each: a tilted gantry.
  public let remarks: [String]
  /// What is wrong with the mask or the paired image, as a sentence; nil where nothing is.
  public let companionMistake: String?

  /// Reads an item's image or volume, and the grids of its mask and its paired image.
  /// - Throws: `ImageError` when the image cannot be read.
  public init(of item: DataItem) throws(ImageError) {
    let image = try Self.read(item.path)
    let samples: [Float]
    switch image {
    case .image(let plane):
      let grey = plane.grey
      samples = grey.samples
      isGreyInColour = plane.channels == 3 && grey.samples.elementsEqual(plane.samples.prefix(grey.samples.count))
      channels = isGreyInColour ? 1 : plane.channels
      spacing = plane.spacing.map { [$0.column, $0.row] }
      (format, bitsPerSample) = (plane.provenance.format ?? "unknown", plane.provenance.bitsPerSample)
      remarks = plane.provenance.remarks
    case .volume(let volume):
      samples = volume.samples
      (channels, isGreyInColour) = (1, false)
      spacing = (0..<3).map { volume.spacing[$0] }
      (format, bitsPerSample) = (volume.provenance.format ?? "unknown", volume.provenance.bitsPerSample)
      remarks = [volume.grid.remark(about: item.path)].compactMap { $0 }
    }
    grid = image.grid
    transferSyntax = format == ImageFormat.dicom.rawValue ? TransferSyntax(of: item.path) : nil
    var histogram = [Int](repeating: 0, count: Self.bins)
    var (sum, low, high) = (0.0, samples[0], samples[0])
    let (black, extent) = (image.range.lowerBound, image.range.upperBound - image.range.lowerBound)
    for sample in samples {
      let share = extent > 0 ? (sample - black) / extent * Float(Self.bins) : 0
      histogram[min(max(Int(min(max(share, 0), Float(Self.bins))), 0), Self.bins - 1)] += 1
      (sum, low, high) = (sum + Double(sample), min(low, sample), max(high, sample))
    }
    (self.histogram, mean, extremes) = (histogram, sum / Double(samples.count), low...high)
    companionMistake = Self.mistake(of: item.maskPath, beside: grid) ?? Self.mistake(of: item.pairedPath, beside: grid)
  }

  /// An image, or a volume where the file holds one.
  static func read(_ path: String) throws(ImageError) -> MedicalImage {
    if FolderListing.isFolder(path) { return .volume(try VolumeReader.read(path)) }
    do throws(ImageError) {
      return .image(try ImageReader.read(path))
    } catch {
      guard error.isOtherKind else { throw error }
      return .volume(try VolumeReader.read(path))
    }
  }

  private static func mistake(of path: String?, beside grid: ImageGrid) -> String? {
    guard let path else { return nil }
    do throws(ImageError) {
      let companion = try read(path).grid
      return companion.coincides(with: grid) ? nil : "\(path) has \(companion) and its image \(grid)."
    } catch {
      return error.description
    }
  }
}

/// How a DICOM file is written and compressed (PS3.6, annex A).
public struct TransferSyntax: Equatable, Hashable, Sendable, CustomStringConvertible {
  /// The UID.
  public let uid: String

  /// That of a file, or of the first one in a folder of slices; nil where it is no DICOM.
  init?(of path: String) {
    guard let first = try? FileContents.paths(path).first(where: DICOMSeries.isDICOM),
      let bytes = try? FileContents.read(first), let file = try? DICOMFile(bytes, path: first)
    else { return nil }
    uid = file.transferSyntax
  }

  /// Its usual name; the UID where that is not known here.
  public var description: String { Self.names[uid] ?? uid }

  private static let names = [
    "1.2.840.10008.1.2": "implicit little endian", "1.2.840.10008.1.2.1": "explicit little endian",
    "1.2.840.10008.1.2.1.99": "deflated", "1.2.840.10008.1.2.2": "explicit big endian",
    "1.2.840.10008.1.2.4.50": "JPEG baseline", "1.2.840.10008.1.2.4.51": "JPEG extended",
    "1.2.840.10008.1.2.4.57": "JPEG lossless", "1.2.840.10008.1.2.4.70": "JPEG lossless, first-order prediction",
    "1.2.840.10008.1.2.4.80": "JPEG-LS lossless", "1.2.840.10008.1.2.4.81": "JPEG-LS near-lossless",
    "1.2.840.10008.1.2.4.90": "JPEG 2000 lossless", "1.2.840.10008.1.2.4.91": "JPEG 2000",
    "1.2.840.10008.1.2.5": "RLE lossless",
  ]
}
