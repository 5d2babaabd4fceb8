import Foundation
import Testing

@testable import Norma
@testable import Torch

extension DenoisingAutoencoderConfiguration {
  /// A network of 32 × 32 pixels that builds and runs in no time.
  static func tiny(
    _ change: (inout DenoisingAutoencoderConfiguration) -> Void = { _ in }
  ) -> DenoisingAutoencoderConfiguration {
    var tiny = DenoisingAutoencoderConfiguration()
    (tiny.imageSize, tiny.width, tiny.levels, tiny.noiseSide, tiny.foreground) = (32, 4, 3, 8, 0)
    change(&tiny)
    return tiny
  }
}

@Suite("The denoising autoencoder")
struct DenoisingAutoencoderTests {
  private func detector(
    seed: Int = 1, _ change: (inout DenoisingAutoencoderConfiguration) -> Void = { _ in }
  ) throws -> DenoisingAutoencoderDetector {
    try DenoisingAutoencoderDetector(.tiny(change), seed: seed, training: TrainingConfiguration())
  }

  // MARK: Network

  @Test("The U-Net's output, its loss and all gradients agree with PyTorch's own layers")
  func parity() throws {
    let values = try ReconstructionGolden.unet.values()
    let network = try UNet(inputChannels: 1, outputChannels: 1, width: 4, depth: 3, generator: Generator(seed: 1))
    try network.takeUp(values)
    let images = try #require(values["images"])
    let output = try network(images)
    #expect(try largestDifference(output, #require(values["output"])) < 2e-5)
    try network.expectGradients(of: output.meanSquaredError(to: images), values)
  }

  @Test("The published U-Net has as many weights as counted by hand")
  func parameters() throws {
    func block(_ input: Int, _ output: Int) -> Int { 9 * input * output + 9 * output * output + 2 * 3 * output }
    let down = block(1, 64) + block(64, 128) + block(128, 256) + block(256, 512)
    let up = [256, 128, 64].map { (width: Int) in 4 * 2 * width * width + width + block(2 * width, width) }
    let network = try UNet(inputChannels: 1, outputChannels: 1, width: 64, depth: 4, generator: Generator(seed: 1))
    #expect(network.parameterCount == down + up.reduce(0, +) + 65)
    let flat = try UNet(inputChannels: 2, outputChannels: 3, width: 4, depth: 1, generator: Generator(seed: 1))
    #expect(try flat(.zeros([1, 2, 6, 10])).shape == [1, 3, 6, 10])
  }

  @Test(
    "Groups are the divisor in the middle", arguments: [(1, 1), (2, 2), (4, 2), (6, 3), (8, 4), (64, 8), (128, 16)])
  func groups(_ channels: Int, _ expected: Int) {
    #expect(UNetBlock.groups(of: channels) == expected)
  }

  @Test("Standardised kernels have mean 0 and sample deviation 1, and do not know their scale")
  func kernels() throws {
    let convolution = try StandardisedConvolution(3, 4, kernelSize: 3, generator: Generator(seed: 1))
    let kernels = try convolution.kernels()
    #expect(try kernels.mean([1, 2, 3]).abs().maximum().item() < 1e-6)
    #expect(try (kernels.variance([1, 2, 3], correction: 1) - 1).abs().maximum().item() < 1e-3)
    let weight = try convolution.parameter("weight")
    try weight.assign(weight.tensor.detached() * 3 + 1)
    #expect(try largestDifference(convolution.kernels(), kernels) < 1e-3)
  }

  // MARK: Noise

  /// Shares of two neighbours in an enlarged pixel: their squares sum to this, by position; 1 at the ends.
  private func gains(side: Int, coarse: Int) -> [Double] {
    (0..<side).map { index in
      let position = (Double(index) + 0.5) * Double(coarse) / Double(side) - 0.5
      guard position > 0, position < Double(coarse - 1) else { return 1 }
      let share = position - position.rounded(.down)
      return share * share + (1 - share) * (1 - share)
    }
  }

