import Torch

/// Generator G, critic D and encoder E under the keys `generator`, `critic` and `encoder`. All three stay in the checkpoint:
/// scores need the critic's features.
final class FAnoGANNetwork: Module {
  let generator: any DecodingNetwork
  let critic: any EncodingNetwork
  let encoder: any EncodingNetwork
  private let boundsLatents: Bool

  init(_ configuration: FAnoGANConfiguration, random: Generator) throws(TorchError) {
    let (size, width, latents) = (configuration.imageSize, configuration.width, configuration.latentWidth)
    boundsLatents = configuration.boundedLatents
    switch configuration.architecture {
    case .residual:
      generator = try ResidualDecoder(imageSize: size, width: width, inputs: latents, generator: random)
      critic = try ResidualEncoder(imageSize: size, width: width, outputs: 1, norm: .layer, generator: random)
      encoder = try ResidualEncoder(imageSize: size, width: width, outputs: latents, norm: .batch, generator: random)
    case .convolutional:
      generator = try DCGANDecoder(imageSize: size, width: width, inputs: latents, generator: random)
      critic = try DCGANEncoder(
        imageSize: size, width: width, outputs: 1, norm: .layer, outputBias: true, generator: random)
      encoder = try DCGANEncoder(
        imageSize: size, width: width, outputs: latents, norm: .batch, outputBias: true, generator: random)
    }
  }

  override var parts: [Part] {
    [.module("generator", generator), .module("critic", critic), .module("encoder", encoder)]
  }

  /// z = E(x) of images `[B, 1, H, W]`, `[B, latentWidth]`, within −1 ... 1 where the configuration says so.
  func latents(of images: Tensor, mode: Mode) throws(TorchError) -> Tensor {
    let latents = try encoder(images, mode: mode).numbers
    return boundsLatents ? try latents.tanh() : latents
  }

  /// The critic's number of each image, `[B]`, high for real ones.
  func criticised(_ images: Tensor) throws(TorchError) -> Tensor {
    try critic(images, mode: .training).numbers.squeezed(1)
  }

  /// f(x): the map that the critic's number follows from, `[B, C · 16]`.
  func features(of images: Tensor) throws(TorchError) -> Tensor {
    try critic(images, mode: .evaluation).features.reshaped([images.extent(0), -1])
  }
}
