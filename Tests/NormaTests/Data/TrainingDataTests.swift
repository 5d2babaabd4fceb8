import Foundation
import MedicalImaging
import Testing

@testable import Norma

@Suite("The images of a run")
struct TrainingDataTests {
  /// Writes a data set whose files say who the patient is.
  private func dataSet(
    normal: Int = 12, abnormal: Int = 4, imagesPerPatient: Int = 1, in folder: TemporaryFolder
  ) throws {
    for index in 0..<normal {
      let patient = 1000 + index / imagesPerPatient
      try folder.write(
        "train/NORMAL/NORMAL-\(patient)-000\(index % imagesPerPatient).png",
        Fixtures.image(index, width: 16, height: 16))
    }
    for index in 0..<abnormal {
      try folder.write(
        "train/SICK/VIRUS-\(5000 + index)-0000.png", Fixtures.image(100 + index, width: 16, height: 16))
    }
    for index in 0..<3 {
      try folder.write("test/NORMAL/n\(index).png", Fixtures.image(200 + index, width: 16, height: 16))
      try folder.write("test/SICK/s\(index).png", Fixtures.image(300 + index, width: 16, height: 16))
    }
  }

  private func configuration(_ change: (inout DataConfiguration) -> Void = { _ in }) -> RunConfiguration {
    var configuration = Fixtures.tinySimSID()
    change(&configuration.data)
    return configuration
  }

  private func load(_ folder: TemporaryFolder, _ configuration: RunConfiguration) async throws -> TrainingData {
    try await TrainingData(folder: folder.url.path, configuration: configuration)
  }

  @Test("Training takes the normal images, testing all that are there")
  func splits() async throws {
    let folder = try TemporaryFolder()
    try dataSet(in: folder)
    let data = try await load(folder, configuration())
    #expect(data.training.count == 12)
    #expect(data.training.items.allSatisfy { $0.label == .normal && $0.split == .train })
    #expect(data.validation == nil)
    #expect(data.test?.abnormalities == [false, false, false, true, true, true])
    #expect(data.warnings == [])
    #expect(data.training.grids.allSatisfy { $0 == ImageGrid(width: 16, height: 16) })
  }

  @Test("Validation images are set aside, patient by patient")
  func validation() async throws {
    let folder = try TemporaryFolder()
    try dataSet(imagesPerPatient: 2, in: folder)
    let data = try await load(
      folder,
      configuration {
        $0.validationNormal = 4
        $0.validationAbnormal = 3
      })
    let validation = try #require(data.validation)
    #expect(validation.items.count { $0.label == .normal } == 4)
    #expect(validation.items.count { $0.label == .abnormal } == 3)
    #expect(data.training.count == 8)
    let patients = Set(validation.items.compactMap(\.patient))
    #expect(patients.count == 5)
    #expect(patients.isDisjoint(with: data.training.items.compactMap(\.patient)))
  }

  @Test("A contamination of 0.25 replaces a quarter of the normal images by abnormal ones")
  func contamination() async throws {
    let folder = try TemporaryFolder()
    try dataSet(in: folder)
    let data = try await load(folder, configuration { $0.contamination = 0.25 })
    #expect(data.training.items.count { $0.label == .normal } == 9)
    #expect(data.training.items.count { $0.label == .abnormal } == 3)
  }

  @Test("A number of training images holds at every contamination")
  func trainingImages() async throws {
    let folder = try TemporaryFolder()
    try dataSet(in: folder)
    for (contamination, abnormal) in [(0.0, 0), (0.5, 2), (1.0, 4)] {
      let data = try await load(
        folder,
        configuration {
          $0.trainingImages = 4
          $0.contamination = contamination
        })
      #expect(data.training.count == 4)
      #expect(data.training.items.count { $0.label == .abnormal } == abnormal)
      #expect(data.test?.count == 6)
    }
  }

