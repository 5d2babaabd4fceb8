import Norma
import Torch

extension BenchPeer {
  /// The options that give a peer of a method the same network, batch, threads and device.
  static func arguments(
    for configuration: RunConfiguration, batch: Int, works: [BenchWork], on device: Device
  ) -> [String] {
    var options: [(String, String)]
    var words: [String] = []
    switch configuration.detector.settings {
    case let settings as SimSIDConfiguration:
      options = [
        ("size", "\(settings.imageSize)"), ("width", "\(settings.width)"), ("grid", "\(settings.patchGrid)"),
        ("slots", "\(settings.slots)"),
      ]
    case let settings as MemMCMAEConfiguration:
      options = [
        ("size", "\(settings.imageSize)"), ("patch", "\(settings.patchSize)"), ("slots", "\(settings.memorySlots)"),
        ("encoder-depth", "\(settings.encoderDepth)"), ("encoder-width", "\(settings.encoderWidth)"),
        ("encoder-heads", "\(settings.encoderHeads)"), ("decoder-depth", "\(settings.decoderDepth)"),
        ("decoder-width", "\(settings.decoderWidth)"), ("decoder-heads", "\(settings.decoderHeads)"),
        ("mask-ratio", "\(settings.maskRatio)"), ("masks", "\(settings.masks)"),
      ]
    case let settings as TokenMaskingConfiguration:
      (options, words) = tokenMasking(settings)
    default: options = []
    }
    options += [("batch", "\(batch)"), ("threads", "\(Runtime.threads)")]
    if device.kind != .cpu { options.append(("device", "\(device)")) }
    let tasks = works.flatMap(\.peers)
    return words + options.flatMap { ["--" + $0, $1] } + (tasks.isEmpty ? [] : ["--tasks"] + tasks)
  }

  private static func tokenMasking(
    _ settings: TokenMaskingConfiguration
  ) -> (options: [(String, String)], words: [String]) {
    let (autoencoder, transformer) = (settings.autoencoder, settings.transformer)
    let sides = settings.volume.isEmpty ? [] : ["--volume"] + settings.volume.map(String.init)
    return (
      [
        ("size", "\(settings.imageSize)"), ("levels", "\(autoencoder.levels)"),
        ("autoencoder-width", "\(autoencoder.width)"), ("units", "\(autoencoder.residualUnits)"),
        ("codes", "\(autoencoder.codes)"), ("code-width", "\(autoencoder.codeWidth)"),
        ("pixel-loss", autoencoder.pixelLoss.rawValue), ("width", "\(transformer.width)"),
        ("layers", "\(transformer.layers)"), ("heads", "\(transformer.heads)"),
        ("head-width", "\(transformer.headWidth)"), ("samples", "\(settings.detection.samples)"),
        ("decodings", "\(settings.detection.decodings)"), ("autoencoder-batch", "\(autoencoder.batchSize)"),
      ], sides + (transformer.spatialPositions ? ["--spatial"] : [])
    )
  }
}
