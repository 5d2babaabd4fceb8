/// A blob: ellipsoids that overlap, with one uptake.
struct Tumour: Sendable {
  let lesion: PETPhantom.Lesion
  /// Patient coordinates in millimetres.
  let centre: SIMD3<Float>
  /// Mean semi-axis in millimetres.
  let radius: Float
  /// SUV.
  let uptake: Float
  /// Bodies that together are the blob; none reaches further than `reach` from the centre.
  let lobes: [Ellipsoid]

  /// The farthest that a blob's surface may lie from its centre, in mean semi-axes.
  static let extent: Float = 1.3

  /// Millimetres around the centre that hold the blob.
  var reach: Float { Self.extent * radius }

  /// What is told about the tumour.
  func finding(in grid: VoxelGrid, voxels: Int) -> PETPhantomCase.Finding {
    PETPhantomCase.Finding(
      lesion: lesion, centre: PETPhantomCase.Axes(grid.voxelPosition(of: centre)), radius: Double(radius),
      uptake: Double(uptake), voxels: voxels)
  }
}
