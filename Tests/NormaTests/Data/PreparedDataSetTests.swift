import Foundation
import MedicalImaging
import Testing
import Torch

@testable import Norma

@Suite("Prepared data sets")
struct PreparedDataSetTests {
  private let folder: TemporaryFolder
  private let data: String
  private let file: String

  /// Twelve normal training images of six patients, three abnormal ones, and test images with a mask; one is stored twice.
  init() throws {
    folder = try TemporaryFolder()
    for index in 0..<12 {
      try folder.write(
        "data/train/NORMAL/NORMAL-\(1000 + index / 2)-000\(index % 2).png",
        Fixtures.image(index, width: 40, height: 36 + index))
    }
    for index in 0..<3 {
      try folder.write("data/train/SICK/VIRUS-\(5000 + index)-0000.png", Fixtures.image(100 + index))
      try folder.write("data/test/NORMAL/n\(index).png", Fixtures.image(index == 0 ? 100 : 200 + index))
      try folder.write("data/test/SICK/s\(index).png", Fixtures.image(300 + index))
    }
    try folder.write("data/masks/test/SICK/s1.png", Fixtures.image(400))
    data = folder.url.appendingPathComponent("data").path
    file = folder.url.appendingPathComponent("prepared.safetensors").path
  }

  private func configuration(_ change: (inout RunConfiguration) -> Void = { _ in }) -> RunConfiguration {
    var configuration = Fixtures.tinySimSID(epochs: 2)
    (configuration.data.validationNormal, configuration.data.validationAbnormal) = (4, 2)
    change(&configuration)
    return configuration
  }

  private func prepare(
    _ configuration: RunConfiguration? = nil, keepsPatients: Bool = false
  ) async throws -> DataPreparation.Outcome {
    try await DataPreparation(
      of: data, for: configuration ?? self.configuration(), to: file, keepsPatients: keepsPatients
    ).run(workers: 2)
  }

  private func load(_ path: String, _ configuration: RunConfiguration? = nil) async throws -> TrainingData {
    try await TrainingData(folder: path, configuration: configuration ?? self.configuration())
  }

  @Test("Images, grids, splits, fingerprint and warnings are those of the folder, to the bit; patients are numbers")
  func equality() async throws {
    let outcome = try await prepare()
    #expect(outcome.images == 21 && outcome.resumed == 0 && outcome.failures.isEmpty)
    #expect(try folder.contents() == ["data", "prepared.safetensors"])
    let (ours, theirs) = (try await load(file), try await load(data))
    for (prepared, read) in [
      (ours.training, theirs.training), (try #require(ours.validation), try #require(theirs.validation)),
      (try #require(ours.test), try #require(theirs.test)),
    ] {
      #expect(prepared.count == read.count && prepared.grids == read.grids)
      #expect(prepared.items.map(\.path) == read.items.map(\.path))
      #expect(prepared.items.map(\.maskPath) == read.items.map(\.maskPath))
      #expect(prepared.abnormalities == read.abnormalities)
      for index in 0..<read.count {
        #expect(try prepared.values(at: index) == read.values(at: index))
        #expect(prepared.isInMemory(index))
      }
    }
    #expect(ours.fingerprint == theirs.fingerprint && ours.fingerprint != "")
    #expect(ours.warnings == theirs.warnings)
    let set = try configuration().wholeDataSet(in: data)
    #expect(try await outcome.fingerprint == ContentIndex(of: set.items).fingerprint)
    let patients = try #require(try PreparedDataSet.opened(at: file)).dataSet.items.map(\.patient)
    #expect(
      patients == [1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 8, 9].map { "\($0)" } + Array(repeating: nil, count: 6))
    _ = try await prepare(keepsPatients: true)
    #expect(try PreparedDataSet(contentsOf: file).dataSet == set)
  }

  @Test("A run from the file ends with the same bits as one from the folder; other scales of values are served as well")
  func training() async throws {
    _ = try await prepare()
    var runs: [Checkpoint] = []
    for (name, path) in [("a", data), ("b", file)] {
      let output = try TemporaryFolder()
      let run = TrainerRun(
        folder: output, data: try await load(path, configuration { $0.input.intensity = .standardised }),
        configuration: configuration { $0.input.intensity = .standardised })
      try run.run()
      runs.append(try run.model)
      _ = name
    }
    #expect(runs[0].arrays == runs[1].arrays)
    #expect(runs[0].metadata.calibration == runs[1].metadata.calibration)
    #expect(runs[0].metadata.origin.dataFingerprint == runs[1].metadata.origin.dataFingerprint)
  }

  @Test("Settings that it was not prepared for are refused, with both values")
  func otherSettings() async throws {
    _ = try await prepare()
    func refusal(_ change: (inout RunConfiguration) -> Void) async -> String? {
      do {
        _ = try await load(file, configuration(change))
        return nil
      } catch { return "\(error)" }
    }
    let window = await refusal { $0.input.window = [0, 200] }
    #expect(
      window
        == "\(file) was prepared with other settings (input.window is empty in the file and [0.0, 200.0] here); prepare the "
        + "data set for these, or give the settings that it was prepared with")
    let size = await refusal {
      if var settings = $0.detector.settings as? SimSIDConfiguration {
        settings.imageSize = 64; $0.detector = DetectorSettings(settings)
      }
    }
    #expect(size?.contains("(images are 32×32 in the file and 64×64 here)") == true)
    let set = await refusal { $0.data.set = "zhanglab" }
    #expect(set?.contains("(data.set is empty in the file and zhanglab here)") == true)
    let uncertain = await refusal { $0.data.uncertain = .ones }
    #expect(uncertain?.contains("(data.uncertain is ignore in the file and ones here)") == true)
    let same = await refusal {
      $0.input.intensity = .standardised; $0.input.deviations = 2
    }
    #expect(same == nil)
  }

