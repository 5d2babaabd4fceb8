import Foundation
import Testing

@testable import Norma
@testable import Torch

extension GANomalyConfiguration {
  /// A network of 16 × 16 pixels that builds and runs in no time.
  static func tiny(_ change: (inout GANomalyConfiguration) -> Void = { _ in }) -> GANomalyConfiguration {
    var tiny = GANomalyConfiguration()
    (tiny.imageSize, tiny.width, tiny.latentWidth) = (16, 6, 8)
    change(&tiny)
    return tiny
  }
}

@Suite("GANomaly")
struct GANomalyTests {
  private func detector(
    seed: Int = 1, _ change: (inout GANomalyConfiguration) -> Void = { _ in }
  ) throws -> GANomalyDetector {
    try GANomalyDetector(.tiny(change), seed: seed)
  }

  private func network(_ detector: GANomalyDetector) throws -> GANomalyNetwork {
    try #require(detector.network as? GANomalyNetwork)
  }

  @Test("Losses are the means of known differences")
  func losses() throws {
    let (a, b) = (try Tensor([1, 2, 3, 5] as [Float]), try Tensor([1, 0, 0, 1] as [Float]))
    #expect(try GANomalyLosses.adversarial(a, b).item() == 29.0 / 4)
    #expect(try GANomalyLosses.contextual(a, b).item() == 9.0 / 4)
    #expect(try GANomalyLosses.encoder(a, b).item() == 29.0 / 4)
    func softplus(_ x: Double) -> Double { log(1 + exp(x)) }
    let loss = try GANomalyLosses.discriminator(real: Tensor([2.0, -1]), fake: Tensor([0.5, -3])).item()
    let expected = (softplus(-2) + softplus(1)) / 4 + (softplus(0.5) + softplus(-3)) / 4
    #expect(abs(loss - expected) < 1e-12)
  }

  @Test(
    "The generator's loss weighs its parts as published, and the adversarial one compares the discriminator's features")
  func total() throws {
    let detector = try detector()
    let images = try smoothImages(4, side: 16, seed: 1)
    let (network, step) = (
      try network(detector), TrainingStep(due: ["discriminator", "generator"], random: try Generator(seed: 0))
    )
    let updates = detector.stages[0].updates
    #expect(updates.map(\.name) == ["discriminator", "generator"])
    _ = try detector.losses(of: updates[0], on: images, step: step)
    let losses = try detector.losses(of: updates[1], on: images, step: step)
    let parts = Dictionary(uniqueKeysWithValues: try losses.parts.map { ($0.name, try $0.value.item()) })
    let (adversarial, contextual, encoder) = (
      try #require(parts["adversarial"]), try #require(parts["contextual"]), try #require(parts["encoder"])
    )
    #expect(try abs(losses.total.item() - (adversarial + 50 * contextual + encoder)) < 1e-4)
    // The same once more, from outside: in training, norms go by the batch and the weights have not moved.
    let output = try network.generator(images, mode: .training)
    let features = try [images, output.reconstruction].map {
      try network.discriminator($0, mode: .training).features.values(as: Double.self)
    }
    let squares = zip(features[0], features[1]).map { ($0 - $1) * ($0 - $1) }
    #expect(abs(adversarial - squares.reduce(0, +) / Double(squares.count)) < 1e-6)
    let gaps = zip(try output.latents.values(as: Double.self), try output.secondLatents.values(as: Double.self)).map {
      ($0 - $1) * ($0 - $1)
    }
    #expect(abs(encoder - gaps.reduce(0, +) / Double(gaps.count)) < 1e-6)
  }

