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

  /// Splits `[B, H, W]`, or `[B, D, H, W]` of volumes, into maps over the whole of `grids`, resized to them (bilinear,
  /// trilinear), one per image.
  static func maps(_ batch: Tensor, on grids: [ImageGrid]) throws(TorchError) -> [AnomalyMap] {
    let sides = Array(batch.shape.dropFirst())
    return try maps(batch, at: grids.map { GridPlacement(stretching: $0, to: sides) })
  }

  /// Splits the same into maps on the images' own grids, linear between values. Where the network saw nothing of an image the
  /// map is zero, or its smallest value where that is below zero: nothing is less unusual.
  /// - Parameter placements: where the network's grid lies in each image's.
  static func maps(_ batch: Tensor, at placements: [GridPlacement]) throws(TorchError) -> [AnomalyMap] {
    var maps: [AnomalyMap] = []
    for (index, placement) in placements.enumerated() {
      maps.append(try AnomalyMap(batch.selected(index, axis: 0), at: placement))
    }
    return maps
  }

  /// A map `[sides…]` over the network's grid, or over what its views were put together to, on the image's own grid.
  init(_ map: Tensor, at placement: GridPlacement) throws(TorchError) {
    let outside = try placement.seesWhole ? 0 : min(0, placement.covered(map).minimum().item())
    let restored = try placement.restored(map, outside: outside)
    self.init(grid: placement.grid, values: try restored.contiguous().values())
  }
}
