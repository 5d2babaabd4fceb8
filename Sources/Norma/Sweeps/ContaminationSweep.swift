import Evaluation
public import Foundation
import MedicalImaging
public import Torch

/// Training and evaluating at several contaminations, the share of training images that are abnormal: how much a method
/// suffers from them.
///
/// All runs of a configuration train on equally many images. The abnormal ones come from the data set's training split; of
/// the same seed, those of a smaller contamination are among those of a larger one, and the test images are the same in all
/// runs (`ImageDataSet.trainingItems`).
public enum ContaminationSweep {
  /// A configuration that is compared, with the name that folders, tables and legends know it by.
  public struct Candidate: Sendable {
    /// The name; no two candidates of a sweep share one.
    public let name: String
    /// The configuration; its contamination is left aside, and its seed is the first one's.
    public let configuration: RunConfiguration

    /// Names a configuration.
    public init(name: String, configuration: RunConfiguration) {
      (self.name, self.configuration) = (name, configuration)
    }

    /// The configuration at a contamination and the n-th seed.
    func configuration(contamination: Double, trial: Int) -> RunConfiguration {
      var configuration = configuration
      configuration.seed += trial
      configuration.data.contamination = contamination
      return configuration
    }
  }

  /// One trained and evaluated detector.
  public struct Run: Sendable {
    /// The candidate's name; of an earlier round's checkpoint `NAME, round 0`.
    public let candidate: String
    /// The contamination that was asked for.
    public let contamination: Double
    /// What came out.
    public let outcome: Trials.Outcome
    /// Images that were trained on.
    public let trainingImages: Int
    /// How many of them are abnormal.
    public let abnormalTrainingImages: Int
  }

  /// How a sweep ended.
  public enum Ending: Sendable {
    /// All runs are trained and evaluated: candidate by candidate, contaminations ascending, seeds ascending.
    case finished([Run])
    /// Interrupted when so many runs were evaluated; the same call continues.
    case interrupted(done: Int, total: Int)
  }

  /// Trains and evaluates every candidate at every contamination under every seed, each run in a folder of its own below
  /// `output`: `<candidate>/contamination-0.2/seed-1`. Finished runs are not trained again, and interrupted ones are resumed.
  ///
  /// Before anything is trained, every run's images are looked for.
  /// - Parameters:
  ///   - contaminations: shares in `0...1`.
  ///   - trials: seeds per contamination, counting up from the candidate's.
  ///   - tensorBoard: a folder for TensorBoard's event files, each run's as below `output`; nil: none are written.
  ///   - rounds: rounds of training whose own checkpoints, `round-0.safetensors`, are evaluated as well, where a run has
  ///     them: 0 is training without masking.
  /// - Throws: `DataSetError` naming the images that are missing, and whatever training and evaluation throw.
  public static func run(
    _ candidates: [Candidate], contaminations: [Double], trials: Int, rounds: [Int] = [], folder: String, output: URL,
    device: Device, tensorBoard: URL? = nil, progress: @escaping ProgressHandler = { _ in },
    isInterrupted: @escaping () -> Bool = { false }
  ) async throws -> Ending {
    for candidate in candidates { try check(candidate, contaminations: contaminations, trials: trials, folder: folder) }
    var jobs: [RunQueue.Job] = []
    var places: [(candidate: Int, level: Int, trial: Int)] = []
    let levels = contaminations.sorted()
    for (number, candidate) in candidates.enumerated() {
      // Seeds outside, so that one run shares most images with the next and few are read again.
      for trial in 0..<trials {
        for (level, contamination) in levels.enumerated() {
          let configuration = candidate.configuration(contamination: contamination, trial: trial)
          let place = runFolder(of: candidate, contamination, seed: configuration.seed, below: output)
          let events = tensorBoard.map {
            runFolder(of: candidate, contamination, seed: configuration.seed, below: $0)
          }
          jobs.append(
            RunQueue.Job(data: folder, configuration: configuration, folder: place, tensorBoard: events))
          places.append((number, level, trial))
        }
      }
    }
    var runs: [(order: [Int], run: Run)] = []
    var queue = RunQueue(device: device, progress: progress, isInterrupted: isInterrupted)
    let ending = try await queue.work(on: jobs) { index, finding in
      guard case .finished(let outcome, let images, _) = finding else {
        if case .failed(let error) = finding { throw error }
        return
      }
      let place = places[index]
      func add(_ outcome: Trials.Outcome, of name: String, _ version: Int) {
        let run = Run(
          candidate: name, contamination: levels[place.level], outcome: outcome, trainingImages: images.training.count,
          abnormalTrainingImages: images.training.items.count { $0.label == .abnormal })
        runs.append(([place.candidate, version, place.level, place.trial], run))
      }
      let name = candidates[place.candidate].name
      add(outcome, of: name, 0)
      for (version, round) in rounds.enumerated() {
        let file = jobs[index].folder.appendingPathComponent("round-\(round).safetensors")
        guard FileManager.default.fileExists(atPath: file.path) else { continue }
        let outcome = try Trials.evaluate(
          file, Checkpoint(contentsOf: file), data: images, device: device, progress: progress)
        add(outcome, of: "\(name), round \(round)", version + 1)
      }
    }
    switch ending {
    case .interrupted(let done): return .interrupted(done: done, total: jobs.count)
    case .finished(let elsewhere):
      if let index = elsewhere.first {
        let place = jobs[index].folder
        throw TrainingError.runElsewhere(path: place.path, process: RunLock.holder(of: place))
      }
      return .finished(runs.sorted { $0.order.lexicographicallyPrecedes($1.order) }.map(\.run))
    }
  }

  /// The folder of a run.
  static func runFolder(of candidate: Candidate, _ contamination: Double, seed: Int, below output: URL) -> URL {
    output.appendingPathComponent("\(candidate.name)/\(RunKey.folder(contamination, seed: seed))")
  }

  /// Looks for the images of all of a candidate's runs, without reading any.
  private static func check(
    _ candidate: Candidate, contaminations: [Double], trials: Int, folder: String
  ) throws {
    for trial in 0..<trials {
      let set = try candidate.configuration(contamination: 0, trial: trial).dataSet(in: folder)
      guard !set.items(in: .test).isEmpty else { throw EvaluationImagesError.noTestImages }
      for (label, missing) in [(DataItem.Label.normal, EvaluationError.Class.normal), (.abnormal, .abnormal)]
      where set.items(in: .test, label: label).isEmpty {
        throw EvaluationError.oneClassOnly(missing: missing, figure: "AUROC")
      }
      for contamination in contaminations {
        _ = try candidate.configuration(contamination: contamination, trial: trial).trainingItems(of: set)
      }
    }
  }
}
