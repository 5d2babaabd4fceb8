import ArgumentParser
import Foundation
import Norma
import Torch

/// `norma benchmark`.
struct BenchmarkCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "benchmark", abstract: "Trains and evaluates methods × data sets × seeds, and writes one table.",
    discussion: """
      FILE names what is run:

        output: runs/chest                                   # or --output
        seeds: 3                                             # 1, 2, 3; or a list
        contamination: [0]                                   # shares of abnormal training images
        datasets:
          - {name: chest, path: chest_xray, set: {data: {limit: 500}}}
        methods:                                             # preset, config (a file) or method; set and seeds as needed
          - {name: simsid, preset: simsid-laptop-64}
          - {name: autoencoder, preset: autoencoder-laptop-64, seeds: 1}
          - {preset: band-energy}
        ablations: {simsid: [no-skips, no-inpainting]}       # or all; see norma ablate
        ensembles:                                           # members of the same seeds, fused by mean, rank or maximum
          - {name: best, members: [simsid, band-energy], fusion: [mean, rank], choose: validation}

      Every run has a folder, OUTPUT/DATA SET/METHOD/contamination-0.0/seed-1, and when it is done a row in
      OUTPUT/results.jsonl; the same command repeats nothing that is done, takes over detectors that are trained already, goes
      on with what was interrupted, and tries again what failed. Several processes may work on one benchmark. Tables are
      OUTPUT/benchmark.md, .tex and .csv, plots lie in the data sets' folders. With 'choose: validation' the members and the
      fusion with the best AUROC on the labelled validation images are fused, and no test label is looked at.

      Examples:
        norma benchmark Benchmarks/zhanglab-64.yaml --data zhanglab=chest_xray
        norma benchmark Benchmarks/phantoms-64.yaml --dry-run
        norma benchmark mine.yaml --only simsid --only band-energy --threads 1
      """)

  @Argument(help: "The benchmark, a YAML file.")
  var file: String

  @Option(name: .shortAndLong, help: "Folder for runs, results and tables, in place of the file's.")
  var output: String?

  @Option(help: "Another path for one of the file's data sets, NAME=PATH; repeatable.")
  var data: [String] = []

  @Option(help: "Work on this method or ensemble only; repeatable. Tables have all that is done.")
  var only: [String] = []

  @Flag(help: "List the runs and how far they are, and do nothing.")
  var dryRun = false

  @OptionGroup var tensorBoard: TensorBoardOptions
  @OptionGroup var common: CommonOptions

  func validate() throws {
    for text in data where !text.dropFirst().contains("=") {
      throw ValidationError("--data has '\(text)'; give NAME=PATH, for example zhanglab=chest_xray.")
    }
  }

  func run() async throws {
    let benchmark = try benchmark()
    guard !dryRun else { return try BenchmarkStates(benchmark).print(asJSON: common.json) }
    let device = try common.resolvedDevice()
    let console = common.console
    try OutputFolder.make(for: benchmark.results.url)
    let interruption = Interruption()
    let ending = try await benchmark.run(
      device: device, tensorBoard: tensorBoard.url, progress: console.show,
      isInterrupted: { interruption.isRequested })
    let records = benchmark.records()
    for warning in Set(records.flatMap(\.warnings)).sorted() { console.say("norma: warning: \(warning)") }
    let report = BenchmarkReport(records: records)
    try report.write(to: benchmark.output)
    switch ending {
    case .interrupted(let done, let total):
      console.say("norma: interrupted with \(done) of \(total) runs done; the same command continues")
      throw ExitCode(Failure.interrupted)
    case .finished(let elsewhere):
      if common.json { try BenchmarkStates.printJSON(records) } else { print(report.markdown(), terminator: "") }
      let path = benchmark.output.appendingPathComponent(BenchmarkReport.name).path
      console.say("tables: \(path).md, .tex and .csv; rows: \(benchmark.results.url.path)")
      if !elsewhere.isEmpty {
        console.say("norma: other processes work on \(elsewhere.count) runs; the last to finish writes the whole table")
      }
      let failed = records.filter { $0.failure != nil }
      guard failed.isEmpty else {
        for record in failed { console.say("norma: \(record.key.folder) failed: \(record.failure ?? "")") }
        throw ExitCode(Failure.badData)
      }
    }
  }

  /// The file with what the command line says otherwise.
  private func benchmark() throws -> Benchmark {
    var configuration = try BenchmarkConfiguration(path: file)
    for text in data {
      let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
      guard let index = configuration.dataSets.firstIndex(where: { $0.name == parts[0] }), parts.count == 2 else {
        throw ConfigurationError.unknownName(
          kind: "data set of this benchmark", name: parts[0], known: configuration.dataSets.map(\.name))
      }
      configuration.dataSets[index].path = parts[1]
    }
    guard let folder = output ?? configuration.output else {
      throw ValidationError("Give --output, or 'output' in \(file).")
    }
    return try Benchmark(configuration, output: URL(fileURLWithPath: folder), only: only)
  }
}

/// What `--dry-run` lists.
struct BenchmarkStates {
  let benchmark: Benchmark

  init(_ benchmark: Benchmark) { self.benchmark = benchmark }

  /// One line per run, then how many are done.
  func print(asJSON: Bool) throws {
    let states = benchmark.states()
    for (key, state) in states {
      if asJSON {
        try NormaCLI.printJSON([
          "dataSet": key.dataSet, "entry": key.entry, "ablation": key.ablation ?? "", "seed": key.seed,
          "contamination": key.contamination, "folder": key.folder, "state": Self.words(state),
        ])
      } else {
        Swift.print("\(key.folder): \(Self.words(state))")
      }
    }
    guard !asJSON else { return }
    for (entry, ablation) in benchmark.leftOut {
      Swift.print("left out: \(entry) \(ablation), which does not fit its configuration or changes nothing")
    }
    Swift.print("\(states.count { $0.state == .done }) of \(states.count) runs are done")
  }

  static func words(_ state: Benchmark.State) -> String {
    switch state {
    case .done: "done"
    case .failed(let reason): "failed, \(reason)"
    case .elsewhere(let process): "under way in process \(process)"
    case .trained: "trained, to be evaluated"
    case .begun: "begun"
    case .waiting: "to do"
    }
  }

  /// The rows as they stand in the results file.
  static func printJSON(_ records: [RunRecord]) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    for record in records { Swift.print(String(decoding: try encoder.encode(record), as: UTF8.self)) }
  }
}
