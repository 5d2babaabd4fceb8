import Torch

/// Brings values on a feature map's grid to the image's sides, bilinearly, and smooths them with a Gaussian: how PaDiM (§III-C)
/// and PatchCore (§3.3) make anomaly maps.
struct MapEnlargement {
  private let sides: [Int]
  /// Nil: nothing is smoothed.
  private let filter: GaussianFilter?

  /// - Parameter smoothing: standard deviation in pixels of the image; 0: none.
  init(to sides: [Int], smoothing: Double) throws(TorchError) {
    self.sides = sides
    filter = smoothing > 0 ? try GaussianFilter(sigma: smoothing, sides: sides, dtype: .float32, on: .cpu) : nil
  }

  /// Maps `[B, H, W]` of values `[B, h, w]`.
  func callAsFunction(_ values: Tensor) throws(TorchError) -> Tensor {
    let enlarged = try values.unsqueezed(1).resized(to: sides).squeezed(1)
    guard let filter else { return enlarged }
    return try filter.moved(to: enlarged.device)(enlarged)
  }
}
