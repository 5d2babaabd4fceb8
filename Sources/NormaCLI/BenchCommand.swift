import ArgumentParser
import Foundation
import Norma
import Torch

/// `norma bench`.
struct BenchCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench",
    abstract: "Images per second of training, scoring and loading, beside a peer in the same run.",
    discussion: """
      Ours and the peer's work alternate round by round, so that a busy machine slows both; medians and the median of the
      round-by-round ratios are printed, and the most memory that each had resident. Without --peer only our own figures.
      `make bench` sets the peer up.

      Examples:
        norma bench --preset simsid-laptop-64
        norma bench --preset memmc-mae-laptop-64 --peer "python3 Benchmarks/pytorch/bench_memmc_mae.py"
        norma bench --preset simsid-paper --set training.batchSize=8 --rounds 3 --task train
        norma bench --peer "python3 Benchmarks/pytorch/bench_simsid.py"
        norma bench --folder images --peer "python3 Benchmarks/pytorch/bench_loading.py --folder images --workers 2"
        norma bench --metrics
        norma bench --folder scans --volumes --peer "python3 Benchmarks/medical/bench_reading.py --folder scans"
      """)

  @Option(help: "A folder of images: time loading instead of training and scoring.")
  var folder: String?

  @Flag(help: "The folder holds volumes: time reading their files, without resizing.")
  var volumes = false

  @Flag(help: "Time metrics: AUROC with its bootstrap interval in scores, AUPRO in maps of 256×256 per second.")
  var metrics = false

  @Option(help: "The peer's command line; the network's sizes, batch and threads are added.")
  var peer: String?

  @Option(help: "Rounds to take the median over, after one to warm up.")
  var rounds = 5

  @Option(help: "Training cycles, and batches to score, in one round.")
  var repeats = 2

  @Option(name: .customLong("task"), help: "Only this kind of work, which then has its memory to itself; repeatable.")
  var tasks: [String] = []

  @OptionGroup var settings: ConfigurationOptions
  @OptionGroup var common: CommonOptions

  func validate() throws {
    guard !volumes || folder != nil else { throw ValidationError("--volumes needs --folder.") }
    guard !metrics || (folder == nil && peer == nil) else {
      throw ValidationError("--metrics goes without --folder and --peer.")
    }
    guard rounds >= 1, repeats >= 1 else { throw ValidationError("--rounds and --repeats must be 1 or more.") }
  }

  func run() async throws {
    let device = try common.resolvedDevice()
    var configuration = try settings.resolved()
    configuration.training.precision = common.resolvedPrecision(on: device) ?? configuration.training.precision
    let all = try works(of: configuration, on: device)
    let chosen = all.filter { tasks.isEmpty || tasks.contains($0.name) }
    if let unknown = tasks.first(where: { name in !all.contains { $0.name == name } }) {
      throw ValidationError("--task '\(unknown)' is none of \(all.map(\.name).joined(separator: ", ")).")
    }
    try await measure(chosen, peer: peer.map { $0 + arguments(configuration, of: chosen) }, on: device)
  }

  /// Ours and the peer's, in turn.
  private func measure(_ works: [BenchWork], peer command: String?, on device: Device) async throws {
    var table = BenchTable()
    let peer = try command.map(BenchPeer.init)
    for round in 0...rounds {
      for work in works {
        let ours = try await BenchSample.of(work.run)
        let theirs = try peer.map { peer in try work.peers.map { ($0, try peer.run($0, count: repeats)) } } ?? []
        if round > 0 { table.add(work.name, ours: ours, peers: theirs) }
      }
    }
    peer?.quit()
    for warning in Set(works.compactMap { $0.warning() }) { common.console.say("norma: warning: \(warning)") }
    try table.write(isJSON: common.json, hardware: Hardware.description(device: device))
  }

  /// The works that there are for a configuration.
  private func works(of configuration: RunConfiguration, on device: Device) throws -> [BenchWork] {
    let repeats = repeats
    if metrics {
      return MetricsWorkload.allCases.map { work in BenchWork(name: work.rawValue, peers: []) { try work.run() } }
    }
    if let folder {
      let size = configuration.detector.settings.imageSize
      guard !volumes else {
        return [
          BenchWork(name: "read", peers: ["read"]) { try await Workload.read(folder: folder, passes: repeats) }
        ]
      }
      return [
        BenchWork(name: "load", peers: ["load"]) {
          try await Workload.load(folder: folder, size: size, passes: repeats)
        }
      ]
    }
    if let tokens = configuration.detector.settings as? TokenMaskingConfiguration {
      let workload = try TokenMaskingWorkload(tokens, training: configuration.training, device: device)
      return TokenMaskingWorkload.Task.allCases.map { task in
        BenchWork(
          name: task.rawValue, peers: [task.rawValue, task.rawValue + "-lean"],
          run: { try workload.run(task, count: repeats) }, warning: { workload.warning })
      }
    }
    let workload = try Workload(configuration, device: device)
    let (paper, own) = (Self.paperScore(configuration) ?? workload.defaultScore, workload.defaultScore)
    return [
      BenchWork(
        name: "train", peers: ["train", "train-lean"], run: { try workload.train(cycles: repeats) },
        warning: { workload.warning }),
      BenchWork(name: "score", peers: ["score", "score-lean"]) { try workload.score(by: paper, batches: repeats) },
      BenchWork(name: "score-default", peers: []) { try workload.score(by: own, batches: repeats) },
    ]
  }

  /// The score that the peer computes; nil for methods that it does not know.
  private static func paperScore(_ configuration: RunConfiguration) -> String? {
    switch configuration.detector.method {
    case .simSID: SimSIDScore.reconstructionLogit.rawValue
    case .memMCMAE: MemMCMAEScore.multiScaleSimilarity.rawValue
    default: nil
    }
  }

  /// The peer's arguments for the same network.
  private func arguments(_ configuration: RunConfiguration, of works: [BenchWork]) -> String {
    if folder != nil { return " --size \(configuration.detector.settings.imageSize)" }
    let shared = " --batch \(configuration.training.batchSize) --threads \(Runtime.threads)"
    switch configuration.detector.settings {
    case let settings as SimSIDConfiguration:
      return " --size \(settings.imageSize) --width \(settings.width) --grid \(settings.patchGrid)"
        + " --slots \(settings.slots)" + shared
    case let settings as MemMCMAEConfiguration:
      return " --size \(settings.imageSize) --patch \(settings.patchSize) --slots \(settings.memorySlots)"
        + " --encoder-depth \(settings.encoderDepth) --encoder-width \(settings.encoderWidth)"
        + " --encoder-heads \(settings.encoderHeads) --decoder-depth \(settings.decoderDepth)"
        + " --decoder-width \(settings.decoderWidth) --decoder-heads \(settings.decoderHeads)"
        + " --mask-ratio \(settings.maskRatio) --masks \(settings.masks)" + shared
    case let settings as TokenMaskingConfiguration:
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
        + " --autoencoder-batch \(autoencoder.batchSize) --threads \(Runtime.threads) --tasks "
        + works.flatMap(\.peers).joined(separator: " ")
    default: return shared
    }
  }
}
