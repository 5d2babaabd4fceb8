import Torch

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
  /// Numbers in the largest tensor of one pass through the network; larger batches are cut by images, never by masks.
  private static let largestTensor = 1 << 26

  /// Reconstructs a batch under the masks of scoring, which are the same for every image.
  func maskedReconstructions(of batch: Tensor) throws(TorchError) -> MaskedReconstructions {
    let (images, passes) = (batch.extent(0), configuration.masks)
    let patches = try layout.patches(of: batch)
    let mask = try scoringMask(on: batch.device)
    let widest = layout.count * configuration.decoderWidth * max(4, autoencoder.levels.count)
    let atOnce = max(1, Self.largestTensor / (passes * widest))
    var parts: [Tensor] = []
    for start in stride(from: 0, to: images, by: atOnce) {
      let count = min(atOnce, images - start)
      let part = try patches.sliced(start..<start + count, axis: 0)
      var predicted = try autoencoder(part, mask: mask.repeated(for: count)).to(batch.dtype)
      if configuration.normalisesPatches {
        let (mean, deviation) = try MemMCMAELosses.moments(of: part)
        predicted = try predicted * deviation.tiled([passes, 1, 1]) + mean.tiled([passes, 1, 1])
      }
      parts.append(try layout.images(of: predicted).reshaped([passes, count] + batch.shape.dropFirst()))
    }
    return MaskedReconstructions(
      images: batch, reconstructions: parts.count == 1 ? parts[0] : try .concatenated(parts, axis: 1),
      hidden: try layout.spread(mask.hidden).unsqueezed(1))
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
