import Foundation
import MedicalImaging
import Norma
import Testing

@testable import NormaCLI

@Suite("Files of results, written while others are scored")
struct ResultFilesTests {
  let folder: TemporaryFolder
  let trained: TrainedRun

  init() throws { (folder, trained) = (try TemporaryFolder(), try TrainedRun.shared.get()) }

  /// A detector, and what it says about all test images.
  private func results() throws -> (detector: Checkpoint, reading: Scorer.Reading, results: [AnomalyResult]) {
    let detector = try Checkpoint(contentsOf: URL(fileURLWithPath: trained.checkpoint))
    let scorer = try Scorer(checkpoint: detector, device: .cpu)
    var results: [AnomalyResult] = []
    try scorer.score(files: ImageDataSet.files(at: [trained.test]).items, explains: true) { results.append($0) }
    return (detector, scorer.reading, results)
  }

  @Test("Every result has its file, the same as if it were written alone", arguments: [false, true])
  func all(isOne: Bool) throws {
    let (_, reading, results) = try results()
    let files = ResultFiles(maps: folder.path("maps"), dicom: nil, reading: reading, isOne: isOne)
    var notices: [ResultFiles.Notice] = []
    for (number, result) in results.enumerated() { notices += try files.write(result, named: "\(number)") }
    notices += try files.finish()
    #expect(notices.isEmpty && results.count == 12)
    for (number, result) in results.enumerated() {
      try MapFiles.write(result, named: "\(number)", to: folder.path("alone"), from: reading)
      let data = try ["maps", "alone"].map {
        try Data(contentsOf: URL(fileURLWithPath: folder.path("\($0)/\(number).png")))
      }
      #expect(data[0] == data[1], "\(number)")
    }
  }

  @Test("What goes wrong with a file is thrown: at once where nothing is ahead, else by a later one or in the end")
  func failure() throws {
    let (_, reading, results) = try results()
    let blocked = try folder.write("blocked", "a file") + "/maps"
    let alone = ResultFiles(maps: blocked, dicom: nil, reading: reading, isOne: true)
    let error = #expect(throws: OutputError.self) { try alone.write(results[0], named: "0") }
    #expect(error?.path.hasPrefix(folder.path("blocked")) == true)
    // The last one of many is still waiting when there is no later one.
    try FileManager.default.createDirectory(
      atPath: folder.path("maps/\(results.count - 1).png/in the way"), withIntermediateDirectories: true)
    let files = ResultFiles(maps: folder.path("maps"), dicom: nil, reading: reading, isOne: false)
    #expect(throws: (any Error).self) {
      for (number, result) in results.enumerated() { _ = try files.write(result, named: "\(number)") }
      _ = try files.finish()
    }
    #expect(exists(folder.path("maps/\(results.count - 2).png")))
  }

  @Test("What is to be said about a result comes in the results' order, none is lost", arguments: [false, true])
  func notices(isOne: Bool) throws {
    let (detector, reading, results) = try results()
    let files = ResultFiles(
      maps: folder.path("maps"), dicom: DICOMFiles(folder: folder.path("results"), detector: detector.metadata),
      reading: reading, isOne: isOne)
    var notices: [ResultFiles.Notice] = []
    for (number, result) in results.enumerated() {
      notices += try files.write(result, named: "\(number)")
      if isOne { #expect(notices.count == number + 1) }
    }
    notices += try files.finish()
    #expect(notices.count == results.count && notices.allSatisfy(\.isFailure))
    for (notice, result) in zip(notices, results) {
      #expect(notice.text.hasPrefix("\(result.item.path) cannot be used: it is no DICOM"))
    }
    #expect(results.indices.allSatisfy { exists(folder.path("maps/\($0).png")) })
  }

  @Test("Files for the archive are numbered in the results' order")
  func numbering() throws {
    let (detector, reading, _) = try results()
    let scorer = try Scorer(checkpoint: detector, device: .cpu)
    let items = try (0..<10).map { number in
      let samples = (0..<64 * 64).map { UInt16(($0 + number) * 37 % 4096) }
      let file = folder.url.appendingPathComponent("\(number).dcm")
      try DICOMSlice(samples: samples, position: nil, number: number + 1).file.write(to: file)
      return DataItem(name: "\(number)", path: file.path)
    }
    let files = ResultFiles(
      maps: nil, dicom: DICOMFiles(folder: folder.path("archive"), detector: detector.metadata), reading: reading,
      isOne: false)
    try scorer.score(files: items, explains: true) { _ = try files.write($0, named: $0.item.name) }
    _ = try files.finish()
    let numbers = try (0..<10).map { number in
      try #require(
        try DICOMImage.read(folder.path("archive/\(number)-overlay.dcm")).header.instanceNumber)
    }
    #expect(zip(numbers, numbers.dropFirst()).allSatisfy { $0 < $1 })
  }

  @Test("Without a folder nothing is written")
  func nothing() throws {
    let (_, reading, results) = try results()
    let files = ResultFiles(maps: nil, dicom: nil, reading: reading, isOne: false)
    #expect(try files.write(results[0], named: "0").isEmpty && files.finish().isEmpty)
  }
}
