import Foundation
import Testing

@testable import Norma
@testable import Torch

@Suite("The plain autoencoder as a detector")
struct AutoencoderDetectorTests {
  private func detector(
    seed: Int = 1, _ change: (inout AutoencoderConfiguration) -> Void = { _ in }
  ) throws -> AutoencoderDetector {
    try AutoencoderDetector(.tiny(change), seed: seed, training: TrainingConfiguration())
  }

  @discardableResult
  private func train(_ detector: AutoencoderDetector, on images: Tensor, steps: Int) throws -> [Double] {
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

  /// A detector that was trained for a moment, so that running statistics are no initial values.
  private func trained(_ change: (inout AutoencoderConfiguration) -> Void = { _ in }) throws -> AutoencoderDetector {
    let detector = try detector(change)
    try train(detector, on: smoothImages(16, side: 32, seed: 1), steps: 40)
    return detector
  }

  @Test("One batch is learnt", arguments: AutoencoderConfiguration.Measure.allCases)
  func overfitting(_ loss: AutoencoderConfiguration.Measure) throws {
    let losses = try train(detector { $0.loss = loss }, on: smoothImages(4, side: 32, seed: 1), steps: 200)
    #expect(losses[190...].reduce(0, +) / 10 < losses[0] / 5)
  }

  @Test("The same seed gives the same losses, another seed others")
  func seeds() throws {
    let images = try smoothImages(4, side: 32, seed: 1)
    let first = try train(detector(), on: images, steps: 3)
    #expect(try train(detector(), on: images, steps: 3) == first)
    #expect(try train(detector(seed: 2), on: images, steps: 3) != first)
  }

  @Test("The rate stays, or falls along half a cosine")
  func schedule() throws {
    var training = TrainingConfiguration()
    training.epochs = 10
    func update(_ change: (inout AutoencoderConfiguration) -> Void) throws -> TrainingUpdate {
      try AutoencoderDetector(.tiny(change), seed: 1, training: training).stages[0].updates[0]
    }
    let constant = try update { _ in }
    #expect(constant.options.learningRate == 1e-3 && constant.schedule == .constant)
    let falling = try update { $0.finalLearningRate = 1e-4 }
    #expect(abs(falling.schedule.factor(at: 0) - 1) < 1e-12 && abs(falling.schedule.factor(at: 5) - 0.55) < 1e-12)
    #expect(abs(falling.schedule.factor(at: 10) - 0.1) < 1e-12)
  }

  @Test(
    "Scores are the mean error of all pixels, and of the highest hundredth of them",
    arguments: [AutoencoderConfiguration.Measure.squared, .absolute])
  func scores(_ error: AutoencoderConfiguration.Measure) throws {
    let detector = try trained {
      $0.error = error
      $0.scoring = .topPercent
    }
    #expect(detector.scoreNames == ["topPercent", "reconstructionError"])
    let images = try smoothImages(3, side: 32, seed: 2)
    let reconstructions = try #require(try detector.explanation(of: images).reconstruction)
    let found = try detector.scores(images, areReferences: false)
    let differences = zip(try images.values(as: Double.self), try reconstructions.values(as: Double.self)).map {
      $0 - $1
    }
    let errors = differences.map { error == .squared ? $0 * $0 : abs($0) }
    let perImage = (0..<3).map { Array(errors[$0 * 1024..<($0 + 1) * 1024]) }
    let means = perImage.map { $0.reduce(0, +) / 1024 }
    let peaks = perImage.map { $0.sorted().suffix(10).reduce(0, +) / 10 }
    #expect(largestDifference(try #require(found["reconstructionError"]).values(as: Double.self), means) < 1e-6)
    #expect(largestDifference(try #require(found["topPercent"]).values(as: Double.self), peaks) < 1e-6)
    #expect(try detector.scores(images, named: ["topPercent"], areReferences: false).count == 1)
  }

  @Test("With structural similarity the map is 1 − SSIM of the reconstruction, and scores are its mean and its peaks")
  func structuralSimilarity() throws {
    let detector = try trained { ($0.loss, $0.error, $0.smoothing) = (.ssim, .ssim, 0) }
    let images = try smoothImages(3, side: 32, seed: 2)
    let explanation = try detector.explanation(of: images)
    let similarity = StructuralSimilarity(range: -1...1)
    let comparison = try similarity.comparison(
      of: similarity.reference(images), with: #require(explanation.reconstruction))
    let expected = try (1 - comparison.scales[0].similarity()).squeezed(1)
    #expect(try largestDifference(explanation.maps[0].values, expected) < 1e-5)
    let scores = try detector.scores(images, areReferences: false)
    #expect(try largestDifference(#require(scores["reconstructionError"]), expected.mean([1, 2])) < 1e-5)
    let peaks = try expected.reshaped([3, -1]).top(10, axis: 1).values.mean([1])
    #expect(try largestDifference(#require(scores["topPercent"]), peaks) < 1e-5)
    try detector.expectIndependence(from: images)
  }

  @Test("What is black to structural similarity follows from the scale of the input")
  func range() throws {
    var run = RunConfiguration(detector: DetectorSettings(AutoencoderConfiguration.tiny { $0.error = .ssim }))
    let images = try smoothImages(2, side: 32, seed: 2) * 0.5 + 0.5
    var maps: [Tensor] = []
    for intensity in [InputConfiguration.Intensity.unit, .symmetric] {
      run.input.intensity = intensity
      maps.append(try run.makeDetector().explanation(of: images).maps[0].values)
    }
    #expect(try largestDifference(maps[0], maps[1]) > 1e-3)
  }

  @Test("A score does not depend on the other images of its batch")
  func batchIndependence() throws {
    let detector = try trained()
    let images = try smoothImages(5, side: 32, seed: 4)
    for (name, values) in try detector.scores(images, areReferences: false) {
      let alone = try detector.scores(images.sliced(2..<3, axis: 0), named: [name], areReferences: false)
      #expect(try largestDifference(#require(alone[name]), values.sliced(2..<3, axis: 0)) < 1e-6, "\(name)")
    }
  }

  @Test("The map is the error of every pixel, smoothed as configured")
  func maps() throws {
    let images = try smoothImages(2, side: 32, seed: 3)
    for smoothing in [0, 1.5] {
      let explanation = try trained { $0.smoothing = smoothing }.explanation(of: images)
      #expect(explanation.maps.map(\.name) == ["reconstructionError"])
      let errors = try (#require(explanation.reconstruction) - images).squared().values(as: Double.self)
      let matrix = smoothing == 0 ? [] : GaussianFilter.matrix(sigma: smoothing, side: 32)
      let expected = (0..<2048).map { index -> Double in
        guard smoothing > 0 else { return errors[index] }
        let (image, row, column) = (index / 1024 * 1024, index / 32 % 32, index % 32)
        return (0..<1024).reduce(0) {
          $0 + matrix[row * 32 + $1 / 32] * matrix[column * 32 + $1 % 32] * errors[image + $1]
        }
      }
      let map = explanation.maps[0].values
      #expect(map.shape == [2, 32, 32])
      #expect(largestDifference(try map.values(as: Double.self), expected) < 1e-6)
    }
  }

  @Test(
    "On a trained laptop preset a lesion raises the score of the very image that it lies in, and the map where it lies")
  func lesion() async throws {
    var configuration = try Preset.autoencoderLaptop64.configuration()
    configuration.training.epochs = 20
    configuration.training.batchSize = 16
    (configuration.data.validationNormal, configuration.data.validationAbnormal) = (0, 0)
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
    #expect(main == ReconstructionScore.default.rawValue)
    #expect(zip(try #require(before[main]), try #require(after[main])).allSatisfy { $0 < $1 })
    var (located, index) = (0, 0)
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
