import Torch

/// The generator (§3): encoder G_E, decoder G_D, and a second encoder E that reads what they made.
///
/// Keys `encoder`, `decoder`, `secondEncoder`.
final class GANomalyGenerator: Module {
  private let encoder: DCGANEncoder
  private let decoder: DCGANDecoder
  private let secondEncoder: DCGANEncoder

  init(_ configuration: GANomalyConfiguration, random: Generator) throws(TorchError) {
    let (size, width, latents) = (configuration.imageSize, configuration.width, configuration.latentWidth)
    encoder = try DCGANEncoder(imageSize: size, width: width, outputs: latents, norm: .batch, generator: random)
    decoder = try DCGANDecoder(imageSize: size, width: width, inputs: latents, generator: random)
    secondEncoder = try DCGANEncoder(imageSize: size, width: width, outputs: latents, norm: .batch, generator: random)
  }

  override var parts: [Part] {
    [.module("encoder", encoder), .module("decoder", decoder), .module("secondEncoder", secondEncoder)]
  }

  /// What one pass gives.
  struct Output {
    /// x̂ = G(x), `[B, 1, H, W]`.
    let reconstruction: Tensor
    /// z = G_E(x), `[B, latentWidth]`.
    let latents: Tensor
    /// ẑ = E(G(x)), `[B, latentWidth]`.
    let secondLatents: Tensor
  }

  /// Squeezes images `[B, 1, H, W]`, makes them anew and squeezes them again.
  func callAsFunction(_ images: Tensor, mode: Mode) throws(TorchError) -> Output {
    let latents = try encoder(images, mode: mode).numbers
    let reconstruction = try decoder(latents, mode: mode)
    return Output(
      reconstruction: reconstruction, latents: latents,
      secondLatents: try secondEncoder(reconstruction, mode: mode).numbers)
  }
}

/// Generator and discriminator under the keys `generator` and `discriminator`.
final class GANomalyNetwork: Module {
  let generator: GANomalyGenerator
  let discriminator: DCGANEncoder

  init(_ configuration: GANomalyConfiguration, random: Generator) throws(TorchError) {
    generator = try GANomalyGenerator(configuration, random: random)
    discriminator = try DCGANEncoder(
      imageSize: configuration.imageSize, width: configuration.width, outputs: 1, norm: .batch, generator: random)
  }

  override var parts: [Part] { [.module("generator", generator), .module("discriminator", discriminator)] }
}
