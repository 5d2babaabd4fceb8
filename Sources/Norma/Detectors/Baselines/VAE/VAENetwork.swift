import Foundation
import Torch

/// The dense autoencoder with distributions in place of codes and images: the encoder gives means and log variances of the
/// code, the decoder means and, where they are learned, variances of the pixels.
///
/// The keys are those of `AutoencoderNetwork`.
final class VAENetwork: Module {
  private let autoencoder: AutoencoderNetwork
  private let codeWidth: Int
  private let variance: VAEConfiguration.Variance
  private let deviation: Double

  /// - Parameter generator: draws the weights.
  init(_ configuration: VAEConfiguration, generator: Generator) throws(TorchError) {
    (codeWidth, variance) = (configuration.codeWidth, configuration.variance)
    deviation = configuration.deviation
    autoencoder = try AutoencoderNetwork(
      configuration.autoencoder, extents: [configuration.imageSize, configuration.imageSize],
      encoderOutputs: 2 * configuration.codeWidth, outputChannels: configuration.variance == .learned ? 2 : 1,
      generator: generator)
  }

  override var parts: [Part] { autoencoder.parts }

  /// q(z | x): the codes of images `[B, 1, H, W]`, `[B, codeWidth]`. Log variances are cut to −30 ... 20, so that none
  /// overflows.
  func posterior(of images: Tensor, mode: Mode) throws(TorchError) -> DiagonalGaussian {
    let numbers = try autoencoder.encoded(images, mode: mode)
    return DiagonalGaussian(
      mean: try numbers.sliced(0..<codeWidth, axis: 1),
      logVariance: try numbers.sliced(codeWidth..<2 * codeWidth, axis: 1).clamped(-30, 20))
  }

  /// p(x | z): the pixels that codes `[B, codeWidth]` stand for, `[B, 1, H, W]`. A learned variance is
  /// `deviation² + softplus(r)` of the decoder's second channel r.
  func likelihood(of codes: Tensor, mode: Mode) throws(TorchError) -> DiagonalGaussian {
    let decoded = try autoencoder.decoded(codes, mode: mode)
    let smallest = deviation * deviation
    switch variance {
    case .fixed:
      return DiagonalGaussian(mean: decoded, logVariance: try decoded.zerosLike() + log(smallest))
    case .learned:
      let raw = try decoded.sliced(1..<2, axis: 1)
      return DiagonalGaussian(
        mean: try decoded.sliced(0..<1, axis: 1), logVariance: try (raw.softplus() + smallest).log())
    }
  }
}
