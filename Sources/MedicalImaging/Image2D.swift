/// A two-dimensional image: samples plus geometry plus provenance.
///
/// Samples are stored channel by channel, each channel row by row (`index = (channel · height + row) · width + column`),
/// in the units of the file: 0 ... 255 for 8 bit, 0 ... 65535 for 16 bit. `range` tells which values the format can hold, so
/// that nobody has to guess the scale.
public struct Image2D: Equatable, Sendable {
  /// Columns.
  public let width: Int
  /// Rows.
  public let height: Int
  /// 1 for grey, 3 for colour (red, green, blue). Transparency is dropped on reading.
  public let channels: Int
  /// `channels · height · width` values.
  public var samples: [Float]
  /// The values that the storage format can hold, for example `0 ... 255`.
  public let range: ClosedRange<Float>
  /// Distance between pixel centres in millimetres; nil where the file does not tell.
  public var spacing: PixelSpacing?
  /// Where the pixels came from.
  public var provenance: Provenance

  /// Creates an image from its samples.
  /// - Precondition: `samples.count == width * height * channels` and every extent is positive.
  public init(
    width: Int, height: Int, channels: Int = 1, samples: [Float], range: ClosedRange<Float> = 0...1,
    spacing: PixelSpacing? = nil, provenance: Provenance = Provenance()
  ) {
    precondition(width > 0 && height > 0 && channels > 0 && samples.count == width * height * channels)
    self.width = width
    self.height = height
    self.channels = channels
    self.samples = samples
    self.range = range
    self.spacing = spacing
    self.provenance = provenance
  }
}

/// Distance between pixel centres, in millimetres.
public struct PixelSpacing: Equatable, Sendable {
  /// Between one row and the next.
  public var row: Double
  /// Between one column and the next.
  public var column: Double

  /// Creates a spacing from its two distances.
  public init(row: Double, column: Double) {
    self.row = row
    self.column = column
  }
}

/// Where an image came from.
public struct Provenance: Equatable, Sendable {
  /// The file's path as it was given; nil for images made in memory.
  public var path: String?
  /// The file format's usual name, for example `PNG`.
  public var format: String?
  /// Bits that each sample has in the file.
  public var bitsPerSample: Int?
  /// What is worth knowing although the samples can be used, one sentence each.
  public var remarks: [String]

  /// Creates a provenance; what is not known stays nil.
  public init(path: String? = nil, format: String? = nil, bitsPerSample: Int? = nil, remarks: [String] = []) {
    self.path = path
    self.format = format
    self.bitsPerSample = bitsPerSample
    self.remarks = remarks
  }
}