  @Test("An interrupted preparation goes on without reading what was done, unless files or settings changed")
  func resuming() async throws {
    let done = try configuration().wholeDataSet(in: data).items[0].path
    let changed = [FileAttributeKey.modificationDate: Date(timeIntervalSince1970: 1_700_000_000)]
    try FileManager.default.setAttributes(changed, ofItemAtPath: done)
    var first = try DataPreparation(of: data, for: configuration(), to: file)
    first.mostInChunk = 5
    var chunks = 0
    await #expect(throws: CancellationError.self) {
      try await first.run(isInterrupted: {
        chunks += 1
        return chunks > 2
      })
    }
    #expect(try folder.contents() == [".prepared.safetensors.partial", "data"])
    let expected = try await load(data)

    // Ten images are done. Their files are spoiled behind the preparation's back: same size, same time of change.
    let original = try Data(contentsOf: URL(fileURLWithPath: done))
    try Data(count: original.count).write(to: URL(fileURLWithPath: done))
    try FileManager.default.setAttributes(changed, ofItemAtPath: done)
    let partial = first.partialPath
    let kept = try Data(contentsOf: URL(fileURLWithPath: partial))
    let outcome = try await first.run()
    #expect(outcome.resumed == 10 && outcome.failures.isEmpty)
    let prepared = try await load(file)
    #expect(prepared.fingerprint == expected.fingerprint)
    for index in 0..<expected.training.count {
      #expect(try prepared.training.values(at: index) == expected.training.values(at: index))
    }
    #expect(try folder.contents() == ["data", "prepared.safetensors"])

