import Foundation
import Testing

@testable import Norma
@testable import Torch

extension VAEConfiguration {
  /// A network of 32 × 32 pixels that builds and runs in no time.
  static func tiny(_ change: (inout VAEConfiguration) -> Void = { _ in }) -> VAEConfiguration {
    var tiny = VAEConfiguration()
    (tiny.imageSize, tiny.channels, tiny.kernelSize, tiny.codeWidth) = (32, [4, 8], 3, 5)
    change(&tiny)
    return tiny
  }
}

@Suite("The variational autoencoder")
struct VAETests {
  private func detector(seed: Int = 1, _ change: (inout VAEConfiguration) -> Void = { _ in }) throws -> VAEDetector {
    try VAEDetector(.tiny(change), seed: seed, training: TrainingConfiguration())
  }

  // MARK: Formulas

  @Test("The divergence of known Gaussians from the standard one is that of the closed form")
  func divergence() throws {
    // By hand: N(1, 1): 1/2. N(0, e²): (e² − 3)/2. N(0, 1): 0. N(2, 1/4): (4 + 1/4 + log 4 − 1)/2.
    let gaussian = DiagonalGaussian(
      mean: try Tensor([1.0, 0, 0, 2], shape: [2, 2]),
      logVariance: try Tensor([0, 2, 0, -log(4.0)], shape: [2, 2]))
    let expected = [0.5 + (exp(2) - 3) / 2, (3.25 + log(4.0)) / 2]
    #expect(largestDifference(try gaussian.divergence().values(as: Double.self), expected) < 1e-12)
  }

  @Test("The divergence is the mean of log q − log p over codes drawn from q")
  func divergenceBySampling() throws {
    let count = 200_000
    let gaussian = DiagonalGaussian(
      mean: try Tensor([0.7], shape: [1, 1]), logVariance: try Tensor([-0.9], shape: [1, 1]))
    let codes = try gaussian.sample(Generator(seed: 4).normal(shape: [count, 1], dtype: .float64))
    let standard = DiagonalGaussian(mean: try .zeros([1, 1], dtype: .float64), logVariance: try .zeros([1, 1]))
    let ratio = try standard.negativeLogDensity(of: codes) - gaussian.negativeLogDensity(of: codes)
    let sampled = try ratio.mean().item()
    #expect(abs(try gaussian.divergence().item() - sampled) < 0.01)
  }

  @Test("The density is that of the normal distribution")
  func density() throws {
    let gaussian = DiagonalGaussian(
      mean: try Tensor([1.0, -2], shape: [2]), logVariance: try Tensor([log(4.0), log(0.25)], shape: [2]))
    let found = try gaussian.negativeLogDensity(of: Tensor([2.0, -2], shape: [2])).values(as: Double.self)
    let expected = [
      -log(exp(-1.0 / 8) / (2 * (2 * Double.pi).squareRoot())), -log(1 / (0.5 * (2 * Double.pi).squareRoot())),
    ]
    #expect(largestDifference(found, expected) < 1e-12)
  }

  // MARK: Network

