import Foundation
import Testing

@testable import Norma
@testable import Torch

extension FAnoGANConfiguration {
  /// A network of 16 × 16 pixels that builds and runs in no time.
  static func tiny(_ change: (inout FAnoGANConfiguration) -> Void = { _ in }) -> FAnoGANConfiguration {
    var tiny = FAnoGANConfiguration()
    (tiny.imageSize, tiny.width, tiny.latentWidth, tiny.criticIterations) = (16, 6, 8, 2)
    change(&tiny)
    return tiny
  }
}

@Suite("f-AnoGAN")
struct FAnoGANTests {
  typealias Architecture = FAnoGANConfiguration.Architecture

  private func detector(
    seed: Int = 1, _ change: (inout FAnoGANConfiguration) -> Void = { _ in }
  ) throws -> FAnoGANDetector {
    try FAnoGANDetector(.tiny(change), seed: seed)
  }

  private func network(_ detector: FAnoGANDetector) throws -> FAnoGANNetwork {
    try #require(detector.network as? FAnoGANNetwork)
  }

  private func trainable(_ detector: FAnoGANDetector, _ parts: String...) -> Set<String> {
    Set(
      detector.network.namedParameters.filter { key, parameter in
        parameter.isTrainable && parts.contains { key.hasPrefix("\($0).") }
      }.map(\.key))
  }

  // MARK: Losses

  @Test("The gradient penalty of a linear critic is (‖w‖ − 1)², and its gradient 2 (‖w‖ − 1) w / ‖w‖")
  func linearPenalty() throws {
    let random = try Generator(seed: 1)
    let (images, generated) = (try random.normal(shape: [5, 1, 2, 3]), try random.normal(shape: [5, 1, 2, 3]))
    let weights = [0.5, -1, 2, 0.25, -0.5, 1.5]
    let norm = weights.map { $0 * $0 }.reduce(0, +).squareRoot()
    let weight = try Tensor(weights.map(Float.init), shape: [1, 6]).requiringGradient()
    let penalty = try FAnoGANLosses.gradientPenalty(
      images: images, generated: generated, shares: random.uniform(shape: [5, 1, 1, 1])
    ) { points throws(TorchError) in try points.reshaped([5, 6]).linear(weight).squeezed(1) }
    #expect(try abs(penalty.item() - (norm - 1) * (norm - 1)) < 1e-5)
    try penalty.backward()
    let gradient = try #require(try weight.gradient).values(as: Double.self)
    #expect(largestDifference(gradient, weights.map { 2 * (norm - 1) * $0 / norm }) < 1e-5)
  }

  @Test("The penalty looks at points between images and generated ones: of Σ x²/2 it is the mean of (‖x‖ − 1)² there")
  func penaltyPoints() throws {
    let (images, generated) = (
      try Tensor([0, 0, 3, 4] as [Float], shape: [2, 1, 1, 2]),
      try Tensor([6, 8, 3, 4] as [Float], shape: [2, 1, 1, 2])
    )
    let penalty = try FAnoGANLosses.gradientPenalty(
      images: images, generated: generated, shares: Tensor([0.25, 0.7] as [Float], shape: [2, 1, 1, 1])
    ) { points throws(TorchError) in try points.squared().sum([1, 2, 3]) * 0.5 }
    // The points are (1.5, 2) and (3, 4), of norms 2.5 and 5.
    #expect(try abs(penalty.item() - (1.5 * 1.5 + 16) / 2) < 1e-5)
  }

  @Test("Critic, generator and residuals are the means of known numbers")
  func losses() throws {
    let (real, fake) = (try Tensor([2, 4] as [Float]), try Tensor([-1, 0, 4] as [Float]))
    #expect(try FAnoGANLosses.critic(real: real, fake: fake).item() == -2)
    #expect(try FAnoGANLosses.generator(fake: fake).item() == -1)
    let residuals = try FAnoGANLosses.residuals(
      Tensor([1, 2, 3, 4] as [Float], shape: [2, 1, 1, 2]), Tensor([1, 0, 0, 3] as [Float], shape: [2, 1, 1, 2]))
    #expect(try residuals.values(as: Double.self) == [2, 5])
  }

