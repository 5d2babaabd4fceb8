import Torch

/// Random shifts, changes of size, crops and reflections of training images (SimSID §4.2; MAE, appendix A).
struct Augmentation {
  private let configuration: AugmentationConfiguration

  init(_ configuration: AugmentationConfiguration) {
    self.configuration = configuration
  }

  /// Moves every image of `[B, 1, H, W]` by its own whole-pixel shift and scale; what comes in from outside is `background`.
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

  /// Where each image is read, `[B, 2, 3]`. Sampling coordinates run from −1 to 1: a pixel is 2 / side of them, and a larger
  /// image is read in smaller steps.
  private func maps(of images: Tensor, random: Generator) throws(TorchError) -> Tensor {
    let (count, side) = (images.extent(0), Double(images.extent(3)))
    let range = configuration.translation * side
    let moved = try random.uniform(-range, range, shape: [count, 2, 1]).rounded() * (-2 / side)
    var zoom = try random.uniform(1 - configuration.scale, 1 + configuration.scale, shape: [count, 1, 1]).reciprocal()
    var shift = try moved * zoom
    if configuration.smallestCrop < 1 {
      let kept = try random.uniform(configuration.smallestCrop, 1, shape: [count, 1, 1]).squareRoot()
      shift = try shift * kept + random.uniform(-1, 1, shape: [count, 2, 1]) * (1 - kept)
      zoom = try zoom * kept
    }
    var axes = try Tensor([Float(1), 0, 0, 1], shape: [1, 2, 2], on: images.device) * zoom
    if configuration.horizontalFlip {
      let sign = try random.bernoulli(0.5, shape: [count, 1, 1]) * 2 - 1
      let columns = try Tensor.concatenated([sign, sign.onesLike()], axis: 1).reshaped([count, 1, 2])
      axes = try axes * columns
    }
    return try .concatenated([axes, shift], axis: 2)
  }
}

extension AugmentationConfiguration {
  /// Whether images stay as they are.
  fileprivate var changesNothing: Bool { translation == 0 && scale == 0 && !horizontalFlip && smallestCrop == 1 }
}
