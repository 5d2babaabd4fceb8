import Torch

/// The losses of both stages.
enum FAnoGANLosses {
  /// The critic's without penalty (Gulrajani et al. 2017, eq. 3): mean D(x̃) − mean D(x).
  static func critic(real: Tensor, fake: Tensor) throws(TorchError) -> Tensor { try fake.mean() - real.mean() }

  /// The generator's: −mean D(x̃).
  static func generator(fake: Tensor) throws(TorchError) -> Tensor { try -fake.mean() }

  /// The gradient penalty (eq. 3) without its weight: the mean of (‖∇D(x̂)‖₂ − 1)² at points x̂ between images and generated
  /// ones.
  /// - Parameters:
  ///   - images: `[B, …]`; `generated` is shaped alike, and neither is differentiated.
  ///   - shares: where between them x̂ lies, `[B, 1, …]`: 0 is the image, 1 the generated one.
  ///   - critic: gives a number per image, `[B]`, each of which must depend on its own image alone.
  static func gradientPenalty(
    images: Tensor, generated: Tensor, shares: Tensor, critic: (Tensor) throws(TorchError) -> Tensor
  ) throws(TorchError) -> Tensor {
    let between = try (images + shares * (generated - images)).requiringGradient()
    let slopes = try critic(between).gradients(of: [between], recording: true)[0]
    return try (slopes.reshaped([images.extent(0), -1]).norm(2, [1]) - 1).squared().mean()
  }

  /// A_R (and the first term of L_izif): mean squared difference to each image's reconstruction, `[B]`.
  static func residuals(_ images: Tensor, _ reconstructions: Tensor) throws(TorchError) -> Tensor {
    try (images - reconstructions).squared().reshaped([images.extent(0), -1]).mean([1])
  }
}
