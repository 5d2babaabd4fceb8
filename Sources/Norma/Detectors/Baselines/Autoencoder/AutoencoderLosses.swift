import Torch

/// What autoencoders are trained and scored by.
enum AutoencoderLosses {
  /// The error of every pixel, shaped like the images: `(x̂ − x)²`, `|x̂ − x|`, or `1 − SSIM(x̂, x)` in 0 ... 2, the mean over
  /// channels.
  /// - Parameter range: the values that images may have, for structural similarity.
  /// - Throws: `TorchError` when the shapes differ or, for structural similarity, a side is shorter than 11 pixels.
  static func errors(
    of reconstructions: Tensor, _ images: Tensor, _ measure: AutoencoderConfiguration.Measure,
    range: ClosedRange<Double> = -1...1
  ) throws(TorchError) -> Tensor {
    switch measure {
    case .squared: return try (reconstructions - images).squared()
    case .absolute: return try (reconstructions - images).abs()
    case .ssim:
      let similarity = StructuralSimilarity(range: range, scales: 1)
      let comparison = try similarity.comparison(of: similarity.reference(images), with: reconstructions)
      return try comparison.map().unsqueezed(1).expanded(images.shape)
    }
  }

  /// Mean error of all pixels of a batch, a tensor without axes.
  static func reconstruction(
    _ reconstructions: Tensor, _ images: Tensor, _ measure: AutoencoderConfiguration.Measure,
    range: ClosedRange<Double> = -1...1
  ) throws(TorchError) -> Tensor {
    switch measure {
    case .squared: try reconstructions.meanSquaredError(to: images)
    case .absolute: try reconstructions.meanAbsoluteError(to: images)
    case .ssim: try errors(of: reconstructions, images, measure, range: range).mean()
    }
  }
}
