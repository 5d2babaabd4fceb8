import Foundation
import Torch

/// How an image or volume is cut into patches: over two or three spatial axes alike.
///
/// Patches are counted row by row (slice by slice in volumes); a patch's values lie row by row, channels innermost, as in MAE.
struct PatchLayout {
  /// Extents of the spatial axes in pixels, `[H, W]` or `[D, H, W]`.
  let extents: [Int]
  /// Patch side in pixels, along every axis.
  let patchSize: Int
  /// Channels of the image.
  let channels: Int

  /// Patches along each axis.
  var grid: [Int] { extents.map { $0 / patchSize } }
  /// Patches of one image, n.
  var count: Int { grid.reduce(1, *) }
  /// Values of one patch, C · p² or C · p³.
  var patchWidth: Int { extents.reduce(channels) { width, _ in width * patchSize } }

  /// Images `[N, C, extents…]` as patches `[N, n, C · pᵃ]`.
  func patches(of images: Tensor) throws(TorchError) -> Tensor {
    let axes = extents.count
    let split = try images.reshaped([images.extent(0), channels] + grid.flatMap { [$0, patchSize] })
    let gridAxes = (0..<axes).map { 2 + 2 * $0 }
    return try split.permuted([0] + gridAxes + gridAxes.map { $0 + 1 } + [1])
      .reshaped([images.extent(0), count, patchWidth])
  }

  /// The inverse of `patches(of:)`: `[N, n, C · pᵃ]` as images `[N, C, extents…]`.
  func images(of patches: Tensor) throws(TorchError) -> Tensor {
    let axes = extents.count
    let split = try patches.reshaped(
      [patches.extent(0)] + grid + [Int](repeating: patchSize, count: axes) + [channels])
    let interleaved = (0..<axes).flatMap { [1 + $0, 1 + axes + $0] }
    return try split.permuted([0, 1 + 2 * axes] + interleaved).reshaped([patches.extent(0), channels] + extents)
  }

  /// One value per patch, `[N, n]`, over all pixels of its patch: `[N, 1, extents…]`.
  func spread(_ values: Tensor) throws(TorchError) -> Tensor {
    let count = values.extent(0)
    let blocks = try values.reshaped([count] + grid.flatMap { [$0, 1] })
    return try blocks.expanded([count] + grid.flatMap { [$0, patchSize] }).reshaped([count, 1] + extents)
  }

  /// Fixed sine-cosine positions, `[1, n, width]` (MAE; Vaswani et al. 2017): an equal share of the features for each axis,
  /// the last axis first, sines before cosines, frequencies 10000^(−i / count). Features that are left over are zero.
  func positions(width: Int) throws(TorchError) -> Tensor {
    let axes = extents.count
    let frequencies = width / (2 * axes)
    var values = [Float](repeating: 0, count: count * width)
    for patch in 0..<count {
      var rest = patch
      for (order, extent) in grid.reversed().enumerated() {
        let position = Double(rest % extent)
        rest /= extent
        for index in 0..<frequencies {
          let angle = position * pow(10_000, -Double(index) / Double(frequencies))
          let start = patch * width + order * 2 * frequencies + index
          values[start] = Float(sin(angle))
          values[start + frequencies] = Float(cos(angle))
        }
      }
    }
    return try Tensor(values, shape: [1, count, width])
  }
}
