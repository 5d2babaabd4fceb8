/// The two official files together: what their names and shapes say about the networks.
struct SimSIDOfficialWeights {
  var model: SimSIDOfficialFile
  var discriminator: SimSIDOfficialFile

  /// Whether the files come from SQUID's program. It counts decoder memories from the end, and its discriminator has one
  /// doubling of channels less; without decoder memories and below 128 × 128 pixels the files are the same.
  var areSQUID: Bool {
    if model.has("memory_blocks.2.") || model.has("memory_blocks.3.") { return true }
    if model.has("memory_blocks.") || model.has("inpaint_block.conv.") { return false }
    let last = try? discriminator.shape(Self.convolution(4), rank: 4, expected: "")
    return last?[0] == 128
  }

  /// The official index of the decoder memory of a level, deepest first.
  func memoryIndex(_ level: Int) -> Int { areSQUID ? 3 - level : level }

  /// The configuration that the files and the options stand for.
  /// - Throws: `SimSIDImportError` for a missing entry, or a shape that no configuration has.
  func configuration(_ options: SimSIDImport.Options) throws(SimSIDImportError) -> SimSIDConfiguration {
    var settings = SimSIDConfiguration()
    settings.width = try width()
    let critic = try discriminatorSize()
    settings.imageSize = critic.imageSize
    settings.discriminatorChannels = critic.channels
    let memory = try inpaintingSize(width: settings.width, imageSize: critic.imageSize)
    settings.patchGrid = memory.grid
    settings.slots = memory.slots
    settings.skips = try hasSkips(width: settings.width)
    settings.distillation = model.has("teacher_ups.") || model.has("teacher_out.")
    for level in 0..<2 { try readDecoderMemory(level, into: &settings) }
    settings.inpaintMemory = options.inpaintMemory ?? (areSQUID ? .queue : .matrix)
    settings.activeItems = options.activeItems
    settings.output = options.output ?? (areSQUID ? .sigmoid : .tanh)
    settings.discriminatorStatistics = options.discriminatorStatistics
    settings.scoring = .reconstructionLogit
    return settings
  }

  /// Channels of the outermost level, read where the file has most numbers: what follows asks for no more memory than that.
  private func width() throws(SimSIDImportError) -> Int {
    let key = "down_blocks.3.mpconv.conv2.3.weight"
    let expected = "[16 · width, 16 · width, 3, 3]"
    let shape = try model.shape(key, rank: 4, expected: expected)
    guard shape[0] == shape[1], shape[0] >= 32, shape[0] % 32 == 0, shape[2...] == [3, 3] else {
      throw model.wrongShape(key, expected: expected)
    }
    return shape[0] / 16
  }

  /// The key of a discriminator's convolution: layers of convolution, norm and activation, the first without norm.
  static func convolution(_ index: Int) -> String { "conv_model.\(index == 0 ? 0 : 3 * index - 1).weight" }

  /// The image side, halved by each convolution down to 4, and the most channels.
  private func discriminatorSize() throws(SimSIDImportError) -> (imageSize: Int, channels: Int) {
    var channels = [1]
    while channels.count <= 10, channels.count == 1 || discriminator.has(Self.convolution(channels.count - 1)) {
      let key = Self.convolution(channels.count - 1)
      let previous = channels[channels.count - 1]
      let expected =
        "[channels, \(previous), 5, 5], the channels \(channels.count == 1 ? "16" : "as before or doubled")"
      let shape = try discriminator.shape(key, rank: 4, expected: expected)
      let allowed = channels.count == 1 ? [16] : [previous, 2 * previous]
      guard allowed.contains(shape[0]), shape[1...] == [previous, 5, 5] else {
        throw discriminator.wrongShape(key, expected: expected)
      }
      channels.append(shape[0])
    }
    return (4 << (channels.count - 1), channels[channels.count - 1])
  }

  /// The patch grid, from the width of a patch's features, and the items per memory block.
  private func inpaintingSize(width: Int, imageSize: Int) throws(SimSIDImportError) -> (grid: Int, slots: Int) {
    let attention = "inpaint_block.attention.in_proj_weight"
    let square = "[3 · C, C], C = \(4 * width) · (\(imageSize) / 16 / grid)² for a grid of 1, 2, 4 or 8"
    let projection = try model.shape(attention, rank: 2, expected: square)
    let grids = [1, 2, 4, 8].filter { grid in
      let side = imageSize / 16 / grid
      return projection[1] == 4 * width * side * side && side > 0
    }
    guard projection[0] == 3 * projection[1], let grid = grids.first else {
      throw model.wrongShape(attention, expected: square)
    }
    let memory = "inpaint_block.memory.0.memMatrix"
    let expected = "[items, \(projection[1])]"
    let items = try model.shape(memory, rank: 2, expected: expected)
    guard items[0] >= 1, items[1] == projection[1] else { throw model.wrongShape(memory, expected: expected) }
    return (grid, items[0])
  }

  /// Whether the two inner encoder levels are concatenated to the decoder's.
  private func hasSkips(width: Int) throws(SimSIDImportError) -> Bool {
    let key = "up_blocks.0.conv.conv1.0.weight"
    let expected = "[\(8 * width), \(24 * width) with skip connections or \(16 * width) without, 3, 3]"
    let shape = try model.shape(key, rank: 4, expected: expected)
    guard [24 * width, 16 * width].contains(shape[1]) else { throw model.wrongShape(key, expected: expected) }
    return shape[1] == 24 * width
  }

  /// Kind and windows of the memory after a decoder level, from the number of its blocks and their width.
  private func readDecoderMemory(_ level: Int, into settings: inout SimSIDConfiguration) throws(SimSIDImportError) {
    let prefix = "memory_blocks.\(memoryIndex(level))."
    guard model.has(prefix) else {
      settings.decoderMemories[level] = .none
      return
    }
    let side = settings.bottleneckSide << (level + 1)
    let whole = (settings.width << (3 - level)) * side * side
    let blocks = model.count(prefix + "memory.", ".memMatrix")
    let key = prefix + "memory.0.memMatrix"
    let expected = "[items, \(whole)] for \(settings.patches) blocks, or \(whole) / n for 1, 4 or 16 blocks"
    let shape = try model.shape(key, rank: 2, expected: expected)
    if shape[1] == whole, blocks == settings.patches {
      settings.decoderMemories[level] = .perPatch
    } else if shape[1] * blocks == whole, [1, 4, 16].contains(blocks) {
      settings.decoderMemories[level] = .windows
      settings.decoderWindows = blocks
    } else {
      throw model.wrongShape(key, expected: expected)
    }
  }
}
