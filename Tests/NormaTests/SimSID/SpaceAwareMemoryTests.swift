import Foundation
import Testing

@testable import Norma
@testable import Torch

@Suite("Space-aware memory")
struct SpaceAwareMemoryTests {
  private let images = 3
  private let blocks = 4
  private let slots = 6
  private let width = 5

  private func memory(isShared: Bool = false, isQueue: Bool = false) throws -> SpaceAwareMemory {
    try SpaceAwareMemory(
      blocks: blocks, slots: slots, width: width, isShared: isShared, isQueue: isQueue,
      shrinkage: MemoryShrinkage(.tiny { $0.activeItems = 4 }), generator: Generator(seed: 3))
  }

  private func features(seed: UInt64 = 8) throws -> Tensor {
    try Generator(seed: seed).normal(shape: [images, blocks, width])
  }

  private func dot(_ a: ArraySlice<Double>, _ b: ArraySlice<Double>) -> Double {
    zip(a, b).reduce(0) { $0 + $1.0 * $1.1 }
  }

  private func softmax(_ values: [Double]) -> [Double] {
    let exponentials = values.map { exp($0) }
    return exponentials.map { $0 / exponentials.reduce(0, +) }
  }

  /// What the strict rule with k = 4 leaves of a softmax.
  private func sparse(_ soft: [Double]) -> [Double] {
    let threshold = soft.sorted(by: >)[3]
    let kept = soft.map { $0 > threshold ? $0 : 0 }
    return kept.map { $0 / kept.reduce(0, +) }
  }

  @Test("Every location reads its own block, a shared one serves all", arguments: [false, true])
  func reading(_ isShared: Bool) throws {
    let memory = try memory(isShared: isShared)
    let items = try memory.parameter("items").tensor
    #expect(items.shape == [isShared ? 1 : blocks, slots, width])
    let input = try features()
    let (found, f) = (
      try memory(input).to(.float64).values(as: Double.self), try input.to(.float64).values(as: Double.self)
    )
    let m = try items.detached().to(.float64).values(as: Double.self)
    for image in 0..<images {
      for block in 0..<blocks {
        let start = (image * blocks + block) * width
        let feature = f[start..<start + width]
        let rows = (0..<slots).map { slot in
          let row = ((isShared ? 0 : block) * slots + slot) * width
          return m[row..<row + width]
        }
        let weights = sparse(softmax(rows.map { dot(feature, $0) }))
        for column in 0..<width {
          let expected = (0..<slots).reduce(0) { $0 + weights[$1] * rows[$1][rows[$1].startIndex + column] }
          #expect(abs(found[start + column] - expected) < 1e-5)
        }
      }
    }
  }

  @Test("Items get gradient as values and through the softmax, features through the softmax")
  func gradients() throws {
    let memory = try memory()
    let input = try features().requiringGradient()
    let upstream = try Generator(seed: 5).normal(shape: [images, blocks, width])
    try (memory(input) * upstream).sum().backward()
    let itemGradient = try #require(try memory.parameter("items").tensor.gradient).to(.float64).values(as: Double.self)
    let featureGradient = try #require(try input.gradient).to(.float64).values(as: Double.self)
    let f = try input.detached().to(.float64).values(as: Double.self)
    let g = try upstream.to(.float64).values(as: Double.self)
    let m = try memory.parameter("items").tensor.detached().to(.float64).values(as: Double.self)
    var expected = [Double](repeating: 0, count: blocks * slots * width)
    for image in 0..<images {
      for block in 0..<blocks {
        let start = (image * blocks + block) * width
        let (feature, up) = (f[start..<start + width], g[start..<start + width])
        let rows = (0..<slots).map { m[(block * slots + $0) * width..<(block * slots + $0 + 1) * width] }
        let soft = softmax(rows.map { dot(feature, $0) })
        let weights = sparse(soft)
        let pull = rows.map { dot($0, up) }
        let mean = zip(soft, pull).reduce(0) { $0 + $1.0 * $1.1 }
        let similarity = zip(soft, pull).map { $0 * ($1 - mean) }
        for column in 0..<width {
          let expectedFeature = (0..<slots).reduce(0) { $0 + similarity[$1] * rows[$1][rows[$1].startIndex + column] }
          #expect(abs(featureGradient[start + column] - expectedFeature) < 1e-5)
          for slot in 0..<slots {
            expected[(block * slots + slot) * width + column] +=
              weights[slot] * up[start + column] + similarity[slot] * feature[start + column]
          }
        }
      }
    }
    #expect(zip(itemGradient, expected).allSatisfy { abs($0 - $1) < 1e-5 })
  }

  // MARK: Queue

  @Test("A queue is a ring: batches of 3 in 6 places, then over the oldest")
  func ring() throws {
    let memory = try memory(isQueue: true)
    #expect(memory.trainableParameters.isEmpty)
    let before = try memory.parameter("items").tensor.copy()
    for (seed, start) in [(11, 0), (12, 3), (13, 0)] {
      let batch = try features(seed: UInt64(seed))
      _ = try memory(features(seed: 99))
      _ = try memory(batch)
      try memory.enqueuePending()
      let written = try memory.parameter("items").tensor.sliced(start..<start + 3, axis: 1)
      #expect(try largestDifference(written, batch.transposed(0, 1)) == 0, "the last batch read is written")
      if seed == 11 {
        let rest = try memory.parameter("items").tensor.sliced(3..<6, axis: 1)
        #expect(try largestDifference(rest, before.sliced(3..<6, axis: 1)) == 0)
      }
    }
    #expect(try memory.parameter("pointer").tensor.item() == 3)
  }

