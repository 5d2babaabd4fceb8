import Evaluation
import Foundation
import Testing
import Torch

@testable import Norma

@Suite("Training")
struct TrainerTests {
  /// A run on phantoms: 10 to train on in batches of 4, so that the last batch has two images.
  private func run(
    _ configuration: RunConfiguration, images: Int = 10, validation: Bool = false, test: Bool = false
  ) async throws -> TrainerRun {
    let (files, folder) = (try TemporaryFolder(), try TemporaryFolder())
    let training = try await Fixtures.phantoms(images, seed: 100, for: configuration, in: files)
    let others = try await Fixtures.phantoms(8, abnormal: 4, seed: 300, for: configuration, in: files)
    let data = TrainingData(
      training: training, validation: validation ? others : nil, test: test ? others : nil, fingerprint: "abc")
    return TrainerRun(folder: folder, data: data, configuration: configuration, watchesTest: test)
  }

  @Test("The same seed gives the same weights bit for bit, another seed others")
  func seeds() async throws {
    let first = try await run(Fixtures.tinySimSID())
    let second = try await run(Fixtures.tinySimSID())
    var other = Fixtures.tinySimSID()
    other.seed = 2
    let third = try await run(other)
    for run in [first, second, third] { try run.run() }
    #expect(try first.model.arrays == second.model.arrays)
    #expect(try first.losses() == second.losses())
    #expect(try first.model.arrays != third.model.arrays)
    #expect(try first.model.arrays.keys == third.model.arrays.keys)
  }

  @Test("Watching labelled images changes nothing in the weights")
  func watching() async throws {
    let plain = try await run(Fixtures.tinySimSID())
    let watched = try await run(Fixtures.tinySimSID(), validation: true, test: true)
    try plain.run()
    try watched.run()
    #expect(try plain.model.arrays(below: "network.") == watched.model.arrays(below: "network."))
    #expect(try watched.events("monitor").map { $0["set"] as? String } == ["validation", "test", "validation", "test"])
    #expect(try plain.events("monitor").isEmpty)
  }

  @Test("Training lowers the student's loss")
  func learns() async throws {
    var configuration = Fixtures.tinySimSID(epochs: 12)
    configuration.augmentation.translation = 0
    configuration.augmentation.scale = 0
    let run = try await run(configuration, images: 8)
    try run.run()
    let student = try run.losses().compactMap { $0["student"] }
    #expect(student.count == 12)
    #expect(student[11] < 0.7 * student[0])
  }

