import Foundation
import Testing

@testable import Norma
@testable import Torch

@Suite("Every switch of Table II trains and scores")
struct SimSIDSwitchTests {
  /// A switch by the letter of the specification's table, and the configuration that it makes.
  struct Switch: Sendable, CustomTestStringConvertible {
    let name: String
    let configuration: SimSIDConfiguration
    var testDescription: String { name }

    init(_ name: String, _ change: (inout SimSIDConfiguration) -> Void) {
      self.name = name
      configuration = .tiny(change)
    }
  }

  static let switches = [
    Switch("full SimSID") { _ in },
    Switch("A, shared memory") { $0.spaceAware = false },
    Switch("A, shared queue") {
      $0.spaceAware = false
      $0.inpaintMemory = .queue
      $0.slots = 24
    },
    Switch("B, no skips") { $0.skips = false },
    Switch("C, memory only") { $0.inpainting = .memoryOnly },
    Switch("C, no in-painting block") { $0.inpainting = .off },
    Switch("D, no decoder memories") { $0.decoderMemories = [.none, .none] },
    Switch("D, memories per patch") { $0.decoderMemories = [.perPatch, .perPatch] },
    Switch("D, one of each") { $0.decoderMemories = [.windows, .perPatch] },
    Switch("D, one window") { $0.decoderWindows = 1 },
    Switch("D, reduced width") { $0.decoderReducedWidth = 6 },
    Switch("E, no distillation") { $0.distillation = false },
    Switch("F, teacher's gradient through the bottleneck") { $0.teacherStopGradient = .skips },
    Switch("F, no stop-gradient") { $0.teacherStopGradient = .none },
    Switch("G, softmax") { $0.shrinkage = .none },
    Switch("G, hard shrinkage") { $0.shrinkage = .hard },
    Switch("G, exactly k items") { $0.strictThreshold = false },
    Switch("H, queue") { $0.inpaintMemory = .queue },
    Switch("I, convolution") { $0.inpaintMixer = .convolution },
    Switch("J, pixel-level in-painting") {
      $0.inpainting = .memoryOnly
      $0.pixelMaskRatio = 0.25
    },
    Switch("K, one patch") { $0.patchGrid = 1 },
    Switch("K, 4 × 4 patches") {
      $0.patchGrid = 4
      $0.imageSize = 64
    },
    Switch("M, masked shortcuts") {
      $0.inpaintRetention = 0.95
      $0.decoderRetention = 0.95
    },
    Switch("N, running statistics") { $0.discriminatorStatistics = .running },
    Switch("N, sigmoid") { $0.output = .sigmoid },
    Switch("one recombined level") { $0.recombinedLevels = 1 },
  ]

  /// One iteration with both updates due; the losses by name.
  private func train(
    _ detector: SimSIDDetector, _ images: Tensor, _ optimisers: [Adam], random: Generator
  ) throws -> [String: Double] {
    var found: [String: Double] = [:]
    let step = TrainingStep(due: ["discriminator", "generator"], random: random)
    for (update, optimiser) in zip(detector.stages[0].updates, optimisers) {
      let losses = try detector.losses(of: update, on: images, step: step)
      for (name, value) in losses.parts { found[name] = try value.item() }
      try optimiser.clearGradients()
      try losses.total.backward()
      try optimiser.step()
      try detector.didApply(update)
    }
    return found
  }

  @Test("Builds, trains one step and scores every image by itself", arguments: switches)
  func works(_ variant: Switch) throws {
    let configuration = variant.configuration
    try configuration.validate()
    let detector = try SimSIDDetector(configuration, seed: 3, epochs: 1)
    let optimisers = try detector.stages[0].updates.map { try Adam($0.module, $0.options) }
    let images = try smoothImages(6, side: configuration.imageSize, seed: 8)
    let losses = try train(detector, images, optimisers, random: Generator(seed: 1))
    let names: Set = ["discriminator", "realLogit", "fakeLogit", "student", "generator", "reconstructionSpread"]
    #expect(Set(losses.keys) == (configuration.distillation ? names.union(["teacher", "distillation"]) : names))
    #expect(losses.values.allSatisfy { $0.isFinite })
    try withoutGradients { try detector.fit { body in try body(images) } }
    let all = try detector.scores(images, areReferences: false)
    #expect(Set(all.keys) == Set(detector.scoreNames))
    let alone = try detector.scores(images.sliced(2..<3, axis: 0), areReferences: false)
    for (name, scores) in all {
      let values = try scores.values(as: Double.self)
      #expect(values.count == 6 && values.allSatisfy { $0.isFinite }, "\(name)")
    }
    // Distances to normal images magnify the rounding of an untrained network, whose features hardly vary.
    for name in ["inputLogit", "reconstructionLogit"] {
      let together = try #require(all[name]).sliced(2..<3, axis: 0)
      #expect(try largestDifference(together, #require(alone[name])) < 1e-4, "\(name) of one image alone")
    }
    let reconstruction = try detector.reconstruction(of: images)
    #expect(reconstruction.shape == images.shape)
  }

  @Test("Without distillation there is no teacher")
  func noTeacher() throws {
    let network = try SimSIDNetwork(.tiny { $0.distillation = false }, random: Generator(seed: 1))
    #expect(!network.namedParameters.contains { $0.key.contains("teacher") })
    let images = try smoothImages(2, side: 32, seed: 1)
    let output = try network.generator(images, mode: .training, runsTeacher: true, random: Generator(seed: 1))
    #expect(output.teacher == nil)
  }

  @Test("A patch without neighbours gets the convolution's bias alone")
  func lonePatch() throws {
    let mixer = try NeighbourMixer(width: 8, grid: 1, kind: .convolution, generator: Generator(seed: 1))
    let mixed = try mixer(
      features: .ones([3, 1, 8]), memories: Generator(seed: 2).normal(shape: [3, 1, 8]), mode: .evaluation)
    let bias = try mixer.parameter("convolution.bias").tensor.relu()
    for image in 0..<3 { #expect(try largestDifference(mixed.selected(image, axis: 0), bias) < 1e-6) }
  }

  @Test("Losses fall when one batch is learned by heart")
  func overfitting() throws {
    var configuration = SimSIDConfiguration.tiny
    configuration.learningRate = 3e-3
    let detector = try SimSIDDetector(configuration, seed: 3, epochs: 1)
    let optimisers = try detector.stages[0].updates.map { try Adam($0.module, $0.options) }
    let images = try smoothImages(4, side: 32, seed: 8)
    let random = try Generator(seed: 1)
    let first = try train(detector, images, optimisers, random: random)
    var last = first
    for _ in 0..<60 { last = try train(detector, images, optimisers, random: random) }
    for name in ["student", "teacher", "discriminator"] {
      #expect(try #require(last[name]) < 0.6 * #require(first[name]), "\(name)")
    }
  }

  @Test("The same seed gives the same weights, another one others")
  func seeds() throws {
    func weights(_ seed: Int) throws -> Tensor {
      try SimSIDDetector(.tiny, seed: seed, epochs: 1).network.parameter("generator.encoder.down.0.convolution1.weight")
        .tensor
    }
    #expect(try largestDifference(weights(4), weights(4)) == 0)
    #expect(try largestDifference(weights(4), weights(5)) > 0)
  }
}
