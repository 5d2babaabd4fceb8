import Foundation
import Testing

@testable import Norma
@testable import Torch

@Suite("MemMC-MAE as a detector")
struct MemMCMAEDetectorTests {
  private func detector(
    seed: Int = 1, _ change: (inout MemMCMAEConfiguration) -> Void = { _ in }
  ) throws -> MemMCMAEDetector {
    try MemMCMAEDetector(.tiny(change), seed: seed, training: TrainingConfiguration())
  }

  /// A detector that was trained on a few smooth images for a moment, and fitted to them.
  private func trained(_ change: (inout MemMCMAEConfiguration) -> Void = { _ in }) throws -> MemMCMAEDetector {
    let detector = try detector(change)
    let images = try smoothImages(16, side: 32, seed: 1)
    try train(detector, on: images, steps: 60)
    try detector.fit { body in try body(images) }
    return detector
  }

  @discardableResult
  private func train(_ detector: MemMCMAEDetector, on images: Tensor, steps: Int) throws -> [Double] {
    let update = detector.stages[0].updates[0]
    let optimiser = try Adam(update.module, AdamOptions(learningRate: 3e-3))
    let step = TrainingStep(due: [update.name], random: try Generator(seed: 5))
    return try (0..<steps).map { _ in
      let losses = try detector.losses(of: update, on: images, step: step)
      try losses.total.backward()
      try optimiser.step()
      return try losses.total.item()
    }
  }

  @Test("One batch is learnt")
  func overfitting() throws {
    let losses = try train(detector(), on: smoothImages(4, side: 32, seed: 1), steps: 150)
    #expect(losses[140...].reduce(0, +) / 10 < losses[0] / 4)
  }

  @Test("The same seed gives the same losses, another seed others")
  func seeds() throws {
    let images = try smoothImages(4, side: 32, seed: 1)
    let first = try train(detector(), on: images, steps: 3)
    #expect(try train(detector(), on: images, steps: 3) == first)
    #expect(try train(detector(seed: 2), on: images, steps: 3) != first)
  }

  @Test("The rate grows with the batch, warms up and ends near zero; vectors do not decay")
  func optimisation() throws {
    var training = TrainingConfiguration()
    (training.batchSize, training.epochs) = (64, 30)
    let update = try MemMCMAEDetector(.tiny { $0.warmUpEpochs = 4 }, seed: 1, training: training).stages[0].updates[0]
    #expect(abs(update.options.learningRate - 1.5e-4 / 4) < 1e-12)
    let options = try #require(update.options as? AdamOptions)
    #expect(options.beta2 == 0.95 && options.decoupledWeightDecay && !options.decaysVectors)
    let factors = (0..<30).map { update.schedule.factor(at: Double($0)) }
    #expect(abs(factors[0] - 0.2) < 1e-12 && abs(factors[3] - 0.8) < 1e-12 && factors[4] == 1)
    #expect(abs(factors[17] - 0.5) < 1e-12 && factors[29] < 0.005)
  }

  @Test("Masked patches of a prediction, normalised or not, come back on the image's scale")
  func normalisedTargets() throws {
    let detector = try detector { $0.normalisesPatches = true }
    let images = try smoothImages(3, side: 32, seed: 2)
    let passes = try detector.maskedReconstructions(of: images)
    let patches = try detector.layout.patches(of: images)
    let (mean, deviation) = try MemMCMAELosses.moments(of: patches)
    let mask = try detector.scoringMask(on: .cpu)
    for pass in 0..<4 {
      let row = try PatchMask(visible: mask.visible.sliced(pass..<pass + 1, axis: 0), patches: 16).repeated(for: 3)
      let expected = try detector.layout.images(of: detector.autoencoder(patches, mask: row) * deviation + mean)
      #expect(try largestDifference(passes.reconstructions.selected(pass, axis: 0), expected) < 1e-5)
    }
  }

  @Test("K masks in one batch score as K separate passes", arguments: MemMCMAEConfiguration.ReconstructionMode.allCases)
  func passes(_ mode: MemMCMAEConfiguration.ReconstructionMode) throws {
    let detector = try detector { $0.reconstruction = mode }
    let images = try smoothImages(3, side: 32, seed: 2)
    let together = try withoutGradients {
      try detector.scores(images, named: ["multiScaleSimilarity", "squaredError"], areReferences: false)
    }
    let mask = try detector.scoringMask(on: .cpu)
    let patches = try detector.layout.patches(of: images)
    let similarity = StructuralSimilarity(range: -1...1)
    var (dissimilar, squared) = (try Tensor.zeros([3]), try Tensor.zeros([3]))
    for pass in 0..<4 {
      let row = try PatchMask(visible: mask.visible.sliced(pass..<pass + 1, axis: 0), patches: 16).repeated(for: 3)
      let reconstruction = try detector.layout.images(of: detector.autoencoder(patches, mask: row))
      let hidden = try detector.layout.spread(row.hidden)
      let shown = mode == .full ? reconstruction : try images * (1 - hidden) + reconstruction * hidden
      let compared = try similarity.comparison(of: similarity.reference(images), with: shown)
      dissimilar = try dissimilar + (1 - compared.multiScale) / 4
      squared =
        try squared + ((images - reconstruction).squared() * hidden).sum([1, 2, 3]) / hidden.sum([1, 2, 3]) / 4
    }
    #expect(try largestDifference(#require(together["multiScaleSimilarity"]), dissimilar) < 1e-6)
    #expect(try largestDifference(#require(together["squaredError"]), squared) < 1e-6)
  }

