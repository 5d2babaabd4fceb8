public import Torch

/// What the autoencoder makes of a batch under K masks, all K · B images in one pass.
struct MaskedReconstructions {
  /// The images, `[B, 1, H, W]`.
  let images: Tensor
  /// Reconstructions, `[K, B, 1, H, W]`: the network's own pixels everywhere.
  let reconstructions: Tensor
  /// 1 where a pixel's patch was hidden, `[K, 1, 1, H, W]`.
  let hidden: Tensor

  /// Masks K.
  var masks: Int { reconstructions.extent(0) }

  /// The images with the reconstruction in hidden patches, or everywhere: `[K · B, 1, H, W]`, mask 0 of all images first.
  func composed(_ mode: MemMCMAEConfiguration.ReconstructionMode) throws(TorchError) -> Tensor {
    let all = mode == .full ? reconstructions : try images + (reconstructions - images) * hidden
    return try all.reshaped([-1] + images.shape.dropFirst())
  }

  /// Mean squared error of hidden pixels, over the masks, `[B]`.
  func squaredError() throws(TorchError) -> Tensor {
    let errors = try ((reconstructions - images).squared() * hidden).sum([0, 2, 3, 4])
    return try errors / hidden.sum()
  }

  /// Per pixel the mean over the masks that hid it of values `[K, B, 1, H, W]`: `[B, 1, H, W]`. Where no mask did, the mean
  /// over all.
  func meanWhereHidden(_ values: Tensor) throws(TorchError) -> Tensor {
    let times = try hidden.sum([0])
    let never = try times.equal(0).to(values.dtype)
    let weights = try (hidden + never) / (times + never * Double(masks))
    return try (values * weights).sum([0])
  }
}

extension MemMCMAEDetector {
  /// So many that the widest tensor of a pass has 8 megabytes on the processor, or a gigabyte elsewhere.
  public func scoringBatchSize(on device: Device) -> Int {
    let widest = layout.count * configuration.decoderWidth * max(4, autoencoder.levels.count)
    let numbers = device == .cpu ? 1 << 21 : 1 << 28
    return min(32, max(1, numbers / (configuration.masks * widest)))
  }

  /// Reconstructs a batch under the masks of scoring, which are the same for every image.
  func maskedReconstructions(of batch: Tensor) throws(TorchError) -> MaskedReconstructions {
    let (images, passes) = (batch.extent(0), configuration.masks)
    let patches = try layout.patches(of: batch)
    let mask = try scoringMask(on: batch.device)
    var predicted = try autoencoder(patches, mask: mask.repeated(for: images)).to(batch.dtype)
    if configuration.normalisesPatches {
      let (mean, deviation) = try MemMCMAELosses.moments(of: patches)
      predicted = try predicted * deviation.tiled([passes, 1, 1]) + mean.tiled([passes, 1, 1])
    }
    let pixels = try layout.images(of: predicted).reshaped([passes, images] + batch.shape.dropFirst())
    let hidden = try layout.spread(mask.hidden).unsqueezed(1)
    return MaskedReconstructions(images: batch, reconstructions: pixels, hidden: hidden)
  }

  /// The K masks of scoring, drawn on the processor so that every device has the same.
  func scoringMask(on device: Device) throws(TorchError) -> PatchMask {
    let random = try Generator(seed: UInt64(configuration.maskSeed))
    let mask =
      switch configuration.maskSelection {
      case .random:
        try PatchMask.random(
          rows: configuration.masks, patches: layout.count, ratio: configuration.maskRatio, random: random)
      case .complementary:
        try PatchMask.complementary(
          rows: configuration.masks, patches: layout.count, ratio: configuration.maskRatio, random: random)
      }
    return try mask.moved(to: device)
  }
}
