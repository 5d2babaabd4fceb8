public import Foundation
public import Torch

/// Methods × data sets × seeds × contaminations, and switches of methods, each trained and evaluated once, in folders below
/// one of its own: `zhanglab/simsid/contamination-0.0/seed-1`.
///
/// Every finished run is a row of `results.jsonl` and is not repeated; a run that was trained already is taken over where
/// configuration and images are those that are asked for. A run that fails is a row with its reason, and the others go on.
/// Several processes may work on one benchmark.
public struct Benchmark: Sendable {
  /// One run that is asked for.
  public struct Run: Sendable {
    /// Which one.
    public let key: RunKey
    /// The data set's path.
    public let data: String
    /// Its configuration, seed and contamination included.
    public let configuration: RunConfiguration
  }

  /// How far a run is.
  public enum State: Equatable, Sendable {
    /// Evaluated; its row is there.
    case done
    /// It failed; the same command tries again.
    case failed(reason: String)
    /// Another process works on it.
    case elsewhere(process: Int32)
    /// Its detector is there and has to be evaluated.
    case trained
    /// Interrupted in training.
    case begun
    /// Nothing is there yet.
    case waiting
  }

  /// How the work ended.
  public enum Ending: Equatable, Sendable {
    /// Every run is done or failed, but for those that other processes work on.
    case finished(elsewhere: [RunKey])
    /// Interrupted when so many runs of all were done or had failed; the same command continues.
    case interrupted(done: Int, total: Int)
  }

  /// What is asked for.
  public let configuration: BenchmarkConfiguration
  /// The folder of runs, results and tables.
  public let output: URL
  /// All runs but ensembles', in the order in which they are worked off: data set by data set, whole methods before switches,
  /// seed by seed, so that a first table is soon complete.
  public let runs: [Run]
  /// Switches that `all` leaves out, as they do not fit a method's configuration or change nothing.
  public let leftOut: [(entry: String, ablation: String)]
  /// The rows of all runs.
  public let results: ResultsFile
  /// Names of methods and ensembles that are worked on; nil: all.
  let chosen: Set<String>?

  /// Plans a benchmark; nothing is read but configurations.
  /// - Parameter only: names of methods and ensembles to work on; empty: all.
  /// - Throws: `ConfigurationError` of a preset that is unknown or settings that do not fit, of what is worked on.
  public init(
    _ configuration: BenchmarkConfiguration, output: URL, only: [String] = []
  ) throws(ConfigurationError) {
    (self.configuration, self.output, results) = (configuration, output, ResultsFile(in: output))
    let known = configuration.methods.map(\.name) + configuration.ensembles.map(\.name)
    for name in only where !known.contains(name) {
      throw .unknownName(kind: "method or ensemble of this benchmark", name: name, known: known)
    }
    chosen = only.isEmpty ? nil : Set(only)
    var (runs, leftOut): ([Run], [(entry: String, ablation: String)]) = ([], [])
    for dataSet in configuration.dataSets {
      var switches: [Run] = []
      for position in 0..<(configuration.methods.map(\.seeds.count).max() ?? 0) {
        for method in configuration.methods where position < method.seeds.count {
          let seed = method.seeds[position]
          for level in configuration.contaminations {
            let whole: RunConfiguration
            do {
              whole = try Self.configuration(of: method, on: dataSet, contamination: level, seed: seed)
            } catch {
              // What is not worked on need not be known to this Norma.
              if chosen?.contains(method.name) ?? true { throw error }
              continue
            }
            func run(_ configuration: RunConfiguration, _ ablation: String? = nil) -> Run {
              let key = RunKey(
                dataSet: dataSet.name, entry: method.name, ablation: ablation,
                contamination: configuration.data.contamination, seed: seed)
              return Run(key: key, data: dataSet.path, configuration: configuration)
            }
            runs.append(run(whole))
            for ablation in method.ablations {
              if method.takesAllAblations, !ablation.changes(whole) {
                if !leftOut.contains(where: { $0 == (method.name, ablation.name) }) {
                  leftOut.append((method.name, ablation.name))
                }
                continue
              }
              let switched = run(try ablation.applied(to: whole), ablation.name)
              if !switches.contains(where: { $0.key == switched.key }) { switches.append(switched) }
            }
          }
        }
      }
      runs += switches
    }
    (self.runs, self.leftOut) = (runs, leftOut)
  }

  private static func configuration(
    of method: BenchmarkConfiguration.Method, on dataSet: BenchmarkConfiguration.DataSet, contamination: Double,
    seed: Int
  ) throws(ConfigurationError) -> RunConfiguration {
    try method.source.configuration(
      overrides: dataSet.settings + method.settings + ["seed=\(seed)", "data.contamination=\(contamination)"])
  }

  /// Whether a method or ensemble is worked on.
  func isChosen(_ entry: String) -> Bool { chosen?.contains(entry) ?? true }

  /// The folder of a run.
  func folder(of key: RunKey) -> URL { output.appendingPathComponent(key.folder) }

  // MARK: State

