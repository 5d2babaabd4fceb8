import Torch

/// A decoder: bilinear upsampling, skip, two convolutions, four times; patches are put together on the way (§3.1).
///
/// Student and teacher are both of this type; only the student has memories. Keys `up.0 … 3`, `memories.0 … 1`, `output`.
final class SimSIDDecoder: Module {
  private let up: [DoubleConvolution]
  private let memories: [DecoderMemory?]
  private let output: Convolution
  private let configuration: SimSIDConfiguration

  init(_ configuration: SimSIDConfiguration, hasMemories: Bool, generator: Generator) throws {
    self.configuration = configuration
    let width = configuration.width
    up = try (0..<4).map { level in
      let channels = width << (3 - level)
      let skip = configuration.skips && level < 2 ? channels : 0
      return try DoubleConvolution(2 * channels + skip, channels, generator: generator)
    }
    memories = try (0..<2).map { level in
      let layout = configuration.decoderMemories[level]
      guard hasMemories, layout != .none else { return nil }
      return try DecoderMemory(
        layout, channels: width << (3 - level), side: configuration.bottleneckSide << (level + 1), configuration,
        generator: generator)
    }
    output = try Convolution(inputChannels: width, outputChannels: 1, kernelSize: 1, generator: generator)
  }

  override var parts: [Part] {
    Part.modules("up", up)
      + memories.enumerated().compactMap { level, memory in memory.map { .module("memories.\(level)", $0) } }
      + [.module("output", output)]
  }

  /// Decodes the bottleneck `[B · G, 16 · width, h, h]` with the encoder's levels as skips.
  /// - Returns: the image `[B, 1, H, W]`, and the feature map of each level after its memory, for distillation.
  func callAsFunction(
    _ bottleneck: Tensor, levels: [Tensor], mode: Mode, random: Generator
  ) throws(TorchError) -> (image: Tensor, features: [Tensor]) {
    let grid = PatchGrid(side: configuration.patchGrid)
    var current = bottleneck
    var features: [Tensor] = []
    for level in 0..<4 {
      if 4 - level == configuration.recombinedLevels { current = try grid.joined(current) }
      current = try current.resized(to: [2 * current.extent(2), 2 * current.extent(3)])
      if configuration.skips, level < 2 { current = try .concatenated([levels[3 - level], current], axis: 1) }
      // What the last level rounds stays in the image as noise, which scores would take for structure.
      current =
        try level == 3 && mode != .training
        ? current.inSinglePrecision { current throws(TorchError) in try up[level](current, mode: mode) }
        : up[level](current, mode: mode)
      if level < 2, let memory = memories[level] { current = try memory(current, mode: mode, random: random) }
      features.append(current)
    }
    let logits = try current.inSinglePrecision { current throws(TorchError) in try output(current) }
    return (try configuration.output == .tanh ? logits.tanh() : logits.sigmoid(), features)
  }
}
