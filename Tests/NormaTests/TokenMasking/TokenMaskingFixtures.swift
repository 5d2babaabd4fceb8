import Torch

@testable import Norma

extension TokenMaskingConfiguration {
  /// The smallest detector: 16×16 images, 4×4 tokens of 12 codes, a transformer of two blocks.
  static func tiny(_ change: (inout TokenMaskingConfiguration) -> Void = { _ in }) -> TokenMaskingConfiguration {
    var configuration = TokenMaskingConfiguration()
    configuration.imageSize = 16
    configuration.autoencoder.levels = 2
    configuration.autoencoder.width = 8
    configuration.autoencoder.residualUnits = 1
    configuration.autoencoder.codes = 12
    configuration.autoencoder.codeWidth = 4
    configuration.autoencoder.adversarialWeight = 0
    configuration.autoencoder.decoderDropout = 0.25
    configuration.autoencoder.batchSize = 8
    configuration.autoencoder.epochs = 2
    configuration.transformer.width = 16
    configuration.transformer.layers = 2
    configuration.transformer.heads = 2
    configuration.transformer.headWidth = 8
    configuration.transformer.features = 32
    configuration.transformer.batchSize = 8
    configuration.transformer.epochs = 2
    configuration.detection.samples = 3
    configuration.detection.decodings = 2
    configuration.detection.threshold = 0.05
    configuration.rounds.count = 0
    configuration.rounds.samples = 2
    configuration.rounds.decodings = 2
    change(&configuration)
    return configuration
  }
}

extension TokenTransformer {
  /// A transformer with weights large enough for every token to matter.
  static func tiny(
    codes: Int = 12, extents: [Int] = [4, 4], contextCodes: Int? = nil, seed: UInt64 = 1,
    _ change: (inout TokenMaskingConfiguration.Transformer) -> Void = { _ in }
  ) throws -> TokenTransformer {
    var settings = TokenMaskingConfiguration.tiny().transformer
    change(&settings)
    let transformer = try TokenTransformer(
      settings, codes: codes, contextCodes: contextCodes,
      order: TokenOrder(settings.order, extents: extents, seed: 3), generator: Generator(seed: seed))
    for (key, parameter) in transformer.namedParameters where key.hasSuffix("s.weight") || key.hasPrefix("axes") {
      try parameter.assign(parameter.tensor.detached() * 50)
    }
    return transformer
  }
}

/// Random code sequences `[rows, length]`.
func randomTokens(_ rows: Int, length: Int = 16, codes: Int = 12, seed: UInt64 = 5) throws -> Tensor {
  try Generator(seed: seed).integers(in: 0..<codes, shape: [rows, length])
}

/// The largest absolute difference of two tensors; infinity where their shapes differ.
func distance(_ a: Tensor, _ b: Tensor) throws -> Double {
  guard a.shape == b.shape else { return .infinity }
  return try (a.to(.float64) - b.to(.float64)).abs().maximum().item()
}
