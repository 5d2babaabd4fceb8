import Foundation
import Torch

/// Blurs maps over their last two or three axes with a sampled Gaussian, by a banded matrix per axis.
struct GaussianFilter {
  /// One matrix per axis, outermost first.
  private let matrices: [Tensor]

  /// - Parameters:
  ///   - sigma: standard deviation in pixels.
  ///   - sides: extents of the axes to blur, outermost first.
  init(sigma: Double, sides: [Int], dtype: DType, on device: Device) throws(TorchError) {
    var matrices: [Tensor] = []
    for side in sides {
      matrices.append(try Tensor(Self.matrix(sigma: sigma, side: side), shape: [side, side]).to(dtype).to(device))
    }
    self.matrices = matrices
  }

  /// A sampled Gaussian out to three standard deviations that sums to 1, as a matrix `[side, side]` by rows; the signal is
  /// mirrored at its ends, edge pixels included.
  static func matrix(sigma: Double, side: Int) -> [Double] {
    let radius = Int(3 * sigma + 0.5)
    let weights = (-radius...radius).map { exp(-Double($0 * $0) / (2 * sigma * sigma)) }
    let total = weights.reduce(0, +)
    var matrix = [Double](repeating: 0, count: side * side)
    for row in 0..<side {
      for (index, weight) in weights.enumerated() {
        let position = (row + index - radius) % (2 * side)
        let wrapped = position < 0 ? position + 2 * side : position
        matrix[row * side + (wrapped < side ? wrapped : 2 * side - 1 - wrapped)] += weight / total
      }
    }
    return matrix
  }

  /// The same filter on another device.
  func moved(to device: Device) throws(TorchError) -> GaussianFilter {
    GaussianFilter(matrices: try matrices.map { matrix throws(TorchError) in try matrix.to(device) })
  }

  private init(matrices: [Tensor]) { self.matrices = matrices }

  /// The blurred maps, shaped like `maps`; any number of axes may lead.
  func callAsFunction(_ maps: Tensor) throws(TorchError) -> Tensor {
    try withoutAutocast(on: maps.device) { () throws(TorchError) in try blurred(maps) }
  }

  private func blurred(_ maps: Tensor) throws(TorchError) -> Tensor {
    guard let last = matrices.last else { return maps }
    let maps = try maps.to(last.dtype)
    var blurred = try maps.linear(last)
    var inner = last.extent(0)
    for matrix in matrices.dropLast().reversed() {
      blurred = try matrix.matmul(blurred.reshaped([-1, matrix.extent(0), inner]))
      inner *= matrix.extent(0)
    }
    return try blurred.reshaped(maps.shape)
  }
}
