import Foundation
import MedicalImaging
import Testing
import Torch

@testable import Norma

@Suite("Who is in an ensemble, and what its members know")
struct EnsembleMembersTests {
  private func member(_ configuration: RunConfiguration) -> Checkpoint {
    Checkpoint(
      metadata: .init(
        configuration: configuration, calibration: Calibration(scores: [:], mapRanges: [:]), origin: .init()))
  }

  private func message(_ body: () throws -> some Any) -> String {
    do {
      _ = try body()
      return "no error"
    } catch { return "\(error)" }
  }

  @Test("What cannot be fused is refused in a sentence")
  func refusals() throws {
    let one = member(Fixtures.bandEnergy())
    var slices = Fixtures.bandEnergy()
    slices.input.views = .slices
    func fuse(_ members: [(name: String, checkpoint: Checkpoint)]) -> String {
      message { try RunConfiguration.ensemble(of: members, fusion: .mean) }
    }
    #expect(fuse([]) == "there are no detectors to fuse; give one checkpoint or more")
    let ensemble = member(try RunConfiguration.ensemble(of: [("a", one)], fusion: .mean))
    #expect(fuse([("b", ensemble)]) == "b is an ensemble itself; fuse its members with the others instead")
    #expect(
      fuse([("a", one), ("b", member(slices))])
        == "a and b cannot be fused, as one of them scores images and the other volumes; give detectors of one kind")
    for name in ["a", "ensembleMean"] {
      let names = name == "a" ? ["a", "a"] : ["a", name]
      #expect(
        fuse(names.map { ($0, one) })
          == "configuration key 'detector.members' is two of the name '\(name)'; it may be members with names of their "
          + "own, other than ensembleMean, ensembleRank, ensembleMaximum")
    }
    #expect(
      message { try ConfigurationFile.read(yaml: "method: ensemble", source: "test") }
        == "configuration key 'detector.members' is empty; it may be filled by 'norma ensemble', which fuses trained "
        + "detectors")
  }

  @Test("Images that were prepared for another detector are refused; so is scoring before calibration")
  func otherImages() async throws {
    let folder = try TemporaryFolder()
    let configuration = Fixtures.bandEnergy()
    let images = try await Fixtures.phantoms(4, seed: 1, for: configuration, in: folder)
    let data = TrainingData(training: images, fingerprint: "")
    #expect(throws: EnsembleError.otherImages) {
      try Checkpoint.fused([("a", member(configuration))], fusion: .mean, on: data, device: .cpu)
    }
    let ensemble = try RunConfiguration.ensemble(of: [("a", member(configuration))], fusion: .mean)
    let detector = try #require(try ensemble.makeDetector() as? EnsembleDetector)
    #expect(
      message { try detector.scores(of: [[1]]) }
        == "ensemble: it has not been calibrated on normal images; fuse it again with 'norma ensemble'")
  }

  @Test("Files name members by as much as tells them apart")
  func names() throws {
    func names(_ paths: String...) throws -> [String] {
      try Checkpoint.memberNames(of: paths.map { URL(fileURLWithPath: $0) })
    }
    #expect(try names("/a/simsid.safetensors", "/b/ae.safetensors") == ["simsid", "ae"])
    #expect(try names("/r/seed-1/model.safetensors", "/r/seed-2/model.safetensors") == ["seed-1", "seed-2"])
    #expect(try names("/a/seed-1/model.safetensors", "/b/seed-1/model.safetensors") == ["a/seed-1", "b/seed-1"])
    #expect(try names("/r/x/model.safetensors", "/r/x.safetensors") == ["r/x 1", "r/x 2"])
    #expect(throws: EnsembleError.twice(path: "/a/../a/x.safetensors")) {
      try names("/a/x.safetensors", "/a/../a/x.safetensors")
    }
  }

  @Test("Members with other seeds set other images aside: only what no member was trained on is held out")
  func splits() async throws {
    let folder = try TemporaryFolder()
    for index in 0..<20 {
      try folder.write("train/NORMAL/n\(index).png", Fixtures.image(index, width: 16, height: 16))
    }
    for index in 0..<4 {
      try folder.write("train/SICK/s\(index).png", Fixtures.image(50 + index, width: 16, height: 16))
    }
    for index in 0..<2 {
      try folder.write("test/NORMAL/n\(index).png", Fixtures.image(200 + index, width: 16, height: 16))
      try folder.write("test/SICK/s\(index).png", Fixtures.image(300 + index, width: 16, height: 16))
    }
    func configuration(_ seed: Int) -> RunConfiguration {
      var configuration = Fixtures.bandEnergy()
      (configuration.seed, configuration.data.validationNormal, configuration.data.validationAbnormal) = (seed, 12, 2)
      return configuration
    }
    let configurations = [1, 2].map(configuration)
    let own = try configurations.map { try $0.dataSet(in: folder.url.path) }
    let trained = try zip(configurations, own).map { Set(try $0.trainingItems(of: $1).map(\.name)) }
    let asideByAll = Set(own[0].items(in: .validation, label: .normal).map(\.name))
      .intersection(own[1].items(in: .validation, label: .normal).map(\.name))
    #expect(trained[0] != trained[1] && !asideByAll.isEmpty)
    let members = configurations.enumerated().map { (name: "m\($0)", checkpoint: member($1)) }
    let data = try await TrainingData(
      folder: folder.url.path, configuration: RunConfiguration.ensemble(of: members, fusion: .mean))
    #expect(Set(data.training.items.map(\.name)) == trained[0].union(trained[1]))
    let validation = try #require(data.validation)
    #expect(Set(validation.items.filter { $0.label == .normal }.map(\.name)) == asideByAll)
    #expect(!validation.items.filter { $0.label == .abnormal }.isEmpty)
    #expect(data.test?.items.map(\.name) == own[0].items(in: .test).map(\.name))
    #expect(data.training.members.count == 2 && data.training.members[1].items == data.training.items)

    var familiar = members
    familiar[0].checkpoint.metadata.origin.dataFingerprint = try await TrainingData(
      folder: folder.url.path, configuration: configurations[0]
    ).fingerprint
    #expect(
      try await Checkpoint.unfamiliar(familiar, in: folder.url.path) == [
        "m1 was trained on other images than its configuration finds in \(folder.url.path); whether it has seen the images "
          + "that calibrate the ensemble cannot be told"
      ])
  }

  @Test("Members may see a volume along different planes; their maps meet in the volume")
  func volumes() async throws {
    let folder = try TemporaryFolder()
    func items(_ seeds: Range<Int>, bump: Bool = false) throws -> [DataItem] {
      try seeds.map { seed in
        let volume = Fixtures.volume(seed, extents: [16, 16, 16])
        var samples = volume.samples
        if bump {
          for index in samples.indices where index % 16 / 4 == 2 && index / 16 % 16 / 4 == 2 && index / 1024 == 2 {
            samples[index] = index % 2 == 0 ? 0 : 10
          }
        }
        let made = Volume3D(width: 16, height: 16, depth: 16, samples: samples, affine: volume.affine)
        let name = "\(seed).nii.gz"
        return DataItem(name: name, path: try folder.write(name, made), label: bump ? .abnormal : .normal)
      }
    }
    let (training, test) = (try items(0..<6), try items(10..<12) + items(20..<22, bump: true))
    var members: [(name: String, checkpoint: Checkpoint)] = []
    for plane in [InputConfiguration.Plane.axial, .coronal] {
      var settings = BandEnergyConfiguration()
      (settings.imageSize, settings.neighbours, settings.grid) = (16, 2, 4)
      var configuration = RunConfiguration(detector: DetectorSettings(settings))
      (configuration.input.views, configuration.input.plane, configuration.input.window) = (.slices, plane, [0, 10])
      let images = try await PreparedImages(training, for: configuration.inputSpecification)
      let checkpoint = try member(configuration).calibrated(
        on: TrainingData(training: images, fingerprint: ""), device: .cpu)
      members.append((plane.rawValue, checkpoint))
    }
    let specification = try RunConfiguration.ensemble(of: members, fusion: .mean).inputSpecification
    let data = TrainingData(
      training: try await PreparedImages(training, for: specification), fingerprint: "")
    let fused = try Checkpoint.fused(members, fusion: .mean, on: data, device: .cpu)
    let scorer = try Scorer(checkpoint: fused, device: .cpu)
    let images = try await PreparedImages(test, for: specification)
    let scores = try #require(try scorer.rawScores(of: images)["ensembleMean"])
    #expect(min(scores[2], scores[3]) > max(scores[0], scores[1]))
    var peaks: [Int] = []
    try scorer.score(images, explains: true) { result in
      let values = result.maps[0].map.values
      #expect(values.count == 4096)
      if result.item.label == .abnormal { peaks.append(values.indices.max { values[$0] < values[$1] } ?? 0) }
    }
    for peak in peaks {
      let place = [peak / 256, peak / 16 % 16, peak % 16]
      #expect(place.allSatisfy { (6..<14).contains($0) }, "\(place)")
    }
  }
}
