import Foundation

/// The grid that the samples of an image or a volume lie on.
public struct ImageGrid: Equatable, Sendable, CustomStringConvertible {
  /// Samples along each side, slowest first: `[height, width]`, or `[depth, height, width]` of a volume.
  public let extents: [Int]
  /// From voxel indices of a volume to millimetres in the patient; nil for images.
  public let affine: Affine3D?

  /// The grid of an image.
  public init(width: Int, height: Int) { self.init(extents: [height, width]) }

  /// A grid with its sides slowest first.
  /// - Parameter affine: how the voxels of a volume lie; nil: along the patient's axes, a millimetre apart.
  /// - Precondition: there are two or three sides.
  public init(extents: [Int], affine: Affine3D? = nil) {
    precondition(extents.count == 2 || extents.count == 3)
    self.extents = extents
    self.affine = extents.count == 3 ? affine ?? Affine3D(spacing: .one) : nil
  }

  /// Whether the grid is a volume's.
  public var isVolume: Bool { extents.count == 3 }
  /// Columns, or voxels along x.
  public var width: Int { extents[extents.count - 1] }
  /// Rows, or voxels along y.
  public var height: Int { extents[extents.count - 2] }
  /// Voxels along z; 1 for images.
  public var depth: Int { isVolume ? extents[0] : 1 }
  /// Samples in all.
  public var count: Int { extents.reduce(1, *) }

  /// Whether samples of both grids belong together: equal extents and, of volumes, every corner within half a voxel of the
  /// other's.
  public func coincides(with other: ImageGrid) -> Bool {
    guard extents == other.extents else { return false }
    guard let affine, let otherAffine = other.affine else { return true }
    let tolerance = min(affine.spacing.min(), otherAffine.spacing.min()) / 2
    return (0..<8).allSatisfy { corner in
      let index = SIMD3(
        corner & 1 == 0 ? 0 : Double(width - 1), corner & 2 == 0 ? 0 : Double(height - 1),
        corner & 4 == 0 ? 0 : Double(depth - 1))
      let way = affine.position(of: index) - otherAffine.position(of: index)
      return (way * way).sum() <= tolerance * tolerance
    }
  }

  /// What is worth knowing of the grid of the image at `path` although it can be used, a sentence: slices that are tilted, as
  /// those of a gantry are. Nothing is resampled for that; the affine holds the shear, and whatever is written in the
  /// volume's geometry lies where it belongs.
  public func remark(about path: String) -> String? {
    guard let tilt = affine?.tilt, tilt > 0.1 else { return nil }
    return
      "\(path): the slices are tilted by \(String(format: "%.1f", tilt))° against the direction in which they follow each "
      + "other; they are used as they are stored, and the geometry of what is written keeps the tilt."
  }

  /// The grid with other extents over the same space.
  /// - Precondition: there are as many extents as the grid has.
  public func resampled(to extents: [Int]) -> ImageGrid {
    precondition(extents.count == self.extents.count)
    let factors = zip(self.extents, extents).map { Double($0) / Double($1) }
    return ImageGrid(
      extents: extents,
      affine: affine?.coarser(by: SIMD3(factors[factors.count - 1], factors[factors.count - 2], factors[0])))
  }

  /// For example `96×90 pixels` or `48×32×32 voxels`, along x first.
  public var description: String { "\(size) \(isVolume ? "voxels" : "pixels")" }

  /// For example `96×90`, along x first.
  public var size: String { extents.reversed().map(String.init).joined(separator: "×") }
}

extension Image2D {
  /// The grid that the samples lie on.
  public var grid: ImageGrid { ImageGrid(width: width, height: height) }
}
