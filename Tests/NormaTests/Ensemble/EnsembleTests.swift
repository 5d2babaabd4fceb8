import Evaluation
import Foundation
import MedicalImaging
import Testing
import Torch

@testable import Norma

@Suite("Ensembles")
struct EnsembleTests {
  typealias Member = (name: String, checkpoint: Checkpoint)
  typealias Fusion = EnsembleConfiguration.Fusion

  /// Members that see images in different ways, and the images of a data set.
  struct Parts {
    let folder: TemporaryFolder
    let members: [Member]
    let training: [DataItem]
    let normals: [DataItem]
    let test: [DataItem]

    /// The images for an ensemble of some members.
    func data(_ members: [Member]? = nil, heldOut: Int = 22) async throws -> TrainingData {
      let specification = try RunConfiguration.ensemble(of: members ?? self.members, fusion: .mean).inputSpecification
      return TrainingData(
        training: try await PreparedImages(training, for: specification),
        validation: try await PreparedImages(Array(normals.prefix(heldOut)), for: specification),
        test: try await PreparedImages(test, for: specification), fingerprint: "f00d")
    }
  }

  /// The yardstick at 64 × 64 in 0 ... 1, an autoencoder at 32 × 32 on standardised images, the yardstick on cropped images.
  static func configurations() -> [(String, RunConfiguration)] {
    var autoencoder = RunConfiguration(detector: DetectorSettings(AutoencoderConfiguration.tiny()))
    (autoencoder.input.intensity, autoencoder.training.epochs, autoencoder.training.batchSize) = (.standardised, 1, 8)
    var padded = Fixtures.bandEnergy()
    (padded.input.aspect, padded.input.crop, padded.input.percentiles) = (.pad, .body, [1, 99])
    return [("yardstick", Fixtures.bandEnergy()), ("autoencoder", autoencoder), ("padded", padded)]
  }

  static func parts() async throws -> Parts {
    let folder = try TemporaryFolder()
    let first = Fixtures.bandEnergy()
    let training = try await Fixtures.phantoms(12, seed: 100, for: first, in: folder).items
    let normals = try await Fixtures.phantoms(22, seed: 300, for: first, in: folder).items
    let test = try await Fixtures.phantoms(7, abnormal: 3, seed: 500, for: first, in: folder).items
    let members = try await configurations().asyncMap { name, configuration -> Member in
      let data = TrainingData(
        training: try await PreparedImages(training, for: configuration.inputSpecification), fingerprint: "f00d")
      let run = TrainerRun(folder: try TemporaryFolder(), data: data, configuration: configuration)
      try run.run()
      return (name, try run.model)
    }
    return Parts(folder: folder, members: members, training: training, normals: normals, test: test)
  }

  private func mainScores(_ member: Member, _ items: [DataItem], areReferences: Bool = false) async throws -> [Double] {
    let scorer = try Scorer(checkpoint: member.checkpoint, device: .cpu)
    let images = try await PreparedImages(items, for: scorer.specification)
    return try #require(try scorer.rawScores(of: images, areReferences: areReferences)[scorer.detector.scoreNames[0]])
  }

