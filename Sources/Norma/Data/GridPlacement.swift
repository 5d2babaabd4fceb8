import MedicalImaging
import Torch

/// Where the grid of a network's input lies in the grid of an image: used forward, from the image to the network, and
/// backward, from what the network says to the image's own geometry.
struct GridPlacement: Equatable, Sendable {
  /// The image's own grid.
  let grid: ImageGrid
  /// One per axis, slowest first.
  let axes: [AxisPlacement]

  /// The whole image, each side stretched or shrunk to the network's.
  /// - Precondition: there are as many extents as the grid has.
  init(stretching grid: ImageGrid, to extents: [Int]) {
    precondition(grid.extents.count == extents.count)
    self.init(
      grid: grid,
      axes: zip(grid.extents, extents).map { AxisPlacement(extent: $0, source: 0..<$0, resampled: $1, count: $1) })
  }

  /// Puts a placement together.
  init(grid: ImageGrid, axes: [AxisPlacement]) { (self.grid, self.axes) = (grid, axes) }

  /// Whether the whole image is stretched over the whole network.
  var isStretched: Bool { axes.allSatisfy(\.isStretched) }
  /// Whether the network sees the whole image.
  var seesWhole: Bool { axes.allSatisfy(\.seesWhole) }
  /// Whether some of the network's samples show nothing of the image.
  var isPadded: Bool { axes.contains { $0.covered.count < $0.count } }
  /// Sides of what the network sees of the image, in its own samples.
  var coveredExtents: [Int] { axes.map(\.covered.count) }

  // MARK: From the image to the network

  /// What the network sees of an image `[1, 1, H, W]` or a volume `[1, 1, D, H, W]`, at the network's scale, without padding.
  ///
  /// Shrinking is antialiased and bicubic along every axis, as in the official code (Pillow's filter).
  func resampled(_ tensor: Tensor) throws(TorchError) -> Tensor {
    let source = try sliced(tensor, to: axes.map(\.source))
    let extents = axes.map(\.resampled)
    guard axes.map(\.source.count) != extents else { return try sliced(source, to: axes.map(\.kept)) }
    let inPlane = Array(extents.suffix(2))
    guard extents.count == 3 else {
      return try sliced(source.resized(to: inPlane, .cubic, antialias: true), to: axes.map(\.kept))
    }
    let slices = try sliced(
      source.squeezed(0).resized(to: inPlane, .cubic, antialias: true), to: axes.suffix(2).map(\.kept))
    guard slices.extent(1) != extents[0] else { return try sliced(slices.unsqueezed(0), to: axes.map(\.kept)) }
    let (height, width) = (slices.extent(2), slices.extent(3))
    let lines = try slices.reshaped([1, 1, slices.extent(1), height * width])
      .resized(to: [extents[0], height * width], .cubic, antialias: true)
    return try sliced(lines.reshaped([1, 1, extents[0], height, width]), to: axes.map(\.kept))
  }

  /// What the network sees, `[…, coveredExtents…]`, with zeros around it up to the network's sides.
  func padded(_ covered: Tensor) throws(TorchError) -> Tensor {
    guard isPadded else { return covered }
    return try covered.padded(
      axes.reversed().flatMap { [$0.covered.lowerBound, $0.count - $0.covered.upperBound] })
  }

  /// 1 where the network's samples show the image, 0 in the padding: `[extents…]`.
  func coverage(on device: Device) throws(TorchError) -> Tensor {
    try padded(Tensor.ones(coveredExtents, on: device))
  }

  // MARK: From the network to the image

  /// The part of a map `[sides…]` over the network's grid, of whatever resolution, that shows the image.
  func covered(_ map: Tensor) throws(TorchError) -> Tensor {
    try sliced(map, to: zip(axes, map.shape).map { $0.covered(of: $1) })
  }

  /// A map `[sides…]` over the network's grid, of whatever resolution, on the image's own grid: linear between values. Padding
  /// has no influence.
  /// - Parameter outside: the value where the network saw nothing of the image.
  func restored(_ map: Tensor, outside: Double = 0) throws(TorchError) -> Tensor {
    guard !isStretched else {
      guard map.shape != grid.extents else { return map }
      return try map.unsqueezed(0).unsqueezed(0).resized(to: grid.extents).squeezed(0).squeezed(0)
    }
    var map = map
    for (axis, placement) in axes.enumerated() {
      let taps = placement.taps(in: map.extent(axis))
      let first = try map.selecting(Tensor(taps.first, on: map.device), axis: axis)
      guard taps.shares.contains(where: { $0 > 0 }) else {
        map = first
        continue
      }
      let second = try map.selecting(Tensor(taps.second, on: map.device), axis: axis)
      let shape = axes.indices.map { $0 == axis ? taps.shares.count : 1 }
      map = try first + (second - first) * Tensor(taps.shares, shape: shape, on: map.device)
    }
    guard axes.contains(where: { $0.seen.count < $0.extent }) else { return map }
    return try map.padded(
      axes.reversed().flatMap { [$0.seen.lowerBound, $0.extent - $0.seen.upperBound] }, with: .constant(outside))
  }

  private func sliced(_ tensor: Tensor, to ranges: [Range<Int>]) throws(TorchError) -> Tensor {
    var tensor = tensor
    for (offset, range) in ranges.enumerated() {
      let axis = tensor.rank - ranges.count + offset
      if range.count < tensor.extent(axis) { tensor = try tensor.sliced(range, axis: axis) }
    }
    return tensor
  }
}
