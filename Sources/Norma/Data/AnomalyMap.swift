public import MedicalImaging
import Torch

/// Where in an image or a volume something unusual is, and how unusual.
public struct AnomalyMap: Equatable, Sendable {
  /// The grid that the values lie on.
  public let grid: ImageGrid
  /// Values in the order of `Image2D` and `Volume3D`, larger where more unusual; the unit is the method's.
  public let values: [Float]

  /// Columns, or voxels along x.
  public var width: Int { grid.width }
  /// Rows, or voxels along y.
  public var height: Int { grid.height }
  /// Voxels along z; 1 for images.
  public var depth: Int { grid.depth }

  /// A map of an image or a volume.
  /// - Precondition: there are as many values as the grid has samples.
  init(grid: ImageGrid, values: [Float]) {
    precondition(values.count == grid.count)
    (self.grid, self.values) = (grid, values)
  }

  /// The map with its values as samples, range from the smallest to the largest.
  public var image: MedicalImage {
    let range = values.reduce(values[0]...values[0]) { min($0.lowerBound, $1)...max($0.upperBound, $1) }
    return MedicalImage(values, on: grid, range: range)
  }

  /// Splits `[B, H, W]`, or `[B, D, H, W]` of volumes, into maps, resized to `grids` (bilinear, trilinear), one per image.
  static func maps(_ batch: Tensor, on grids: [ImageGrid]) throws(TorchError) -> [AnomalyMap] {
    var maps: [AnomalyMap] = []
    for (index, grid) in grids.enumerated() {
      let map = try batch.sliced(index..<index + 1, axis: 0).unsqueezed(0)
      let resized = try Array(map.shape.dropFirst(2)) == grid.extents ? map : map.resized(to: grid.extents)
      maps.append(AnomalyMap(grid: grid, values: try resized.values()))
    }
    return maps
  }
}
