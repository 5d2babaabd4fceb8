import Foundation
import MedicalImaging
import Testing
import Torch

@testable import Norma

@Suite("Checkpoints and the scores that they give")
struct CheckpointTests {
  static let methods = [DetectionMethod.simSID, .bandEnergy]

  private func trained(_ method: DetectionMethod) async throws -> (run: TrainerRun, images: PreparedImages) {
    let (files, folder) = (try TemporaryFolder(), try TemporaryFolder())
    let configuration = method == .simSID ? Fixtures.tinySimSID(epochs: 1) : Fixtures.bandEnergy()
    let training = try await Fixtures.phantoms(9, seed: 100, for: configuration, in: files)
    let images = try await Fixtures.phantoms(7, abnormal: 3, seed: 300, for: configuration, in: files)
    let run = TrainerRun(
      folder: folder, data: TrainingData(training: training, fingerprint: "f00d"), configuration: configuration)
    try run.run()
    return (run, images)
  }

  @Test("A checkpoint gives the scores of the detector that it was made of, bit for bit", arguments: methods)
  func scores(_ method: DetectionMethod) async throws {
    let (run, images) = try await trained(method)
    let scorer = try Scorer(checkpoint: run.model, device: .cpu)
    let first = try scorer.rawScores(of: images)
    #expect(try scorer.rawScores(of: images) == first)
    let copy = run.folder.url.appendingPathComponent("copy.safetensors")
    try Checkpoint(of: scorer.detector, metadata: run.model.metadata).write(to: copy)
    let again = try Scorer(checkpoint: Checkpoint(contentsOf: copy), device: .cpu)
    #expect(try again.rawScores(of: images) == first)
    #expect(first.keys.sorted() == scorer.detector.scoreNames.sorted())
    #expect(first.values.allSatisfy { $0.count == 7 && $0.allSatisfy(\.isFinite) })
  }

  @Test("A checkpoint of an older Norma, whose configuration lacks keys of today, loads with their defaults")
  func olderConfiguration() async throws {
    let (run, images) = try await trained(.simSID)
    let file = try SafetensorsFile(contentsOf: run.folder.url.appendingPathComponent("model.safetensors"))
    let text = try #require(file.metadata["norma"])
    var tree = try #require(JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    var configuration = try #require(tree["configuration"] as? [String: Any])
    configuration["calibration"] = nil
    var detector = try #require(configuration["detector"] as? [String: Any])
    detector["decoderReducedWidth"] = nil
    configuration["detector"] = detector
    tree["configuration"] = configuration
    let older = run.folder.url.appendingPathComponent("older.safetensors")
    let json = String(decoding: try JSONSerialization.data(withJSONObject: tree), as: UTF8.self)
    try SafetensorsFile.write(file.arrays(), metadata: ["norma": json], to: older)
    let checkpoint = try Checkpoint(contentsOf: older)
    #expect(try checkpoint.metadata.configuration == run.model.metadata.configuration)
    let scores = try Scorer(checkpoint: run.model, device: .cpu).rawScores(of: images)
    #expect(try Scorer(checkpoint: checkpoint, device: .cpu).rawScores(of: images) == scores)
  }

  @Test("The official calibration takes its moments from augmented images, and leaves the threshold")
  func officialCalibration() async throws {
    let (run, _) = try await trained(.simSID)
    let usual = try run.model
    var metadata = usual.metadata
    metadata.configuration.calibration.moments = .official
    var official = usual
    official.metadata = metadata
    let calibrated = try official.calibrated(on: run.data, device: .cpu).metadata.calibration
    for (name, distribution) in usual.metadata.calibration.scores {
      let other = try #require(calibrated.scores[name])
      #expect(other.mean != distribution.mean)
      #expect(abs(other.threshold - distribution.threshold) <= 1e-4 * max(1, abs(distribution.threshold)))
    }
  }

  @Test("The calibration is that of the training images without themselves", arguments: methods)
  func calibration(_ method: DetectionMethod) async throws {
    let (run, _) = try await trained(method)
    let scorer = try Scorer(checkpoint: run.model, device: .cpu)
    let raw = try scorer.rawScores(of: run.data.training, areReferences: true)
    for (name, values) in raw {
      #expect(scorer.calibration.scores[name] == Calibration.Distribution(of: values, quantile: 0.95))
    }
    for (name, range) in scorer.calibration.mapRanges {
      #expect(range.count == 2 && range[0] <= range[1], "\(name)")
    }
  }

  @Test("An image's score does not depend on the others in its batch", arguments: methods)
  func batches(_ method: DetectionMethod) async throws {
    let (run, images) = try await trained(method)
    let scorer = try Scorer(checkpoint: run.model, device: .cpu)
    let together = try scorer.rawScores(of: images)
    for index in 0..<images.count {
      let alone = try await PreparedImages([images.items[index]], for: scorer.specification)
      for (name, values) in try scorer.rawScores(of: alone) {
        let whole = try #require(together[name]?[index])
        #expect(abs(values[0] - whole) <= 1e-5 * max(1, abs(whole)), "\(name) of image \(index)")
      }
    }
  }

