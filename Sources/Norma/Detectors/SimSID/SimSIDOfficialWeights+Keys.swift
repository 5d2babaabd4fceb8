import Torch

extension SimSIDOfficialWeights {
  /// The official value of one of Norma's tensors.
  /// - Throws: `SimSIDImportError` when it is missing or of another shape, or `TorchError`.
  mutating func value(for key: String, shape: [Int]) throws -> Tensor {
    if key == "generator.inpainting.memory.pointer" { return try .zeros(shape, dtype: .int64) }
    if key == "generator.inpainting.memory.items" { return try blocks("inpaint_block.memory.", shape) }
    for level in 0..<2 where key == "generator.student.memories.\(level).items" {
      let stacked = try blocks("memory_blocks.\(memoryIndex(level)).memory.", shape)
      return areSQUID ? try channelMajor(stacked, level: level) : stacked
    }
    let official = Self.officialKey(of: key)
    return key.hasPrefix("discriminator.") ? try discriminator.take(official, shape) : try model.take(official, shape)
  }

  /// The blocks of a memory, each a matrix in the file, as one tensor `[blocks, M, C]`.
  private mutating func blocks(_ prefix: String, _ shape: [Int]) throws -> Tensor {
    try .stacked((0..<shape[0]).map { try model.take("\(prefix)\($0).memMatrix", Array(shape[1...])) })
  }

  /// SQUID's decoder items run over positions first and channels last; Norma's the other way round.
  private func channelMajor(_ items: Tensor, level: Int) throws -> Tensor {
    let channels = try model.shape("up_blocks.\(level).conv.conv1.0.bias", rank: 1, expected: "[channels]")[0]
    let (blocks, slots) = (items.extent(0), items.extent(1))
    return try items.reshaped([blocks, slots, -1, channels]).transposed(2, 3).reshaped([blocks, slots, -1])
  }

  /// What the authors call a tensor that has one entry of its own.
  static func officialKey(of key: String) -> String {
    guard let (ours, theirs) = prefixes.first(where: { key.hasPrefix($0.ours) }) else { return key }
    let rest = key.dropFirst(ours.count).split(separator: ".").map { names[String($0)] ?? String($0) }
    return theirs + rest.joined(separator: ".")
  }

  private static let prefixes: [(ours: String, theirs: String)] =
    [
      ("generator.encoder.input.", "in_conv.conv."),
      ("generator.inpainting.reduce.", "inpaint_block.bottleneck_conv1.0."),
      ("generator.inpainting.reduceNorm.", "inpaint_block.bottleneck_conv1.1."),
      ("generator.inpainting.mixer.attention.inputProjection.", "inpaint_block.attention.in_proj_"),
      ("generator.inpainting.mixer.attention.outputProjection.", "inpaint_block.attention.out_proj."),
      ("generator.inpainting.mixer.attentionNorm.", "inpaint_block.attn_norm1."),
      ("generator.inpainting.mixer.feedForward.0.", "inpaint_block.ff.0."),
      ("generator.inpainting.mixer.feedForward.1.", "inpaint_block.ff.3."),
      ("generator.inpainting.mixer.feedForwardNorm.", "inpaint_block.attn_norm2."),
      ("generator.inpainting.expand.", "inpaint_block.bottleneck_conv2.0."),
      ("generator.inpainting.expandNorm.", "inpaint_block.bottleneck_conv2.1."),
      ("generator.student.output.", "out_conv.conv."),
      ("generator.teacher.output.", "teacher_out.conv."),
      ("discriminator.logit.", "regressor."),
      ("discriminator.convolutions.0.", "conv_model.0."),
    ]
    + (0..<4).flatMap {
      [
        ("generator.encoder.down.\($0).", "down_blocks.\($0).mpconv."),
        ("generator.student.up.\($0).", "up_blocks.\($0).conv."),
        ("generator.teacher.up.\($0).", "teacher_ups.\($0).conv."),
      ]
    }
    + (1..<10).flatMap {
      [
        ("discriminator.convolutions.\($0).", "conv_model.\(3 * $0 - 1)."),
        ("discriminator.norms.\($0).", "conv_model.\(3 * $0)."),
      ]
    }

  private static let names = [
    "convolution1": "conv1.0", "norm1": "conv1.1", "convolution2": "conv2.0", "norm2": "conv2.1",
    "convolution3": "conv2.3", "norm3": "conv2.4", "runningMean": "running_mean", "runningVariance": "running_var",
  ]
}
