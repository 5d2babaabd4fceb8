import Torch

/// What a denoising autoencoder is trained and scored by.
struct DenoisingAutoencoderLosses {
  /// The values that images may have; the lower end is black.
  let range: ClosedRange<Double>
  /// Share of the range above which a pixel is foreground; 0: all are.
  let foreground: Double

  /// 1 where images are foreground, 0 elsewhere, shaped like them; nil: they are foreground everywhere.
  func mask(of images: Tensor) throws(TorchError) -> Tensor? {
    guard foreground > 0 else { return nil }
    let threshold = range.lowerBound + foreground * (range.upperBound - range.lowerBound)
    return try images.greater(threshold).to(images.dtype)
  }

  /// The images under noise, in the foreground.
  func noisy(_ images: Tensor, _ noise: Tensor) throws(TorchError) -> Tensor {
    guard let mask = try mask(of: images) else { return try images + noise }
    return try images + noise * mask
  }

  /// Squared difference from the clean images in the foreground, the mean over all pixels, a tensor without axes.
  func reconstruction(_ reconstructions: Tensor, _ images: Tensor) throws(TorchError) -> Tensor {
    let squares = try (reconstructions - images).squared()
    guard let mask = try mask(of: images) else { return try squares.mean() }
    return try (squares * mask).mean()
  }

  /// The error of every pixel, shaped like the images `[B, 1, H, W]`: |x̂ − x| in the eroded foreground, under a median.
  /// - Parameters:
  ///   - erosion: side of the window whose share of foreground must exceed 95 %; beyond the border there is none.
  ///   - side: of the median's window; images are mirrored at their border.
  func errors(of reconstructions: Tensor, _ images: Tensor, erosion: Int, median side: Int) throws(TorchError) -> Tensor
  {
    var errors = try (reconstructions - images).abs()
    if let mask = try mask(of: images) {
      let margin = erosion / 2
      let share = try mask.pooled(
        .average, kernel: [erosion, erosion], stride: [1, 1], padding: [margin, margin])
      errors = try errors * share.greater(0.95).to(errors.dtype)
    }
    guard side > 1 else { return errors }
    let padding = [Int](repeating: side / 2, count: 4)
    let windows = try errors.padded(padding, with: .reflect).unfolded(kernel: [side, side])
    return try windows.kthSmallest(side * side / 2 + 1, axis: 1).reshaped(errors.shape)
  }
}