  @Test("Images that an earlier run has in memory are not read again, and the others are")
  func reuse() async throws {
    let folder = try TemporaryFolder()
    try dataSet(in: folder)
    let contaminated = configuration { $0.contamination = 0.25 }
    let earlier = try await load(folder, configuration())
    let expected = try await load(folder, contaminated)
    for item in earlier.training.items + (earlier.test?.items ?? []) {
      try Data("no image".utf8).write(to: URL(fileURLWithPath: item.path))
    }
    var read: [String: Int] = [:]
    let data = try await TrainingData(folder: folder.url.path, configuration: contaminated, reusing: earlier) {
      read[$0.activity, default: 0] += 1
    }
    #expect(read == ["reading training images": 3])
    #expect(data.training.items == expected.training.items && data.training.failures.isEmpty)
    for index in 0..<data.training.count {
      #expect(try data.training.values(at: index) == expected.training.values(at: index))
    }
    #expect(data.test?.grids.count == 6)
    var larger = contaminated
    if var settings = larger.detector.settings as? SimSIDConfiguration {
      settings.imageSize = 64
      larger.detector = DetectorSettings(settings)
    }
    await #expect(throws: DataSetError.self, "another size is prepared anew") {
      try await TrainingData(folder: folder.url.path, configuration: larger, reusing: earlier)
    }
  }

  @Test("A manifest is a data set wherever a folder is; images without a label are left out of figures, and said so")
  func manifest() async throws {
    let folder = try TemporaryFolder()
    try dataSet(in: folder)
    let text = "{'descr': '|u1', 'fortran_order': False, 'shape': (2, 16, 16), }"
    let header = [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(text.utf8.count), 0] + Array(text.utf8)
    try folder.write("stack.npy", Data(header + (0..<512).map { UInt8($0 / 2) }))
    var rows = ["path,label,split,scanner"]
    rows += (0..<12).map { "train/NORMAL/NORMAL-\(1000 + $0)-0000.png,normal,train,A" }
    rows += ["stack.npy#1,0,train,B", "stack.npy#0,1,test,B", "test/NORMAL/n0.png,0,test,", "test/SICK/s0.png,,test,"]
    let path = try folder.write("set.csv", Data(rows.joined(separator: "\n").utf8))
    let data = try await TrainingData(folder: path, configuration: configuration())
    #expect(data.training.count == 13 && data.training.items.count { $0.attributes["scanner"] == "B" } == 1)
    let stacked = try #require(data.training.items.firstIndex { $0.path.hasSuffix("#1") })
    #expect(data.training.grids[stacked] == ImageGrid(width: 16, height: 16))
    #expect(data.test?.abnormalities == [true, false])
    #expect(data.warnings == ["images without a label in validation and test: 1 (left out of all figures)"])

    let empty = try folder.write("empty.csv", Data("path,label\ntest/SICK/s0.png,1\n".utf8))
    await #expect(throws: DataSetError.nothingToTrain(path: empty)) {
      try await TrainingData(folder: empty, configuration: configuration())
    }
  }

  @Test("A limit holds for each label and split")
  func limit() async throws {
    let folder = try TemporaryFolder()
    try dataSet(in: folder)
    let data = try await load(folder, configuration { $0.limit = 2 })
    #expect(data.training.count == 2)
    #expect(data.test?.count == 4)
  }

  @Test("A damaged file among many is skipped and reported")
  func damagedFile() async throws {
    let folder = try TemporaryFolder()
    try dataSet(normal: 120, in: folder)
    let path = try folder.write("train/NORMAL/broken.png", Data("no image".utf8))
    let data = try await load(folder, configuration())
    #expect(data.training.count == 120)
    #expect(data.training.failures.map(\.item.path) == [path])
    #expect(
      data.warnings == [
        "\(path) is not an image in a format that is read (PNG, JPEG, TIFF, DICOM, NumPy). (skipped)"
      ])
  }

  @Test("More than one damaged file in a hundred stops the run")
  func tooManyDamagedFiles() async throws {
    let folder = try TemporaryFolder()
    try dataSet(in: folder)
    let path = try folder.write("train/NORMAL/broken.png", Data("no image".utf8))
    let error = await #expect(throws: DataSetError.self) { try await load(folder, configuration()) }
    #expect(
      error?.description
        == "1 of 13 images could not be read, more than the tolerated 1 %; the first: \(path) is not an "
        + "image in a format that is read (PNG, JPEG, TIFF, DICOM, NumPy).")
  }

  @Test("The fingerprint follows the content of the training images and nothing else")
  func fingerprint() async throws {
    let (first, second) = (try TemporaryFolder(), try TemporaryFolder())
    try dataSet(in: first)
    try dataSet(in: second)
    let fingerprint = try await load(first, configuration()).fingerprint
    #expect(fingerprint.count == 16)
    try second.write("test/NORMAL/n9.png", Fixtures.image(999, width: 16, height: 16))
    #expect(try await load(second, configuration()).fingerprint == fingerprint)
    try second.write("train/NORMAL/NORMAL-1003-0000.png", Fixtures.image(998, width: 16, height: 16))
    #expect(try await load(second, configuration()).fingerprint != fingerprint)
  }

  @Test("An image that lies in two splits is a warning")
  func duplicates() async throws {
    let folder = try TemporaryFolder()
    try dataSet(in: folder)
    try folder.write("test/NORMAL/again.png", Fixtures.image(3, width: 16, height: 16))
    let data = try await load(folder, configuration())
    #expect(
      data.warnings == [
        "The same image is in several splits: train/NORMAL/NORMAL-1003-0000.png, test/NORMAL/again.png."
      ])
  }

  @Test("Progress tells what is being read and ends with all of it")
  func progress() async throws {
    let folder = try TemporaryFolder()
    try dataSet(in: folder)
    var last: [String: (Int, Int)] = [:]
    _ = try await TrainingData(folder: folder.url.path, configuration: configuration()) {
      last[$0.activity] = ($0.done, $0.total)
    }
    #expect(last["reading training images"] ?? (0, 0) == (12, 12))
    #expect(last["reading test images"] ?? (0, 0) == (6, 6))
  }

  @Test("Labels of some images only are no labels")
  func labels() async throws {
    let folder = try TemporaryFolder()
    let path = try folder.write("a.png", Fixtures.image(1))
    let items = [DataItem(name: "a", path: path, label: .normal), DataItem(name: "b", path: path)]
    #expect(try await PreparedImages(items, for: Fixtures.unit(32)).abnormalities == nil)
    let known = try await PreparedImages(Array(items.prefix(1)), for: Fixtures.unit(32))
    #expect(known.abnormalities == [false])
    #expect(known.prefix(0).count == 0)
  }
}
