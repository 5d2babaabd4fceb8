import Torch

/// All networks of the method. Keys `autoencoder`, `contextAutoencoder` (for paired volumes), `discriminator` (for the
/// adversarial loss), `transformer`, and `folds.i` (for cross-fitted rounds).
final class TokenMaskingNetwork: Module {
  /// The VQ-VAE.
  let autoencoder: VectorQuantisedAutoencoder
  /// The VQ-VAE of the paired volume; nil without one.
  let contextAutoencoder: VectorQuantisedAutoencoder?
  /// Judges reconstructions in training; nil without adversarial loss.
  let discriminator: PatchDiscriminator?
  /// The model of code sequences.
  let transformer: TokenTransformer
  /// The models of one half of the training images each; none unless rounds are cross-fitted.
  let folds: [TokenTransformer]
  private let configuration: TokenMaskingConfiguration

  init(_ configuration: TokenMaskingConfiguration, seed: Int) throws(TorchError) {
    self.configuration = configuration
    let axes = configuration.inputExtents.count
    func generator(_ part: UInt64) throws(TorchError) -> Generator {
      try Generator(seed: CounterRandom.hash(UInt64(seed), part))
    }
    autoencoder = try VectorQuantisedAutoencoder(
      configuration.autoencoder, channels: 1, spatialAxes: axes, generator: generator(0))
    contextAutoencoder =
      configuration.conditioned
      ? try VectorQuantisedAutoencoder(
        configuration.autoencoder, channels: 1, spatialAxes: axes, generator: generator(1)) : nil
    discriminator =
      configuration.autoencoder.adversarialWeight > 0
      ? try PatchDiscriminator(channels: 1, spatialAxes: axes, generator: generator(2)) : nil
    let order = TokenOrder(configuration.transformer.order, extents: configuration.grid, seed: UInt64(seed))
    func transformer(_ part: UInt64) throws(TorchError) -> TokenTransformer {
      try TokenTransformer(
        configuration.transformer, codes: configuration.autoencoder.codes,
        contextCodes: configuration.conditioned ? configuration.autoencoder.codes : nil, order: order,
        generator: generator(part))
    }
    self.transformer = try transformer(3)
    folds = try configuration.rounds.crossFit ? [transformer(4), transformer(5)] : []
  }

  override var parts: [Part] {
    [.module("autoencoder", autoencoder)]
      + (contextAutoencoder.map { [.module("contextAutoencoder", $0)] } ?? [])
      + (discriminator.map { [.module("discriminator", $0)] } ?? [])
      + [.module("transformer", transformer)] + Part.modules("folds", folds)
  }

  /// How grids are read.
  var order: TokenOrder { transformer.order }

  /// Gives transformers fresh weights, different ones for each round.
  func restartTransformers(seed: Int, round: Int) throws(TorchError) {
    for (index, transformer) in ([transformer] + folds).enumerated() {
      let generator = try Generator(seed: CounterRandom.hash(UInt64(seed), UInt64(100 + round), UInt64(index)))
      let fresh = try TokenTransformer(
        configuration.transformer, codes: configuration.autoencoder.codes,
        contextCodes: configuration.conditioned ? configuration.autoencoder.codes : nil, order: order,
        generator: generator)
      for (old, new) in zip(transformer.namedParameters, fresh.namedParameters) {
        try old.parameter.assign(new.parameter.tensor)
      }
    }
  }

  /// The image of `[B, 1 or 2, sides…]`, without the paired one.
  func image(of batch: Tensor) throws(TorchError) -> Tensor { try batch.sliced(0..<1, axis: 1) }

  /// The paired image, in channel 1.
  func pairedImage(of batch: Tensor) throws(TorchError) -> Tensor { try batch.sliced(1..<2, axis: 1) }

  /// Code sequences of a batch, `[B, L]`, and of its paired images.
  func sequences(of batch: Tensor) throws(TorchError) -> (tokens: Tensor, context: Tensor?) {
    let tokens = try order.sequences(of: autoencoder.codes(of: image(of: batch)))
    guard let contextAutoencoder else { return (tokens, nil) }
    return (tokens, try order.sequences(of: contextAutoencoder.codes(of: pairedImage(of: batch))))
  }

  /// Decoder input of code sequences `[R, L]`: `[R, E, grid…]`.
  func vectors(of sequences: Tensor) throws(TorchError) -> Tensor {
    try autoencoder.quantiser.vectors(of: order.grids(of: sequences))
  }
}
