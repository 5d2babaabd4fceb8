import Torch

/// What a variational autoencoder is trained by.
enum VAELosses {
  /// The negative lower bound (Kingma & Welling 2014, eq. 3) with one code for each image, divided by the number of pixels.
  struct Bound {
    /// −log p(x | z) of a pixel, the mean over pixels and images, in nats.
    let reconstruction: Tensor
    /// KL(q(z | x) ‖ p(z)) of an image, the mean over images, in nats.
    let divergence: Tensor
    /// What is minimised, in nats per pixel.
    let total: Tensor
  }

  /// - Parameters:
  ///   - posterior: of the codes, `[B, C]`.
  ///   - likelihood: of the pixels, from codes drawn from the posterior.
  ///   - images: `[B, 1, H, W]`.
  ///   - weight: β.
  static func bound(
    _ posterior: DiagonalGaussian, _ likelihood: DiagonalGaussian, of images: Tensor, divergenceWeight weight: Double
  ) throws(TorchError) -> Bound {
    let pixels = Double(images.count / images.extent(0))
    let reconstruction = try likelihood.negativeLogDensity(of: images).mean()
    let divergence = try posterior.divergence().mean()
    return Bound(
      reconstruction: reconstruction, divergence: divergence,
      total: try reconstruction + divergence * (weight / pixels))
  }
}
