import ArgumentParser
import Foundation
import Norma
import Torch

/// `norma bench`.
struct BenchCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench",
    abstract: "Speed of training, scoring and loading, beside a peer in the same run and this machine's ceilings.",
    discussion: """
      Ours and the peer's work alternate round by round, so that a busy machine slows both; medians, the median of the
      round-by-round ratios and their extremes are printed, and the most memory that each had resident. Multiply-adds are
      counted while the work warms up; divided by the highest rate that the machine reaches they give the floor, the time
      below which it cannot go, and the share of that rate. Without --peer only our own figures. `make bench` sets the peer
      up and runs everything.

      Examples:
        norma bench --method simsid --batch 16 --size 128 --set training.precision=bfloat16
        norma bench --preset memmc-mae-laptop-64 --peer "python3 Benchmarks/pytorch/bench_memmc_mae.py"
        norma bench --preset simsid-paper --task score-one --peer "python3 Benchmarks/pytorch/bench_simsid.py"
        norma bench --ceilings
        norma bench --scaling --preset simsid-laptop-64 --output scaling
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

  @Flag(help: "Measure what this machine reaches at best: matrix products and memory, with all threads and with one.")
  var ceilings = false

  @Option(help: "Take the ceilings from a file of --ceilings --json instead of measuring them again.")
  var ceilingsFrom: String?

  @Flag(help: "Measure time against images, or tokens, and fit a line; --output gets scaling.csv and plots.")
  var scaling = false

  @Option(name: .shortAndLong, help: "Folder of what --scaling writes.")
  var output: String?

  @Option(help: "Print the rows in a file of --json as one table of Markdown, and do nothing else.")
  var summary: String?

  @Option(help: "Images in a training batch.")
  var batch: Int?

  @Option(help: "Side of the images.")
  var size: Int?

  @Option(help: "The peer's command line; the network's sizes, batch and threads are added.")
  var peer: String?

  @Option(help: "Only this one of the peer's works, such as train-lean; repeatable.")
  var peerTask: [String] = []

  @Option(help: "Rounds to take the median over, after one to warm up.")
  var rounds = 5

  @Option(help: "Training cycles, batches or images to score, in one round.")
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
    guard [metrics, folder != nil, ceilings, scaling, summary != nil].filter({ $0 }).count <= 1 else {
      throw ValidationError("Give one of --folder, --metrics, --ceilings, --scaling and --summary.")
    }
    guard !scaling || (output != nil && peer == nil) else {
      throw ValidationError("--scaling needs --output, a folder for its table and plots, and goes without --peer.")
    }
    guard output == nil || scaling else { throw ValidationError("--output goes with --scaling.") }
    guard peerTask.isEmpty || peer != nil else { throw ValidationError("--peer-task goes with --peer.") }
    guard batch ?? 1 >= 1, size ?? 1 >= 1 else { throw ValidationError("--batch and --size must be 1 or more.") }
  }

  func run() async throws {
    if let summary { return print(try BenchTable(contentsOf: summary).markdown, terminator: "") }
    let device = try common.resolvedDevice()
    let hardware = Hardware.description(device: device)
    if ceilings {
      return try BenchCeilings.print(
        BenchCeilings.measured(on: device), isJSON: common.json, hardware: hardware)
    }
    let configuration = try resolvedConfiguration(on: device)
    if scaling, let output {
      let curves = try BenchScaling(
        configuration, tasks: tasks, rounds: rounds, on: device, console: common.console
      ).measured()
      return try BenchScaling.write(curves, to: output, isJSON: common.json, hardware: hardware)
    }
    let all = try works(of: configuration, on: device)
    try Self.check(tasks, among: all.map(\.name), option: "--task")
    let chosen = all.filter { tasks.isEmpty || tasks.contains($0.name) }
    try Self.check(peerTask, among: chosen.flatMap(\.peers), option: "--peer-task")
    try await measure(chosen.map { $0.against(peerTask) }, configuration, hardware: hardware, on: device)
  }

  /// What is asked for; --batch and --size are names for settings of the method's.
  private func resolvedConfiguration(on device: Device) throws -> RunConfiguration {
    var settings = settings
    let isTokenMasking = try settings.resolved().detector.settings is TokenMaskingConfiguration
    let own = [
      batch.map { "\(isTokenMasking ? "detector.transformer.batchSize" : "training.batchSize")=\($0)" },
      size.map { "detector.imageSize=\($0)" },
    ]
    settings.settings = own.compactMap { $0 } + settings.settings
    var configuration = try settings.resolved()
    configuration.training.precision = common.resolvedPrecision(on: device) ?? configuration.training.precision
    return configuration
  }

  static func check(_ names: [String], among known: [String], option: String) throws {
    guard let unknown = names.first(where: { !known.contains($0) }) else { return }
    throw ValidationError("\(option) '\(unknown)' is none of \(known.joined(separator: ", ")).")
  }

  private func works(of configuration: RunConfiguration, on device: Device) throws -> [BenchWork] {
    if metrics { return BenchWorks.metrics() }
    if let folder {
      return BenchWorks.folder(folder, size: configuration.detector.settings.imageSize, areVolumes: volumes)
    }
    return try BenchWorks.method(configuration, on: device)
  }

  /// Ours and the peer's, in turn, and what ours asks of the machine.
  private func measure(
    _ works: [BenchWork], _ configuration: RunConfiguration, hardware: String, on device: Device
  ) async throws {
    let isMethod = folder == nil && !metrics
    let batch =
      (configuration.detector.settings as? TokenMaskingConfiguration)?.transformer.batchSize
      ?? configuration.training.batchSize
    let setting = BenchRow.Setting(
      method: isMethod ? configuration.detector.method.rawValue : nil,
      size: metrics || volumes ? nil : configuration.detector.settings.imageSize, batch: isMethod ? batch : nil,
      precision: isMethod ? configuration.training.precision.rawValue : nil, hardware: hardware)
    let options =
      isMethod
      ? BenchPeer.arguments(for: configuration, batch: batch, works: works, on: device)
      : ["--size", "\(configuration.detector.settings.imageSize)"]
    let limits = try isMethod ? ceilingsFrom.map { try BenchCeilings.read(from: $0, on: device) } : nil
    let peer = try peer.map { try BenchPeer($0, options: options) }
    defer { peer?.quit() }
    let ceilings = try isMethod ? limits ?? MachineCeilings.measure(on: device) : nil
    var rows: [BenchRow] = []
    for work in works {
      func askPeer() throws -> [BenchSample] {
        try peer.map { peer in try work.peers.map { try peer.run($0, count: repeats) } } ?? []
      }
      let warmUp = try await work.warmUp(repeats)
      _ = try askPeer()
      var samples: [(ours: BenchSample, theirs: [BenchSample])] = []
      for _ in 0..<rounds {
        samples.append((try await BenchSample.of { try await work.run(repeats) }, try askPeer()))
      }
      let peers: [String?] = peer == nil || work.peers.isEmpty ? [nil] : work.peers
      rows += peers.enumerated().map { index, name in
        BenchRow(
          setting, work: work.name, peer: name,
          samples: samples.map { ($0.ours, name == nil ? nil : $0.theirs[index]) }, count: warmUp.count,
          countedImages: warmUp.images, ceilings: ceilings)
      }
    }
    for warning in Set(works.compactMap { $0.warning() }) { common.console.say("norma: warning: \(warning)") }
    let table = BenchTable(rows)
    if common.json { try table.printJSON() } else { table.print(setting) }
  }
}
