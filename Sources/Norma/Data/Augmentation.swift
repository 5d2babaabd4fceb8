import Torch

/// Random shifts, changes of size, crops and reflections of training images (SimSID §4.2; MAE, appendix A), and of volumes.
struct Augmentation {
  private let configuration: AugmentationConfiguration

  init(_ configuration: AugmentationConfiguration) {
    self.configuration = configuration
  }

  /// Moves every image of `[B, C, H, W]` or `[B, C, D, H, W]` by its own whole-pixel shift and scale; what comes in from
  /// outside is `background`.
  func callAsFunction(_ images: Tensor, background: Double = 0, random: Generator) throws(TorchError) -> Tensor {
    guard !configuration.changesNothing else { return images }
    let grid = try Tensor.affineGrid(maps(of: images, random: random), size: images.shape)
    let interpolation: Interpolation = configuration.interpolation == .linear ? .linear : .nearest
    // A crop alone lies inside the image; its outermost pixels may be read half a pixel beyond it.
    let movesOut = configuration.translation > 0 || configuration.scale > 0
    guard movesOut, background != 0 else {
      return try images.sampled(at: grid, interpolation, outside: movesOut ? .zeros : .border)
    }
    return try (images - background).sampled(at: grid, interpolation) + background
  }

  /// Where each image is read, `[B, 2, 3]`, or `[B, 3, 4]` for volumes: rows and columns x, y, z, and the shift. Sampling
  /// coordinates run from −1 to 1: a pixel is 2 / side of them, and a larger image is read in smaller steps.
  private func maps(of images: Tensor, random: Generator) throws(TorchError) -> Tensor {
    let sides = images.shape.dropFirst(2).reversed().map(Float.init)
    let (count, axes) = (images.extent(0), sides.count)
    func perAxis(_ value: (Float) -> Float) throws(TorchError) -> Tensor {
      try Tensor(sides.map(value), shape: [1, axes, 1], on: images.device)
    }
    let range = configuration.translation * Double(sides[0])
    let shifts = try random.uniform(-range, range, shape: [count, axes, 1]) * perAxis { $0 / sides[0] }
    let moved = try shifts.rounded() * perAxis { -2 / $0 }
    var zoom = try random.uniform(1 - configuration.scale, 1 + configuration.scale, shape: [count, 1, 1]).reciprocal()
    var shift = try moved * zoom
    if configuration.smallestCrop < 1 {
      let share = try random.uniform(configuration.smallestCrop, 1, shape: [count, 1, 1])
      let kept = try axes == 2 ? share.squareRoot() : share.power(1 / Double(axes))
      shift = try shift * kept + random.uniform(-1, 1, shape: [count, axes, 1]) * (1 - kept)
      zoom = try zoom * kept
    }
    let identity = (0..<axes * axes).map { $0 % (axes + 1) == 0 ? Float(1) : 0 }
    var turned = try Tensor(identity, shape: [1, axes, axes], on: images.device) * zoom
    if configuration.horizontalFlip {
      let sign = try random.bernoulli(0.5, shape: [count, 1, 1]) * 2 - 1
      let columns = try [sign] + (1..<axes).map { _ throws(TorchError) in try sign.onesLike() }
      turned = try turned * Tensor.concatenated(columns, axis: 1).reshaped([count, 1, axes])
    }
    return try .concatenated([turned, shift], axis: 2)
  }
}

extension AugmentationConfiguration {
  /// Whether images stay as they are.
  fileprivate var changesNothing: Bool { translation == 0 && scale == 0 && !horizontalFlip && smallestCrop == 1 }
}
