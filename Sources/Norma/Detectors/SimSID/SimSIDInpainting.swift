import Torch

/// The in-painting block at the bottleneck (§3.3): memory read per location, then a look at the neighbours.
///
/// `[B · G, bottleneck, h, h]` in and out. Keys `reduce`, `memory`, `mixer`, `expand`.
final class InpaintingBlock: Module {
  private let reduce: Convolution
  private let reduceNorm: BatchNorm
  private let memory: SpaceAwareMemory
  private let mixer: NeighbourMixer?
  private let expand: Convolution
  private let expandNorm: BatchNorm
  private let grid: Int
  private let reducedChannels: Int
  private let retention: Double

  init(_ configuration: SimSIDConfiguration, generator: Generator) throws {
    let channels = 16 * configuration.width
    grid = configuration.patchGrid
    reducedChannels = configuration.inpaintChannels
    retention = configuration.inpaintRetention
    reduce = try Convolution(
      inputChannels: channels, outputChannels: reducedChannels, kernelSize: 1, bias: false, generator: generator)
    reduceNorm = try BatchNorm(channels: reducedChannels)
    memory = try SpaceAwareMemory(
      blocks: configuration.patches, slots: configuration.slots, width: configuration.inpaintWidth,
      isShared: !configuration.spaceAware, isQueue: configuration.inpaintMemory == .queue,
      shrinkage: MemoryShrinkage(configuration), generator: generator)
    mixer =
      configuration.inpainting == .full
      ? try NeighbourMixer(
        width: configuration.inpaintWidth, grid: grid, kind: configuration.inpaintMixer, generator: generator) : nil
    expand = try Convolution(
      inputChannels: reducedChannels + Self.positionBits(grid: grid), outputChannels: channels, kernelSize: 1,
      generator: generator)
    expandNorm = try BatchNorm(channels: channels)
  }

  override var parts: [Part] {
    [.module("reduce", reduce), .module("reduceNorm", reduceNorm), .module("memory", memory)]
      + (mixer.map { [.module("mixer", $0)] } ?? [])
      + [.module("expand", expand), .module("expandNorm", expandNorm)]
  }

  func callAsFunction(_ input: Tensor, mode: Mode, random: Generator) throws(TorchError) -> Tensor {
    let patches = grid * grid
    let side = input.extent(2)
    let reduced = try reduceNorm.rectified(reduce(input), mode: mode)
    let features = try reduced.reshaped([-1, patches, reducedChannels * side * side])
    var mixed = try memory(features)
    if let mixer { mixed = try mixer(features: features, memories: mixed, mode: mode) }
    let maps = try mixed.reshaped([-1, reducedChannels, side, side])
    let expanded = try expandNorm.rectified(expand(appendingPosition(to: maps)), mode: mode)
    return try MaskedShortcut.mix(expanded, with: input, retention: retention, mode: mode, random: random)
  }

  func enqueuePending() throws(TorchError) { try memory.enqueuePending() }

  /// Bits of the position code: ⌊log₂ G⌋ + 1.
  static func positionBits(grid: Int) -> Int { Int.bitWidth - (grid * grid).leadingZeroBitCount }

  /// The binary code of each patch index, most significant bit first, `[G, bits]` by rows.
  static func positionCode(grid: Int) -> [Float] {
    let bits = positionBits(grid: grid)
    return (0..<grid * grid).flatMap { patch in
      (0..<bits).map { Float((patch >> (bits - 1 - $0)) & 1) }
    }
  }

  private func appendingPosition(to maps: Tensor) throws(TorchError) -> Tensor {
    let (patches, side) = (grid * grid, maps.extent(2))
    let bits = Self.positionBits(grid: grid)
    let code = try Tensor(Self.positionCode(grid: grid), shape: [1, patches, bits, 1, 1], on: maps.device)
    let images = maps.extent(0) / patches
    let planes = try code.expanded([images, patches, bits, side, side]).reshaped([-1, bits, side, side])
    return try .concatenated([maps, planes], axis: 1)
  }
}