    // The same partial file, but other settings, or a source file that has changed since: everything is read anew.
    try original.write(to: URL(fileURLWithPath: done))
    try FileManager.default.setAttributes(changed, ofItemAtPath: done)
    try kept.write(to: URL(fileURLWithPath: partial))
    #expect(try await prepare().resumed == 10)
    try kept.write(to: URL(fileURLWithPath: partial))
    #expect(try await prepare(configuration { $0.input.window = [0, 100] }).resumed == 0)
    try kept.write(to: URL(fileURLWithPath: partial))
    try (original + Data([0])).write(to: URL(fileURLWithPath: done))
    #expect(try await prepare().resumed == 0)
  }

  @Test("A file that cannot be read is left out and reported again when the prepared file is used")
  func unreadable() async throws {
    try folder.write("data/test/SICK/s1.png", Data("no picture".utf8))
    let outcome = try await prepare()
    #expect(outcome.failures.map(\.item.name) == ["test/SICK/s1.png"])
    let loaded = try await load(file)
    #expect(loaded.test?.count == 5 && loaded.test?.failures.map(\.item.name) == ["test/SICK/s1.png"])
    #expect(
      loaded.warnings.contains { $0.contains("s1.png cannot be used: it could not be read when \(file) was prepared") })
    #expect(try await loaded.fingerprint == load(data).fingerprint)
  }

  @Test("Other files, damaged ones and an output that cannot be are named")
  func mistakes() async throws {
    let other = folder.url.appendingPathComponent("model.safetensors")
    try SafetensorsFile.write([], metadata: [:], to: other)
    #expect(
      throws: PreparedDataError.notPrepared(
        path: other.path, reason: "it holds something else, perhaps a trained detector")
    ) {
      try PreparedDataSet(contentsOf: other.path)
    }
    _ = try await prepare()
    let whole = try Data(contentsOf: URL(fileURLWithPath: file))
    try whole.dropLast(9).write(to: URL(fileURLWithPath: file))
    #expect(throws: SerialisationError.self) { try PreparedDataSet(contentsOf: file) }
    var damaged = whole
    damaged[2048] = 7  // the first record's state
    try damaged.write(to: URL(fileURLWithPath: file))
    #expect(throws: PreparedDataError.notPrepared(path: file, reason: "its record of image 0 is damaged")) {
      try PreparedDataSet(contentsOf: file)
    }
    #expect(
      throws: PreparedDataError.notWritable(path: "out.bin", reason: "its name must end in .safetensors")
    ) { try DataPreparation(of: data, for: configuration(), to: "out.bin") }
    var slices = configuration()
    slices.input.views = .slices
    #expect(throws: ConfigurationError.self) { try DataPreparation(of: data, for: slices, to: "out.safetensors") }
    #expect(try PreparedDataSet.opened(at: data) == nil)
    let nowhere = try DataPreparation(of: data, for: configuration(), to: folder.url.path + "/none/out.safetensors")
    await #expect(throws: PreparedDataError.self) { try await nowhere.run() }
  }

  @Test("A record keeps placements in images and volumes, and every hash, as they are")
  func records() throws {
    let affine = Affine3D(
      x: SIMD3(0, 2.5, 0), y: SIMD3(-1.25, 0, 0.1), z: SIMD3(0, 0.3, 3), origin: SIMD3(-100.5, 7, 1e-9))
    let item = DataItem(name: "a", path: "a")
    for grid in [ImageGrid(width: 7, height: 5), ImageGrid(extents: [3, 5, 7], affine: affine)] {
      for hash in [nil, ContentHash(value: 0), ContentHash(value: .max)] {
        let entry = ContentIndex.Entry(item: item, size: 1 << 40, hash: hash, maskHash: nil, pairedHash: hash)
        let whole = GridPlacement(stretching: grid, to: grid.extents.map { _ in 4 })
        let part = GridPlacement(
          grid: grid,
          axes: grid.extents.map { AxisPlacement(extent: $0, source: 1..<$0, resampled: 9, count: 4, offset: -3) })
        for placement in [whole, part] {
          let record = PreparedRecord(state: .read, placement: placement, entry: entry)
          #expect(PreparedRecord(integers: record.bytes.integers, affine: record.bytes.affine) == record)
          var damaged = record.bytes.integers
          damaged[8 * (PreparedRecord.columns - 5) + 7] = 0xFF  // the last axis begins before the image
          #expect(PreparedRecord(integers: damaged, affine: record.bytes.affine) == nil)
        }
      }
    }
    let missing = PreparedRecord(
      integers: Data(count: 8 * PreparedRecord.columns), affine: Data(count: 8 * PreparedRecord.affineColumns))
    #expect(missing?.state == .missing && missing?.placement == nil)
    #expect(PreparedRecord(integers: Data(count: 8), affine: Data()) == nil)
  }

  @Test("data.set and data.part choose a published data set")
  func published() throws {
    for object in ["bottle", "carpet"] {
      for name in ["train/good/0", "test/good/0", "test/cut/0", "ground_truth/cut/0_mask"] {
        try folder.write("mvtec/\(object)/\(name).png", Fixtures.image(1))
      }
    }
    let root = folder.url.path + "/mvtec"
    let chosen = try ConfigurationFile.read(
      yaml: "method: simsid", source: "test", overrides: ["data.set=MVTec-AD", "data.part=carpet"])
    let set = try chosen.wholeDataSet(in: root)
    #expect(set.items.count == 3 && set.items.allSatisfy { $0.path.hasPrefix(root + "/carpet/") })
    #expect(
      throws: ConfigurationError.unknownName(
        kind: "data set", name: "mvtc", known: PublishedDataSet.allCases.map(\.rawValue))
    ) { try ConfigurationFile.read(yaml: "method: simsid\ndata: {set: mvtc}", source: "test") }
    let written = try ConfigurationFile.read(yaml: ConfigurationFile.yaml(chosen), source: "test")
    #expect(written == chosen)
  }
}
