import Foundation
import MedicalImaging
import Testing

@testable import Norma
@testable import Torch

@Suite("Rounds of masking and retraining")
struct TokenMaskingRoundsTests {
  private func configuration(
    _ change: (inout TokenMaskingConfiguration) -> Void = { _ in }
  ) -> RunConfiguration {
    let settings = TokenMaskingConfiguration.tiny {
      $0.rounds.count = 2
      $0.rounds.tolerance = 0
      $0.rounds.mapThreshold = 2
      $0.detection.threshold = 0.08
      change(&$0)
    }
    var configuration = RunConfiguration(detector: DetectorSettings(settings))
    configuration.augmentation.translation = 0
    configuration.augmentation.scale = 0
    return configuration
  }

  private func run(
    _ configuration: RunConfiguration, images: TemporaryFolder, count: Int = 20
  ) async throws -> TrainerRun {
    let data = TrainingData(
      training: try await Fixtures.phantoms(count, abnormal: count / 2, seed: 100, for: configuration, in: images),
      fingerprint: "same")
    return TrainerRun(folder: try TemporaryFolder(), data: data, configuration: configuration)
  }

  @Test("Every round leaves its masks, maps, figures and checkpoint; the last model scores")
  func rounds() async throws {
    let images = try TemporaryFolder()
    let run = try await run(configuration(), images: images)
    try run.run()
    let files = try run.folder.contents()
    for name in ["round-0", "round-1", "detection-1", "detection-2", "model"] {
      #expect(files.contains("\(name).safetensors"), "\(name)")
    }
    let detection = try SafetensorsFile(contentsOf: run.folder.url.appendingPathComponent("detection-1.safetensors"))
    let arrays = Dictionary(uniqueKeysWithValues: detection.arrays().map { ($0.name, $0) })
    #expect(arrays["maps"]?.shape == [20, 16, 16] && arrays["suspected"]?.shape == [20, 16])
    let figures = try #require(try run.events("detection-1").first)
    let share = figures["maskedShare"] as? Double ?? 0
    #expect(share > 0 && figures["change"] as? Double == 1)
    let masked = try #require(arrays["suspected"]).tensor().to(.float32).mean().item()
    #expect(abs(masked - share) < 1e-6)
    // The masks are the maps above the threshold, token by token.
    let maps = try #require(arrays["maps"]).tensor().to(.float32)
    let suspects = SuspectedTokens(settings: TokenMaskingConfiguration.Rounds())
    let again = try suspects.tokens(suspects.suspicion(of: maps, cell: 4), threshold: 2).suspected.reshaped([20, 16])
    let kept = try #require(arrays["suspected"]).tensor().to(.float32)
    let gaps = try (again.to(.float32) - kept).abs().sum().item()
    #expect(gaps <= 1)
    // A checkpoint knows the rounds that made it.
    #expect(try run.model.arrays["fitted.rounds.suspected"]?.shape == [20, 16])
    let detector = try #require(try run.model.makeDetector() as? TokenMaskingDetector)
    #expect(detector.history.round == 2 && detector.history.mapThreshold == 2)
    let stages = try run.events("epoch").compactMap { $0["stage"] as? String }
    let changed = try #require(try run.events("detection-2").first?["change"] as? Double) > 0
    #expect(stages.last == (changed ? "round-2" : "round-1"))
    #expect(!files.contains("round-2.safetensors"))
  }

  @Test("Training stops when masks no longer change")
  func convergence() async throws {
    let images = try TemporaryFolder()
    let run = try await run(configuration { $0.rounds.tolerance = 1 }, images: images)
    try run.run()
    // The first masks differ entirely from none; no difference is larger.
    #expect(try run.events("detection-1").count == 1 && run.events("detection-2").isEmpty)
    let never = try await self.run(configuration { $0.rounds.mapThreshold = 31 }, images: images)
    try never.run()
    #expect(try never.events("detection-1").first?["change"] as? Double == 0)
    #expect(try !never.folder.contents().contains("round-1.safetensors"))
  }