  @Test("The log tells the run event by event")
  func log() async throws {
    let run = try await run(Fixtures.tinySimSID(), test: true)
    try run.run()
    let text = try String(contentsOf: run.folder.url.appendingPathComponent("log.jsonl"), encoding: .utf8)
    let events = try text.split(separator: "\n").map { line in
      let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
      return object?["event"] as? String
    }
    #expect(events == ["start", "epoch", "monitor", "epoch", "monitor", "finished"])
    let start = try #require(run.events("start").first)
    #expect(
      start["method"] as? String == "simsid" && start["images"] as? Int == 10 && start["device"] as? String == "cpu")
    let epoch = try #require(run.events("epoch").last)
    #expect(epoch["epoch"] as? Int == 2 && epoch["stage"] as? String == "adversarial")
    let rates = try #require(epoch["learningRates"] as? [String: Double])
    // Half a cosine from 1e-3 to 1e-4 over two epochs, after the first.
    #expect(abs((rates["generator"] ?? 0) - 5.5e-4) < 1e-9)
    #expect(
      try run.losses().allSatisfy {
        $0.keys.sorted() == [
          "discriminator", "distillation", "fakeLogit", "generator", "realLogit", "reconstructionSpread", "student",
          "teacher",
        ]
      })
    #expect((0...1).contains(epoch["waitingShare"] as? Double ?? -1))
  }

  @Test("A loss that is no number any more stops the run with its name and epoch")
  func diverged() async throws {
    var configuration = Fixtures.tinySimSID()
    if var settings = configuration.detector.settings as? SimSIDConfiguration {
      settings.learningRate = 1e30
      configuration.detector = DetectorSettings(settings)
    }
    let run = try await run(configuration)
    let error = #expect(throws: TrainingError.self) { try run.run() }
    guard case .diverged(let loss, let epoch) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(epoch == 1 || epoch == 2)
    #expect(
      error?.description
        == "the loss '\(loss)' was no finite number in epoch \(epoch); lower detector.learningRate and start again, or "
        + "resume from the last checkpoint")
    #expect(try !run.folder.contents().contains("model.safetensors"))
  }

  @Test("The best epoch by validation is kept and the checkpoint says that labels chose it")
  func bestValidation() async throws {
    var configuration = Fixtures.tinySimSID(epochs: 4)
    configuration.training.checkpoint = .bestValidation
    (configuration.data.validationNormal, configuration.data.validationAbnormal) = (4, 4)
    let run = try await run(configuration, validation: true)
    try run.run()
    let main = try #require(
      try configuration.makeDetector().scoreNames.first)
    let curve = try #require(
      LearningCurve.curves(of: TrainingLog.events(in: run.folder.url)).first {
        $0.set == "validation" && $0.score == main
      })
    let best = try #require(curve.points.max { ($0.value, -$0.epoch) < ($1.value, -$1.epoch) })
    let checkpoint = try run.model
    #expect(
      checkpoint.metadata.origin.checkpointRule
        == "best AUROC on labelled validation images (epoch \(best.epoch)); uses labels of anomalies")
    #expect(checkpoint.metadata.origin.epochs == best.epoch)
    #expect(checkpoint.metadata.origin.seconds > 0)
    #expect(try #require(checkpoint.metadata.origin.processorSeconds) > 0)
    let scorer = try Scorer(checkpoint: checkpoint, device: .cpu)
    let validation = try #require(run.data.validation)
    let scores = try #require(scorer.rawScores(of: validation)[main])
    let labels = try #require(validation.abnormalities)
    #expect(try auroc(LabelledScores(scores: scores, labels: labels)) == best.value)
  }

  @Test("Without labelled images the last epoch is kept, and the checkpoint says so")
  func bestWithoutLabels() async throws {
    var configuration = Fixtures.tinySimSID()
    configuration.training.checkpoint = .bestValidation
    (configuration.data.validationNormal, configuration.data.validationAbnormal) = (4, 4)
    let run = try await run(configuration)
    try run.run()
    #expect(
      try run.model.metadata.origin.checkpointRule
        == "last epoch, as there was no AUROC on labelled validation images")
  }

  @Test("The average rule keeps other weights than the last, and says so")
  func average() async throws {
    var configuration = Fixtures.tinySimSID()
    let last = try await run(configuration)
    configuration.training.weightAverage = 0.9
    configuration.training.checkpoint = .average
    let averaged = try await run(configuration)
    try last.run()
    try averaged.run()
    #expect(
      try averaged.model.metadata.origin.checkpointRule
        == "moving average of the weights (decay 0.9) after the last epoch")
    #expect(try last.model.metadata.origin.checkpointRule == "last epoch")
    #expect(try averaged.model.arrays(below: "network.") != last.model.arrays(below: "network."))
    #expect(try averaged.state.arrays(below: "network.") == last.state.arrays(below: "network."))
    let averages = try averaged.state.arrays(below: "training.average.")
    let kept = try averaged.model.arrays(below: "network.").filter { averages[$0.key] != nil }
    #expect(!averages.isEmpty && kept.mapValues(\.data) == averages.mapValues(\.data))
  }

  @Test("One image is not enough")
  func tooFewImages() async throws {
    let run = try await run(Fixtures.tinySimSID(), images: 1)
    let error = #expect(throws: TrainingError.self) { try run.run() }
    #expect(
      error?.description
        == "1 training images are too few for batches of at least 2 (training.batchSize is 4); add images")
  }

  @Test("A folder that cannot be made is named")
  func unwritableFolder() async throws {
    let run = try await run(Fixtures.tinySimSID())
    try run.folder.write("file", Data())
    let folder = run.folder.url.appendingPathComponent("file/run")
    let error = #expect(throws: TrainingError.self) {
      try Trainer(run.configuration, data: run.data, folder: folder, device: .cpu)
    }
    #expect(error?.description.hasPrefix("\(folder.path) cannot be written: ") == true)
    #expect(error?.description.hasSuffix("; choose another --output") == true)
  }

  @Test("Checkpoints to resume from come at their interval")
  func interval() async throws {
    var configuration = Fixtures.tinySimSID(epochs: 3)
    configuration.training.checkpointInterval = 2
    let run = try await run(configuration)
    var found: [Int: Bool] = [:]
    let trainer = try Trainer(
      configuration, data: run.data, folder: run.folder.url, device: .cpu,
      progress: { if $0.activity == "training" { found[$0.done] = Trainer.hasState(in: run.folder.url) } })
    _ = try trainer.run()
    #expect(found == [1: false, 2: false, 3: true])
  }

  @Test("A method without stages is fitted and saved in one step")
  func bandEnergy() async throws {
    let run = try await run(Fixtures.bandEnergy())
    try run.run()
    let origin = try run.model.metadata.origin
    #expect(origin.checkpointRule == "fitted, not trained")
    #expect(origin.epochs == 0 && origin.trainingImages == 10 && origin.dataFingerprint == "abc")
    #expect(try run.events("epoch").isEmpty)
  }
}
