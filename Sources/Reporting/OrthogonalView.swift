public import MedicalImaging

/// Three slices of a volume through one voxel, side by side as one picture: axial, coronal, sagittal.
///
/// The slices follow the volume's own axes, each shown as the patient's axis that it runs closest to, in the radiological way:
/// the patient's right is on the left, the front at the top of axial slices and on the left of sagittal ones, the head at the
/// top. All three have one scale in millimetres; no values between voxels are made up.
public struct OrthogonalView: Equatable, Sendable {
  /// Columns of the picture.
  public let width: Int
  /// Rows of the picture.
  public let height: Int
  /// For each pixel, row by row, the sample that it shows; nil between and beside the slices.
  private let sources: [Int?]

  /// Pixels along the longest side of a slice, however unequal the voxels' sides are.
  private static let mostPixels = 1024.0

  /// Lays out the slices.
  /// - Parameters:
  ///   - grid: the volume's.
  ///   - voxel: the index that lies on all three slices, along x, y and z; limited to the grid.
  /// - Precondition: the grid is a volume's.
  public init(of grid: ImageGrid, through voxel: SIMD3<Int>) {
    guard let affine = grid.affine else { preconditionFailure("an image has no slices") }
    let extents = [grid.width, grid.height, grid.depth]
    let spacing = (0..<3).map { affine.spacing[$0] }
    let strides = [1, grid.width, grid.width * grid.height]
    let longest = zip(extents, spacing).map { Double($0) * $1 }.max() ?? 1
    let pitch = max(spacing.min() ?? 1, longest / Self.mostPixels)
    let anatomy = affine.anatomicalAxes
    /// Along one of the patient's axes, from its far end to its near one: the offset of each pixel's voxel.
    func offsets(_ direction: Int) -> [Int] {
      let axis = anatomy.axes[direction]
      let pixels = max(1, Int((Double(extents[axis]) * spacing[axis] / pitch).rounded()))
      return (0..<pixels).map { pixel in
        let index = min(Int((Double(pixel) + 0.5) / Double(pixels) * Double(extents[axis])), extents[axis] - 1)
        return (anatomy.ascends[direction] ? extents[axis] - 1 - index : index) * strides[axis]
      }
    }
    func fixed(_ direction: Int) -> Int {
      let axis = anatomy.axes[direction]
      return min(max(voxel[axis], 0), extents[axis] - 1) * strides[axis]
    }
    let (right, front, head) = (0, 1, 2)
    let slices = [(right, front, head), (right, head, front), (front, head, right)].map { columns, rows, through in
      (columns: offsets(columns), rows: offsets(rows), base: fixed(through))
    }
    let gap = max(1, (slices.map(\.columns.count).max() ?? 1) / 32)
    let width = slices.reduce(gap * 2) { $0 + $1.columns.count }
    let height = slices.map(\.rows.count).max() ?? 1
    var sources = [Int?](repeating: nil, count: width * height)
    var left = 0
    for slice in slices {
      let top = (height - slice.rows.count) / 2
      for (row, rowOffset) in slice.rows.enumerated() {
        for (column, offset) in slice.columns.enumerated() {
          sources[(top + row) * width + left + column] = slice.base + rowOffset + offset
        }
      }
      left += slice.columns.count + gap
    }
    (self.width, self.height, self.sources) = (width, height, sources)
  }

  /// The slices of values on the grid, with `background` around them.
  public func values<Value>(of samples: [Value], background: Value) -> [Value] {
    sources.map { $0.map { samples[$0] } ?? background }
  }

  /// The slices of a volume on the grid as a picture, black around them.
  /// - Parameter window: the values for black and white; values outside stay as they are.
  public func picture(of samples: [Float], window: ClosedRange<Float>) -> Image2D {
    Image2D(
      width: width, height: height, samples: values(of: samples, background: window.lowerBound), range: window)
  }
}