  @Test("Each loss reaches the networks that it trains", arguments: ["adversarial", "contextual", "encoder"])
  func reach(_ name: String) throws {
    let detector = try detector {
      $0.lossWeights.adversarial = name == "adversarial" ? 1 : 0
      $0.lossWeights.contextual = name == "contextual" ? 1 : 0
      $0.lossWeights.encoder = name == "encoder" ? 1 : 0
    }
    let images = try smoothImages(4, side: 16, seed: 1)
    let step = TrainingStep(due: ["discriminator", "generator"], random: try Generator(seed: 0))
    let updates = detector.stages[0].updates
    try detector.losses(of: updates[0], on: images, step: step).total.backward()
    #expect(
      try detector.network.keysWithGradient()
        == Set(updates[0].module.namedParameters.filter(\.parameter.isTrainable).map { "discriminator.\($0.key)" }))
    try detector.network.clearGradients()
    try detector.losses(of: updates[1], on: images, step: step).total.backward()
    let parts = Set(
      try detector.network.keysWithGradient().map { $0.split(separator: ".").prefix(2).joined(separator: ".") })
    let generator: Set = ["generator.encoder", "generator.decoder"]
    #expect(parts == (name == "encoder" ? generator.union(["generator.secondEncoder"]) : generator))
  }

  @Test("The discriminator's update moves the discriminator alone, the generator's the generator's three networks")
  func movement() throws {
    let detector = try detector()
    let images = try smoothImages(4, side: 16, seed: 1)
    let runner = try StageRunner(detector.stages[0], of: detector, precision: MixedPrecision(.float32, on: .cpu))
    func moved(_ due: Set<String>) throws -> Set<String> {
      let before = try detector.network.numbers()
      _ = try runner.run(TrainingStep(due: due, random: Generator(seed: 0)), on: images)
      let weights = Set(detector.network.namedParameters.filter(\.parameter.isTrainable).map(\.key))
      return changedKeys(before, try detector.network.numbers()).intersection(weights)
    }
    let all = Set(detector.network.namedParameters.filter(\.parameter.isTrainable).map(\.key))
    #expect(try moved(["discriminator"]) == all.filter { $0.hasPrefix("discriminator.") })
    #expect(try moved(["discriminator", "generator"]) == all)
    let alone = TrainingStep(due: ["generator"], random: try Generator(seed: 0))
    let error = #expect(throws: TorchError.self) {
      _ = try detector.losses(of: detector.stages[0].updates[1], on: images, step: alone)
    }
    #expect(error?.description == "generator: its update must follow the discriminator's")
  }

  @Test("A discriminator whose loss is below the threshold starts anew; above it, and with threshold 0, it learns on")
  func restart() throws {
    let images = try smoothImages(4, side: 16, seed: 1)
    func change(_ threshold: Double) throws -> (kernel: Double, restarted: Double) {
      let detector = try self.detector { $0.restartThreshold = threshold }
      let kernel = try network(detector).parameter("discriminator.convolutions.0.weight")
      let before = try kernel.tensor.detached().copy()
      let parts = try train(detector, on: images, iterations: 1)[0]
      return (try largestDifference(kernel.tensor, before), try #require(parts["restarted"]))
    }
    for threshold in [0, 1e-5] {
      let learnt = try change(threshold)
      #expect(learnt.kernel <= 2.1e-4 && learnt.kernel > 0 && learnt.restarted == 0)
    }
    let fresh = try change(0.99)
    #expect(fresh.kernel > 0.02 && fresh.restarted == 1)
    let detector = try self.detector()
    #expect(detector.warnings(about: ["restarted": 0.05]).isEmpty)
    #expect(detector.warnings(about: ["restarted": 0.5]).count == 1)
  }

  @Test(
    "Scores are the latent vectors' distance, as the paper and as the code has it, and the mean error of the pixels")
  func scores() throws {
    let detector = try detector { $0.smoothing = 0 }
    try train(detector, on: smoothImages(8, side: 16, seed: 1), iterations: 5)
    let images = try smoothImages(3, side: 16, seed: 2)
    #expect(detector.scoreNames == ["latentDistance", "squaredLatentDistance", "reconstructionError"])
    let output = try network(detector).generator(images, mode: .evaluation)
    let found = try detector.scores(images, areReferences: false).mapValues { try $0.values(as: Double.self) }
    let gaps = zip(try output.latents.values(as: Double.self), try output.secondLatents.values(as: Double.self)).map(-)
    let errors = zip(try images.values(as: Double.self), try output.reconstruction.values(as: Double.self)).map {
      abs($0 - $1)
    }
    for index in 0..<3 {
      let own = gaps[index * 8..<index * 8 + 8]
      #expect(try abs(#require(found["latentDistance"])[index] - own.map(abs).reduce(0, +)) < 1e-5)
      let square = own.map { $0 * $0 }.reduce(0, +) / 8
      #expect(try abs(#require(found["squaredLatentDistance"])[index] - square) < 1e-5)
      let error = errors[index * 256..<index * 256 + 256].reduce(0, +) / 256
      #expect(try abs(#require(found["reconstructionError"])[index] - error) < 1e-6)
    }
    let explanation = try detector.explanation(of: images)
    #expect(explanation.maps.map(\.name) == ["reconstructionError"] && explanation.maps[0].values.shape == [3, 16, 16])
    #expect(largestDifference(try explanation.maps[0].values.values(as: Double.self), errors) < 1e-6)
    #expect(try largestDifference(#require(explanation.reconstruction), output.reconstruction) == 0)
    try detector.expectIndependence(from: smoothImages(5, side: 16, seed: 4))
    #expect(try self.detector { $0.scoring = .reconstructionError }.scoreNames[0] == "reconstructionError")
  }

  @Test(
    "Training on smooth images lowers the contextual loss, and defects raise the scores of the very images")
  func learning() throws {
    let detector = try detector { ($0.learningRate, $0.width) = (1e-3, 12) }
    let images = try smoothImages(16, side: 16, seed: 1)
    let losses = try train(detector, on: images, iterations: 150).map { $0["contextual"] ?? .nan }
    #expect(losses[140...].reduce(0, +) / 10 < losses[0] / 2)
    let normal = try smoothImages(8, side: 16, seed: 1)
    let (before, after) = (
      try detector.scores(normal, areReferences: false), try detector.scores(withDefect(normal), areReferences: false)
    )
    for name in detector.scoreNames {
      let (without, with) = (try #require(before[name]).mean().item(), try #require(after[name]).mean().item())
      #expect(with > without, "\(name): \(without), with the defect \(with)")
    }
    #expect(try train(self.detector(), on: images, iterations: 2) == train(self.detector(), on: images, iterations: 2))
    #expect(
      try train(self.detector(seed: 2), on: images, iterations: 2) != train(self.detector(), on: images, iterations: 2))
  }

  @Test("A checkpoint holds generator and discriminator, and scores the same")
  func checkpoint() async throws {
    var configuration = RunConfiguration(detector: DetectorSettings(GANomalyConfiguration.tiny()))
    (configuration.training.epochs, configuration.training.batchSize) = (2, 4)
    let run = try await expectCheckpointToHold(configuration)
    let last = try #require(try run.losses().last)
    #expect(Set(last.keys) == ["discriminator", "restarted", "adversarial", "contextual", "encoder"])
  }

  @Test("Impossible settings are named")
  func validation() {
    func message(_ change: (inout GANomalyConfiguration) -> Void) -> String {
      refusal(of: GANomalyConfiguration.self, change)
    }
    #expect(message { _ in } == "valid")
    #expect(
      message { $0.imageSize = 48 }
        == "configuration key 'detector.imageSize' is 48; it may be a power of two, at least 16")
    #expect(
      message { $0.lossWeights.contextual = -1 }
        == "configuration key 'detector.lossWeights.contextual' is -1.0; it may be 0 or more")
    #expect(
      message { $0.restartThreshold = 1 }
        == "configuration key 'detector.restartThreshold' is 1.0; it may be 0 (never) to below 1")
    var run = RunConfiguration(detector: DetectorSettings(.ganomaly))
    run.input.intensity = .unit
    let error = #expect(throws: ConfigurationError.self) { try run.validate() }
    #expect(
      error?.description
        == "configuration key 'input.intensity' is unit; it may be symmetric or standardised, as the generator ends in tanh"
    )
  }
}
