import Evaluation
import Foundation
import MedicalImaging
import Phantoms
import Testing

@testable import Norma

@Suite("Sweeps over contaminations")
struct ContaminationSweepTests {
  private let images: TemporaryFolder
  private let contaminations = [0, 0.5, 1]

  /// Twelve normal and twelve abnormal training images, three and four test images with masks.
  init() async throws {
    images = try TemporaryFolder()
    var phantoms = PhantomDataSet()
    (phantoms.trainingNormal, phantoms.trainingAbnormal) = (12, 12)
    (phantoms.testNormal, phantoms.testAbnormal) = (3, 4)
    phantoms.configuration.size = 64
    try await phantoms.write(to: images.url)
  }

  /// Two epochs of three batches.
  private func candidate(
    _ change: (inout RunConfiguration) -> Void = { _ in }
  ) -> ContaminationSweep.Candidate {
    var configuration = RunConfiguration(detector: DetectorSettings(AutoencoderConfiguration.tiny()))
    (configuration.training.epochs, configuration.training.batchSize) = (2, 4)
    (configuration.data.trainingImages, configuration.seed) = (11, 7)
    change(&configuration)
    return .init(name: "tiny", configuration: configuration)
  }

  private func sweep(
    _ candidates: [ContaminationSweep.Candidate], below output: TemporaryFolder, trials: Int = 2, rounds: [Int] = [],
    isInterrupted: @escaping () -> Bool = { false }
  ) async throws -> ContaminationSweep.Ending {
    try await ContaminationSweep.run(
      candidates, contaminations: contaminations, trials: trials, rounds: rounds, folder: images.url.path,
      output: output.url, device: .cpu, isInterrupted: isInterrupted)
  }

  private func finished(
    _ candidates: [ContaminationSweep.Candidate], below output: TemporaryFolder, trials: Int = 2, rounds: [Int] = []
  ) async throws -> [ContaminationSweep.Run] {
    guard case .finished(let runs) = try await sweep(candidates, below: output, trials: trials, rounds: rounds) else {
      return []
    }
    return runs
  }

  private func arrays(_ run: ContaminationSweep.Run) throws -> Checkpoint {
    try Checkpoint(contentsOf: run.outcome.file)
  }

  @Test("Every level trains on equally many images, and all are evaluated on the same ones")
  func levels() async throws {
    let output = try TemporaryFolder()
    var settings = Fixtures.bandEnergy()
    settings.data.trainingImages = 11
    let yardstick = ContaminationSweep.Candidate(name: "yardstick", configuration: settings)
    let runs = try await finished([candidate(), yardstick], below: output)
    #expect(runs.map(\.candidate) == Array(repeating: "tiny", count: 6) + Array(repeating: "yardstick", count: 6))
    #expect(runs.prefix(6).map(\.contamination) == [0, 0, 0.5, 0.5, 1, 1])
    #expect(runs.map(\.outcome.metadata.configuration.seed) == [7, 8, 7, 8, 7, 8, 1, 2, 1, 2, 1, 2])
    #expect(runs.map(\.trainingImages) == Array(repeating: 11, count: 12))
    #expect(runs.prefix(6).map(\.abnormalTrainingImages) == [0, 0, 6, 6, 11, 11])
    for run in runs {
      #expect(run.outcome.metadata.origin.contamination == run.contamination)
      #expect(run.outcome.metadata.configuration.data.contamination == run.contamination)
      #expect(run.outcome.test.names == runs[0].outcome.test.names && run.outcome.test.labels.count == 7)
      #expect(run.outcome.localisation.maps.count == 1)
    }
    #expect(try output.contents() == ["tiny", "yardstick"])
    #expect(try output.contents(of: "tiny") == ["contamination-0.0", "contamination-0.5", "contamination-1.0"])
    #expect(Set(runs.map(\.outcome.metadata.origin.dataFingerprint)).count > 3)
  }

