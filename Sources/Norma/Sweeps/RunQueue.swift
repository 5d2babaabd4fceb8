import Foundation
import Torch

/// Works off runs one after the other, beside other processes that work on the same folders: the one engine of sweeps and
/// benchmarks.
///
/// Images of one run are used for the next as far as they are the same. A run that another process works on is left for the
/// end.
struct RunQueue {
  /// One run.
  struct Job {
    /// What progress calls it; empty: by its number alone.
    var title = ""
    /// The data set's path.
    let data: String
    /// Its configuration, seed and contamination included.
    let configuration: RunConfiguration
    /// Its folder.
    let folder: URL
    /// The folder for its TensorBoard event files; nil: none are written.
    var tensorBoard: URL?
  }

  /// What became of a run.
  enum Finding {
    /// It is trained and evaluated, on these images; with the memory that it took at most where it was trained now.
    case finished(Trials.Outcome, TrainingData, peakMemory: Int?)
    /// It failed.
    case failed(any Error)
  }

  /// How the work ended.
  enum Ending: Equatable {
    /// Every run was handed over or is done, but for those that other processes work on.
    case finished(elsewhere: [Int])
    /// Interrupted when so many runs were done; the same call continues.
    case interrupted(done: Int)
  }

  let device: Device
  let progress: ProgressHandler
  let isInterrupted: () -> Bool
  private var data: (path: String, images: TrainingData)?

  init(device: Device, progress: @escaping ProgressHandler, isInterrupted: @escaping () -> Bool) {
    (self.device, self.progress, self.isInterrupted) = (device, progress, isInterrupted)
  }

  /// Trains what is not trained yet, goes on with what was interrupted, and evaluates.
  /// - Parameters:
  ///   - isDone: whether a run needs nothing any more; asked right before it would begin.
  ///   - handle: takes what became of a run; what it throws ends the work.
  mutating func work(
    on jobs: [Job], isDone: (Int) -> Bool = { _ in false }, handle: (Int, Finding) throws -> Void
  ) async throws -> Ending {
    var waiting = Array(jobs.indices)
    var done = 0
    // Runs of other processes are looked at once more when all others are done.
    for _ in 0..<2 {
      var elsewhere: [Int] = []
      for index in waiting {
        guard !isInterrupted() else { return .interrupted(done: done) }
        guard let lock = try RunLock(in: jobs[index].folder) else {
          elsewhere.append(index)
          continue
        }
        defer { withExtendedLifetime(lock) {} }
        if !isDone(index) {
          guard let finding = await finding(of: jobs[index], number: done + 1, of: jobs.count) else {
            return .interrupted(done: done)
          }
          try handle(index, finding)
        }
        done += 1
      }
      waiting = elsewhere
    }
    return .finished(elsewhere: waiting)
  }

  /// What becomes of a run; nil when interrupted.
  private mutating func finding(of job: Job, number: Int, of total: Int) async -> Finding? {
    let heading = "run \(number) of \(total)" + (job.title.isEmpty ? "" : ", \(job.title)")
    let told: ProgressHandler = { [progress] message in
      var message = message
      message.activity = "\(heading): \(message.activity)"
      progress(message)
    }
    do {
      let earlier = reusable(for: job)
      data = nil
      let images = try await TrainingData(
        folder: job.data, configuration: job.configuration, reusing: earlier, progress: told)
      data = (job.data, images)
      let isTrained = FileManager.default.fileExists(atPath: job.folder.appendingPathComponent(Trials.model).path)
      if !isTrained { PeakMemory.forget() }
      let outcome = try Trials.outcome(
        of: job.configuration, on: images, in: job.folder, device: device,
        tensorBoard: job.tensorBoard, progress: told, isInterrupted: isInterrupted)
      return outcome.map { .finished($0, images, peakMemory: isTrained ? nil : PeakMemory.bytes) }
    } catch { return .failed(error) }
  }

  /// The last run's images, where some of them may be this one's: so that no more than two runs' are held at once.
  private func reusable(for job: Job) -> TrainingData? {
    guard let data, data.path == job.data,
      data.images.training.specification == job.configuration.inputSpecification
    else { return nil }
    return data.images
  }
}
