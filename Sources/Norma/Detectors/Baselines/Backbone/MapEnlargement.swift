import Torch

/// Brings values on a feature map's grid to the image's sides, bilinearly, and smooths them with a Gaussian: how PaDiM (§III-C)
/// and PatchCore (§3.3) make anomaly maps.
struct MapEnlargement {
  private let sides: [Int]
  private let smoothing: MapSmoothing

  /// - Parameter smoothing: standard deviation in pixels of the image; 0: none.
  init(to sides: [Int], smoothing: Double) throws(TorchError) {
    self.sides = sides
    self.smoothing = try MapSmoothing(sigma: smoothing, sides: sides)
  }

  /// Maps `[B, H, W]` of values `[B, h, w]`.
  func callAsFunction(_ values: Tensor) throws(TorchError) -> Tensor {
    try smoothing(values.unsqueezed(1).resized(to: sides).squeezed(1))
  }
}