/// Refines each patch's memory read by those of its up to eight neighbours (§3.3).
///
/// The query is the patch's own feature, keys and values are the neighbours' reads; neighbours outside the image are zero
/// vectors and take part. Two residual sub-layers follow: `ReLU(LN(attention) + m)`, `ReLU(LN(FF(n)) + n)`.
final class NeighbourMixer: Module {
  private let grid: Int
  private let attention: MultiHeadAttention?
  private let convolution: Convolution?
  private let attentionNorm: LayerNorm?
  private let feedForward: [Linear]
  private let feedForwardNorm: LayerNorm?

  init(width: Int, grid: Int, kind: SimSIDConfiguration.InpaintMixer, generator: Generator) throws {
    self.grid = grid
    guard kind == .attention else {
      convolution = try Convolution(inputChannels: width, outputChannels: width, kernelSize: 3, generator: generator)
      (attention, attentionNorm, feedForwardNorm, feedForward) = (nil, nil, nil, [])
      return
    }
    convolution = nil
    attention = try MultiHeadAttention(width: width, heads: 8, generator: generator)
    attentionNorm = try LayerNorm(width: width)
    feedForward = [
      try Linear(inputs: width, outputs: width / 4, generator: generator),
      try Linear(inputs: width / 4, outputs: width, generator: generator),
    ]
    feedForwardNorm = try LayerNorm(width: width)
  }

  override var parts: [Part] {
    if let convolution { return [.module("convolution", convolution)] }
    let modules: [(String, Module?)] = [
      ("attention", attention), ("attentionNorm", attentionNorm), ("feedForwardNorm", feedForwardNorm),
    ]
    return modules.compactMap { key, module in module.map { .module(key, $0) } }
      + Part.modules("feedForward", feedForward)
  }

  /// Features and memory reads `[B, G, C]`; returns the same shape.
  func callAsFunction(features: Tensor, memories: Tensor, mode: Mode) throws(TorchError) -> Tensor {
    let windows = try neighbourhoods(memories)
    if let convolution { return try mixedByConvolution(windows, convolution).reshaped(memories.shape) }
    guard let attention, let attentionNorm, let feedForwardNorm else { return memories }
    let width = memories.extent(2)
    let neighbours = try Tensor.concatenated([windows.sliced(0..<4, axis: 1), windows.sliced(5..<9, axis: 1)], axis: 1)
    let attended = try attention(query: features.reshaped([-1, 1, width]), keys: neighbours, values: neighbours)
    let first = try (attentionNorm(attended.reshaped(memories.shape)) + memories).relu()
    return try (feedForwardNorm(feedForward[1](feedForward[0](first).relu())) + first).relu()
  }

  /// The 3×3 windows around each patch of the grid, zeros outside: `[B · G, 9, C]`, row by row.
  private func neighbourhoods(_ memories: Tensor) throws(TorchError) -> Tensor {
    let (images, width) = (memories.extent(0), memories.extent(2))
    let padded = try memories.reshaped([images, grid, grid, width]).padded([0, 0, 1, 1, 1, 1])
    let windows = try padded.windows(size: 3, step: 1, axis: 1).windows(size: 3, step: 1, axis: 2)
    return try windows.permuted([0, 1, 2, 4, 5, 3]).reshaped([-1, 9, width])
  }

  /// The windows with their centre zeroed through a 3×3 convolution, ReLU, no residual (switch I of Table II).
  private func mixedByConvolution(_ windows: Tensor, _ convolution: Convolution) throws(TorchError) -> Tensor {
    let keep = try Tensor((0..<9).map { Float($0 == 4 ? 0 : 1) }, shape: [1, 9, 1], on: windows.device)
    let images = try (windows * keep).transposed(1, 2).reshaped([windows.extent(0), -1, 3, 3])
    return try convolution(images).relu()
  }
}