  @Test("Enlarged noise has the variance that its deviation and the shares of its neighbours give")
  func variance() throws {
    let noise = CoarseNoise(side: 4, deviation: 0.2)
    let found = try noise.enlarged(shape: [20_000, 1, 16, 16], random: Generator(seed: 3)).squared().mean([0, 1])
    let gains = gains(side: 16, coarse: 4)
    let expected = gains.flatMap { row in gains.map { 0.04 * row * $0 } }
    #expect(largestDifference(try found.values(as: Double.self), expected) < 0.04 * 0.05)
    // In the middle by hand: shares 1/8 and 7/8, 3/8 and 5/8.
    #expect(abs(gains[8] - 34.0 / 64) < 1e-12 && abs(gains[7] - 34.0 / 64) < 1e-12 && abs(gains[6] - 50.0 / 64) < 1e-12)
  }

  @Test("The noise is coarse: next to nothing is left above its grid's frequency; noise of every pixel is white")
  func spectrum() throws {
    func highShare(_ side: Int) throws -> Double {
      let noise = try CoarseNoise(side: side, deviation: 1)(shape: [64, 1, 64, 64], random: Generator(seed: 3))
      let (real, imaginary) = try noise.spectrum([2, 3])
      let power = try (real.squared() + imaginary.squared()).mean([0, 1]).values(as: Double.self)
      func frequency(_ index: Int) -> Int { min(index, 64 - index) }
      let high = power.indices.filter { max(frequency($0 / 64), frequency($0 % 64)) > 8 }
      return high.reduce(0) { $0 + power[$1] } / power.reduce(0, +)
    }
    #expect(try highShare(8) < 0.05)
    #expect(abs(try highShare(64) - (1 - 17.0 * 17 / 4096)) < 0.01)
  }

  @Test("The grid lies anywhere: shifted noise is the same noise elsewhere")
  func shift() throws {
    let noise = CoarseNoise(side: 4, deviation: 1)
    let shape = [2, 1, 12, 16]
    let fixed = try noise.enlarged(shape: shape, random: Generator(seed: 3))
    let shifted = try noise(shape: shape, random: Generator(seed: 3))
    var matches: [[Int]] = []
    for row in 0..<12 {
      for column in 0..<16
      where try largestDifference(
        fixed.rolled(by: row, axis: 2).rolled(by: column, axis: 3), shifted) == 0
      { matches.append([row, column]) }
    }
    #expect(matches.count == 1 && matches != [[0, 0]])
  }

  // MARK: Foreground and errors

  @Test("Noise, loss and error leave what is black alone")
  func foreground() throws {
    let losses = DenoisingAutoencoderLosses(range: -1...1, foreground: 0.01)
    let images = try Tensor([Float(-1), -0.981, -0.979, 1], shape: [1, 1, 2, 2])
    let ones = try images.onesLike()
    let mask = try #require(try losses.mask(of: images))
    #expect(try mask.values(as: Double.self) == [0, 0, 1, 1])
    #expect(largestDifference(try losses.noisy(images, ones).values(as: Float.self), [-1, -0.981, 0.021, 2]) < 1e-6)
    #expect(abs(try losses.reconstruction(images + ones * 2, images).item() - 2) < 1e-6)
    let all = DenoisingAutoencoderLosses(range: -1...1, foreground: 0)
    #expect(try all.mask(of: images) == nil)
    #expect(abs(try all.reconstruction(images + ones * 2, images).item() - 4) < 1e-6)
    #expect(largestDifference(try all.noisy(images, ones).values(as: Float.self), [0, 0.019, 0.021, 2]) < 1e-6)
  }

