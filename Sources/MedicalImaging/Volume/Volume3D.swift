/// A three-dimensional image with one sample a voxel: samples plus geometry plus provenance.
///
/// Samples run along x first, then y, then z (`index = (z · height + y) · width + x`), in the units of the file, for
/// example Hounsfield units or SUV, with the file's slope and intercept applied.
public struct Volume3D: Equatable, Sendable {
  /// Voxels along x.
  public let width: Int
  /// Voxels along y.
  public let height: Int
  /// Voxels along z.
  public let depth: Int
  /// `depth · height · width` values.
  public let samples: [Float]
  /// The smallest and the largest sample, unless told otherwise: formats of volumes fix no scale.
  public let range: ClosedRange<Float>
  /// From voxel indices to millimetres in the patient.
  public var affine: Affine3D
  /// Where the voxels came from.
  public var provenance: Provenance

  /// Creates a volume from its samples.
  /// - Parameter range: the values that count as black and white; nil: the smallest and the largest sample.
  /// - Precondition: `samples.count == width * height * depth` and every extent is positive.
  public init(
    width: Int, height: Int, depth: Int, samples: [Float], range: ClosedRange<Float>? = nil,
    affine: Affine3D = Affine3D(spacing: .one), provenance: Provenance = Provenance()
  ) {
    precondition(width > 0 && height > 0 && depth > 0 && samples.count == width * height * depth)
    (self.width, self.height, self.depth) = (width, height, depth)
    self.samples = samples
    self.range =
      range ?? samples.reduce(samples[0]...samples[0]) { min($0.lowerBound, $1)...max($0.upperBound, $1) }
    self.affine = affine
    self.provenance = provenance
  }

  /// Millimetres between voxel centres along x, y and z.
  public var spacing: SIMD3<Double> { affine.spacing }

  /// The grid that the samples lie on.
  public var grid: ImageGrid { ImageGrid(extents: [depth, height, width], affine: affine) }

  /// Which voxels a mask marks: those above 0.5, so that 1, 255 and every label count.
  public var markedVoxels: [Bool] { samples.map { $0 > 0.5 } }
}