  /// The runs that are asked for and those of ensembles, with how far they are.
  public func states() -> [(key: RunKey, state: State)] {
    let records = results.records()
    let methods = runs.filter { isChosen($0.key.entry) }.map { ($0.key, state(of: $0.key, records: records)) }
    return methods + ensembleKeys.filter { isChosen($0.entry) }.map { ($0, state(of: $0, records: records)) }
  }

  private func state(of key: RunKey, records: [RunKey: RunRecord]) -> State {
    if isDone(key, records: records) { return .done }
    let folder = folder(of: key)
    if let process = RunLock.holder(of: folder) { return .elsewhere(process: process) }
    if let reason = records[key]?.failure { return .failed(reason: reason) }
    if FileManager.default.fileExists(atPath: folder.appendingPathComponent(Trials.model).path) { return .trained }
    return Trainer.hasState(in: folder) ? .begun : .waiting
  }

  /// Whether the row of a run is there, and is of the configuration that is asked for; that of an ensemble, of its members'
  /// present rows.
  func isDone(_ key: RunKey, records: [RunKey: RunRecord]) -> Bool {
    guard let record = records[key], record.test != nil,
      FileManager.default.fileExists(atPath: RunScores.file(of: .test, in: folder(of: key)).path)
    else { return false }
    if let run = runs.first(where: { $0.key == key }) { return record.configuration == run.configuration }
    guard let ensemble = configuration.ensembles.first(where: { $0.name == key.entry }) else { return true }
    return isCurrent(record, of: ensemble, records: records)
  }

  /// The rows of the benchmark, in the order of the runs, ensembles last; of runs of other settings none.
  public func records() -> [RunRecord] {
    let records = results.records()
    return (runs.map(\.key) + ensembleKeys).compactMap { key in
      records[key].flatMap { $0.failure != nil || isDone(key, records: records) ? $0 : nil }
    }
  }

  /// Runs of ensembles.
  var ensembleKeys: [RunKey] {
    configuration.dataSets.flatMap { dataSet in
      configuration.contaminations.flatMap { level in
        configuration.ensembles.flatMap { ensemble in
          ensemble.seeds.map {
            RunKey(dataSet: dataSet.name, entry: ensemble.name, contamination: level, seed: $0)
          }
        }
      }
    }
  }

  // MARK: Work

  /// Trains and evaluates what is not done yet, then fuses ensembles whose members are done.
  /// - Parameter tensorBoard: a folder for TensorBoard's event files, each run's as below `output`; nil: none are written.
  /// - Throws: `TrainingError.cannotWrite` where results cannot be kept; runs that fail are rows.
  public func run(
    device: Device, tensorBoard: URL? = nil, progress: @escaping ProgressHandler = { _ in },
    isInterrupted: @escaping () -> Bool = { false }
  ) async throws -> Ending {
    let open = { [self] in
      let records = results.records()
      return runs.filter { isChosen($0.key.entry) && !isDone($0.key, records: records) }
    }()
    let jobs = open.map { run in
      RunQueue.Job(
        title: run.key.title, data: run.data, configuration: run.configuration, folder: folder(of: run.key),
        tensorBoard: tensorBoard?.appendingPathComponent(run.key.folder))
    }
    var queue = RunQueue(device: device, progress: progress, isInterrupted: isInterrupted)
    let ending = try await queue.work(on: jobs) { index in
      isDone(open[index].key, records: results.records())
    } handle: { index, finding in
      try keep(finding, of: open[index].key)
    }
    switch ending {
    case .interrupted: return interrupted
    case .finished(let elsewhere):
      let fused = try await fuseEnsembles(device: device, progress: progress, isInterrupted: isInterrupted)
      guard let fused else { return interrupted }
      let records = results.records()
      return .finished(
        elsewhere: (elsewhere.map { open[$0].key } + fused).filter { !isDone($0, records: records) })
    }
  }

  private var interrupted: Ending {
    let states = states()
    let done = states.count {
      if case .failed = $0.state { return true }
      return $0.state == .done
    }
    return .interrupted(done: done, total: states.count)
  }

  /// Writes the scores and the row of a run.
  private func keep(_ finding: RunQueue.Finding, of key: RunKey) throws {
    switch finding {
    case .failed(let error): try results.append(RunRecord(key, failure: error))
    case .finished(let outcome, _, let peakMemory):
      try keep(outcome, of: key) { $0.peakMemory = peakMemory }
    }
  }

  /// Writes the scores and the row of an evaluated detector.
  func keep(_ outcome: Trials.Outcome, of key: RunKey, _ complete: (inout RunRecord) -> Void) throws {
    var record = try RunRecord(key, outcome)
    complete(&record)
    try RunScores.write(outcome, to: folder(of: key))
    try results.append(record)
  }
}

extension RunKey {
  /// What people read: `zhanglab, simsid without skips…`.
  public var title: String {
    "\(dataSet)/\(entry)\(ablation.map { " \($0)" } ?? "")\(contamination > 0 ? " at \(contamination)" : "") seed \(seed)"
  }
}