  @Test("Errors are absolute, count where a whole window is foreground, and are replaced by their median")
  func errors() throws {
    let side = 12
    let random = try Generator(seed: 8)
    let reconstructions = try random.uniform(0, 1, shape: [2, 1, side, side])
    let inside = (0..<side * side).map { (2..<10).contains($0 / side) && (1..<12).contains($0 % side) }
    let shape = [1, 1, side, side]
    let images =
      try random.uniform(0.1, 1, shape: [2, 1, side, side]) * Tensor(inside.map { $0 ? Float(1) : 0 }, shape: shape)
    let losses = DenoisingAutoencoderLosses(range: 0...1, foreground: 0.01)
    let found = try losses.errors(of: reconstructions, images, erosion: 3, median: 5).values(as: Double.self)
    let (a, b) = (try reconstructions.values(as: Double.self), try images.values(as: Double.self))
    for image in 0..<2 {
      func error(_ row: Int, _ column: Int) -> Double {
        for y in row - 1...row + 1 {
          for x in column - 1...column + 1 {
            guard (0..<side).contains(y), (0..<side).contains(x), inside[y * side + x] else { return 0 }
          }
        }
        let index = image * side * side + row * side + column
        return abs(a[index] - b[index])
      }
      func mirrored(_ place: Int) -> Int { place < 0 ? -place : place >= side ? 2 * side - 2 - place : place }
      for row in 0..<side {
        for column in 0..<side {
          let window = (-2...2).flatMap { y in (-2...2).map { error(mirrored(row + y), mirrored(column + $0)) } }
          let expected = window.sorted()[12]
          #expect(abs(found[image * side * side + row * side + column] - expected) < 1e-6)
        }
      }
    }
    let plain = DenoisingAutoencoderLosses(range: 0...1, foreground: 0)
    let untouched = try plain.errors(of: reconstructions, images, erosion: 3, median: 1)
    #expect(try largestDifference(untouched, (reconstructions - images).abs()) == 0)
  }

  // MARK: Detector

  @Test("The rate falls along half a cosine of 100 epochs, or of the whole run")
  func schedule() throws {
    let published = try DenoisingAutoencoderDetector(.tiny(), seed: 1, training: TrainingConfiguration())
    let update = published.stages[0].updates[0]
    let options = try #require(update.options as? AdamOptions)
    #expect(options.learningRate == 1e-4 && options.weightDecay == 1e-5)
    #expect(!options.decoupledWeightDecay)
    #expect(abs(update.schedule.factor(at: 50) - 0.5) < 1e-12 && abs(update.schedule.factor(at: 100)) < 1e-12)
    #expect(abs(update.schedule.factor(at: 200) - 1) < 1e-12)
    var training = TrainingConfiguration()
    training.epochs = 10
    let whole = try DenoisingAutoencoderDetector(.tiny { $0.cosinePeriod = 0 }, seed: 1, training: training)
    #expect(abs(whole.stages[0].updates[0].schedule.factor(at: 5) - 0.5) < 1e-12)
  }

  @Test("Noise has its published share of the input's range")
  func noiseScale() throws {
    func kernelGradient(_ range: ClosedRange<Double>, _ deviation: Double) throws -> Tensor {
      let detector = try DenoisingAutoencoderDetector(
        .tiny { $0.noiseDeviation = deviation }, seed: 1, training: TrainingConfiguration(), range: range)
      let step = TrainingStep(due: ["denoiser"], random: try Generator(seed: 5))
      let images = try smoothImages(2, side: 32, seed: 1)
      try detector.losses(of: detector.stages[0].updates[0], on: images, step: step).total.backward()
      return try #require(try detector.network.parameter("down.0.convolution.0.weight").tensor.gradient)
    }
    let symmetric = try kernelGradient(-1...1, 0.2)
    #expect(try largestDifference(symmetric, kernelGradient(0...1, 0.4)) == 0)
    #expect(try largestDifference(symmetric, kernelGradient(0...1, 0.2)) > 0)
  }

