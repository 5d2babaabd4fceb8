import Foundation
import Testing

@testable import Norma
@testable import Torch

extension MemAEConfiguration {
  /// A network of 32 × 32 pixels that builds and runs in no time.
  static func tiny(_ change: (inout MemAEConfiguration) -> Void = { _ in }) -> MemAEConfiguration {
    var tiny = MemAEConfiguration()
    (tiny.imageSize, tiny.channels, tiny.items) = (32, [4, 8, 12], 10)
    change(&tiny)
    return tiny
  }
}

@Suite("MemAE")
struct MemAETests {
  private func detector(
    seed: Int = 1, _ change: (inout MemAEConfiguration) -> Void = { _ in }
  ) throws -> MemAEDetector {
    try MemAEDetector(.tiny(change), seed: seed, training: TrainingConfiguration())
  }

  // MARK: Memory

  /// Two items of length 1 and 2 along the axes, and one half way between.
  private func memory(_ change: (inout MemAEConfiguration) -> Void) throws -> MemAEMemory {
    let configuration = MemAEConfiguration.tiny {
      $0.items = 3
      change(&$0)
    }
    let memory = try MemAEMemory(configuration, width: 2, generator: Generator(seed: 1))
    try memory.parameter("items").assign(Tensor([Float(1), 0, 0, 2, 1, 1], shape: [3, 2]))
    return memory
  }

  /// `w · max(w − λ, 0) / |w − λ|`, divided by the sum.
  private func shrunk(_ weights: [Double], _ threshold: Double) -> [Double] {
    let kept = weights.map { $0 > threshold ? $0 : 0 }
    return kept.map { $0 / kept.reduce(0, +) }
  }

  private func softmax(_ values: [Double]) -> [Double] {
    let exponentials = values.map { exp($0) }
    return exponentials.map { $0 / exponentials.reduce(0, +) }
  }

  @Test("Weights are the softmax of cosines (eq. 4, 5), whatever the lengths of query and items")
  func cosine() throws {
    let memory = try memory { $0.shrinkage = 0 }
    let root = 0.5.squareRoot()
    let expected = softmax([0.6, 0.8, 1.4 * root])
    for length in [1.0, 7] {
      let found = try memory.weights(of: Tensor([Float(0.6 * length), Float(0.8 * length)], shape: [1, 2]))
      #expect(largestDifference(try found.values(as: Double.self), expected) < 1e-6)
    }
    let products = try self.memory {
      $0.shrinkage = 0
      $0.similarity = .product
    }.weights(of: Tensor([Float(0.6), 0.8], shape: [1, 2]))
    #expect(largestDifference(try products.values(as: Double.self), softmax([0.6, 1.6, 1.4])) < 1e-6)
  }

  @Test("Hard shrinkage drops what is at most λ and divides the rest by its sum (eq. 7)")
  func shrinkage() throws {
    // By hand: softmax(0.6, 0.8, 0.98995) = (0.27039, 0.33026, 0.39935); λ = 1/3 leaves the last, λ = 0.3 the last two.
    let query = try Tensor([Float(0.6), 0.8], shape: [1, 2])
    let one = try memory { $0.shrinkage = 1 }.weights(of: query).values(as: Double.self)
    #expect(largestDifference(one, [0, 0, 1]) < 1e-6)
    let two = try memory { $0.shrinkage = 0.9 }.weights(of: query).values(as: Double.self)
    #expect(largestDifference(two, [0, 0.33026 / 0.72961, 0.39935 / 0.72961]) < 2e-5)
    #expect(largestDifference(two, shrunk(softmax([0.6, 0.8, 1.4 * 0.5.squareRoot()]), 0.3)) < 1e-6)
    let none = try memory { $0.shrinkage = 2 }.weights(of: query).values(as: Double.self)
    #expect(none == [0, 0, 0])
  }