  @Test("A batch may wrap around the end, and is written once")
  func wrapping() throws {
    let memory = try memory(isQueue: true)
    try memory.parameter("pointer").assign(Tensor([5]))
    let batch = try features()
    _ = try memory(batch)
    try memory.enqueuePending()
    let items = try memory.parameter("items").tensor
    let rows = try batch.transposed(0, 1)
    #expect(try largestDifference(items.sliced(5..<6, axis: 1), rows.sliced(0..<1, axis: 1)) == 0)
    #expect(try largestDifference(items.sliced(0..<2, axis: 1), rows.sliced(1..<3, axis: 1)) == 0)
    #expect(try memory.parameter("pointer").tensor.item() == 2)
    try memory.enqueuePending()
    #expect(try memory.parameter("pointer").tensor.item() == 2)
  }

  @Test("A batch larger than the queue is refused")
  func overfull() throws {
    let memory = try memory(isQueue: true)
    _ = try memory(Generator(seed: 1).normal(shape: [7, blocks, width]))
    let error = #expect(throws: TorchError.self) { try memory.enqueuePending() }
    #expect(
      error?.description
        == "memory queue: a batch of 7 features does not fit a queue of 6 items; raise detector.slots")
  }

  @Test("A queue passes gradient to the features only")
  func queueGradient() throws {
    let memory = try memory(isQueue: true)
    let input = try features().requiringGradient()
    try (memory(input) * features(seed: 5)).sum().backward()
    #expect(try #require(try input.gradient).abs().maximum().item() > 0)
    #expect(try memory.parameter("items").tensor.gradient == nil)
  }

  // MARK: Decoder memories

  @Test("A window's block serves that window of every patch, a patch's block that patch", arguments: [true, false])
  func decoderBlocks(_ isWindows: Bool) throws {
    let configuration = SimSIDConfiguration.tiny
    let memory = try DecoderMemory(
      isWindows ? .windows : .perPatch, channels: 3, side: 4, configuration, generator: Generator(seed: 2))
    let items = try memory.parameter("items")
    #expect(items.tensor.shape == [4, 8, isWindows ? 12 : 48])
    let input = try Generator(seed: 4).normal(shape: [2 * 4, 3, 4, 4])
    func read() throws -> [Float] { try memory(input, mode: .evaluation, random: Generator(seed: 0)).values() }
    let before = try read()
    let changed = 1
    var values = try items.tensor.detached().values()
    let size = values.count / 4
    for index in changed * size..<(changed + 1) * size { values[index] += 0.5 }
    try items.assign(Tensor(values, shape: items.tensor.shape))
    let after = try read()
    var moved: Set<Int> = []
    for index in before.indices where abs(before[index] - after[index]) > 1e-6 { moved.insert(index) }
    for index in before.indices {
      let (column, row, patch) = (index % 4, index / 4 % 4, index / 48 % 4)
      let isServed = isWindows ? (row < 2 && column >= 2) : patch == changed
      #expect(moved.contains(index) == isServed)
    }
  }

  @Test("What a block reads stays in its place", arguments: [true, false])
  func decoderPlaces(_ isWindows: Bool) throws {
    let memory = try DecoderMemory(
      isWindows ? .windows : .perPatch, channels: 3, side: 4, .tiny, generator: Generator(seed: 2))
    let input = try Generator(seed: 4).normal(shape: [4, 3, 4, 4])
    func read(_ x: Tensor) throws -> [Float] { try memory(x, mode: .evaluation, random: Generator(seed: 0)).values() }
    var values = try input.values()
    for channel in 0..<3 { values[((2 * 3 + channel) * 4 + 1) * 4 + 3] += 2 }  // patch 2, row 1, column 3
    let (before, after) = (try read(input), try read(Tensor(values, shape: input.shape)))
    for index in before.indices {
      let (column, row, patch) = (index % 4, index / 4 % 4, index / 48)
      let isSeen = patch == 2 && (!isWindows || (row < 2 && column >= 2))
      #expect((abs(before[index] - after[index]) > 1e-6) == isSeen)
    }
  }

  @Test("The masked shortcut keeps whole cells, in training only")
  func shortcut() throws {
    let (new, old) = (try Tensor.ones([6, 3, 4, 4]), try Tensor.zeros([6, 3, 4, 4]))
    func mixed(_ retention: Double, _ mode: Mode) throws -> Tensor {
      try MaskedShortcut.mix(new, with: old, retention: retention, mode: mode, random: Generator(seed: 9))
    }
    #expect(try largestDifference(mixed(0.5, .evaluation), new) == 0)
    #expect(try largestDifference(mixed(1, .training), new) == 0)
    let half = try mixed(0.5, .training)
    #expect(try largestDifference(half.variance([1]), .zeros([6, 4, 4])) == 0, "all channels of a cell alike")
    let share = try half.mean().item()
    #expect(share > 0.3 && share < 0.7)
  }

  @Test("Each block has its own way down to the reduced width and up again")
  func reduction() throws {
    let reduced = 2
    let maps = try BlockReduction(blocks: blocks, width: width, reduced: reduced, generator: Generator(seed: 5))
    let rows = try features()
    let named = Dictionary(uniqueKeysWithValues: maps.namedParameters.map { ($0.key, $0.parameter.tensor) })
    let down = try #require(named["down"]).values(as: Double.self)
    let input = try rows.values(as: Double.self)
    let found = try maps.down(rows).values(as: Double.self)
    for image in 0..<images {
      for block in 0..<blocks {
        for out in 0..<reduced {
          let expected = (0..<width).reduce(0.0) { sum, k in
            sum + down[(block * reduced + out) * width + k] * input[(image * blocks + block) * width + k]
          }
          #expect(abs(found[(image * blocks + block) * reduced + out] - expected) < 1e-5)
        }
      }
    }
    #expect(try maps.up(maps.down(rows)).shape == rows.shape)
  }
}
