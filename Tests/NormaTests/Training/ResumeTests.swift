import Foundation
import Testing

@testable import Norma

@Suite("Interrupted and resumed runs")
struct ResumeTests {
  /// A way to train, and after how many iterations each call is interrupted.
  struct Plan: Sendable, CustomStringConvertible {
    let description: String
    var stops: [Int]
    var average = false
    var queue = false
    var best = false
  }

  static let plans = [
    Plan(description: "in the middle of an epoch", stops: [5]),
    Plan(description: "after an odd iteration, which moved no generator", stops: [2]),
    Plan(description: "at the boundary of epochs", stops: [3]),
    Plan(description: "at the very end", stops: [9]),
    Plan(description: "twice, once in the same epoch", stops: [1, 1, 3]),
    Plan(description: "with averaged weights", stops: [4], average: true),
    Plan(description: "with a memory queue", stops: [4, 2], queue: true),
    Plan(description: "with the best epoch by validation", stops: [7], best: true),
  ]

  private func configuration(_ plan: Plan) -> RunConfiguration {
    var configuration = Fixtures.tinySimSID(epochs: 3)
    if var settings = configuration.detector.settings as? SimSIDConfiguration, plan.queue {
      settings.inpaintMemory = .queue
      configuration.detector = DetectorSettings(settings)
    }
    if plan.average {
      configuration.training.weightAverage = 0.9
      configuration.training.checkpoint = .average
    }
    if plan.best {
      configuration.training.checkpoint = .bestValidation
      configuration.data.validationNormal = 3
      configuration.data.validationAbnormal = 3
    }
    return configuration
  }

  @Test("A resumed run ends bit for bit where an unbroken one does", arguments: plans)
  func bitwise(_ plan: Plan) async throws {
    let (images, first, second) = (try TemporaryFolder(), try TemporaryFolder(), try TemporaryFolder())
    let configuration = configuration(plan)
    // 13 images in batches of 4: three iterations an epoch, the last image of each order is dropped.
    let data = TrainingData(
      training: try await Fixtures.phantoms(13, seed: 100, for: configuration, in: images),
      validation: plan.best
        ? try await Fixtures.phantoms(6, abnormal: 3, seed: 300, for: configuration, in: images) : nil,
      fingerprint: "same")
    let unbroken = TrainerRun(folder: first, data: data, configuration: configuration)
    try unbroken.run()
    let broken = TrainerRun(folder: second, data: data, configuration: configuration)
    for (index, stop) in plan.stops.enumerated() {
      guard case .interrupted(let file) = try broken.run(resumes: index > 0, stopsAfter: stop) else {
        Issue.record("the run was not interrupted")
        return
      }
      #expect(file.lastPathComponent == "resume.safetensors")
      #expect(try !second.contents().contains("model.safetensors"))
    }
    guard case .finished = try broken.run(resumes: true) else {
      Issue.record("the run did not finish")
      return
    }
    #expect(try broken.model.arrays == unbroken.model.arrays)
    #expect(try broken.state.arrays == unbroken.state.arrays)
    #expect(try broken.model.metadata.calibration == unbroken.model.metadata.calibration)
    #expect(try broken.losses() == unbroken.losses())
    #expect(try broken.losses().count == 3)
    #expect(try broken.events("interrupted").count == plan.stops.count)
    let expected = ["log.jsonl", "model.safetensors", "resume.safetensors"]
    #expect(try second.contents() == (plan.best ? ["best.safetensors"] : []) + expected)
  }

  @Test("A run that was killed goes on from its last regular checkpoint")
  func killed() async throws {
    let (images, first, second) = (try TemporaryFolder(), try TemporaryFolder(), try TemporaryFolder())
    var configuration = Fixtures.tinySimSID(epochs: 3)
    configuration.training.checkpointInterval = 1
    let data = TrainingData(
      training: try await Fixtures.phantoms(13, seed: 100, for: configuration, in: images), fingerprint: "same")
    let unbroken = TrainerRun(folder: first, data: data, configuration: configuration)
    try unbroken.run()

    let killed = TrainerRun(folder: second, data: data, configuration: configuration)
    let state = second.url.appendingPathComponent(Trainer.stateName)
    let atKill = second.url.appendingPathComponent("kept")
    var epochs = 0
    let trainer = try Trainer(
      configuration, data: data, folder: second.url, device: .cpu,
      progress: { if $0.activity == "training" { epochs = $0.done } },
      isInterrupted: {
        if epochs == 2 { try? FileManager.default.copyItem(at: state, to: atKill) }
        return epochs == 2
      })
    _ = try trainer.run()
    // What the interruption wrote is put aside: a kill in epoch 3 leaves the state of the end of epoch 2.
    try FileManager.default.removeItem(at: state)
    try FileManager.default.moveItem(at: atKill, to: state)
    #expect(try killed.state.arrays["training.generator"] == nil)
    try killed.run(resumes: true)
    #expect(try killed.model.arrays == unbroken.model.arrays)
  }

  @Test("Other images are refused")
  func otherData() async throws {
    let (images, folder) = (try TemporaryFolder(), try TemporaryFolder())
    let configuration = Fixtures.tinySimSID()
    let training = try await Fixtures.phantoms(6, seed: 100, for: configuration, in: images)
    try TrainerRun(
      folder: folder, data: TrainingData(training: training, fingerprint: "one"), configuration: configuration
    ).run(stopsAfter: 1)
    let other = TrainerRun(
      folder: folder, data: TrainingData(training: training, fingerprint: "two"), configuration: configuration)
    let error = #expect(throws: TrainingError.self) { try other.run(resumes: true) }
    #expect(
      error?.description
        == "the training images are not those that \(folder.url.path) was trained on; give the same data folder, or start "
        + "a new run")
  }

  @Test("A folder without a run cannot be resumed")
  func nothingToResume() async throws {
    let (images, folder) = (try TemporaryFolder(), try TemporaryFolder())
    let configuration = Fixtures.tinySimSID()
    let data = TrainingData(
      training: try await Fixtures.phantoms(4, seed: 100, for: configuration, in: images), fingerprint: "")
    let message = "\(folder.url.path) holds no run to resume; give the folder of a run that was interrupted"
    #expect(!Trainer.hasState(in: folder.url))
    let first = #expect(throws: TrainingError.self) {
      try TrainerRun(folder: folder, data: data, configuration: configuration).run(resumes: true)
    }
    #expect(first?.description == message)
    let second = #expect(throws: TrainingError.self) { try Trainer.configuration(in: folder.url) }
    #expect(second?.description == message)
  }

  @Test("The state of a run tells its configuration")
  func configurationOfARun() async throws {
    let (images, folder) = (try TemporaryFolder(), try TemporaryFolder())
    var configuration = Fixtures.tinySimSID()
    configuration.seed = 77
    let data = TrainingData(
      training: try await Fixtures.phantoms(4, seed: 100, for: configuration, in: images), fingerprint: "")
    try TrainerRun(folder: folder, data: data, configuration: configuration).run(stopsAfter: 1)
    #expect(Trainer.hasState(in: folder.url))
    #expect(try Trainer.configuration(in: folder.url) == configuration)
  }
}