  @Test("Every position of the encoding is read by itself")
  func positions() throws {
    let memory = try memory { $0.shrinkage = 0.9 }
    let features = try Generator(seed: 3).uniform(0, 1, shape: [2, 2, 3, 4])
    let read = try memory(features)
    #expect(read.features.shape == [2, 2, 3, 4] && read.weights.shape == [24, 3])
    let (all, items) = (try features.values(as: Double.self), [[1.0, 0], [0, 2], [1, 1]])
    let weights = try read.weights.values(as: Double.self)
    var expected = [Double](repeating: 0, count: 48)
    for image in 0..<2 {
      for place in 0..<12 {
        let query = (0..<2).map { all[image * 24 + $0 * 12 + place] }
        let cosines = items.map { item in
          (query[0] * item[0] + query[1] * item[1]) / hypot(query[0], query[1]) / hypot(item[0], item[1])
        }
        let own = shrunk(softmax(cosines), 0.3)
        let row = (image * 12 + place) * 3
        #expect(largestDifference(Array(weights[row..<row + 3]), own) < 1e-5)
        for channel in 0..<2 {
          expected[image * 24 + channel * 12 + place] = zip(own, items).reduce(0) { $0 + $1.0 * $1.1[channel] }
        }
      }
    }
    #expect(largestDifference(try read.features.values(as: Double.self), expected) < 1e-5)
  }

  @Test("An encoding of zeros reads all items alike, with a finite gradient")
  func zeros() throws {
    let memory = try memory { $0.shrinkage = 0 }
    let query = try Tensor.zeros([1, 2]).requiringGradient()
    let weights = try memory.weights(of: query)
    #expect(largestDifference(try weights.values(as: Double.self), [1 / 3.0, 1 / 3.0, 1 / 3.0]) < 1e-6)
    #expect(try weights.squared().sum().gradients(of: [query])[0].isFinite().allTrue())
  }

  @Test("The entropy of known weights is that of the formula, and 0 where one item is read")
  func entropy() throws {
    let rows = try Tensor([0.5, 0.25, 0.25, 0, 1, 0, 0, 0, 0.25, 0.25, 0.25, 0.25], shape: [3, 4])
    let expected = (1.5 * log(2.0) + 2 * log(2.0)) / 3
    #expect(abs(try MemAELosses.entropy(of: rows).item() - expected) < 1e-9)
    #expect(abs(try MemAELosses.activeItems(of: rows).item() - 8.0 / 3) < 1e-6)
  }

  // MARK: Network

  @Test("Reconstruction, weights, loss and all gradients agree with PyTorch's own layers")
  func parity() throws {
    let values = try ReconstructionGolden.memae.values()
    let configuration = MemAEConfiguration.tiny { ($0.imageSize, $0.entropyWeight) = (16, 0.01) }
    let network = try MemAENetwork(configuration, generator: Generator(seed: 1))
    try network.takeUp(values)
    let images = try #require(values["images"])
    let output = try network(images, mode: .training)
    #expect(try largestDifference(output.reconstructions, #require(values["output"])) < 5e-6)
    #expect(try largestDifference(output.weights, #require(values["weights"])) < 5e-6)
    let entropy = try MemAELosses.entropy(of: output.weights)
    #expect(try abs(entropy.item() - #require(values["entropy"]).item()) < 1e-6)
    let loss = try AutoencoderLosses.reconstruction(output.reconstructions, images, .squared) + entropy * 0.01
    try network.expectGradients(of: loss, values)
  }

