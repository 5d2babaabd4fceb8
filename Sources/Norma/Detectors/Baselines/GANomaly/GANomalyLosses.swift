import Torch

/// The losses of §3, each the mean that the authors' code takes (the published weights belong to the means).
enum GANomalyLosses {
  /// L_adv: mean squared difference of the discriminator's features of images and reconstructions.
  static func adversarial(_ features: Tensor, _ imageFeatures: Tensor) throws(TorchError) -> Tensor {
    try features.meanSquaredError(to: imageFeatures)
  }

  /// L_con: mean absolute difference of images and reconstructions.
  static func contextual(_ reconstructions: Tensor, _ images: Tensor) throws(TorchError) -> Tensor {
    try reconstructions.meanAbsoluteError(to: images)
  }

  /// L_enc: mean squared difference of the latent vectors of images and of their reconstructions.
  static func encoder(_ secondLatents: Tensor, _ latents: Tensor) throws(TorchError) -> Tensor {
    try secondLatents.meanSquaredError(to: latents)
  }

  /// The discriminator's: −½ (log σ(D(x)) + log(1 − σ(D(x̂)))) of its logits.
  static func discriminator(real: Tensor, fake: Tensor) throws(TorchError) -> Tensor {
    let onImages = try real.binaryCrossEntropy(logitsAgainst: real.onesLike())
    return try (onImages + fake.binaryCrossEntropy(logitsAgainst: fake.zerosLike())) * 0.5
  }
}
