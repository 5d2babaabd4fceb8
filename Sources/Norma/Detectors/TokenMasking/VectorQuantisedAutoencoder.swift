import Torch

/// `ReLU(x + conv1×1(drop(ReLU(conv3×3(x)))))` (§2.1); no normalisation anywhere. Keys `spatial`, `pointwise`.
final class TokenResidualUnit: Module {
  private let spatial: Convolution
  private let pointwise: Convolution

  init(channels: Int, spatialAxes: Int, generator: Generator) throws(TorchError) {
    spatial = try Convolution(
      inputChannels: channels, outputChannels: channels, kernelSize: 3, padding: 1, spatialAxes: spatialAxes,
      generator: generator)
    pointwise = try Convolution(
      inputChannels: channels, outputChannels: channels, kernelSize: 1, spatialAxes: spatialAxes, generator: generator)
  }

  override var parts: [Part] { [.module("spatial", spatial), .module("pointwise", pointwise)] }

  func callAsFunction(_ input: Tensor, dropout: ChannelDropout?) throws(TorchError) -> Tensor {
    let inner = try spatial(input).relu()
    return try (input + pointwise(dropout.map { drop throws(TorchError) in try drop(inner) } ?? inner)).relu()
  }
}

/// Whole channels dropped with a probability.
struct ChannelDropout {
  /// Share of the channels that is dropped.
  let probability: Double
  /// Draws the channels.
  let random: Generator

  func callAsFunction(_ features: Tensor) throws(TorchError) -> Tensor {
    try features.channelDropout(probability, generator: random)
  }
}

/// The encoder, decoder and codebook of a VQ-VAE for images of two or three spatial axes (§2.1).
///
/// Each of n levels halves the sides; widths are C_h / 2, at the last level C_h. Keys `encoder.levels.i.down`,
/// `encoder.levels.i.units.j`, `encoder.end`, `quantiser.*`, `decoder.start`, `decoder.levels.i.units.j`,
/// `decoder.levels.i.up`.
final class VectorQuantisedAutoencoder: Module {
  private let encoderLevels: [(down: Convolution, units: [TokenResidualUnit])]
  private let encoderEnd: Convolution
  /// The codebook.
  let quantiser: VectorQuantiser
  private let decoderStart: Convolution
  private let decoderLevels: [(units: [TokenResidualUnit], up: Convolution)]
  private let settings: TokenMaskingConfiguration.Autoencoder

  /// - Parameter channels: channels of an image.
  init(
    _ settings: TokenMaskingConfiguration.Autoencoder, channels: Int, spatialAxes: Int, generator: Generator
  ) throws(TorchError) {
    self.settings = settings
    let (levels, width) = (settings.levels, settings.width)
    let widths = (0..<levels).map { $0 == levels - 1 ? width : width / 2 }
    func units(_ channels: Int) throws(TorchError) -> [TokenResidualUnit] {
      try (0..<settings.residualUnits).map { _ throws(TorchError) in
        try TokenResidualUnit(channels: channels, spatialAxes: spatialAxes, generator: generator)
      }
    }
    func convolution(
      _ from: Int, _ to: Int, kernel: Int, stride: Int = 1, transposed: Bool = false
    ) throws(TorchError) -> Convolution {
      try Convolution(
        inputChannels: from, outputChannels: to, kernelSize: kernel, stride: stride, padding: 1,
        spatialAxes: spatialAxes, transposed: transposed, generator: generator)
    }
    encoderLevels = try widths.enumerated().map { level, out throws(TorchError) in
      let down = try convolution(level == 0 ? channels : widths[level - 1], out, kernel: 4, stride: 2)
      return (down, try units(out))
    }
    encoderEnd = try convolution(width, settings.codeWidth, kernel: 3)
    quantiser = try VectorQuantiser(
      codes: settings.codes, width: settings.codeWidth, commitment: settings.commitment, parity: settings.parity,
      generator: generator)
    decoderStart = try convolution(settings.codeWidth, width, kernel: 3)
    decoderLevels = try (0..<levels).map { level throws(TorchError) in
      let own = level == 0 ? width : width / 2
      let next = level == levels - 1 ? channels : width / 2
      return (try units(own), try convolution(own, next, kernel: 4, stride: 2, transposed: true))
    }
  }

  override var parts: [Part] {
    var parts: [Part] = []
    for (index, level) in encoderLevels.enumerated() {
      parts.append(.module("encoder.levels.\(index).down", level.down))
      parts += Part.modules("encoder.levels.\(index).units", level.units)
    }
    parts += [
      .module("encoder.end", encoderEnd), .module("quantiser", quantiser), .module("decoder.start", decoderStart),
    ]
    for (index, level) in decoderLevels.enumerated() {
      parts += Part.modules("decoder.levels.\(index).units", level.units)
      parts.append(.module("decoder.levels.\(index).up", level.up))
    }
    return parts
  }

  /// The last layer's kernel, for adaptive adversarial weights.
  var lastKernel: Tensor { decoderLevels[decoderLevels.count - 1].up.weight.tensor }

  /// Images `[B, C, sides…]` as vectors `[B, E, grid…]`, before they are quantised.
  /// - Parameter random: draws dropped channels in training; nil in evaluation.
  func encoded(_ images: Tensor, random: Generator? = nil) throws(TorchError) -> Tensor {
    var features = images
    let inside = settings.dropsInUnits ? dropout(settings.encoderDropout, random) : nil
    for level in encoderLevels {
      features = try level.down(features).relu()
      for unit in level.units { features = try unit(features, dropout: inside) }
    }
    if let drop = dropout(settings.encoderDropout, random) { features = try drop(features) }
    return try encoderEnd(features)
  }

  /// The codes of images, `[B, grid…]`, int64.
  func codes(of images: Tensor) throws(TorchError) -> Tensor {
    try quantiser(encoded(images), update: nil).codes
  }

  /// Everything of the decoder before its last layer: vectors `[B, E, grid…]` to features `[B, C_h / 2, sides / 2…]`.
  /// - Parameter random: draws dropped channels where residual units drop any; nil drops none.
  func decoderTrunk(_ vectors: Tensor, random: Generator? = nil) throws(TorchError) -> Tensor {
    var features = try decoderStart(vectors)
    let inside = settings.dropsInUnits ? dropout(settings.decoderDropout, random) : nil
    for (index, level) in decoderLevels.enumerated() {
      for unit in level.units { features = try unit(features, dropout: inside) }
      if index < decoderLevels.count - 1 { features = try level.up(features).relu() }
    }
    return features
  }

  /// The last layer: features to images `[B, C, sides…]`; linear, so that dropping channels of its input keeps the mean.
  func decoderEnd(_ features: Tensor) throws(TorchError) -> Tensor {
    try decoderLevels[decoderLevels.count - 1].up(features)
  }

  /// Images of vectors, as in training with `random`, without dropout otherwise.
  func decoded(_ vectors: Tensor, random: Generator? = nil) throws(TorchError) -> Tensor {
    let features = try decoderTrunk(vectors, random: random)
    guard let drop = dropout(settings.decoderDropout, random) else { return try decoderEnd(features) }
    return try decoderEnd(drop(features))
  }

  private func dropout(_ probability: Double, _ random: Generator?) -> ChannelDropout? {
    guard probability > 0, let random else { return nil }
    return ChannelDropout(probability: probability, random: random)
  }
}
