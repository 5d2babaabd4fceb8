import Evaluation
import Testing

@testable import Norma
@testable import Torch

@Suite("Detectors on features of their own")
struct FeatureDetectorTests {
  @Test(
    "Trained on phantoms, the task is told better and better, and a foreign object is found",
    arguments: FeatureMethod.allCases)
  func phantoms(_ method: FeatureMethod) async throws {
    var configuration = method.run(.tiny { ($0.width, $0.stemPooling) = (8, true) }, side: 64, epochs: 8)
    configuration.input.intensity = .standardised
    // Patches of another brightness are told by a narrow network within seconds.
    switch configuration.detector.settings {
    case var own as CutPasteConfiguration: own.task.jitter = 0.9; configuration.detector = DetectorSettings(own)
    case var own as PaDiMConfiguration: own.task.jitter = 0.9; configuration.detector = DetectorSettings(own)
    case var own as PatchCoreConfiguration: own.task.jitter = 0.9; configuration.detector = DetectorSettings(own)
    default: Issue.record("\(method) has no task")
    }
    let (files, folder) = (try TemporaryFolder(), try TemporaryFolder())
    let training = try await Fixtures.phantoms(64, seed: 100, for: configuration, in: files)
    let run = TrainerRun(
      folder: folder, data: TrainingData(training: training, fingerprint: "phantoms"), configuration: configuration)
    try run.run()
    let accuracies = try run.losses().compactMap { $0["accuracy"] }
    #expect(accuracies.count == 8)
    #expect(accuracies[6...].reduce(0, +) / 2 > accuracies[0] + 0.1, "\(method) \(accuracies)")

    let unseen = try await Fixtures.phantoms(16, seed: 1000, for: configuration, in: files)
    let loader = BatchLoader(unseen, order: Array(0..<16), batchSize: 16)
    let (values, indices) = try #require(try loader.next())
    let normal = try unseen.batch(values, at: indices, on: .cpu)
    let square = try Tensor(
      (0..<4096).map { (20..<32).contains($0 / 64) && (24..<36).contains($0 % 64) ? 1 : 0 } as [Float]
    )
    .reshaped([1, 1, 64, 64])
    let foreign = try normal * (1 - square) + square
    let detector = try Scorer(checkpoint: run.model, device: .cpu).detector
    let labels = (0..<32).map { $0 >= 16 }
    var areas: [String: Double] = [:]
    let (low, high) = (
      try detector.scores(normal, areReferences: .others), try detector.scores(foreign, areReferences: .others)
    )
    for (name, scores) in low {
      let all = try scores.values(as: Double.self) + #require(high[name]).values(as: Double.self)
      areas[name] = try auroc(LabelledScores(scores: all, labels: labels))
    }
    #expect(try #require(areas[detector.scoreNames[0]]) > 0.75, "\(method) \(areas)")
  }

  @Test("A checkpoint gives the same bits: scores, maps and all", arguments: FeatureMethod.allCases)
  func roundTrip(_ method: FeatureMethod) async throws {
    let configuration = method.run()
    let (files, folder) = (try TemporaryFolder(), try TemporaryFolder())
    let images = try await Fixtures.phantoms(9, seed: 1, for: configuration, in: files)
    let run = TrainerRun(
      folder: folder, data: TrainingData(training: images, fingerprint: "few"), configuration: configuration)
    try run.run()
    let first = try run.model
    let detector = try first.makeDetector()
    let copy = folder.url.appendingPathComponent("copy.safetensors")
    try Checkpoint(of: detector, metadata: first.metadata).write(to: copy)
    let second = try Checkpoint(contentsOf: copy)
    #expect(first.arrays == second.arrays)
    let (a, b) = (try Scorer(checkpoint: first, device: .cpu), try Scorer(checkpoint: second, device: .cpu))
    #expect(try a.rawScores(of: images) == b.rawScores(of: images))
    let batch = try smoothImages(2, side: 32, seed: 5)
    let (one, two) = (try a.detector.explanation(of: batch), try b.detector.explanation(of: batch))
    for (left, right) in zip(one.maps, two.maps) { #expect(try left.values.bytes() == right.values.bytes()) }
    #expect(one.reconstruction == nil)
    // The threshold comes of distances from others: none of the references is its own neighbour.
    let seen = try a.rawScores(of: images, areReferences: true)
    let main = a.detector.scoreNames[0]
    let (own, others) = (try #require(seen[main]), try #require(try a.rawScores(of: images)[main]))
    #expect(zip(own, others).allSatisfy { $0 >= $1 * 0.999 } && zip(own, others).contains { $0 > $1 * 1.001 })
  }

  @Test("A score does not depend on the other images of its batch", arguments: FeatureMethod.allCases)
  func batchIndependence(_ method: FeatureMethod) throws {
    let detector = try method.run().makeDetector()
    try withoutGradients { try detector.fit { try $0(smoothImages(8, side: 32, seed: 1)) } }
    let images = try smoothImages(5, side: 32, seed: 4)
    for (name, values) in try detector.scores(images, areReferences: false) {
      let alone = try detector.scores(images.sliced(2..<3, axis: 0), named: [name], areReferences: false)
      let scale = try values.abs().maximum().item()
      #expect(
        try largestDifference(#require(alone[name]), values.sliced(2..<3, axis: 0)) < 1e-3 * max(1, scale), "\(name)")
    }
  }

  @Test("An interrupted run ends with the same weights, the optimiser's directions included")
  func resuming() async throws {
    let configuration = FeatureMethod.cutPaste.run(epochs: 2)
    let files = try TemporaryFolder()
    let images = try await Fixtures.phantoms(17, seed: 1, for: configuration, in: files)
    func run() throws -> TrainerRun {
      TrainerRun(
        folder: try TemporaryFolder(), data: TrainingData(training: images, fingerprint: "few"),
        configuration: configuration)
    }
    let (whole, broken) = (try run(), try run())
    try whole.run()
    try broken.run(stopsAfter: 3)
    try broken.run(resumes: true)
    #expect(try whole.model.arrays == broken.model.arrays)
  }
}
