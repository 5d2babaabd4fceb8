import Foundation
import Testing

@testable import Norma
@testable import Torch

@Suite("Iterative latent token masking as a detector")
struct TokenMaskingDetectorTests {
  private func detector(
    seed: Int = 1, _ change: (inout TokenMaskingConfiguration) -> Void = { _ in }
  ) throws -> TokenMaskingDetector {
    try TokenMaskingDetector(.tiny(change), seed: seed, range: -1...1)
  }

  /// Trains the VQ-VAE on a batch.
  @discardableResult
  private func train(_ detector: TokenMaskingDetector, on images: Tensor, steps: Int) throws -> [Double] {
    let updates = detector.stages[0].updates
    let optimisers = try updates.map { try Adam($0.module, AdamOptions(learningRate: 3e-3)) }
    let random = try Generator(seed: 5)
    return try (0..<steps).map { count in
      var first = 0.0
      for (update, optimiser) in zip(updates, optimisers) {
        let step = TrainingStep(
          due: Set(updates.map(\.name)), random: random, iteration: count % 20, count: count,
          share: Double(count) / Double(steps))
        let losses = try detector.losses(of: update, on: images, step: step)
        if update.name == "autoencoder" { first = try losses.total.item() }
        try losses.total.backward()
        try optimiser.step()
      }
      return first
    }
  }

  private func fitted(_ change: (inout TokenMaskingConfiguration) -> Void = { _ in }) throws -> TokenMaskingDetector {
    let detector = try detector(change)
    let images = try batch(12, seed: 1, for: detector)
    try train(detector, on: images, steps: 40)
    try detector.fit { body in try body(images) }
    return detector
  }

  private func batch(_ count: Int, seed: UInt64, for detector: TokenMaskingDetector) throws -> Tensor {
    let sides = detector.configuration.inputExtents
    let channels = detector.configuration.conditioned ? 2 : 1
    let noise = try Generator(seed: seed).uniform(-1, 1, shape: [count, channels] + sides.map { $0 / 4 })
    return try noise.resized(to: sides)
  }

  @Test(
    "The VQ-VAE learns one batch, in two and three dimensions, with and without a discriminator",
    arguments: [false, true], [[], [16, 16, 32]])
  func overfitting(_ adversarial: Bool, _ volume: [Int]) throws {
    let detector = try detector {
      $0.volume = volume
      $0.autoencoder.codes = 64
      $0.autoencoder.decoderDropout = 0.02
      if adversarial {
        $0.autoencoder.adversarialWeight = 0.005
        $0.imageSize = 32
        if !volume.isEmpty { $0.volume = [24, 24, 24] }
      }
    }
    let steps = volume.isEmpty ? 150 : 60
    let losses = try train(detector, on: batch(4, seed: 1, for: detector), steps: steps)
    #expect(losses.suffix(10).reduce(0, +) / 10 < losses[0] * (volume.isEmpty ? 0.5 : 0.85))
  }

  @Test("Stages come in order, with epochs, batches and rates of their own")
  func stages() throws {
    let stages = try detector {
      $0.rounds.count = 2
      $0.rounds.crossFit = true
      $0.volume = [16, 16, 16]
      $0.conditioned = true
      $0.scoring = .mapPeak
    }.stages
    #expect(stages.map(\.name) == ["autoencoder", "contextAutoencoder", "round-0", "round-1", "round-2"])
    #expect(stages[2].updates.map(\.name) == ["fold-0", "fold-1", "transformer"])
    #expect(stages[0].readsImages && !stages[0].givesScores && !stages[2].readsImages && stages[2].givesScores)
    let update = try #require(stages[4].updates.last)
    #expect(update.schedule.factor(at: 0) == 1 && abs(update.schedule.factor(at: 2) - 1e-5 / 5e-4) < 1e-12)
    #expect(abs(update.schedule.factor(at: 1) - (1e-5 / 5e-4).squareRoot()) < 1e-9)
  }

  @Test("The codebook's decay rises in steps")
  func decay() throws {
    let detector = try detector()
    let random = try Generator(seed: 1)
    let found = [0, 0.05, 0.15, 0.25, 0.35, 0.45, 0.99].map {
      detector.decay(TrainingStep(due: [], random: random, share: $0))
    }
    #expect(found == [0.5, 0.5, 0.7, 0.8, 0.95, 0.99, 0.99])
  }

