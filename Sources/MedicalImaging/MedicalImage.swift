import Foundation

/// An image or a volume, for whatever works on both.
public enum MedicalImage: Equatable, Sendable {
  /// A two-dimensional image.
  case image(Image2D)
  /// A volume.
  case volume(Volume3D)

  /// Creates an image or a volume of one channel, as its grid says.
  /// - Precondition: there are as many samples as the grid has.
  public init(_ samples: [Float], on grid: ImageGrid, range: ClosedRange<Float>) {
    if let affine = grid.affine {
      self = .volume(
        Volume3D(
          width: grid.width, height: grid.height, depth: grid.depth, samples: samples, range: range, affine: affine))
    } else {
      self = .image(Image2D(width: grid.width, height: grid.height, samples: samples, range: range))
    }
  }

  /// Reads an image, or a volume where one is wanted, its voxels in the order closest to the patient's axes
  /// (`Volume3D.canonical`), so that the volumes of a data set, their masks and paired volumes are alike however each is
  /// stored.
  /// - Throws: `ImageError`; a file of the other kind is `ImageError.otherKind`.
  public static func read(_ path: String, isVolume: Bool) throws(ImageError) -> MedicalImage {
    isVolume ? .volume(try VolumeReader.read(path).canonical) : .image(try ImageReader.read(path))
  }

  /// The grid that the samples lie on.
  public var grid: ImageGrid {
    switch self {
    case .image(let image): image.grid
    case .volume(let volume): volume.grid
    }
  }

  /// The values, as `Image2D` and `Volume3D` store them.
  public var samples: [Float] {
    switch self {
    case .image(let image): image.samples
    case .volume(let volume): volume.samples
    }
  }

  /// Black and white.
  public var range: ClosedRange<Float> {
    switch self {
    case .image(let image): image.range
    case .volume(let volume): volume.range
    }
  }

  /// Where the samples came from.
  public var provenance: Provenance {
    switch self {
    case .image(let image): image.provenance
    case .volume(let volume): volume.provenance
    }
  }

  /// Columns, or voxels along x.
  public var width: Int { grid.width }
  /// Rows, or voxels along y.
  public var height: Int { grid.height }
  /// Voxels along z; 1 for images.
  public var depth: Int { grid.depth }

  /// The samples in one channel; colours become their luma (`Image2D.grey`).
  public var grey: [Float] {
    switch self {
    case .image(let image): image.grey.samples
    case .volume(let volume): volume.samples
    }
  }

  /// Millimetres between samples along each axis, slowest first; nil where the file does not tell, or nothing that can be used.
  public var distances: [Double]? {
    let distances: [Double]? =
      switch self {
      case .image(let image): image.spacing.map { [$0.row, $0.column] }
      case .volume(let volume): [volume.spacing.z, volume.spacing.y, volume.spacing.x]
      }
    return distances.flatMap { $0.allSatisfy { (1e-6...1e6).contains($0) } ? $0 : nil }
  }

  /// The samples in one channel with a window mapped onto 0 ... 1; what lies outside becomes 0 or 1.
  /// - Parameter window: the values that become 0 and 1; nil: the whole range.
  public func normalised(over window: ClosedRange<Float>? = nil) -> [Float] {
    let window = window ?? range
    let (low, extent) = (window.lowerBound, window.upperBound - window.lowerBound)
    return grey.map { extent > 0 ? min(max(($0 - low) / extent, 0), 1) : 0 }
  }

  /// Which samples a mask marks; see `Image2D.markedPixels` and `Volume3D.markedVoxels`.
  public var marked: [Bool] {
    switch self {
    case .image(let image): image.markedPixels
    case .volume(let volume): volume.markedVoxels
    }
  }
}

// MARK: - File names

extension MedicalImage {
  /// The extensions by which a folder's images and volumes are found, in lower case.
  public static let fileExtensions = ImageFormat.fileExtensions.union(VolumeFormat.fileExtensions)
    .union(NumPyFile.fileExtensions)

  /// A file's name, or its path, without the extension of an image or a volume; what stands behind a `#` follows a `-`.
  public static func stem(of name: String) -> String {
    if let mark = name.lastIndex(of: "#"), isNamed(String(name[..<mark])) {
      return stem(of: String(name[..<mark])) + "-" + name[name.index(after: mark)...]
    }
    let lower = name.lowercased()
    let known = fileExtensions.filter { lower.hasSuffix("." + $0) }.max { $0.count < $1.count }
    return known.map { String(name.dropLast($0.count + 1)) } ?? (name as NSString).deletingPathExtension
  }

  /// Whether a file's name has such an extension.
  static func isNamed(_ name: String) -> Bool {
    let lower = name.lowercased()
    return fileExtensions.contains { lower.hasSuffix("." + $0) }
  }
}
