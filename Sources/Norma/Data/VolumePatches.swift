import MedicalImaging
import Torch

/// The overlapping boxes that a volume is cut into, each a network's input of its own.
///
/// Along every axis they lie at even distances, the first and the last flush with the volume's ends. A volume that is shorter
/// than a box is padded.
struct VolumePatches: Equatable, Sendable {
  /// Where the volume that is cut lies in the file's: at the volume's own scale or the one that is asked for, no side shorter
  /// than a box's.
  let field: GridPlacement
  /// Sides of a box.
  let extents: [Int]
  /// The first samples of the boxes along every axis.
  let starts: [[Int]]
  /// How much every sample of a box along an axis has to say where boxes overlap: the most in the box's middle, less towards
  /// its ends (a triangle). The shares of all boxes at one place add up to 1.
  let shares: [[[Float]]]

  /// - Parameter overlap: the least share of a side that two neighbours have in common, 0 to below 1.
  /// - Precondition: no side of the field is shorter than the box's.
  init(of field: GridPlacement, extents: [Int], overlap: Double) {
    let starts = zip(field.axes, extents).map { axis, extent -> [Int] in
      let last = axis.count - extent
      let step = max(1, Int((Double(extent) * (1 - overlap)).rounded(.down)))
      let gaps = (last + step - 1) / step
      return (0...gaps).map { gaps == 0 ? 0 : $0 * last / gaps }
    }
    (self.field, self.extents, self.starts) = (field, extents, starts)
    shares = extents.indices.map { axis in
      let extent = extents[axis]
      let triangle = (0..<extent).map { Float(min($0, extent - 1 - $0) + 1) }
      var sums = [Float](repeating: 0, count: field.axes[axis].count)
      for start in starts[axis] {
        for sample in 0..<extent { sums[start + sample] += triangle[sample] }
      }
      return starts[axis].map { start in (0..<extent).map { triangle[$0] / sums[start + $0] } }
    }
  }

  /// How many boxes there are.
  var count: Int { starts.reduce(1) { $0 * $1.count } }

  /// Which of the boxes along every axis a box is.
  private func place(of number: Int) -> [Int] {
    [
      number / (starts[1].count * starts[2].count), number / starts[2].count % starts[1].count,
      number % starts[2].count,
    ]
  }

  /// Where the network's grid lies in the volume at the scale that it is cut at.
  func placement(of number: Int) -> GridPlacement {
    let place = place(of: number)
    let axes = field.axes.enumerated().map { axis, placement -> AxisPlacement in
      guard placement.covered.count == placement.count else {
        return AxisPlacement(
          extent: placement.resampled, source: 0..<placement.resampled, resampled: placement.resampled,
          count: placement.count, offset: placement.offset)
      }
      let start = starts[axis][place[axis]]
      return AxisPlacement(
        extent: placement.count, source: start..<start + extents[axis], resampled: extents[axis], count: extents[axis])
    }
    return GridPlacement(grid: ImageGrid(extents: axes.map(\.extent)), axes: axes)
  }

  /// Calls `body` with every row of a box: where it begins in the box and in the field, and its place in the box.
  private func forEachRow(of number: Int, _ body: (_ inBox: Int, _ inField: Int, _ z: Int, _ y: Int) -> Void) {
    let place = place(of: number)
    let first = place.indices.map { starts[$0][place[$0]] }
    let (height, width) = (field.axes[1].count, field.axes[2].count)
    for z in 0..<extents[0] {
      for y in 0..<extents[1] {
        body((z * extents[1] + y) * extents[2], ((first[0] + z) * height + first[1] + y) * width + first[2], z, y)
      }
    }
  }

  /// A box of a field's values, `channels` times the field: `channels` times the box.
  func values(of number: Int, in values: [Float], channels: Int) -> [Float] {
    let count = field.axes.reduce(1) { $0 * $1.count }
    var box: [Float] = []
    box.reserveCapacity(channels * extents.reduce(1, *))
    for channel in 0..<channels {
      forEachRow(of: number) { _, inField, _, _ in
        let start = channel * count + inField
        box += values[start..<start + extents[2]]
      }
    }
    return box
  }

  /// Adds a box's share to a map over the field.
  /// - Parameter box: the map of the box, as many values as the box has samples.
  func add(_ box: [Float], of number: Int, to map: inout [Float]) {
    let place = place(of: number)
    let (depth, height, width) = (shares[0][place[0]], shares[1][place[1]], shares[2][place[2]])
    map.withUnsafeMutableBufferPointer { map in
      forEachRow(of: number) { inBox, inField, z, y in
        let share = depth[z] * height[y]
        for x in 0..<extents[2] { map[inField + x] += share * width[x] * box[inBox + x] }
      }
    }
  }
}