  @Test("All scores and maps are finite and of the right shape", arguments: [[], [16, 16, 32]], [false, true])
  func shapes(_ volume: [Int], _ isConditioned: Bool) throws {
    guard !volume.isEmpty || !isConditioned else { return }
    let detector = try fitted {
      $0.volume = volume
      if !volume.isEmpty { $0.scoring = .mapPeak }
      $0.conditioned = isConditioned
      $0.detection.threshold = 0.2
    }
    let images = try batch(3, seed: 2, for: detector)
    let scores = try detector.scores(images, areReferences: false)
    #expect(Set(scores.keys) == Set(detector.scoreNames))
    #expect(detector.scoreNames.count == (volume.isEmpty ? 8 : 6))
    for (name, values) in scores {
      let isFinite = try values.isFinite().allTrue()
      #expect(values.shape == [3] && isFinite, "\(name)")
    }
    let explanation = try detector.explanation(of: images)
    let sides = detector.configuration.inputExtents
    #expect(explanation.maps.map(\.name) == ["density", "residual", "zScore", "tokenSurprise"])
    for map in explanation.maps.dropLast() { #expect(map.values.shape == [3] + sides) }
    #expect(explanation.maps[3].values.shape == [3] + detector.configuration.grid)
    #expect(explanation.reconstruction?.shape == [3, 1] + sides)
  }

  @Test("A score does not depend on the batch, nor on what else is asked for")
  func batches() throws {
    let detector = try fitted { $0.detection.threshold = 0.2 }
    let images = try batch(5, seed: 3, for: detector)
    let together = try detector.scores(images, areReferences: false)
    for name in detector.scoreNames {
      let alone: [Double] = try (0..<5).map { row in
        try detector.scores(images.sliced(row..<row + 1, axis: 0), named: [name], areReferences: false)[name]?.item()
          ?? .nan
      }
      let expected = try #require(try together[name]?.values(as: Double.self))
      #expect(zip(alone, expected).allSatisfy { abs($0 - $1) < 1e-4 * (1 + abs($1)) }, "\(name) \(alone) \(expected)")
    }
  }

  @Test("Scores and maps come back from a checkpoint")
  func checkpoint() throws {
    var configuration = RunConfiguration(
      detector: DetectorSettings(TokenMaskingConfiguration.tiny { $0.detection.flagging = .quantile }))
    configuration.seed = 1
    let detector = try #require(try configuration.makeDetector() as? TokenMaskingDetector)
    let images = try batch(6, seed: 1, for: detector)
    try train(detector, on: images, steps: 10)
    try detector.fit { body in try body(images) }
    let metadata = Checkpoint.Metadata(
      configuration: configuration, calibration: Calibration(scores: [:], mapRanges: [:]), origin: Checkpoint.Origin())
    let restored = try Checkpoint(of: detector, metadata: metadata).makeDetector()
    let (before, after) = (
      try detector.scores(images, areReferences: false), try restored.scores(images, areReferences: false)
    )
    for (name, values) in before { #expect(try distance(#require(after[name]), values) < 1e-5, "\(name)") }
  }

  @Test("What does not fit is refused with the key and what it may be")
  func validation() {
    func message(_ change: (inout TokenMaskingConfiguration) -> Void) -> String {
      do throws(ConfigurationError) { try TokenMaskingConfiguration.tiny(change).validate() } catch {
        return error.description
      }
      return ""
    }
    #expect(message { _ in } == "")
    #expect(message { $0.imageSize = 18 }.contains("detector.imageSize"))
    #expect(message { $0.volume = [16, 16, 16] }.contains("for volumes"))
    #expect(
      message {
        $0.volume = [16, 16]
        $0.scoring = .mapPeak
      }.contains("three sides"))
    #expect(message { $0.conditioned = true }.contains("detector.conditioned"))
    #expect(message { $0.autoencoder.decoderDropout = 0 }.contains("detector.detection.decodings"))
    #expect(message { $0.autoencoder.decays = [] }.contains("detector.autoencoder.decays"))
    #expect(message { $0.rounds.cap = 0 }.contains("detector.rounds.cap"))
    #expect(message { $0.transformer.finalLearningRate = 1 }.contains("at most learningRate"))
  }
}
