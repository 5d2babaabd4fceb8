import Torch

/// Reads images into numbers: an encoder, a discriminator or a critic.
protocol EncodingNetwork: Module {
  /// Reads images `[B, 1, H, W]`.
  /// - Returns: `numbers`, `[B, outputs]`, and the feature map that they follow from, `[B, C, 4, 4]`.
  func callAsFunction(_ images: Tensor, mode: Mode) throws(TorchError) -> (numbers: Tensor, features: Tensor)
}

/// Makes images of numbers: a generator or a decoder.
protocol DecodingNetwork: Module {
  /// Makes images `[B, 1, H, W]` in −1 ... 1 of latent vectors `[B, inputs]`.
  func callAsFunction(_ latents: Tensor, mode: Mode) throws(TorchError) -> Tensor
}

/// The norm of a feature map under scale and shift per channel: over the batch, or over each image's map by itself. A critic
/// whose gradient is penalised image by image must not see the batch (Gulrajani et al. 2017, §4).
///
/// Keys as in `BatchNorm` or `GroupNorm`.
final class FeatureNorm: Module {
  /// What is normalised together.
  enum Kind {
    /// A channel of all images of the batch.
    case batch
    /// All channels of one image (layer norm).
    case layer
  }
  private enum Content {
    case batch(BatchNorm)
    case layer(GroupNorm)
  }
  private let content: Content

  init(_ kind: Kind, channels: Int) throws(TorchError) {
    switch kind {
    case .batch: content = .batch(try BatchNorm(channels: channels))
    case .layer: content = .layer(try GroupNorm(groups: 1, channels: channels))
    }
  }

  override var parts: [Part] {
    switch content {
    case .batch(let norm): norm.parts
    case .layer(let norm): norm.parts
    }
  }

  func callAsFunction(_ input: Tensor, mode: Mode) throws(TorchError) -> Tensor {
    switch content {
    case .batch(let norm): try norm(input, mode: mode)
    case .layer(let norm): try norm(input)
    }
  }

  /// The norm over the batch; nil where it is none.
  fileprivate var batchNorm: BatchNorm? {
    if case .batch(let norm) = content { norm } else { nil }
  }

  /// Draws scales from N(1, 0.02) and sets the shifts to zero, as DCGAN starts.
  func initialise(_ random: Generator) throws(TorchError) {
    let (weight, bias) =
      switch content {
      case .batch(let norm): (norm.weight, norm.bias)
      case .layer(let norm): (norm.weight, norm.bias)
      }
    try weight.assign(random.normal(mean: 1, standardDeviation: 0.02, shape: weight.tensor.shape))
    try bias.assign(bias.tensor.zerosLike())
  }
}

/// A convolution with the norm of its maps behind it, folded into it in evaluation where it is over the batch
/// (`NormalisedConvolution`). Who owns the two lists them in its `parts`, and calls `freeze` from its own.
final class FeatureConvolution {
  let convolution: Convolution
  let norm: FeatureNorm
  private let joined: NormalisedConvolution?

  init(_ convolution: Convolution, _ norm: FeatureNorm) {
    (self.convolution, self.norm) = (convolution, norm)
    joined = norm.batchNorm.map { NormalisedConvolution(convolution, $0) }
  }

  func callAsFunction(_ input: Tensor, mode: Mode) throws(TorchError) -> Tensor {
    if let joined { try joined(input, mode: mode) } else { try norm(convolution(input), mode: mode) }
  }

  func freeze(as dtype: DType?) throws(TorchError) {
    if let joined { try joined.freeze(as: dtype) } else { try convolution.freeze(as: dtype) }
  }
}
