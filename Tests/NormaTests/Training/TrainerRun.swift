import Foundation
import Torch

@testable import Norma

/// Runs a trainer in a folder of its own, and reads what it left.
struct TrainerRun {
  let folder: TemporaryFolder
  let data: TrainingData
  var configuration: RunConfiguration
  /// Whether the AUROC of the test images is watched.
  var watchesTest = false

  /// Trains from the start, or on from what lies in the folder.
  /// - Parameter stops: the run is interrupted after so many iterations of this call; nil lets it finish.
  @discardableResult
  func run(resumes: Bool = false, stopsAfter stops: Int? = nil) throws -> Trainer.Outcome {
    var iterations = 0
    let trainer = try Trainer(
      configuration, data: data, folder: folder.url, device: .cpu, watchesTest: watchesTest,
      isInterrupted: {
        iterations += 1
        return iterations == stops
      })
    if resumes { try trainer.resume() }
    return try trainer.run()
  }

  var model: Checkpoint {
    get throws { try Checkpoint(contentsOf: folder.url.appendingPathComponent("model.safetensors")) }
  }

  var state: Checkpoint {
    get throws { try Checkpoint(contentsOf: folder.url.appendingPathComponent(Trainer.stateName)) }
  }

  /// The log's events of one kind.
  func events(_ name: String) throws -> [[String: Any]] {
    let text = try String(contentsOf: folder.url.appendingPathComponent("log.jsonl"), encoding: .utf8)
    return text.split(separator: "\n")
      .compactMap { (try? JSONSerialization.jsonObject(with: Data($0.utf8))) as? [String: Any] }
      .filter { $0["event"] as? String == name }
  }

  /// Mean losses of every epoch by name.
  func losses() throws -> [[String: Double]] {
    try events("epoch").map { $0["losses"] as? [String: Double] ?? [:] }
  }
}
