import Torch

/// Noise of large grains (§2): normal numbers on a coarse grid, enlarged bilinearly to the image's sides and shifted around by
/// a random amount, so that the grid lies nowhere in particular.
struct CoarseNoise {
  /// Side of the coarse grid.
  let side: Int
  /// Standard deviation on the coarse grid.
  let deviation: Double

  /// Noise of a shape, `[B, 1, H, W]`; images of one batch are shifted alike.
  func callAsFunction(shape: [Int], random: Generator) throws(TorchError) -> Tensor {
    let enlarged = try enlarged(shape: shape, random: random)
    let (rows, columns) = (
      try random.integers(in: 0..<shape[2], shape: [1]), try random.integers(in: 0..<shape[3], shape: [1])
    )
    return try enlarged.rolled(by: Int(rows.item()), axis: 2).rolled(by: Int(columns.item()), axis: 3)
  }

  /// The same before it is shifted.
  func enlarged(shape: [Int], random: Generator) throws(TorchError) -> Tensor {
    let coarse = try random.normal(standardDeviation: deviation, shape: [shape[0], shape[1], side, side])
    return try coarse.resized(to: [shape[2], shape[3]])
  }
}