  @Test("An interrupted sweep goes on where it stopped and ends as an unbroken one")
  func resuming() async throws {
    let (first, second) = (try TemporaryFolder(), try TemporaryFolder())
    let unbroken = try await finished([candidate()], below: first)
    // Asked before each run and after each of its six iterations: stopped in the second epoch of the second run, then before
    // the fourth.
    for (stop, done) in [(12, 1), (12, 3)] {
      var asked = 0
      let ending = try await sweep([candidate()], below: second) {
        asked += 1
        return asked == stop
      }
      guard case .interrupted(done, 6) = ending else {
        Issue.record("\(ending)")
        return
      }
    }
    let models = try second.contents(of: "tiny").flatMap { level in
      try second.contents(of: "tiny/\(level)").map { "tiny/\(level)/\($0)/model.safetensors" }
    }.filter { FileManager.default.fileExists(atPath: second.url.appendingPathComponent($0).path) }
    #expect(models.count == 3)
    let before = try models.map { try Data(contentsOf: second.url.appendingPathComponent($0)) }
    let broken = try await finished([candidate()], below: second)
    #expect(try models.map { try Data(contentsOf: second.url.appendingPathComponent($0)) } == before)
    #expect(broken.count == 6)
    for (a, b) in zip(unbroken, broken) {
      #expect(try arrays(a).arrays == arrays(b).arrays)
      #expect(a.outcome.test.figures == b.outcome.test.figures && a.contamination == b.contamination)
    }
  }

  @Test("Runs of other settings or other images are not taken for those that are asked for")
  func otherRuns() async throws {
    let output = try TemporaryFolder()
    _ = try await finished([candidate()], below: output, trials: 1)
    let run = output.url.appendingPathComponent("tiny/contamination-0.0/seed-7")
    let settings = await #expect(throws: TrainingError.self) {
      try await finished([candidate { $0.training.epochs = 3 }], below: output, trials: 1)
    }
    #expect(
      settings?.description
        == "the run in \(run.path) was made with other settings; give those that it was made with, or choose another --output"
    )
    try FileManager.default.removeItem(at: run.appendingPathComponent("model.safetensors"))
    let state = await #expect(throws: TrainingError.self) {
      try await finished([candidate { $0.training.epochs = 3 }], below: output, trials: 1)
    }
    #expect(state == settings)
    try images.write("train/NORMAL/phantom-00000.png", Fixtures.image(1, width: 64, height: 64))
    try images.write("train/NORMAL/phantom-00001.png", Fixtures.image(2, width: 64, height: 64))
    try images.write("train/NORMAL/phantom-00002.png", Fixtures.image(3, width: 64, height: 64))
    try images.write("train/NORMAL/phantom-00003.png", Fixtures.image(4, width: 64, height: 64))
    await #expect(throws: TrainingError.otherData(path: run.path)) {
      try await finished([candidate()], below: output, trials: 1)
    }
  }

  @Test("Checkpoints of earlier rounds stand beside the last one's, where a run has them")
  func rounds() async throws {
    let output = try TemporaryFolder()
    let plain = try await finished([candidate()], below: output, trials: 1)
    // As if the run at 0 had a first round whose weights were those of the run at 1.
    let runs = ["0.0/seed-7/round-0", "1.0/seed-7/model"].map {
      output.url.appendingPathComponent("tiny/contamination-\($0).safetensors")
    }
    try FileManager.default.copyItem(at: runs[1], to: runs[0])
    let found = try await finished([candidate()], below: output, trials: 1, rounds: [0, 2])
    #expect(found.map(\.candidate) == ["tiny", "tiny", "tiny", "tiny, round 0"])
    #expect(found.map(\.contamination) == [0, 0.5, 1, 0])
    #expect(found[3].outcome.file == runs[0] && found[3].outcome.test.figures == plain[2].outcome.test.figures)
    #expect(found[3].abnormalTrainingImages == 0)
  }

  @Test("Images that are missing are named before anything is trained")
  func missingImages() async throws {
    let output = try TemporaryFolder()
    let tooMany = await #expect(throws: DataSetError.self) {
      try await finished([candidate(), candidate { $0.data.validationAbnormal = 4 }], below: output)
    }
    #expect(
      tooMany?.description
        == "A contamination of 1.0 asks for 11 abnormal among 11 training images, but train has 8; add abnormal images to "
        + "train, or ask for a smaller share or for at most 8 training images.")
    for name in try images.contents(of: "test/ABNORMAL") {
      try FileManager.default.removeItem(at: images.url.appendingPathComponent("test/ABNORMAL/\(name)"))
    }
    await #expect(throws: EvaluationError.oneClassOnly(missing: .abnormal, figure: "AUROC")) {
      try await finished([candidate()], below: output)
    }
    try FileManager.default.removeItem(at: images.url.appendingPathComponent("test"))
    await #expect(throws: EvaluationImagesError.noTestImages) { try await finished([candidate()], below: output) }
    #expect(try output.contents().isEmpty)
  }
}