  @Test("A score is a function of model, image and mask seed, whatever else is in the batch")
  func batchIndependence() throws {
    let detector = try trained()
    let images = try smoothImages(5, side: 32, seed: 4)
    let all = try detector.scores(images, areReferences: false)
    #expect(Set(all.keys) == Set(MemMCMAEScore.allCases.map(\.rawValue)))
    for (name, values) in all {
      let alone = try detector.scores(images.sliced(2..<3, axis: 0), named: [name], areReferences: false)
      #expect(try largestDifference(#require(alone[name]), values.sliced(2..<3, axis: 0)) < 1e-4, "\(name)")
    }
    let other = try self.detector { $0.maskSeed = 2 }
    let same = try self.detector()
    let name: Set<String> = ["multiScaleSimilarity"]
    let (a, b) = (
      try other.scores(images, named: name, areReferences: false),
      try same.scores(images, named: name, areReferences: false)
    )
    #expect(try largestDifference(#require(a["multiScaleSimilarity"]), #require(b["multiScaleSimilarity"])) > 1e-5)
  }

  @Test("What was fitted comes back from its state")
  func fittedState() throws {
    let detector = try trained()
    let other = try self.detector()
    for (key, parameter) in other.network.namedParameters {
      try parameter.assign(detector.network.parameter(key).tensor.detached())
    }
    other.fitted = detector.fitted
    let images = try smoothImages(3, side: 32, seed: 9)
    let (a, b) = (try detector.scores(images, areReferences: false), try other.scores(images, areReferences: false))
    for (name, values) in a { #expect(try largestDifference(values, #require(b[name])) == 0, "\(name)") }
  }

  @Test("Every map has a value per pixel or cell, and the reconstruction is the mean of what was hidden")
  func explanations() throws {
    let detector = try trained()
    let images = try smoothImages(2, side: 32, seed: 3)
    let explanation = try detector.explanation(of: images)
    #expect(
      explanation.maps.map(\.name)
        == ["anomaly", "dissimilarity", "squaredError", "unexplainedEnergy", "nearestNormals"])
    let (pixels32, cells) = ([2, 32, 32], [2, 8, 8])
    #expect(explanation.maps.map(\.values.shape) == [pixels32, pixels32, pixels32, cells, cells])
    let bare = try self.detector()
    #expect(try bare.explanation(of: images).maps.map(\.name) == ["dissimilarity", "squaredError"])
    let passes = try withoutGradients { try detector.maskedReconstructions(of: images) }
    let (r, h) = (try passes.reconstructions.values(as: Double.self), try passes.hidden.values(as: Double.self))
    let pixels = 32 * 32
    let expected = (0..<2 * pixels).map { index in
      let hidden = (0..<4).filter { h[$0 * pixels + index % pixels] == 1 }
      return (hidden.isEmpty ? Array(0..<4) : hidden).reduce(0.0) { $0 + r[$1 * 2 * pixels + index] }
        / Double(hidden.isEmpty ? 4 : hidden.count)
    }
    let found = try #require(explanation.reconstruction).values(as: Double.self)
    #expect(largestDifference(found, expected) < 1e-6)
  }

  @Test(
    "On a trained laptop preset a lesion raises the score of the very image that it lies in, and the map where it lies")
  func lesion() async throws {
    var configuration = try Preset.memMCMAELaptop64.configuration()
    configuration.training.epochs = 12
    configuration.training.batchSize = 16
    configuration.data.validationNormal = 0
    configuration.data.validationAbnormal = 0
    let folder = try TemporaryFolder()
    let training = try await Fixtures.phantoms(64, seed: 100, for: configuration, in: folder)
    let trainer = try Trainer(
      configuration, data: TrainingData(training: training, fingerprint: "phantoms"), folder: folder.url, device: .cpu)
    guard case .finished(let model) = try trainer.run() else {
      Issue.record("the run did not finish")
      return
    }
    let scorer = try Scorer(checkpoint: Checkpoint(contentsOf: model), device: .cpu)
    let normal = try await Fixtures.phantoms(8, seed: 1000, for: configuration, in: folder)
    let abnormal = try await Fixtures.phantoms(8, abnormal: 8, seed: 1000, for: configuration, in: folder)
    let (before, after) = (try scorer.rawScores(of: normal), try scorer.rawScores(of: abnormal))
    let main = scorer.detector.scoreNames[0]
    #expect(main == MemMCMAEScore.default.rawValue)
    #expect(zip(try #require(before[main]), try #require(after[main])).allSatisfy { $0 < $1 })
    var located = 0
    var index = 0
    try scorer.score(abnormal, explains: true) { result in
      let changes = zip(try normal.values(at: index), try abnormal.values(at: index)).map { abs($0 - $1) > 0.1 }
      let map = try #require(result.maps.first).map.values
      func mean(where isLesion: Bool) -> Float {
        let values = zip(map, changes).filter { $0.1 == isLesion }.map(\.0)
        return values.reduce(0, +) / Float(values.count)
      }
      if mean(where: true) > mean(where: false) { located += 1 }
      index += 1
    }
    #expect(located == 8, "the map is brighter in \(located) of 8 lesions")
  }
}
