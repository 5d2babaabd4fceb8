import Torch

/// Two linear layers with a GELU between them, four times as wide inside (MAE). Keys `0`, `1`.
final class FeedForward: Module {
  private let layers: [Linear]

  init(width: Int, generator: Generator) throws(TorchError) {
    layers = [
      try .xavier(inputs: width, outputs: 4 * width, generator: generator),
      try .xavier(inputs: 4 * width, outputs: width, generator: generator),
    ]
  }

  override var parts: [Part] { layers.enumerated().map { .module("\($0)", $1) } }

  func callAsFunction(_ tokens: Tensor) throws(TorchError) -> Tensor { try layers[1](layers[0].gelu(tokens)) }
}

/// `X ← X + MSA(LN X); X ← X + MLP(LN X)` with memory-augmented attention (§3).
final class MemoryEncoderBlock: Module {
  private let norms: [LayerNorm]
  private let attention: MemoryAttention
  private let feedForward: FeedForward

  init(width: Int, heads: Int, slots: Int, generator: Generator) throws(TorchError) {
    norms = [try LayerNorm(width: width, epsilon: 1e-6), try LayerNorm(width: width, epsilon: 1e-6)]
    attention = try MemoryAttention(width: width, heads: heads, slots: slots, generator: generator)
    feedForward = try FeedForward(width: width, generator: generator)
  }

  override var parts: [Part] {
    [
      .module("norm1", norms[0]), .module("attention", attention), .module("norm2", norms[1]),
      .module("feedForward", feedForward),
    ]
  }

  func callAsFunction(_ tokens: Tensor) throws(TorchError) -> Tensor {
    let attended = try tokens + attention(norms[0](tokens))
    return try attended + feedForward(norms[1](attended))
  }
}

/// `Y ← Y + SA(LN Y); Y ← Y + MCA({E}, LN Y); Y ← Y + MLP(LN Y)` (§3).
final class MeshedDecoderBlock: Module {
  private let norms: [LayerNorm]
  private let selfAttention: MemoryAttention
  private let crossAttention: MultiLevelCrossAttention?
  private let feedForward: FeedForward

  init(_ configuration: MemMCMAEConfiguration, levels: Int, generator: Generator) throws(TorchError) {
    let (width, heads) = (configuration.decoderWidth, configuration.decoderHeads)
    norms = try (1...3).map { _ throws(TorchError) in try LayerNorm(width: width, epsilon: 1e-6) }
    selfAttention = try MemoryAttention(width: width, heads: heads, slots: 0, generator: generator)
    crossAttention =
      configuration.crossAttention == .none
      ? nil
      : try MultiLevelCrossAttention(
        width: width, heads: heads, levels: levels, gated: configuration.crossAttention == .multiLevel,
        generator: generator)
    feedForward = try FeedForward(width: width, generator: generator)
  }

  override var parts: [Part] {
    [.module("norm1", norms[0]), .module("selfAttention", selfAttention)]
      + (crossAttention.map { [.module("norm2", norms[1]), .module("crossAttention", $0)] } ?? [])
      + [.module("norm3", norms[2]), .module("feedForward", feedForward)]
  }

  func callAsFunction(_ tokens: Tensor, levels: Tensor) throws(TorchError) -> Tensor {
    var tokens = try tokens + selfAttention(norms[0](tokens))
    if let crossAttention { tokens = try tokens + crossAttention(norms[1](tokens), levels: levels) }
    return try tokens + feedForward(norms[2](tokens))
  }
}

/// The masked autoencoder (§2): memory-augmented encoder over the visible patches, meshed decoder over all.
///
/// Keys `patchEmbedding`, `encoder.i`, `levelNorms.j`, `levelProjections.j` (one per level that is read, the last level
/// last), `maskToken`, `decoder.i`, `decoderNorm`, `prediction`.
final class MemMCMAENetwork: Module {
  /// How images are cut.
  let layout: PatchLayout
  /// Encoder levels that the decoder reads, ascending; the last one is always there, as it is the decoder's input.
  let levels: [Int]
  private let patchEmbedding: Linear
  private let encoder: [MemoryEncoderBlock]
  private let levelNorms: [LayerNorm]
  private let levelProjections: [Linear]
  private let maskToken: Parameter
  private let decoder: [MeshedDecoderBlock]
  private let decoderNorm: LayerNorm
  private let prediction: Linear
  private let encoderPositions: Tensor
  private let decoderPositions: Tensor

