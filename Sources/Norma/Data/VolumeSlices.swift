import MedicalImaging
import Torch

/// The slices of a volume along one of its axes, each a network's input of its own.
///
/// They are shown in the radiological way: axial slices with rows from front to back and columns from the patient's right to the
/// left, coronal ones with rows from head to feet and columns from right to left, sagittal ones with rows from head to feet and
/// columns from front to back. As volumes are in the order closest to RAS, that is half a turn in each plane.
struct VolumeSlices: Equatable, Sendable {
  /// Where all slices, one behind the other, lie in the volume.
  let field: GridPlacement
  /// The axis that the slices are counted along.
  let axis: Int
  /// The slices of the field that the network sees, ascending.
  let seen: [Int]

  /// - Parameter step: about every so manieth slice is seen: as many as that makes, at even distances, each in the middle of
  ///   its share of the volume. A map over them that is stretched to the volume lies right to half a slice.
  init(of field: GridPlacement, along axis: Int, step: Int) {
    let all = field.axes[axis].count
    let count = max(1, Int((Double(all) / Double(step)).rounded()))
    (self.field, self.axis) = (field, axis)
    seen = (0..<count).map { (2 * $0 + 1) * all / (2 * count) }
  }

  /// Where the network's grid lies in every slice's.
  var placement: GridPlacement {
    let axes = inPlane.map { field.axes[$0].mirrored }
    return GridPlacement(grid: ImageGrid(extents: axes.map(\.extent)), axes: axes)
  }

  /// The slices that the network sees of a field without its padding, `[1, 1, D, H, W]`: `[slices, height, width]`.
  func cut(_ covered: Tensor) throws(TorchError) -> Tensor {
    var slices = try covered.reshaped(Array(covered.shape.suffix(3)))
    if seen.count < slices.extent(axis) {
      slices = try slices.selecting(Tensor(seen, shape: [seen.count], on: slices.device), axis: axis)
    }
    return try slices.permuted([axis] + inPlane).flipped([1, 2])
  }

  /// Maps of the slices, `[slices, height, width]` at whatever resolution, as one map over the field.
  func joined(_ maps: Tensor) throws(TorchError) -> Tensor {
    let order = [axis] + inPlane
    return try maps.flipped([1, 2]).permuted([0, 1, 2].map { axis in order.firstIndex(of: axis) ?? axis })
  }

  /// The axes of a slice's rows and columns.
  private var inPlane: [Int] { [0, 1, 2].filter { $0 != axis } }
}

extension AxisPlacement {
  /// The same of an axis that runs the other way.
  var mirrored: AxisPlacement {
    AxisPlacement(
      extent: extent, source: extent - source.upperBound..<extent - source.lowerBound, resampled: resampled,
      count: count, offset: count - resampled - offset)
  }
}