  @Test("Posterior, likelihood, bound and all gradients agree with PyTorch's own layers and distributions")
  func parity() throws {
    let values = try ReconstructionGolden.vae.values()
    let network = try VAENetwork(.tiny(), generator: Generator(seed: 1))
    try network.takeUp(values)
    let images = try #require(values["images"])
    let posterior = try network.posterior(of: images, mode: .training)
    let codes = try posterior.sample(#require(values["noise"]))
    let likelihood = try network.likelihood(of: codes, mode: .training)
    #expect(try largestDifference(likelihood.mean, #require(values["output"])) < 5e-6)
    #expect(try largestDifference(posterior.divergence(), #require(values["divergence"])) < 1e-5)
    let density = try likelihood.negativeLogDensity(of: images)
    let expected = try #require(values["density"])
    // The reconstruction's own tolerance, divided by the variance.
    #expect(try largestDifference(-density, expected) < 1e-5 * expected.abs().maximum().item() + 1e-4)
    let bound = try VAELosses.bound(posterior, likelihood, of: images, divergenceWeight: 2)
    let mean = try #require(values["divergence"]).mean().item()
    #expect(abs(try bound.divergence.item() - mean) < 1e-5)
    try network.expectGradients(of: bound.total, values)
  }

  @Test("A fixed variance is that of all pixels, a learned one lies above it; both keep the autoencoder's keys")
  func variances() throws {
    let codes = try Generator(seed: 2).normal(shape: [2, 5])
    let fixed = try VAENetwork(.tiny { ($0.variance, $0.deviation) = (.fixed, 0.5) }, generator: Generator(seed: 1))
    let likelihood = try fixed.likelihood(of: codes, mode: .evaluation)
    #expect(likelihood.mean.shape == [2, 1, 32, 32] && likelihood.logVariance.shape == [2, 1, 32, 32])
    #expect(try largestDifference(likelihood.logVariance, .full(log(0.25), shape: [2, 1, 32, 32])) < 1e-6)
    let learned = try VAENetwork(.tiny { $0.deviation = 0.5 }, generator: Generator(seed: 1))
    #expect(try learned.likelihood(of: codes, mode: .evaluation).logVariance.minimum().item() > log(0.25))
    let plain = try AutoencoderNetwork(
      VAEConfiguration.tiny().autoencoder, extents: [32, 32], generator: Generator(seed: 1))
    #expect(fixed.namedParameters.map(\.key) == plain.namedParameters.map(\.key))
    // Twice the code's outputs, and a second channel of the output where the variance is learned.
    let flat = 8 / 8 * 8 * 8
    #expect(fixed.parameterCount == plain.parameterCount + 5 * (flat + 1))
    #expect(learned.parameterCount == fixed.parameterCount + 4 + 1)
  }

  // MARK: Detector

  @Test(
    "Training reaches every weight, lowers the bound and follows the seed",
    arguments: VAEConfiguration.Variance.allCases)
  func training(_ variance: VAEConfiguration.Variance) throws {
    let images = try smoothImages(4, side: 32, seed: 1)
    func fresh(_ seed: Int = 1) throws -> VAEDetector {
      try self.detector(seed: seed) { ($0.variance, $0.deviation) = (variance, variance == .fixed ? 0.3 : 0.05) }
    }
    let detector = try fresh()
    let update = detector.stages[0].updates[0]
    let step = TrainingStep(due: [update.name], random: try Generator(seed: 5))
    try detector.losses(of: update, on: images, step: step).total.backward()
    #expect(
      try detector.network.keysWithGradient()
        == Set(detector.network.namedParameters.filter(\.parameter.isTrainable).map(\.key)))
    try detector.network.clearGradients()
    let losses = try detector.train(on: images, steps: 150)
    #expect(losses[140...].reduce(0, +) / 10 < losses[0] - 0.5)
    #expect(try fresh().train(on: images, steps: 2) == fresh().train(on: images, steps: 2))
    #expect(try fresh(2).train(on: images, steps: 1) != fresh().train(on: images, steps: 1))
  }

  /// A detector that was trained for a moment on what it returns.
  private func trained(_ change: (inout VAEConfiguration) -> Void = { _ in }) throws -> (VAEDetector, Tensor) {
    let detector = try detector {
      $0.smoothing = 0
      change(&$0)
    }
    let normal = try smoothImages(24, side: 32, seed: 1) * 0.3
    try detector.train(on: normal, steps: 120)
    return (detector, normal)
  }