  @Test("The critic's loss is its distance and λ times the penalty; the encoder's both residuals, κ times the second")
  func totals() throws {
    let detector = try detector {
      ($0.penaltyWeight, $0.featureWeight) = (7, 0.5)
    }
    let images = try smoothImages(4, side: 16, seed: 1)
    let step = TrainingStep(due: ["critic", "generator"], random: try Generator(seed: 0))
    for (stage, weights) in [["critic": 1.0, "gradientPenalty": 7], ["imageResidual": 1, "featureResidual": 0.5]]
      .enumerated()
    {
      let losses = try detector.losses(of: detector.stages[stage].updates[0], on: images, step: step)
      #expect(Set(losses.parts.map(\.name)) == Set(weights.keys))
      let expected = try losses.parts.reduce(0) { try $0 + #require(weights[$1.name]) * $1.value.item() }
      #expect(try abs(losses.total.item() - expected) < 1e-5 * (1 + abs(expected)))
    }
    // What the encoder minimises is what scores, but for the encoder's batch norm.
    let network = try network(detector)
    let latents = try network.latents(of: images, mode: .training)
    let made = try network.generator(latents, mode: .evaluation).values(as: Double.self)
    let squares = zip(try images.values(as: Double.self), made).map { ($0 - $1) * ($0 - $1) }
    let losses = try detector.losses(of: detector.stages[1].updates[0], on: images, step: step)
    #expect(try abs(losses.parts[0].value.item() - squares.reduce(0, +) / 1024) < 1e-6)
  }

  // MARK: Who moves

  @Test("Critic, generator and encoder each move alone in their update", arguments: Architecture.allCases)
  func movement(_ architecture: Architecture) throws {
    let detector = try detector { $0.architecture = architecture }
    let images = try smoothImages(4, side: 16, seed: 1)
    let all = trainable(detector, "critic", "generator", "encoder")
    func moved(stage: Int, _ due: Set<String>) throws -> Set<String> {
      let runner = try StageRunner(detector.stages[stage], of: detector, precision: MixedPrecision(.float32, on: .cpu))
      let before = try detector.network.numbers()
      _ = try runner.run(TrainingStep(due: due, random: Generator(seed: 0)), on: images)
      return changedKeys(before, try detector.network.numbers()).intersection(all)
    }
    /// A constant that the critic's difference or a batch norm takes out again has no gradient but rounding.
    func matters(_ key: String) -> Bool {
      key != "critic.output.bias" && !key.hasSuffix(".convolution2.bias") && !key.hasSuffix(".shortcut.bias")
    }
    for (stage, name) in [(0, "critic"), (0, "generator"), (1, "encoder")] {
      let (found, own) = (try moved(stage: stage, [name]), trainable(detector, name))
      #expect(found.isSubset(of: own) && found.isSuperset(of: own.filter(matters)), "\(name)")
    }
  }

  @Test("In the second stage generator and critic stay the same bits, running statistics included")
  func frozen() throws {
    for architecture in Architecture.allCases {
      let detector = try detector { $0.architecture = architecture }
      let images = try smoothImages(8, side: 16, seed: 1)
      try train(detector, on: images, iterations: 4)
      let before = try detector.network.numbers()
      try train(detector, stage: 1, on: images, iterations: 4)
      let changed = changedKeys(before, try detector.network.numbers())
      #expect(!changed.isEmpty && changed.allSatisfy { $0.hasPrefix("encoder.") }, "\(architecture)")
    }
  }

  @Test("The critic moves in each iteration, the generator in every fifth, the encoder in a stage of its own")
  func stages() throws {
    let detector = try FAnoGANDetector(
      FAnoGANConfiguration.tiny { ($0.criticIterations, $0.encoderEpochs) = (5, 3) }, seed: 1)
    let stages = detector.stages
    #expect(stages.map(\.name) == ["adversarial", "encoder"] && stages.map(\.epochs) == [nil, 3])
    #expect(stages.map(\.givesScores) == [false, true])
    let runner = try StageRunner(stages[0], of: detector, precision: MixedPrecision(.float32, on: .cpu))
    let due = (0..<11).map { runner.due(in: $0) }
    #expect(due.allSatisfy { $0.contains("critic") })
    #expect(due.indices.filter { due[$0].contains("generator") } == [0, 5, 10])
    #expect(stages[0].updates.map(\.name) == ["critic", "generator"])
    for update in stages[0].updates {
      #expect(update.options as? AdamOptions == AdamOptions(learningRate: 1e-4, beta1: 0, beta2: 0.9))
    }
    #expect(stages[1].updates[0].options as? AdamOptions == AdamOptions.rmsProp(learningRate: 5e-5))
  }

  // MARK: Scores

  @Test("The score is A_R + κ A_D of image and critic's features", arguments: Architecture.allCases)
  func scores(_ architecture: Architecture) throws {
    let detector = try detector {
      ($0.architecture, $0.featureWeight, $0.smoothing) = (architecture, 0.25, 0)
    }
    try train(detector, on: smoothImages(8, side: 16, seed: 1), iterations: 3)
    try train(detector, stage: 1, on: smoothImages(8, side: 16, seed: 1), iterations: 3)
    #expect(detector.scoreNames == ["anomalyScore", "imageResidual", "featureResidual"])
    let images = try smoothImages(3, side: 16, seed: 2)
    let network = try network(detector)
    let made = try network.generator(network.latents(of: images, mode: .evaluation), mode: .evaluation)
    func residuals(_ a: Tensor, _ b: Tensor) throws -> [Double] {
      let (a, b) = (try a.detached().values(as: Double.self), try b.detached().values(as: Double.self))
      let count = a.count / 3
      return (0..<3).map { image in
        (0..<count).reduce(0) { $0 + pow(a[image * count + $1] - b[image * count + $1], 2) } / Double(count)
      }
    }
    let image = try residuals(images, made)
    let feature = try residuals(
      network.critic(images, mode: .evaluation).features, network.critic(made, mode: .evaluation).features)
    let found = try detector.scores(images, areReferences: false).mapValues { try $0.values(as: Double.self) }
    #expect(try largestDifference(#require(found["imageResidual"]), image) < 1e-5)
    #expect(try largestDifference(#require(found["featureResidual"]), feature) < 1e-5)
    #expect(try largestDifference(#require(found["anomalyScore"]), zip(image, feature).map { $0 + 0.25 * $1 }) < 1e-5)
    let map = try detector.explanation(of: images).maps[0]
    let errors = try (images - made).abs().detached()
    #expect(map.name == "imageResidual" && map.values.shape == [3, 16, 16])
    #expect(try largestDifference(map.values, errors) < 1e-6)
    try detector.expectIndependence(from: smoothImages(5, side: 16, seed: 4))
  }

  @Test("Latent vectors lie within −1 ... 1 where they are bounded, and beyond where not")
  func latents() throws {
    let images = try smoothImages(6, side: 16, seed: 1)
    let largest = try [true, false].map { bounded in
      let network = try network(detector { $0.boundedLatents = bounded })
      let output = try network.parameter("encoder.output.weight")
      try output.assign(output.tensor.detached() * 50)
      return try network.latents(of: images, mode: .evaluation).abs().maximum().item()
    }
    #expect(largest[0] <= 1 && largest[1] > 1)
  }

  // MARK: Training

  @Test(
    "The critic learns to tell images from generated ones, the encoder to find images again; defects raise the scores of the very images"
  )
  func learning() throws {
    let detector = try detector {
      ($0.architecture, $0.width, $0.learningRate, $0.encoderLearningRate) = (.convolutional, 12, 1e-3, 1e-3)
    }
    let images = try smoothImages(16, side: 16, seed: 1)
    let adversarial = try train(detector, on: images, iterations: 100)
    #expect(try #require(adversarial[0]["generator"]).isFinite && adversarial[1]["generator"] == nil)
    #expect(adversarial.compactMap { $0["critic"] }.min() ?? 0 < -0.5)
    #expect(adversarial[60...].compactMap { $0["gradientPenalty"] }.reduce(0, +) / 40 < 0.5)
    let residuals = try train(detector, stage: 1, on: images, iterations: 100).compactMap { $0["imageResidual"] }
    #expect(residuals[90...].reduce(0, +) / 10 < residuals[0])
    let normal = try smoothImages(8, side: 16, seed: 1)
    let (before, after) = (
      try detector.scores(normal, areReferences: false), try detector.scores(withDefect(normal), areReferences: false)
    )
    for name in detector.scoreNames {
      let (without, with) = (try #require(before[name]).mean().item(), try #require(after[name]).mean().item())
      #expect(with > without, "\(name): \(without), with the defect \(with)")
    }
  }

  @Test("The same seed gives the same losses, another seed others")
  func seeds() throws {
    let images = try smoothImages(4, side: 16, seed: 1)
    let first = try train(detector(), on: images, iterations: 3)
    #expect(try train(detector(), on: images, iterations: 3) == first)
    #expect(try train(detector(seed: 2), on: images, iterations: 3) != first)
    #expect(try train(detector(), on: images, iterations: 3, seed: 6) != first)
  }

  @Test("A checkpoint holds generator, critic and encoder, and scores the same; both stages are logged")
  func checkpoint() async throws {
    var configuration = RunConfiguration(detector: DetectorSettings(FAnoGANConfiguration.tiny { $0.encoderEpochs = 1 }))
    (configuration.training.epochs, configuration.training.batchSize) = (2, 4)
    let run = try await expectCheckpointToHold(configuration)
    let losses = try run.losses()
    #expect(
      losses.map { Set($0.keys) } == [
        ["critic", "gradientPenalty", "generator"], ["critic", "gradientPenalty", "generator"],
        ["imageResidual", "featureResidual"],
      ])
  }

  @Test("A run that was stopped in either stage ends with the same bits as an unbroken one")
  func resuming() async throws {
    var configuration = RunConfiguration(detector: DetectorSettings(FAnoGANConfiguration.tiny()))
    (configuration.training.epochs, configuration.training.batchSize) = (2, 4)
    let sources = try TemporaryFolder()
    let images = try await Fixtures.phantoms(10, seed: 50, for: configuration, in: sources)
    func run(stops: [Int]) throws -> [String: StoredArray] {
      let run = TrainerRun(
        folder: try TemporaryFolder(), data: TrainingData(training: images, fingerprint: "phantoms"),
        configuration: configuration)
      for (index, stop) in stops.enumerated() { try run.run(resumes: index > 0, stopsAfter: stop) }
      try run.run(resumes: !stops.isEmpty)
      return try run.model.arrays
    }
    let (whole, broken) = (try run(stops: []), try run(stops: [2, 5]))
    #expect(whole.keys == broken.keys)
    for (key, array) in whole {
      let other = try #require(broken[key])
      #expect(try array.tensor().bytes() == other.tensor().bytes(), "\(key)")
    }
  }

  @Test("Impossible settings are named")
  func validation() {
    func message(_ change: (inout FAnoGANConfiguration) -> Void) -> String {
      refusal(of: FAnoGANConfiguration.self, change)
    }
    #expect(message { _ in } == "valid")
    #expect(
      message { $0.imageSize = 8 }
        == "configuration key 'detector.imageSize' is 8; it may be a power of two, at least 16")
    #expect(
      message { $0.criticIterations = 0 }
        == "configuration key 'detector.criticIterations' is 0; it may be 1 or more")
    #expect(
      message { $0.penaltyWeight = -1 }
        == "configuration key 'detector.penaltyWeight' is -1.0; it may be 0 or more")
    #expect(
      message { $0.encoderEpochs = -1 }
        == "configuration key 'detector.encoderEpochs' is -1; it may be 0 (as training.epochs) or a number of epochs")
    var run = RunConfiguration(detector: DetectorSettings(.fAnoGAN))
    run.input.intensity = .unit
    let error = #expect(throws: ConfigurationError.self) { try run.validate() }
    #expect(
      error?.description
        == "configuration key 'input.intensity' is unit; it may be symmetric or standardised, as the generator ends in tanh"
    )
  }
}
