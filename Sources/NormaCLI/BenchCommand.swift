import ArgumentParser
import Foundation
import Norma
import Torch

/// `norma bench`.
struct BenchCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench",
    abstract: "Images per second of training, scoring and loading, beside PyTorch in the same run.",
    discussion: """
      Ours and the peer's work alternate round by round, so that a busy machine slows both; medians and the median of the
      round-by-round ratios are printed. Without --peer only our own figures. `make bench` sets the peer up.

      Examples:
        norma bench --preset simsid-laptop-64
        norma bench --preset memmc-mae-laptop-64 --peer "python3 Benchmarks/pytorch/bench_memmc_mae.py"
        norma bench --preset simsid-paper --set training.batchSize=8 --rounds 3
        norma bench --peer "python3 Benchmarks/pytorch/bench_simsid.py"
        norma bench --folder images --peer "python3 Benchmarks/pytorch/bench_loading.py --folder images --workers 2"
      """)

  @Option(help: "A folder of images: time loading instead of training and scoring.")
  var folder: String?

  @Option(help: "The peer's command line; the network's sizes, batch and threads are added.")
  var peer: String?

  @Option(help: "Rounds to take the median over, after one to warm up.")
  var rounds = 5

  @Option(help: "Training cycles, and batches to score, in one round.")
  var repeats = 2

  @OptionGroup var settings: ConfigurationOptions
  @OptionGroup var common: CommonOptions

  func validate() throws {
    guard rounds >= 1, repeats >= 1 else { throw ValidationError("--rounds and --repeats must be 1 or more.") }
  }

  func run() async throws {
    let device = try common.resolvedDevice()
    let configuration = try settings.resolved()
    var table = BenchTable()
    if let folder {
      let size = configuration.detector.settings.imageSize
      let peer = try peer.map { try BenchPeer("\($0) --size \(size)") }
      for round in 0...rounds {
        let ours = try await Workload.load(folder: folder, size: size, passes: 1)
        table.add("load", ours: ours, peer: try peer?.run("load", count: 1), isWarmUp: round == 0)
      }
      peer?.quit()
    } else if case .tokenMasking(let tokens) = configuration.detector {
      let workload = try TokenMaskingWorkload(tokens, training: configuration.training, device: device)
      let peer = try peer.map { try BenchPeer($0 + Self.arguments(configuration)) }
      for round in 0...rounds {
        for task in TokenMaskingWorkload.Task.allCases {
          let ours = try workload.run(task, count: repeats)
          let name = task.rawValue
          table.add(name, ours: ours, peer: try peer?.run(name, count: repeats), isWarmUp: round == 0)
          guard let peer else { continue }
          table.add(
            name + "-lean", ours: ours, peer: try peer.run(name + "-lean", count: repeats), isWarmUp: round == 0)
        }
      }
      peer?.quit()
    } else {
      let workload = try Workload(configuration, device: device)
      let peer = try peer.map { try BenchPeer($0 + Self.arguments(configuration)) }
      for round in 0...rounds {
        let trained = try workload.train(cycles: repeats)
        table.add("train", ours: trained, peer: try peer?.run("train", count: repeats), isWarmUp: round == 0)
        if let peer {
          table.add("train-lean", ours: trained, peer: try peer.run("train-lean", count: repeats), isWarmUp: round == 0)
        }
        let scored = try workload.score(by: Self.paperScore(configuration) ?? workload.defaultScore, batches: repeats)
        table.add("score", ours: scored, peer: try peer?.run("score", count: repeats), isWarmUp: round == 0)
        if let peer {
          table.add("score-lean", ours: scored, peer: try peer.run("score-lean", count: repeats), isWarmUp: round == 0)
        }
        let byDefault = try workload.score(by: workload.defaultScore, batches: repeats)
        table.add("score-default", ours: byDefault, peer: nil, isWarmUp: round == 0)
      }
      peer?.quit()
    }
    try table.write(isJSON: common.json, hardware: Hardware.description(device: device))
  }

  /// The score that the peer computes; nil for methods that it does not know.
  private static func paperScore(_ configuration: RunConfiguration) -> String? {
    switch configuration.detector {
    case .simSID: SimSIDScore.reconstructionLogit.rawValue
    case .memMCMAE: MemMCMAEScore.multiScaleSimilarity.rawValue
    case .tokenMasking, .autoencoder, .bandEnergy: nil
    }
  }

  /// The peer's arguments for the same network.
  private static func arguments(_ configuration: RunConfiguration) -> String {
    let shared = " --batch \(configuration.training.batchSize) --threads \(Runtime.threads)"
    switch configuration.detector {
    case .simSID(let settings):
      return " --size \(settings.imageSize) --width \(settings.width) --grid \(settings.patchGrid)"
        + " --slots \(settings.slots)" + shared
    case .memMCMAE(let settings):
      return " --size \(settings.imageSize) --patch \(settings.patchSize) --slots \(settings.memorySlots)"
        + " --encoder-depth \(settings.encoderDepth) --encoder-width \(settings.encoderWidth)"
        + " --encoder-heads \(settings.encoderHeads) --decoder-depth \(settings.decoderDepth)"
        + " --decoder-width \(settings.decoderWidth) --decoder-heads \(settings.decoderHeads)"
        + " --mask-ratio \(settings.maskRatio) --masks \(settings.masks)" + shared
    case .tokenMasking(let settings):
      let sides =
        settings.volume.isEmpty
        ? " --size \(settings.imageSize)" : " --volume " + settings.volume.map(String.init).joined(separator: " ")
      let (autoencoder, transformer) = (settings.autoencoder, settings.transformer)
      return sides + " --levels \(autoencoder.levels) --autoencoder-width \(autoencoder.width)"
        + " --units \(autoencoder.residualUnits) --codes \(autoencoder.codes) --code-width \(autoencoder.codeWidth)"
        + " --pixel-loss \(autoencoder.pixelLoss.rawValue) --width \(transformer.width)"
        + " --layers \(transformer.layers) --heads \(transformer.heads) --head-width \(transformer.headWidth)"
        + (transformer.spatialPositions ? " --spatial" : "") + " --samples \(settings.detection.samples)"
        + " --decodings \(settings.detection.decodings) --batch \(transformer.batchSize)"
        + " --autoencoder-batch \(autoencoder.batchSize) --threads \(Runtime.threads)"
    case .autoencoder, .bandEnergy: return shared
    }
  }
}