  @Test(
    "Scores are the mean over L drawn codes of −log p(x | z), that plus the divergence, and the errors of the mean code"
  )
  func scores() throws {
    let (detector, images) = try trained {
      ($0.samples, $0.sampleSeed, $0.scoring) = (3, 7, .reconstructionError)
    }
    #expect(detector.scoreNames == ["reconstructionError", "reconstructionProbability", "negativeELBO", "topPercent"])
    let batch = try images.sliced(0..<2, axis: 0)
    let network = try #require(detector.network as? VAENetwork)
    let posterior = try network.posterior(of: batch, mode: .evaluation)
    let noise = try Generator(seed: 7).normal(shape: [3, 1, 5])
    var surprise = try Tensor.zeros([2])
    for sample in 0..<3 {
      let codes = try posterior.mean + (posterior.logVariance * 0.5).exp() * noise.selected(sample, axis: 0)
      let likelihood = try network.likelihood(of: codes, mode: .evaluation)
      surprise = try surprise + likelihood.negativeLogDensity(of: batch).mean([1, 2, 3]) / 3
    }
    let found = try detector.scores(batch, areReferences: false)
    #expect(try largestDifference(#require(found["reconstructionProbability"]), surprise) < 1e-5)
    let bound = try surprise + posterior.divergence() / 1024
    #expect(try largestDifference(#require(found["negativeELBO"]), bound) < 1e-5)
    let errors = try (#require(detector.explanation(of: batch).reconstruction) - batch).squared().reshaped([2, -1])
    #expect(try largestDifference(#require(found["reconstructionError"]), errors.mean([1])) < 1e-6)
    let highest = try errors.top(10, axis: 1).values.mean([1])
    #expect(try largestDifference(#require(found["topPercent"]), highest) < 1e-6)
    for name in detector.scoreNames {
      #expect(try detector.scores(batch, named: [name], areReferences: false).keys.map { $0 } == [name])
    }
    let maps = try detector.explanation(of: batch).maps
    #expect(maps.map(\.name) == ["reconstructionProbability", "reconstructionError"])
    #expect(try largestDifference(maps[0].values.mean([1, 2]), surprise) < 1e-5)
  }

  @Test("A bright square scores above normal images by every score, alone as in a batch, and lights up in both maps")
  func defect() throws {
    let (detector, normal) = try trained()
    let (abnormal, square) = try defects(8, side: 32, seed: 9)
    let (calm, unusual) = (
      try detector.scores(normal, areReferences: false), try detector.scores(abnormal, areReferences: false)
    )
    for name in detector.scoreNames {
      let (highest, lowest) = (try #require(calm[name]).maximum(), try #require(unusual[name]).minimum())
      #expect(try highest.item() < lowest.item(), "\(name)")
    }
    for map in try detector.explanation(of: abnormal).maps {
      let inside = try map.values.sliced(square, axis: 1).sliced(square, axis: 2).mean().item()
      #expect(try inside - map.values.mean().item() > map.values.variance().squareRoot().item(), "\(map.name)")
    }
    try detector.expectIndependence(from: abnormal)
    let again = try #require(detector.scores(abnormal, areReferences: false)["negativeELBO"])
    #expect(try largestDifference(again, #require(unusual["negativeELBO"])) == 0)
  }

  @Test("A checkpoint scores as the trained network did")
  func checkpoint() async throws {
    var configuration = RunConfiguration(detector: DetectorSettings(VAEConfiguration.tiny()))
    (configuration.training.epochs, configuration.training.batchSize) = (2, 4)
    let run = try await expectCheckpointToHold(configuration)
    #expect(try run.model.metadata.configuration == configuration)
  }

  @Test("Codes that say nothing are told")
  func warnings() throws {
    #expect(try detector().warnings(about: ["divergence": 3]) == [])
    #expect(
      try detector().warnings(about: ["divergence": 0.01]) == [
        "the codes say next to nothing about their images (divergence below 0.1 nats), so all are reconstructed alike; "
          + "lower detector.divergenceWeight (1.0)"
      ])
  }

  @Test(
    "Impossible settings are named, those of the shared network too",
    arguments: [
      ("imageSize", "72", "at least 16 and a multiple of 16, as 4 channels halve it as often"),
      ("codeWidth", "0", "1 or more"), ("deviation", "0.0", "0.001 to 10"),
      ("divergenceWeight", "-1.0", "0 to 1000000"), ("samples", "0", "1 to 1000"), ("sampleSeed", "-1", "0 or more"),
    ])
  func validation(_ key: String, _ value: String, _ allowed: String) {
    let message = refusal(of: VAEConfiguration.self) {
      switch key {
      case "imageSize": $0.imageSize = 72
      case "codeWidth": $0.codeWidth = 0
      case "deviation": $0.deviation = 0
      case "divergenceWeight": $0.divergenceWeight = -1
      case "samples": $0.samples = 0
      default: $0.sampleSeed = -1
      }
    }
    #expect(message == "configuration key 'detector.\(key)' is \(value); it may be \(allowed)")
    #expect(refusal(of: VAEConfiguration.self) { _ in } == "valid")
  }
}