  @Test("Masked tokens are not trained on: their codes can be anything")
  func maskedTokens() async throws {
    let detector = try TokenMaskingDetector(.tiny { $0.transformer.validationShare = 0 }, seed: 1, range: 0...1)
    let codes = try randomTokens(4)
    var weights = [Float](repeating: 1, count: 64)
    for place in [3, 20, 21, 50] { weights[place] = 0 }
    var changed = try codes.values(as: Int.self)
    for place in [3, 20, 21, 50] { changed[place] = (changed[place] + 1) % 12 }
    detector.history.weights = try Tensor(weights, shape: [4, 16])
    let losses = try [codes, Tensor(changed, shape: [4, 16])].map { codes in
      detector.history.codes = try codes.to(.int16)
      let update = detector.stages[1].updates[0]
      let step = TrainingStep(due: ["transformer"], random: try Generator(seed: 1), indices: [0, 1, 2, 3])
      return try detector.losses(of: update, on: .zeros([0]), step: step).total.item()
    }
    #expect(losses[0] == losses[1])
  }

  @Test("Images in which something was masked are no references, unless hardly any others are left")
  func references() throws {
    let detector = try TokenMaskingDetector(.tiny(), seed: 1, range: 0...1)
    let images = try Generator(seed: 4).uniform(shape: [20, 1, 16, 16])
    // One step puts the codes among the images' vectors, so that images differ in their codes.
    let step = TrainingStep(due: ["autoencoder"], random: try Generator(seed: 5))
    _ = try detector.losses(of: detector.stages[0].updates[0], on: images, step: step)
    let keys = try detector.keys(of: detector.tokens.sequences(of: images).tokens).map { Int(bitPattern: UInt($0)) }
    let rarest = try #require(Set(keys).min { a, b in (keys.count { $0 == a }, a) < (keys.count { $0 == b }, b) })
    try #require(Set(keys).count > 1)
    detector.history.images = try Tensor(keys, shape: [20])
    func references(masking masked: Set<Int>) throws -> Int {
      let marks = keys.map { key in [Float](repeating: 0, count: 15) + [masked.contains(key) ? 1 : 0] }
      detector.history.suspected = try Tensor(marks.flatMap { $0 }, shape: [20, 16]).greater(0.5)
      try detector.fit { body in try body(images) }
      return try #require(detector.usual.surprise).references.extent(0)
    }
    #expect(try references(masking: []) == 20)
    #expect(try references(masking: [rarest]) == keys.count { $0 != rarest })
    #expect(try references(masking: Set(keys)) == 20)
  }

  /// After how many batches a run is interrupted: in the VQ-VAE's training, while images are encoded, in the transformer's
  /// training, in the detection pass, at its end.
  static let stops = [[3], [7], [9], [14], [16], [2, 6, 7, 4]]

  @Test("A resumed run ends bit for bit where an unbroken one does, wherever it stopped", arguments: stops)
  func resuming(_ stops: [Int]) async throws {
    let images = try TemporaryFolder()
    let configuration = configuration {
      $0.rounds.crossFit = true
      $0.rounds.weighting = .biweight
      $0.detection.flagging = .quantile
      // One image at a time, so that a detection pass can be interrupted.
      $0.transformer.headWidth = 4096
      $0.transformer.heads = 1
      $0.transformer.layers = 1
      $0.rounds.samples = 256
      $0.rounds.count = 1
    }
    let unbroken = try await run(configuration, images: images, count: 16)
    try unbroken.run()
    let broken = try await run(configuration, images: images, count: 16)
    for (index, stop) in stops.enumerated() {
      guard case .interrupted = try broken.run(resumes: index > 0, stopsAfter: stop) else {
        Issue.record("the run was not interrupted at \(stop)")
        return
      }
    }
    try broken.run(resumes: true)
    let (expected, found) = (try unbroken.model, try broken.model)
    for (name, array) in expected.arrays { #expect(found.arrays[name]?.data == array.data, "\(name)") }
    #expect(expected.metadata.calibration == found.metadata.calibration)
  }
}
