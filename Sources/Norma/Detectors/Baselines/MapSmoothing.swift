import Torch

/// The Gaussian that smooths maps, or nothing.
struct MapSmoothing {
  private let filter: GaussianFilter?

  /// - Parameters:
  ///   - sigma: standard deviation in pixels; 0: maps stay as they are.
  ///   - sides: of the maps.
  init(sigma: Double, sides: [Int]) throws(TorchError) {
    filter = sigma > 0 ? try GaussianFilter(sigma: sigma, sides: sides, dtype: .float32, on: .cpu) : nil
  }

  /// Maps of any number of leading axes, smoothed.
  func callAsFunction(_ maps: Tensor) throws(TorchError) -> Tensor {
    guard let filter else { return maps }
    return try filter.moved(to: maps.device)(maps)
  }
}
