import Foundation
import Torch

/// The density of healed intensities at each pixel, by Gaussian kernels over the samples (§5), all pixels at once.
struct KernelDensity {
  /// How wide kernels are.
  let rule: TokenMaskingConfiguration.Detection.Bandwidth
  /// Least or added bandwidth, in units of the samples.
  let floor: Double
  /// Bytes that the differences of one chunk of pixels may take.
  private static let chunkBytes = 64 << 20

  /// Bandwidths h of samples `[n, V]`: `[V]`.
  func bandwidths(of samples: Tensor) throws(TorchError) -> Tensor {
    let count = Double(samples.extent(0))
    let deviation = try samples.variance([0]).squareRoot()
    let thumb = try deviation * (1.06 * pow(count, -0.2))
    switch rule {
    case .added: return try thumb + floor
    case .atLeast: return try thumb.clamped(floor, .infinity)
    case .sheatherJones:
      let columns: [Double] = try samples.transposed(0, 1).contiguous().values(as: Double.self)
      let fallback: [Double] = try thumb.values(as: Double.self)
      let rows = samples.extent(0)
      let found = fallback.indices.map { pixel in
        ImprovedSheatherJones.bandwidth(Array(columns[pixel * rows..<(pixel + 1) * rows])) ?? fallback[pixel]
      }
      return try Tensor(found.map { Float(max($0, floor)) }, shape: [found.count], on: samples.device)
    }
  }

  /// log p(x) of observed values `[V]` among samples `[n, V]`: `[V]`.
  func logDensity(of observed: Tensor, among samples: Tensor) throws(TorchError) -> Tensor {
    let (relative, bandwidths) = try relativeLogDensity(of: observed, among: samples)
    return try relative - (bandwidths * (2 * Double.pi).squareRoot()).log()
  }

  /// `−log(p(x) · h · √2π + 1e-12)`: how unlikely values `[V]` are, relative to the kernel's peak; 0 at least, 27.6 at most.
  func surprise(of observed: Tensor, among samples: Tensor) throws(TorchError) -> Tensor {
    try -(relativeLogDensity(of: observed, among: samples).density.exp() + 1e-12).log()
  }

  /// log of the mean over samples of `exp(−(x − y)² / 2h²)`, and h.
  private func relativeLogDensity(
    of observed: Tensor, among samples: Tensor
  ) throws(TorchError) -> (density: Tensor, bandwidths: Tensor) {
    let (count, pixels) = (samples.extent(0), samples.extent(1))
    let step = max(1, Self.chunkBytes / (12 * count))
    var densities: [Tensor] = []
    var widths: [Tensor] = []
    for start in stride(from: 0, to: pixels, by: step) {
      let range = start..<min(start + step, pixels)
      let part = try samples.sliced(range, axis: 1)
      let width = try bandwidths(of: part)
      let distances = try ((part - observed.sliced(range, axis: 0)) / width).squared() * -0.5
      densities.append(try distances.logSumExp([0]) - log(Double(count)))
      widths.append(width)
    }
    return (try .concatenated(densities, axis: 0), try .concatenated(widths, axis: 0))
  }
}
