import Torch

/// Random shifts and changes of size of training images (SimSID §4.2).
struct Augmentation {
  private let configuration: AugmentationConfiguration

  init(_ configuration: AugmentationConfiguration) {
    self.configuration = configuration
  }

  /// Moves every image of `[B, 1, H, W]` by its own whole-pixel shift and scale; what comes in from outside is `background`.
  func callAsFunction(_ images: Tensor, background: Double = 0, random: Generator) throws(TorchError) -> Tensor {
    guard configuration.translation > 0 || configuration.scale > 0 else { return images }
    let (count, side) = (images.extent(0), Double(images.extent(3)))
    let range = configuration.translation * side
    // Sampling coordinates run from −1 to 1: a pixel is 2 / side of them, and a larger image is read in smaller steps.
    let shift = try random.uniform(-range, range, shape: [count, 2, 1]).rounded() * (-2 / side)
    let zoom = try random.uniform(1 - configuration.scale, 1 + configuration.scale, shape: [count, 1, 1]).reciprocal()
    let axes = try Tensor([Float(1), 0, 0, 1], shape: [1, 2, 2], on: images.device)
    let maps = try Tensor.concatenated([axes * zoom, shift * zoom], axis: 2)
    let grid = try Tensor.affineGrid(maps, size: images.shape)
    let interpolation: Interpolation = configuration.interpolation == .linear ? .linear : .nearest
    guard background != 0 else { return try images.sampled(at: grid, interpolation) }
    return try (images - background).sampled(at: grid, interpolation) + background
  }
}
