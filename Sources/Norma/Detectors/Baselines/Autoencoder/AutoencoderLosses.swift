import Torch

/// What an autoencoder is trained and scored by.
enum AutoencoderLosses {
  /// The error of every pixel, shaped like the images: `(x̂ − x)²` or `|x̂ − x|`.
  static func errors(
    of reconstructions: Tensor, _ images: Tensor, _ measure: AutoencoderConfiguration.Measure
  ) throws(TorchError) -> Tensor {
    switch measure {
    case .squared: try (reconstructions - images).squared()
    case .absolute: try (reconstructions - images).abs()
    }
  }

  /// Mean error of all pixels of a batch, a tensor without axes.
  static func reconstruction(
    _ reconstructions: Tensor, _ images: Tensor, _ measure: AutoencoderConfiguration.Measure
  ) throws(TorchError) -> Tensor {
    switch measure {
    case .squared: try reconstructions.meanSquaredError(to: images)
    case .absolute: try reconstructions.meanAbsoluteError(to: images)
    }
  }
}
