import Foundation
import Testing

@testable import Norma
@testable import Torch

@Suite("PatchCore")
struct PatchCoreTests {
  // MARK: Coreset

  @Test("The greedy coreset is that of plain loops over all distances")
  func greedy() throws {
    let features = try Generator(seed: 1).normal(shape: [60, 4])
    let rows = try features.unbound(axis: 0).map { try $0.values(as: Double.self) }
    func distance(_ a: Int, _ b: Int) -> Double {
      zip(rows[a], rows[b]).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
    }
    var expected = [7]
    while expected.count < 20 {
      let rest = (0..<60).filter { !expected.contains($0) }
      func far(_ index: Int) -> Double { expected.map { distance(index, $0) }.min() ?? 0 }
      expected.append(try #require(rest.max { far($0) < far($1) }))
    }
    #expect(try Coreset.greedy(features, size: 20, start: 7) == expected)
  }

  @Test("Equal features are chosen once each, and never more than there are")
  func duplicates() throws {
    let chosen = try Coreset.greedy(.ones([6, 3]), size: 9, start: 2)
    #expect(chosen.count == 6 && Set(chosen) == Set(0..<6) && chosen[0] == 2)
  }

  @Test("Projections are as wide as scikit-learn says and keep distances")
  func projection() throws {
    for golden in try FeatureGolden.load().widths {
      #expect(Coreset.projectedWidth(count: golden.count, error: golden.error) == golden.expected)
    }
    let features = try Generator(seed: 1).normal(shape: [12, 3000])
    let smaller = try Coreset.projected(features, error: 0.9, random: Generator(seed: 2))
    #expect(smaller.shape == [12, Coreset.projectedWidth(count: 12, error: 0.9)])
    let before = try features.pairwiseDistances(to: features).squared().values(as: Double.self)
    let after = try smaller.pairwiseDistances(to: smaller).squared().values(as: Double.self)
    #expect(zip(before, after).allSatisfy { $0 < 1 || (0.1...1.9).contains($1 / $0) })
    let narrow = try features.sliced(0..<20, axis: 1)
    #expect(try Coreset.projected(narrow, error: 0.9, random: Generator(seed: 2)).bytes() == narrow.bytes())
  }

  // MARK: Memory bank

  private let bank = try? MemoryBank(
    features: Tensor([Float(0), 1, 3, 10], shape: [4, 1]), owners: Tensor([0, 1, 2, 2]))

  /// Two images of two patches each.
  private let patches = try? Tensor([Float(0.2), 4.5, 9, 0.75], shape: [2, 2, 1])

  @Test("The score of an image is re-weighted by the neighbours of its neighbour, by hand (eq. 7)")
  func reweighting() throws {
    let (bank, patches) = (try #require(bank), try #require(patches))
    let nearest = try bank.nearest(to: patches, hidden: nil)
    #expect(try nearest.indices.values(as: Int.self) == [0, 2, 3, 1])
    #expect(largestDifference(try nearest.distances.values(as: Double.self), [0.2, 1.5, 1, 0.25]) < 1e-6)
    // 4.5 is nearest to 3, whose three nearest are 3, 1 and 0; 9 is nearest to 10, whose are 10, 3 and 1.
    let first = 1.5 * (1 - exp(1.5) / (exp(1.5) + exp(3.5) + exp(4.5)))
    let second = 1 * (1 - exp(1.0) / (exp(1.0) + exp(6.0) + exp(8.0)))
    let found = try bank.reweighted(nearest, patches: patches, neighbours: 3, hidden: nil)
    #expect(largestDifference(try found.values(as: Double.self), [first, second]) < 1e-6)
    let plain = try bank.reweighted(nearest, patches: patches, neighbours: 1, hidden: nil)
    #expect(largestDifference(try plain.values(as: Double.self), [1.5, 1]) < 1e-6)
  }

  @Test("An image of the bank is compared with the patches of others alone, and of other volumes alone")
  func hiding() throws {
    let (bank, patches) = (try #require(bank), try #require(patches))
    #expect(try bank.hidden(from: .others) == nil)
    #expect(throws: TorchError.self) { try bank.hidden(from: .itself) }
    let own = try #require(try bank.hidden(from: .among([0, 1, 2], at: [2, 0])))
    #expect(try own.to(.float32).values() as [Float] == [0, 0, 1, 1, 1, 0, 0, 0])
    // Images 1 and 2 are slices of one volume.
    let volume = try #require(try bank.hidden(from: .among([5, 8, 8], at: [1, 0])))
    #expect(try volume.to(.float32).values() as [Float] == [0, 1, 1, 1, 1, 0, 0, 0])
    // All are slices of the only volume: each leaves out itself.
    let only = try #require(try bank.hidden(from: .among([4, 4, 4], at: [2, 1])))
    #expect(try only.to(.float32).values() as [Float] == [0, 0, 1, 1, 0, 1, 0, 0])
    let nearest = try bank.nearest(to: patches, hidden: own)
    #expect(largestDifference(try nearest.distances.values(as: Double.self), [0.2, 3.5, 1, 0.25]) < 1e-6)
    // 4.5 is nearest to 1, whose only other neighbour that is left is 0.
    let first = 3.5 * (1 - exp(3.5) / (exp(3.5) + exp(4.5)))
    let found = try bank.reweighted(nearest, patches: patches, neighbours: 3, hidden: own).values(as: Double.self)
    #expect(abs(found[0] - first) < 1e-5)
  }

  // MARK: The whole

  private let run = FeatureMethod.patchCore.run(.tiny { $0.pretext = .none })

  @Test("Patches are averaged over their neighbours and joined with the coarser layer's; the map begins with the first")
  func patchFeatures() throws {
    var run = run
    var settings = try #require(run.detector.settings as? PatchCoreConfiguration)
    settings.bankShare = 1
    run.detector = DetectorSettings(settings)
    let detector = try run.makeDetector()
    let normal = try smoothImages(3, side: 32, seed: 1)
    try withoutGradients { try detector.fit { try $0(normal) } }
    let network = try #require(detector.network as? FeatureNetwork)
    let maps = try withoutGradients { try network.features(normal, depth: 3, mode: .evaluation) }
    #expect(maps[1].shape == [3, 8, 4, 4] && maps[2].shape == [3, 16, 2, 2])
    let bank = try #require(detector.fitted["bank.features"])
    let owners = try #require(detector.fitted["bank.owners"]).values(as: Int.self)
    #expect(bank.shape == [48, 24] && (0..<3).allSatisfy { image in owners.count { $0 == image } == 16 })
    // The corner's neighbourhood holds four pixels; the rest of its nine are zeros.
    let fine = try maps[1].sliced(0..<2, axis: 2).sliced(0..<2, axis: 3).sum([2, 3]) / 9
    let coarse = try maps[2].sum([2, 3]) / 9
    let corners = try Tensor.concatenated([fine, coarse], axis: 1)
    let gaps = try corners.pairwiseDistances(to: bank).minimum([1]).values(as: Double.self)
    #expect(gaps.allSatisfy { $0 < 1e-2 })
    let query = try smoothImages(1, side: 32, seed: 2)
    let map = try #require(try detector.explanation(of: query).maps.first)
    #expect(map.name == "patchDistance" && map.values.shape == [1, 32, 32])
    let found = try withoutGradients { try network.features(query, depth: 3, mode: .evaluation) }
    let first = try Tensor.concatenated(
      [
        found[1].sliced(0..<2, axis: 2).sliced(0..<2, axis: 3).sum([2, 3]) / 9, found[2].sum([2, 3]) / 9,
      ], axis: 1)
    let expected = try (bank - first).squared().sum([1]).squareRoot().minimum().item()
    #expect(try abs(map.values.values(as: Double.self)[0] - expected) < 1e-3 * (1 + expected))
  }

  @Test("A reference scores as it does in a bank without it")
  func references() throws {
    let detector = try run.makeDetector()
    let normal = try smoothImages(6, side: 32, seed: 1)
    try withoutGradients { try detector.fit { try $0(normal) } }
    let among = try detector.scores(normal, areReferences: .among(Array(0..<6), at: Array(0..<6)))
    for image in 0..<6 {
      let other = try run.makeDetector()
      let owners = try #require(detector.fitted["bank.owners"]).values(as: Int.self)
      let kept = owners.indices.filter { owners[$0] != Int(image) }
      let index = try Tensor(kept)
      other.fitted = try detector.fitted.mapValues { try $0.selecting(index, axis: 0) }
      let alone = try other.scores(normal.sliced(image..<image + 1, axis: 0), areReferences: false)
      for (name, values) in alone {
        let expected = try values.item()
        let found = try #require(among[name]).selected(image, axis: 0).item()
        #expect(abs(found - expected) < 1e-3 * (1 + expected), "\(name)")
      }
    }
  }

  @Test("Settings that cannot work are named")
  func validation() {
    let error = #expect(throws: ConfigurationError.self) {
      try Preset.patchCoreLaptop64.configuration(overrides: ["detector.bankShare=0"])
    }
    #expect(error?.description == "configuration key 'detector.bankShare' is 0.0; it may be above 0, up to 1")
  }
}
