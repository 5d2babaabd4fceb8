import Torch

/// Splits maps into bands by differences of Gaussians and measures each band's energy cell by cell.
///
/// The yardstick measures images with it, SimSID's default score images, residuals and features.
struct BandEnergies {
  /// One matrix per Gaussian: `K · v · Kᵀ` blurs rows and columns at once.
  private let blurs: [Tensor]
  private let grid: Int
  private let keepsRest: Bool

  /// - Parameters:
  ///   - sigmas: standard deviations in pixels, ascending.
  ///   - side: side of the maps in pixels.
  ///   - grid: cells along each side.
  ///   - keepsRest: whether what the widest Gaussian leaves is a band as well.
  init(sigmas: [Double], side: Int, grid: Int, keepsRest: Bool) throws(TorchError) {
    self.grid = grid
    self.keepsRest = keepsRest
    var blurs: [Tensor] = []
    for sigma in sigmas {
      let matrix = GaussianFilter.matrix(sigma: sigma, side: side).map(Float.init)
      blurs.append(try Tensor(matrix, shape: [side, side]))
    }
    self.blurs = blurs
  }

  /// Bands of a map.
  var bandCount: Int { blurs.count + (keepsRest ? 1 : 0) }

  /// The bands of maps `[B, C, H, W]`, finest first: what each Gaussian removes beyond the one before, and the rest.
  func bands(of maps: Tensor) throws(TorchError) -> [Tensor] {
    // Differences of nearly equal numbers: never in mixed precision.
    try withoutAutocast(on: maps.device) { () throws(TorchError) in
      let maps = try maps.to(.float32)
      var finer = maps
      var bands: [Tensor] = []
      for blur in blurs {
        let matrix = try blur.to(maps.device)
        let coarser = try matrix.matmul(maps).matmul(matrix.transposed(0, 1))
        bands.append(try finer - coarser)
        finer = coarser
      }
      return keepsRest ? bands + [finer] : bands
    }
  }

  /// Mean energies over channels and cells, `[B, bands, grid, grid]`.
  /// - Parameter weights: how much each pixel counts, broadcast to the maps; nil: all alike.
  func callAsFunction(_ maps: Tensor, weights: Tensor? = nil) throws(TorchError) -> Tensor {
    var energies: [Tensor] = []
    for band in try bands(of: maps) {
      var energy = try band.squared().mean([1], keepingAxes: true)
      if let weights { energy = try energy * weights }
      energies.append(try energy.averagePooled(to: [grid, grid]))
    }
    return try .concatenated(energies, axis: 1)
  }
}