  @Test("Training reaches every weight, lowers the loss below that of the noise and follows the seed")
  func training() throws {
    let images = try smoothImages(8, side: 32, seed: 1)
    let detector = try detector()
    let update = detector.stages[0].updates[0]
    let step = TrainingStep(due: [update.name], random: try Generator(seed: 5))
    try detector.losses(of: update, on: images, step: step).total.backward()
    #expect(
      try detector.network.keysWithGradient() == Set(detector.network.namedParameters.map(\.key)))
    try detector.network.clearGradients()
    let losses = try detector.train(on: images, steps: 120, learningRate: 1e-2)
    // Noise of deviation 0.4 has (42/64)² of its variance left where it is enlarged: the loss of giving all back as it is.
    #expect(losses[110...].reduce(0, +) / 10 < 0.16 * 0.43 * 0.9)
    #expect(try self.detector().train(on: images, steps: 2) == self.detector().train(on: images, steps: 2))
    #expect(try self.detector(seed: 2).train(on: images, steps: 1) != self.detector().train(on: images, steps: 1))
  }

  @Test("A bright square scores above normal images, alone as in a batch, and lights up in the map")
  func defect() throws {
    let detector = try detector()
    let normal = try smoothImages(16, side: 32, seed: 1) * 0.3
    try detector.train(on: normal, steps: 100, learningRate: 1e-2)
    #expect(detector.scoreNames == ["reconstructionError", "topPercent"])
    let (abnormal, square) = try defects(8, side: 32, seed: 9)
    for name in detector.scoreNames {
      let calm = try #require(detector.scores(normal, areReferences: false)[name]).maximum().item()
      let unusual = try #require(detector.scores(abnormal, areReferences: false)[name]).minimum().item()
      #expect(unusual > calm, "\(name)")
    }
    let map = try #require(detector.explanation(of: abnormal).maps.first).values
    let inside = try map.sliced(square, axis: 1).sliced(square, axis: 2).mean().item()
    #expect(try inside > 2 * map.mean().item())
    try detector.expectIndependence(from: abnormal)
  }

  @Test("A checkpoint scores as the trained network did")
  func checkpoint() async throws {
    var configuration = RunConfiguration(detector: DetectorSettings(DenoisingAutoencoderConfiguration.tiny()))
    (configuration.training.epochs, configuration.training.batchSize) = (2, 4)
    let run = try await expectCheckpointToHold(configuration)
    #expect(try run.model.metadata.configuration == configuration)
  }

  @Test(
    "Impossible settings are named",
    arguments: [
      ("levels", "0", "1 to 8"),
      ("imageSize", "84", "at least 16 and a multiple of 8, as 4 levels halve it as often but one"),
      ("width", "0", "1 to 1024"), ("noiseSide", "129", "1 to imageSize (128)"),
      ("noiseDeviation", "-0.2", "0 to 10"), ("foreground", "1.0", "0 (all pixels) to below 1"),
      ("cosinePeriod", "-1", "0 (the whole run) or a number of epochs"),
      ("median", "4", "1 (none), or an odd number below imageSize"),
      ("erosion", "0", "1 (none), or an odd number below imageSize"),
    ])
  func validation(_ key: String, _ value: String, _ allowed: String) {
    let message = refusal(of: DenoisingAutoencoderConfiguration.self) {
      switch key {
      case "levels": $0.levels = 0
      case "imageSize": $0.imageSize = 84
      case "width": $0.width = 0
      case "noiseSide": $0.noiseSide = 129
      case "noiseDeviation": $0.noiseDeviation = -0.2
      case "foreground": $0.foreground = 1
      case "cosinePeriod": $0.cosinePeriod = -1
      case "median": $0.median = 4
      default: $0.erosion = 0
      }
    }
    #expect(message == "configuration key 'detector.\(key)' is \(value); it may be \(allowed)")
    #expect(refusal(of: DenoisingAutoencoderConfiguration.self) { _ in } == "valid")
  }
}