  @Test("Keys are stable names, and the published network has as many weights as counted by hand")
  func keys() throws {
    let network = try MemAENetwork(.tiny(), generator: Generator(seed: 1))
    let block = ["convolution.weight"] + ["weight", "bias", "runningMean", "runningVariance"].map { "norm.\($0)" }
    func keys(_ module: String) -> [String] { block.map { "\(module).\($0)" } }
    #expect(
      network.namedParameters.map(\.key)
        == keys("encoder.0") + keys("encoder.1") + keys("encoder.2") + ["memory.items"] + keys("decoder.0")
        + keys("decoder.1") + ["output.weight", "output.bias"])
    // 9 · (1·64 + 64·128 + 128·128 + 128·256), twice the norms' channels, 500 · 256, the way back.
    let encoder = 9 * (64 + 64 * 128 + 128 * 128 + 128 * 256) + 2 * (64 + 128 + 128 + 256)
    let decoder = 9 * (256 * 256 + 256 * 128 + 128 * 128 + 128) + 2 * (256 + 128 + 128) + 1
    #expect(
      try MemAENetwork(MemAEConfiguration(), generator: Generator(seed: 1)).parameterCount
        == encoder + 500 * 256 + decoder)
  }

  // MARK: Detector

  @Test("Training moves encoder, memory and decoder, lowers the loss, and follows the seed")
  func training() throws {
    let images = try smoothImages(4, side: 32, seed: 1)
    let detector = try detector()
    let update = detector.stages[0].updates[0]
    let step = TrainingStep(due: [update.name], random: try Generator(seed: 5))
    let losses = try detector.losses(of: update, on: images, step: step)
    let parts = Dictionary(uniqueKeysWithValues: try losses.parts.map { ($0.name, try $0.value.item()) })
    let expected = try #require(parts["reconstruction"]) + 0.0002 * #require(parts["entropy"])
    #expect(abs(try losses.total.item() - expected) < 1e-6)
    try losses.total.backward()
    #expect(
      try detector.network.keysWithGradient()
        == Set(detector.network.namedParameters.filter(\.parameter.isTrainable).map(\.key)))
    try detector.network.clearGradients()
    let first = try detector.train(on: images, steps: 200)
    #expect(first[190...].reduce(0, +) / 10 < first[0] / 3)
    #expect(try self.detector().train(on: images, steps: 2) == self.detector().train(on: images, steps: 2))
    #expect(try self.detector(seed: 2).train(on: images, steps: 1) != self.detector().train(on: images, steps: 1))
  }

  @Test("A bright square scores above normal images, alone as in a batch, and lights up in the map")
  func defect() throws {
    let detector = try detector { $0.smoothing = 0 }
    let normal = try smoothImages(24, side: 32, seed: 1) * 0.3
    try detector.train(on: normal, steps: 120)
    let (abnormal, square) = try defects(8, side: 32, seed: 9)
    let calm = try #require(detector.scores(normal, areReferences: false)["reconstructionError"]).maximum().item()
    let score = try #require(detector.scores(abnormal, areReferences: false)["reconstructionError"]).minimum().item()
    #expect(calm < score)
    let map = try #require(detector.explanation(of: abnormal).maps.first).values
    let inside = try map.sliced(square, axis: 1).sliced(square, axis: 2).mean().item()
    #expect(try inside > 4 * map.mean().item())
    try detector.expectIndependence(from: abnormal)
  }

  @Test("A checkpoint scores as the trained network did")
  func checkpoint() async throws {
    var configuration = RunConfiguration(detector: DetectorSettings(MemAEConfiguration.tiny()))
    (configuration.training.epochs, configuration.training.batchSize) = (2, 4)
    let run = try await expectCheckpointToHold(configuration)
    #expect(try run.model.metadata.configuration == configuration)
    #expect(try run.losses().allSatisfy { Set($0.keys) == ["reconstruction", "entropy", "activeItems"] })
  }

  @Test("A memory that nothing is read from is told")
  func warnings() throws {
    #expect(try detector().warnings(about: ["activeItems": 4]) == [])
    #expect(
      try detector().warnings(about: ["activeItems": 0.1]) == [
        "most positions read nothing from memory, as no item is alike enough; lower detector.shrinkage (1.0)"
      ])
  }

  @Test(
    "Impossible settings are named",
    arguments: [
      ("channels", "[8]", "2 to 10 numbers of 1 or more"),
      ("imageSize", "72", "at least 16 and a multiple of 16, as 4 channels halve it as often"),
      ("kernelSize", "4", "an odd number from 3"), ("items", "1", "2 or more"),
      ("shrinkage", "500.0", "0 (none) to below items (500); published: 1 to 3"),
      ("entropyWeight", "-1.0", "0 or more"), ("finalLearningRate", "0.1", "0 to learningRate (0.0001)"),
    ])
  func validation(_ key: String, _ value: String, _ allowed: String) {
    let message = refusal(of: MemAEConfiguration.self) {
      switch key {
      case "channels": $0.channels = [8]
      case "imageSize": $0.imageSize = 72
      case "kernelSize": $0.kernelSize = 4
      case "items": $0.items = 1
      case "shrinkage": $0.shrinkage = 500
      case "entropyWeight": $0.entropyWeight = -1
      default: $0.finalLearningRate = 0.1
      }
    }
    #expect(message == "configuration key 'detector.\(key)' is \(value); it may be \(allowed)")
    #expect(refusal(of: MemAEConfiguration.self) { _ in } == "valid")
  }
}
