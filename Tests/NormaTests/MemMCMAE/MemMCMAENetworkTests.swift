import Testing

@testable import Norma
@testable import Torch

extension MemMCMAEConfiguration {
  /// A network of 32 × 32 pixels in 16 patches that builds and runs in no time.
  static var tiny: MemMCMAEConfiguration {
    var tiny = MemMCMAEConfiguration()
    (tiny.imageSize, tiny.patchSize) = (32, 8)
    (tiny.encoderDepth, tiny.encoderWidth, tiny.encoderHeads) = (3, 24, 2)
    (tiny.decoderDepth, tiny.decoderWidth, tiny.decoderHeads) = (2, 16, 2)
    (tiny.memorySlots, tiny.warmUpEpochs, tiny.masks) = (6, 0, 4)
    return tiny
  }

  /// `tiny` with changes.
  static func tiny(_ change: (inout MemMCMAEConfiguration) -> Void) -> MemMCMAEConfiguration {
    var configuration = tiny
    change(&configuration)
    return configuration
  }

  /// The network for images of the configuration's size.
  func network(seed: UInt64 = 1) throws -> MemMCMAENetwork {
    try MemMCMAENetwork(
      self, layout: PatchLayout(extents: [imageSize, imageSize], patchSize: patchSize, channels: 1),
      generator: Generator(seed: seed))
  }
}

@Suite("The masked autoencoder")
struct MemMCMAENetworkTests {
  private let settings = MemMCMAEConfiguration.tiny

  private func mask(rows: Int, patches: Int = 16, seed: UInt64 = 3) throws -> PatchMask {
    try .random(rows: rows, patches: patches, ratio: 0.75, random: Generator(seed: seed))
  }

  @Test("Prediction has a vector per patch; encoder levels have one token per visible patch")
  func shapes() throws {
    let network = try settings.network()
    let patches = try network.layout.patches(of: smoothImages(3, side: 32, seed: 1))
    let mask = try mask(rows: 6)
    #expect(try network(patches, mask: mask).shape == [6, 16, 64])
    #expect(try network.encoded(patches, mask: mask).map(\.shape) == [[6, 4, 24], [6, 4, 24], [6, 4, 24]])
  }

  @Test("Hidden pixels do not reach the prediction, visible ones do")
  func hiddenPixels() throws {
    let network = try settings.network()
    let patches = try network.layout.patches(of: smoothImages(2, side: 32, seed: 1))
    let mask = try mask(rows: 2)
    let noise = try Generator(seed: 8).normal(shape: patches.shape)
    let hidden = try mask.hidden.unsqueezed(2)
    let before = try network(patches, mask: mask)
    #expect(try largestDifference(network(patches + noise * hidden, mask: mask), before) == 0)
    #expect(try largestDifference(network(patches + noise * (1 - hidden), mask: mask), before) > 1e-3)
  }

  @Test("The loss does not see visible targets, and is the mean over hidden ones")
  func loss() throws {
    let random = try Generator(seed: 2)
    let (prediction, target) = (try random.normal(shape: [2, 16, 5]), try random.normal(shape: [2, 16, 5]))
    let mask = try mask(rows: 2)
    let visible = try 1 - mask.hidden.unsqueezed(2)
    let loss = try MemMCMAELosses.hiddenPatches(prediction, target, hidden: mask.hidden).item()
    let moved = try target + random.normal(shape: target.shape) * visible
    #expect(try MemMCMAELosses.hiddenPatches(prediction, moved, hidden: mask.hidden).item() == loss)
    let (p, t): ([Float], [Float]) = (try prediction.values(), try target.values())
    let hidden: [Float] = try mask.hidden.values()
    let sum = p.indices.reduce(0.0) { $0 + Double(hidden[$1 / 5]) * Double((p[$1] - t[$1]) * (p[$1] - t[$1])) }
    #expect(abs(loss - sum / Double(24 * 5)) < 1e-6)
  }