  /// - Parameter layout: the configuration says how large images are; a volume's layout has three axes.
  init(_ configuration: MemMCMAEConfiguration, layout: PatchLayout, generator: Generator) throws(TorchError) {
    self.layout = layout
    levels = Self.levels(configuration)
    let (width, narrow) = (configuration.encoderWidth, configuration.decoderWidth)
    patchEmbedding = try .xavier(inputs: layout.patchWidth, outputs: width, generator: generator)
    encoder = try (0..<configuration.encoderDepth).map { _ throws(TorchError) in
      try MemoryEncoderBlock(
        width: width, heads: configuration.encoderHeads, slots: configuration.memorySlots, generator: generator)
    }
    levelNorms = try levels.map { _ throws(TorchError) in try LayerNorm(width: width, epsilon: 1e-6) }
    levelProjections = try levels.map { _ throws(TorchError) in
      try .xavier(inputs: width, outputs: narrow, generator: generator)
    }
    maskToken = try Parameter(generator.normal(standardDeviation: 0.02, shape: [1, 1, narrow]))
    let levelCount = levels.count
    decoder = try (0..<configuration.decoderDepth).map { _ throws(TorchError) in
      try MeshedDecoderBlock(configuration, levels: levelCount, generator: generator)
    }
    decoderNorm = try LayerNorm(width: narrow, epsilon: 1e-6)
    prediction = try .xavier(inputs: narrow, outputs: layout.patchWidth, generator: generator)
    encoderPositions = try layout.positions(width: width)
    decoderPositions = try layout.positions(width: narrow)
  }

  override var parts: [Part] {
    [.module("patchEmbedding", patchEmbedding)] + Part.modules("encoder", encoder)
      + Part.modules("levelNorms", levelNorms) + Part.modules("levelProjections", levelProjections)
      + [.tensor("maskToken", maskToken)] + Part.modules("decoder", decoder)
      + [.module("decoderNorm", decoderNorm), .module("prediction", prediction)]
  }

  /// The encoder levels that the decoder reads: all, so many evenly spaced ones, or the last.
  private static func levels(_ configuration: MemMCMAEConfiguration) -> [Int] {
    let depth = configuration.encoderDepth
    guard configuration.crossAttention == .multiLevel else { return [depth - 1] }
    let count = configuration.meshedLevels == 0 ? depth : configuration.meshedLevels
    return (1...count).map { $0 * depth / count - 1 }
  }

  /// Reconstructs patches `[B, n, C · pᵃ]` from those that each of R = K · B rows of a mask leaves visible (mask 0 of all
  /// images first): `[R, n, C · pᵃ]`.
  func callAsFunction(_ patches: Tensor, mask: PatchMask) throws(TorchError) -> Tensor {
    let outputs = try encoded(patches, mask: mask)
    var read: [Tensor] = []
    for (index, level) in levels.enumerated() {
      read.append(try levelProjections[index](levelNorms[index](outputs[level])))
    }
    let last = read[read.count - 1]
    let places = try decoderPositions.to(last.device)
    var tokens = try mask.restored(last, among: maskToken.tensor.to(last.dtype)) + places
    let stacked = try Tensor.stacked(read)
    for block in decoder { tokens = try block(tokens, levels: stacked) }
    return try prediction(decoderNorm(tokens))
  }

  /// What every encoder block makes of the visible patches: L tensors `[R, v, D]`.
  func encoded(_ patches: Tensor, mask: PatchMask) throws(TorchError) -> [Tensor] {
    let positions = try encoderPositions.to(patches.device)
    let places = try positions.reshaped([layout.count, -1]).selecting(mask.visible.reshaped([-1]), axis: 0)
    let visible = try patchEmbedding(mask.visible(of: patches))
    var tokens = try visible + places.reshaped(visible.shape)
    var outputs: [Tensor] = []
    for block in encoder {
      tokens = try block(tokens)
      outputs.append(tokens)
    }
    return outputs
  }
}