  @Test("Results carry the calibrated score, maps in the image's size and the reconstruction", arguments: methods)
  func results(_ method: DetectionMethod) async throws {
    let (run, images) = try await trained(method)
    let scorer = try Scorer(checkpoint: run.model, device: .cpu)
    var (results, told): ([AnomalyResult], [Int]) = ([], [])
    try scorer.score(images, explains: true, progress: { told.append($0.done) }) { results.append($0) }
    #expect(told == [7])
    #expect(results.map(\.item) == images.items)
    let main = scorer.detector.scoreNames[0]
    let normal = try #require(scorer.calibration.scores[main])
    #expect(try results.map(\.score) == scorer.rawScores(of: images)[main])
    for result in results {
      #expect(result.standardised == normal.standardised(result.score))
      #expect(result.isAbnormal == (result.score > normal.threshold))
      #expect(!result.maps.isEmpty)
      for (name, map) in result.maps {
        #expect(map.width == 64 && map.height == 64 && map.values.count == 64 * 64, "\(name)")
        #expect(scorer.calibration.mapRanges[name] != nil)
      }
      #expect((result.reconstruction != nil) == (method == .simSID))
    }
    var plain: [AnomalyResult] = []
    try scorer.score(images, explains: false) { plain.append($0) }
    #expect(
      plain.map(\.score) == results.map(\.score) && plain.allSatisfy { $0.maps.isEmpty && $0.reconstruction == nil })
  }

  @Test("What a checkpoint tells about itself comes back whole")
  func metadata() async throws {
    let (run, _) = try await trained(.simSID)
    let metadata = try run.model.metadata
    #expect(metadata.configuration == run.configuration)
    #expect(metadata.version == Norma.version && metadata.format == Checkpoint.format)
    #expect(metadata.origin.dataFingerprint == "f00d" && metadata.origin.trainingImages == 9)
    #expect(metadata.origin.epochs == 1 && metadata.origin.hardware.contains("libtorch \(Runtime.version)"))
    #expect(try run.model.arrays.keys.allSatisfy { $0.hasPrefix("network.") || $0.hasPrefix("fitted.") })
  }

  // MARK: Files that are no usable checkpoint

  private func message(_ url: URL) -> String {
    do {
      _ = try Checkpoint(contentsOf: url)
      return "no error"
    } catch { return "\(error)" }
  }

  private func write(_ metadata: [String: String]) throws -> (folder: TemporaryFolder, file: URL) {
    let folder = try TemporaryFolder()
    let file = folder.url.appendingPathComponent("model.safetensors")
    try SafetensorsFile.write([StoredArray(name: "a", Tensor([Float(1)]))], metadata: metadata, to: file)
    return (folder, file)
  }

  @Test("A missing file is named")
  func missing() throws {
    let file = try TemporaryFolder().url.appendingPathComponent("model.safetensors")
    #expect(
      message(file)
        == "the checkpoint \(file.path) does not exist; check the path, or train one with 'norma train'")
  }

  @Test("A safetensors file of somebody else is told apart", arguments: [[:], ["norma": "{}"], ["norma": "no JSON"]])
  func notOurs(_ metadata: [String: String]) throws {
    let (folder, file) = try write(metadata)
    defer { withExtendedLifetime(folder) {} }
    #expect(
      message(file) == "\(file.path) is a safetensors file but no checkpoint of Norma's; official weights come in with "
        + "'norma import'")
  }

  @Test("A later format asks for an update")
  func tooNew() throws {
    let (folder, file) = try write(["norma": #"{"format": 2}"#])
    defer { withExtendedLifetime(folder) {} }
    #expect(message(file) == "\(file.path) has checkpoint format 2 and this Norma reads up to 1; update Norma")
  }

  @Test("Metadata that cannot be read asks for another copy")
  func damaged() throws {
    let (folder, file) = try write(["norma": #"{"format": 1}"#])
    defer { withExtendedLifetime(folder) {} }
    let expected = "the metadata of the checkpoint \(file.path) cannot be read; use another copy of the file"
    #expect(message(file) == expected)
  }

  @Test("A configuration that no network can be made of is damage, not a crash")
  func impossibleConfiguration() async throws {
    let (run, _) = try await trained(.simSID)
    var checkpoint = try run.model
    var settings = SimSIDConfiguration()
    settings.patchGrid = 0
    checkpoint.metadata.configuration.detector = DetectorSettings(settings)
    let file = run.folder.url.appendingPathComponent("bent.safetensors")
    try checkpoint.write(to: file)
    #expect(
      message(file) == "the metadata of the checkpoint \(file.path) cannot be read; use another copy of the file")
  }

  @Test("A file that is cut off, or none of the format, is refused", arguments: [0, 5, 100])
  func truncated(_ length: Int) async throws {
    let (run, _) = try await trained(.bandEnergy)
    let file = run.folder.url.appendingPathComponent("model.safetensors")
    try Data(contentsOf: file).prefix(length).write(to: file)
    #expect(throws: SerialisationError.self) { try Checkpoint(contentsOf: file) }
  }

  @Test("Weights that are missing are named")
  func missingWeights() async throws {
    let (run, _) = try await trained(.simSID)
    var checkpoint = try run.model
    let key = try #require(checkpoint.arrays.keys.filter { $0.hasPrefix("network.") }.min())
    checkpoint.arrays[key] = nil
    let error = #expect(throws: StateMismatch.self) { try checkpoint.makeDetector() }
    #expect(error?.description == "the weights do not fit the network: missing \(key.dropFirst("network.".count))")
  }
}