  @Test("Fused scores are those that the members' own give by hand, each member on its own input")
  func scores() async throws {
    let parts = try await Self.parts()
    let data = try await parts.data()
    let fused = try Checkpoint.fused(parts.members, fusion: .mean, on: data, device: .cpu)
    let scorer = try Scorer(checkpoint: fused, device: .cpu)
    let found = try scorer.rawScores(of: #require(data.test))
    #expect(scorer.detector.scoreNames.prefix(3) == ["ensembleMean", "ensembleRank", "ensembleMaximum"])
    #expect(Set(found.keys) == Set(scorer.detector.scoreNames))
    var (standardised, ranks) = ([[Double]](), [[Double]]())
    for member in parts.members {
      let (normal, own) = try await (mainScores(member, parts.normals), mainScores(member, parts.test))
      #expect(largestDifference(try #require(found[member.name]), own) < 1e-6)
      let mean = normal.reduce(0, +) / 22
      let deviation = (normal.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 22).squareRoot()
      standardised.append(own.map { ($0 - mean) / deviation })
      ranks.append(
        own.map { score in
          let sorted = normal.sorted()
          let below = sorted.count { $0 <= score }
          if below == 0 { return 0.5 / 22 / (1 + (sorted[0] - score) / deviation) }
          if below == 22 { return 1 - 0.5 / 22 / (1 + (score - sorted[21]) / deviation) }
          return (Double(below) - 0.5 + (score - sorted[below - 1]) / (sorted[below] - sorted[below - 1])) / 22
        })
    }
    for image in 0..<7 {
      let (z, r) = (standardised.map { $0[image] }, ranks.map { $0[image] })
      #expect(abs(try #require(found["ensembleMean"])[image] - z.reduce(0, +) / 3) < 1e-3)
      #expect(abs(try #require(found["ensembleMaximum"])[image] - (z.max() ?? 0)) < 1e-3)
      #expect(abs(try #require(found["ensembleRank"])[image] - r.reduce(0, +) / 3) < 1e-4)
    }
    #expect(zip(found["ensembleMaximum"] ?? [], found["ensembleMean"] ?? []).allSatisfy { $0 >= $1 })
    #expect(fused.metadata.calibration.thresholdSource == "95.0 % of 22 normal images that no member was trained on")
    let heldOut = try scorer.rawScores(of: #require(data.validation))
    for (name, values) in heldOut {
      let expected = Calibration.Distribution(of: values, quantile: 0.95)
      #expect(abs(try #require(scorer.calibration.scores[name]).threshold - expected.threshold) < 1e-6, "\(name)")
    }
  }

  @Test("One member alone keeps its ranking, whatever the fusion", arguments: Fusion.allCases)
  func alone(_ fusion: Fusion) async throws {
    let parts = try await Self.parts()
    for member in parts.members.prefix(2) {
      let data = try await parts.data([member])
      let fused = try Checkpoint.fused([member], fusion: fusion, on: data, device: .cpu)
      let scorer = try Scorer(checkpoint: fused, device: .cpu)
      let test = try #require(data.test)
      let found = try #require(try scorer.rawScores(of: test)[scorer.detector.scoreNames[0]])
      let own = try await mainScores(member, parts.test)
      #expect(scorer.detector.scoreNames[0] == fusion.scoreName)
      #expect(found.indices.sorted { found[$0] < found[$1] } == own.indices.sorted { own[$0] < own[$1] })
      #expect(Set(found).count == Set(own).count)
    }
  }

  @Test("Each image's score and map do not depend on the others, and results are as a single detector's")
  func results() async throws {
    let parts = try await Self.parts()
    let data = try await parts.data()
    let scorer = try Scorer(
      checkpoint: .fused(parts.members, fusion: .maximum, on: data, device: .cpu), device: .cpu)
    let test = try #require(data.test)
    var (together, told): ([AnomalyResult], [Int]) = ([], [])
    try scorer.score(test, explains: true, progress: { told.append($0.done) }) { together.append($0) }
    #expect(told == [7] && together.map(\.item) == parts.test)
    #expect(try together.map(\.score) == scorer.rawScores(of: test)["ensembleMaximum"])
    for (index, result) in together.enumerated() {
      #expect(result.maps.map(\.name) == ["ensembleMaximum"] && result.reconstruction == nil)
      #expect(result.maps[0].map.width == 64 && result.maps[0].map.height == 64)
      #expect(result.steps.map(\.name) == ["reconstruction of autoencoder"])
      #expect(result.isAbnormal == (result.score > scorer.calibration.scores["ensembleMaximum"]?.threshold ?? 0))
      let alone = try await PreparedImages([parts.test[index]], for: scorer.specification)
      try scorer.score(alone, explains: true) {
        #expect(abs($0.score - result.score) < 1e-4)
        #expect(largestDifference($0.maps[0].map.values, result.maps[0].map.values) < 1e-3)
      }
    }
    let range = try #require(scorer.calibration.mapRanges["ensembleMaximum"])
    #expect(range.count == 2 && range[0] < range[1])
  }

  @Test("The fused map is the members' maps on their normal scale, on the image's grid")
  func map() async throws {
    let parts = try await Self.parts()
    let data = try await parts.data()
    let scorer = try Scorer(checkpoint: .fused(parts.members, fusion: .mean, on: data, device: .cpu), device: .cpu)
    var fused: [[Float]] = []
    try scorer.score(#require(data.test), explains: true) { fused.append($0.maps[0].map.values) }
    var expected = [[Float]](repeating: [Float](repeating: 0, count: 64 * 64), count: 7)
    for member in parts.members.prefix(2) + parts.members.suffix(1) {
      let own = try Scorer(checkpoint: member.checkpoint, device: .cpu)
      let normals = try await PreparedImages(parts.normals, for: own.specification)
      let range = Scorer.range(of: try #require(try own.mapValues(of: normals).first).values).map { Float($0) }
      var image = 0
      let images = try await PreparedImages(parts.test, for: own.specification)
      try own.forEachFinding(of: images, explains: true, allScores: false) { _, finding, placement in
        let scaled = try (finding.maps[0].values - Double(range[0])) / Double(range[1] - range[0])
        let outside = try placement.seesWhole ? 0 : placement.covered(scaled).minimum().item()
        let values: [Float] = try placement.restored(scaled, outside: outside).contiguous().values()
        expected[image] = zip(expected[image], values).map { $0 + $1 / 3 }
        image += 1
      }
    }
    for (found, wanted) in zip(fused, expected) {
      // 1,001 quantiles of the normal values are kept, so the range is that of all within a rank or two.
      let scale = wanted.map(abs).max() ?? 1
      #expect(largestDifference(found, wanted) < 0.02 * scale)
    }
  }

  @Test("A fused file holds its members whole and scores the same when it is read again")
  func roundTrip() async throws {
    let parts = try await Self.parts()
    let data = try await parts.data()
    let fused = try Checkpoint.fused(parts.members, fusion: .rank, on: data, device: .cpu)
    let file = parts.folder.url.appendingPathComponent("fused.safetensors")
    try fused.write(to: file)
    let read = try Checkpoint(contentsOf: file)
    #expect(read.metadata == fused.metadata && read.arrays == fused.arrays)
    let test = try #require(data.test)
    let scores = try Scorer(checkpoint: fused, device: .cpu).rawScores(of: test)
    #expect(try Scorer(checkpoint: read, device: .cpu).rawScores(of: test) == scores)
    for (member, original) in zip(read.members, parts.members) {
      #expect(member.name == original.name && member.checkpoint.metadata == original.checkpoint.metadata)
      #expect(member.checkpoint.arrays == original.checkpoint.arrays)
    }
    #expect(read.metadata.origin.checkpointRule == "rank of yardstick, autoencoder, padded")
    let yaml = try ConfigurationFile.yaml(read.metadata.configuration)
    #expect(try ConfigurationFile.read(yaml: yaml, source: "test") == read.metadata.configuration)
    #expect(parts.members[0].checkpoint.members.isEmpty)
    let again = try fused.calibrated(on: data, device: .cpu)
    #expect(again.metadata == fused.metadata && again.arrays == fused.arrays)
  }

  @Test("An evaluation gives figures of every fusion and every member")
  func evaluation() async throws {
    let parts = try await Self.parts()
    let data = try await parts.data()
    let fused = try Checkpoint.fused(parts.members, fusion: .mean, on: data, device: .cpu)
    let outcome = try Trials.evaluate(
      parts.folder.url.appendingPathComponent("fused.safetensors"), fused, data: data, device: .cpu)
    #expect(outcome.test.mainScore == "ensembleMean" && outcome.test.figures.count == 6)
    let own = try await mainScores(parts.members[0], parts.test)
    let expected = try auroc(LabelledScores(scores: own, labels: parts.test.map { $0.label == .abnormal }))
    #expect(outcome.test.figures["yardstick"]?.auroc == expected)
  }

  @Test("Too few images that no member knows: the training images calibrate, none compared with itself")
  func trainingImages() async throws {
    let parts = try await Self.parts()
    let data = try await parts.data(heldOut: 19)
    let fused = try Checkpoint.fused(parts.members, fusion: .mean, on: data, device: .cpu)
    #expect(
      fused.metadata.calibration.thresholdSource
        == "95.0 % of 12 training images, as fewer than 20 normal images are left "
        + "that no member was trained on")
    let own = try await mainScores(parts.members[0], parts.training, areReferences: true)
    let expected = Calibration.Distribution(of: own, quantile: 0.95)
    #expect(abs(try #require(fused.metadata.calibration.scores["yardstick"]).threshold - expected.threshold) < 1e-6)
    #expect(own.allSatisfy { $0 > 0 })
  }

  @Test("An image that a member cannot read is left out for all, and named once")
  func unreadable() async throws {
    let parts = try await Self.parts()
    let configuration = try RunConfiguration.ensemble(of: parts.members, fusion: .mean)
    let missing = DataItem(name: "gone.png", path: parts.folder.url.appendingPathComponent("gone.png").path)
    let images = try await PreparedImages(
      [parts.test[0], missing, parts.test[1]], for: configuration.inputSpecification)
    #expect(images.items == Array(parts.test.prefix(2)) && images.failures.map(\.item) == [missing])
    #expect(images.members.allSatisfy { $0.items == images.items })
    #expect(images.members.map(\.specification) == configuration.inputSpecification.members)
  }
}

extension Sequence {
  /// One after the other.
  fileprivate func asyncMap<Result>(_ transform: (Element) async throws -> Result) async rethrows -> [Result] {
    var results: [Result] = []
    for element in self { results.append(try await transform(element)) }
    return results
  }
}
