public import Foundation
import MedicalImaging
import Torch

// The state of a run, in the same file format as a trained detector: `resume.safetensors`.
extension Trainer {
  private static let positionNote = "norma.position"
  static let stateName = "resume.safetensors"

  /// Whether a folder holds a run that could be resumed.
  public static func hasState(in folder: URL) -> Bool {
    FileManager.default.fileExists(atPath: folder.appendingPathComponent(stateName).path)
  }

  /// The configuration of the run in a folder.
  /// - Throws: `TrainingError.nothingToResume` or `CheckpointError`.
  public static func configuration(in folder: URL) throws -> RunConfiguration {
    guard hasState(in: folder) else { throw TrainingError.nothingToResume(path: folder.path) }
    return try Checkpoint(contentsOf: folder.appendingPathComponent(stateName)).metadata.configuration
  }

  /// Takes the run up where the state in its folder left it.
  /// - Throws: `TrainingError.nothingToResume`, or `.otherData` when the images are not those of the run.
  public func resume() throws {
    guard Self.hasState(in: folder) else { throw TrainingError.nothingToResume(path: folder.path) }
    let file = folder.appendingPathComponent(Self.stateName)
    let checkpoint = try Checkpoint(contentsOf: file)
    guard checkpoint.metadata.origin.dataFingerprint == data.fingerprint else {
      throw TrainingError.otherData(path: folder.path)
    }
    guard let note = checkpoint.notes[Self.positionNote],
      let position = try? JSONDecoder().decode(Position.self, from: Data(note.utf8))
    else { throw TrainingError.nothingToResume(path: folder.path) }
    self.position = position
    try load(checkpoint.arrays(below: "network."), into: detector.network.namedParameters)
    if position.isPrepared != false, position.stage < detector.stages.count {
      for update in detector.stages[position.stage].updates {
        let state = checkpoint.arrays(below: "training.\(position.stage).\(update.name).")
        if !state.isEmpty { pausedOptimisers[update.name] = state }
      }
    }
    try detector.resume(from: checkpoint.arrays(below: "training.detector.").mapValues { try $0.tensor() })
    if let average {
      try load(checkpoint.arrays(below: "training.average."), into: average.state)
      average.updateCount = position.averageUpdates
    }
    tally = try LossTally(position.losses, checkpoint.arrays(below: "training.losses."), on: device)
    pausedGenerator = try checkpoint.arrays["training.generator"]?.tensor()
    if let auroc = position.bestAUROC, let epoch = position.bestEpoch {
      best = (auroc, epoch, try Checkpoint(contentsOf: folder.appendingPathComponent("best.safetensors")))
    }
  }

  /// Writes everything that resuming needs and returns the file.
  func saveState() throws -> URL {
    position.averageUpdates = average?.updateCount ?? 0
    position.losses = tally.counts
    var checkpoint = Checkpoint(metadata: metadata(Calibration(scores: [:], mapRanges: [:])))
    checkpoint.add(try storedArrays(detector.network.namedParameters, prefix: "network."))
    for (name, optimiser) in runner?.optimisers ?? [:] {
      checkpoint.add(try storedArrays(optimiser.state, prefix: "training.\(position.stage).\(name)."))
    }
    for (key, tensor) in try detector.trainingState() {
      checkpoint.add([try StoredArray(name: "training.detector.\(key)", tensor)])
    }
    if let average { checkpoint.add(try storedArrays(average.state, prefix: "training.average.")) }
    checkpoint.add(try tally.storedArrays(prefix: "training.losses."))
    if let pausedGenerator { checkpoint.add([try StoredArray(name: "training.generator", pausedGenerator)]) }
    checkpoint.notes[Self.positionNote] = String(decoding: try JSONEncoder().encode(position), as: UTF8.self)
    if let best { try best.checkpoint.write(to: folder.appendingPathComponent("best.safetensors")) }
    let file = folder.appendingPathComponent(Self.stateName)
    try checkpoint.write(to: file)
    return file
  }

  // MARK: Random numbers

  /// A seed for one purpose in the current epoch.
  func epochSeed(purpose: UInt64) -> UInt64 {
    let parts = [UInt64(configuration.seed), UInt64(position.stage), UInt64(position.epoch), purpose]
    return parts.reduce(0) { state, part in
      var mixer = SeededGenerator(seed: state ^ part)
      return mixer.next()
    }
  }

  /// The order of the training images, or of their views, in the current epoch.
  func epochOrder() -> [Int] {
    var random = SeededGenerator(seed: epochSeed(purpose: 0))
    return data.training.shuffledViews(
      perImage: configuration.input.viewsPerImage,
      isAtHand: data.training.bytes <= configuration.data.memoryLimit * 1_048_576, using: &random)
  }
}