  @Test("The same network runs on volumes, and learns one")
  func volumes() throws {
    let layout = PatchLayout(extents: [8, 16, 16], patchSize: 4, channels: 1)
    let network = try MemMCMAENetwork(settings, layout: layout, generator: Generator(seed: 1))
    let volume = try Generator(seed: 4).uniform(-1, 1, shape: [2, 1, 2, 4, 4]).resized(to: layout.extents)
    let patches = try layout.patches(of: volume)
    let optimiser = try Adam(network, AdamOptions(learningRate: 3e-3))
    let mask = try mask(rows: 2, patches: layout.count)
    var losses: [Double] = []
    for _ in 0..<80 {
      let loss = try MemMCMAELosses.hiddenPatches(network(patches, mask: mask), patches, hidden: mask.hidden)
      losses.append(try loss.item())
      try loss.backward()
      try optimiser.step()
    }
    #expect(losses[79] < losses[0] / 3)
    #expect(try layout.images(of: network(patches, mask: mask)).shape == [2, 1, 8, 16, 16])
  }

  /// The switches of §6 that change the network.
  static let switches: [(name: String, change: @Sendable (inout MemMCMAEConfiguration) -> Void)] = [
    ("published", { _ in }), ("memory off", { $0.memorySlots = 0 }),
    ("last level only", { $0.crossAttention = .lastLevel }), ("no cross-attention", { $0.crossAttention = .none }),
    ("plain MAE", { ($0.memorySlots, $0.crossAttention) = (0, .none) }), ("two levels", { $0.meshedLevels = 2 }),
  ]

  @Test("Under every switch all weights get gradient, and no others exist", arguments: switches.indices)
  func gradientReach(_ index: Int) throws {
    let settings = MemMCMAEConfiguration.tiny(Self.switches[index].change)
    let network = try settings.network()
    let patches = try network.layout.patches(of: smoothImages(4, side: 32, seed: 1))
    let mask = try mask(rows: 4)
    try MemMCMAELosses.hiddenPatches(network(patches, mask: mask), patches, hidden: mask.hidden).backward()
    let keys = Set(network.namedParameters.map(\.key))
    #expect(try network.keysWithGradient() == keys)
    #expect(keys.contains { $0.contains("memory") } == (settings.memorySlots > 0))
    #expect(keys.contains { $0.contains("crossAttention") } == (settings.crossAttention != .none))
    #expect(keys.contains { $0.contains("gates") } == (settings.crossAttention == .multiLevel))
  }

  @Test("Meshed levels are evenly spaced and end at the last")
  func meshedLevels() throws {
    func levels(depth: Int, meshed: Int, _ kind: MemMCMAEConfiguration.CrossAttention = .multiLevel) throws -> [Int] {
      try MemMCMAEConfiguration.tiny { ($0.encoderDepth, $0.meshedLevels, $0.crossAttention) = (depth, meshed, kind) }
        .network().levels
    }
    #expect(try levels(depth: 3, meshed: 0) == [0, 1, 2])
    #expect(try levels(depth: 12, meshed: 4) == [2, 5, 8, 11])
    #expect(try levels(depth: 5, meshed: 2) == [1, 4])
    #expect(try levels(depth: 5, meshed: 3, .lastLevel) == [4])
  }

  @Test("Impossible settings are named")
  func validation() throws {
    func message(_ change: (inout MemMCMAEConfiguration) -> Void) -> String {
      var configuration = MemMCMAEConfiguration()
      change(&configuration)
      do { try configuration.validate() } catch { return "\(error)" }
      return "valid"
    }
    #expect(message { _ in } == "valid")
    #expect(
      message { $0.imageSize = 250 }
        == "configuration key 'detector.imageSize' is 250; it may be at least 16 and a multiple of patchSize (16)")
    #expect(
      message { $0.encoderHeads = 7 }
        == "configuration key 'detector.encoderWidth' is 768; it may be a multiple of 4 and of encoderHeads (7)")
    #expect(
      message { $0.maskRatio = 0.999 }
        == "configuration key 'detector.maskRatio' is 0.999; it may be such that at least one of 256 patches is hidden "
        + "and one visible")
    #expect(
      message { $0.maskSelection = .complementary }
        == "configuration key 'detector.masks' is 10; it may be a multiple of 4, the masks of one partition")
    #expect(
      message { ($0.maskSelection, $0.maskRatio) = (.complementary, 0.7) }
        == "configuration key 'detector.maskSelection' is complementary; it may be random, as 77 visible patches do not "
        + "divide 256")
  }
}
