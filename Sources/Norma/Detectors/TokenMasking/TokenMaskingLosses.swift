import Torch

/// The losses of VQ-VAE, discriminator and transformer (§2.3, §4.2).
enum TokenMaskingLosses {
  /// Mean squared or absolute difference of pixels.
  static func pixels(
    _ reconstruction: Tensor, _ images: Tensor, _ kind: TokenMaskingConfiguration.Autoencoder.PixelLoss
  ) throws(TorchError) -> Tensor {
    switch kind {
    case .squared: try reconstruction.meanSquaredError(to: images)
    case .absolute: try reconstruction.meanAbsoluteError(to: images)
    }
  }

  /// Mean squared difference of the amplitudes of the orthonormal Fourier transforms over channels and sides; 1e-12 inside
  /// the root keeps its gradient finite where an amplitude is zero.
  static func spectrum(_ reconstruction: Tensor, _ images: Tensor) throws(TorchError) -> Tensor {
    try amplitudes(reconstruction).meanSquaredError(to: amplitudes(images))
  }

  private static func amplitudes(_ images: Tensor) throws(TorchError) -> Tensor {
    let (real, imaginary) = try images.to(.float32).spectrum(Array(1..<images.rank))
    return try (real.squared() + imaginary.squared() + 1e-12).squareRoot()
  }

  /// Least squares, generator: mean of (D(x̂) − 1)².
  static func generator(fake: Tensor) throws(TorchError) -> Tensor { try (fake - 1).squared().mean() }

  /// Least squares, discriminator: half the mean of D(x̂)² + (D(x) − 1)².
  static func discriminator(real: Tensor, fake: Tensor) throws(TorchError) -> Tensor {
    try (fake.squared().mean() + (real - 1).squared().mean()) * 0.5
  }

  /// −log p of every token `[B, L]` under logits `[B, L, K + 1]`.
  static func negativeLogLikelihoods(_ logits: Tensor, of tokens: Tensor) throws(TorchError) -> Tensor {
    try -logits.to(.float32).logSoftmax(axis: 2).gathering(tokens.unsqueezed(2), axis: 2).squeezed(2)
  }

  /// Masked cross entropy: Σ w · −log p / Σ w over the whole batch; zero, with zero gradient, where nothing is kept.
  /// - Parameter weights: `[B, L]`, 0 for masked tokens; nil: all count 1.
  static func crossEntropy(_ logits: Tensor, of tokens: Tensor, weights: Tensor?) throws(TorchError) -> Tensor {
    let losses = try negativeLogLikelihoods(logits, of: tokens)
    guard let weights else { return try losses.mean() }
    return try (losses * weights).sum() / weights.sum().clamped(1e-12, .infinity)
  }
}
