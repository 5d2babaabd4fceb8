import Foundation
import Torch

/// Splits an image into bands by differences of Gaussians and measures each band's energy cell by cell.
struct BandEnergies {
  private let kernels: [Tensor]
  private let grid: Int

  init(_ configuration: BandEnergyConfiguration) throws(TorchError) {
    grid = configuration.grid
    var kernels: [Tensor] = []
    for sigma in configuration.sigmas {
      kernels.append(try Self.kernel(sigma: sigma * Double(configuration.imageSize) / 128))
    }
    self.kernels = kernels
  }

  /// A sampled Gaussian that sums to 1, out to four standard deviations, `[1, 1, n, 1]`.
  static func kernel(sigma: Double) throws(TorchError) -> Tensor {
    let radius = Int(4 * sigma + 0.5)
    let weights = (-radius...radius).map { exp(-Double($0 * $0) / (2 * sigma * sigma)) }
    let total = weights.reduce(0, +)
    return try Tensor(weights.map { Float($0 / total) }, shape: [1, 1, weights.count, 1])
  }

  /// The bands of standardised images: what each Gaussian removes, finest first, and the rest. `[B, bands, H, W]`.
  func bands(of images: Tensor) throws(TorchError) -> Tensor {
    let mean = try images.mean([1, 2, 3], keepingAxes: true)
    let deviation = try (images.variance([1, 2, 3], keepingAxes: true) + 1e-8).squareRoot()
    var finer = try (images - mean) / deviation
    var bands: [Tensor] = []
    let standardised = finer
    for kernel in kernels {
      let coarser = try blurred(standardised, by: kernel)
      bands.append(try finer - coarser)
      finer = coarser
    }
    return try .concatenated(bands + [finer], axis: 1)
  }

  /// Log mean energies of every band in every cell, `[B, bands, grid, grid]`.
  func callAsFunction(_ images: Tensor) throws(TorchError) -> Tensor {
    try (bands(of: images).squared().averagePooled(to: [grid, grid]) + 1e-6).log()
  }

  /// Rows, then columns; the image is mirrored at its edges.
  private func blurred(_ images: Tensor, by kernel: Tensor) throws(TorchError) -> Tensor {
    let radius = kernel.extent(2) / 2
    let onDevice = try kernel.to(images.device)
    let padded = try images.padded([radius, radius, radius, radius], with: .reflect)
    let rows = try padded.convolved(with: onDevice, stride: [1, 1], padding: [0, 0])
    return try rows.convolved(with: onDevice.transposed(2, 3), stride: [1, 1], padding: [0, 0])
  }
}
