import Foundation
import MedicalImaging
import Testing
import Torch

@testable import Norma

@Suite("Scoring files as they are read")
struct FileScoringTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// Sums what it sees, so that the last bit of a score tells of every value; the map is the input.
  private final class Sums: AnomalyDetector {
    let network = Module()
    var fitted: [String: Tensor] = [:]
    let stages: [TrainingStage] = []
    let scoreNames = ["sum"]
    let batchSize: Int
    /// How many images each batch had.
    var batches: [Int] = []
    init(batchSize: Int) { self.batchSize = batchSize }
    func losses(of update: TrainingUpdate, on batch: Tensor, step: TrainingStep) throws -> Losses {
      throw TorchError("sums", "nothing is trained")
    }
    func didApply(_ update: TrainingUpdate) throws {}
    func fit(_ batches: ((Tensor) throws -> Void) throws -> Void) throws {}
    func scoringBatchSize(on device: Device) -> Int { batchSize }
    func scores(_ batch: Tensor, named names: Set<String>, areReferences: ReferenceMatch) throws -> [String: Tensor] {
      batches.append(batch.extent(0))
      return ["sum": try (batch * 1.000_1).sum(Array(1..<batch.rank))]
    }
    func explanation(of batch: Tensor) throws -> Explanation {
      Explanation(maps: [("seen", try batch.selected(0, axis: 1))], reconstruction: batch)
    }
  }

  private func scorer(_ specification: InputSpecification, batchSize: Int) -> (Scorer, Sums) {
    let detector = Sums(batchSize: batchSize)
    let calibration = Calibration(scores: [:], mapRanges: [:])
    return (Scorer(detector, specification: specification, calibration: calibration, device: .cpu), detector)
  }

  /// Images of several sizes, some of which cannot be read.
  private func items(_ count: Int, broken: Set<Int> = []) throws -> [DataItem] {
    try (0..<count).map { index in
      let path =
        broken.contains(index)
        ? try folder.write("\(index).png", Data("nothing".utf8))
        : try folder.write("\(index).png", Fixtures.image(index, width: 8 + index % 5, height: 11))
      return DataItem(name: "\(index)", path: path)
    }
  }

  private func results(
    _ scorer: Scorer, _ items: [DataItem], tell: (ScoringNotice) -> Void = { _ in }
  ) throws -> [AnomalyResult] {
    var results: [AnomalyResult] = []
    try scorer.score(files: items, explains: true, tell: tell) { results.append($0) }
    return results
  }

  @Test(
    "Each image has the score, to the bit, that it has when all are prepared first, in batches that are as full",
    arguments: [1, 3, 32])
  func equality(batchSize: Int) async throws {
    let items = try items(11, broken: [0, 4, 5, 10])
    let (streaming, seen) = scorer(Fixtures.unit(8), batchSize: batchSize)
    var told: [ScoringNotice] = []
    let streamed = try results(streaming, items) { told.append($0) }
    let prepared = try await PreparedImages(items, for: streaming.specification)
    for limit in [Int.max, 0] {
      let images = try await PreparedImages(items, for: streaming.specification, memoryLimit: limit)
      let (preparing, also) = scorer(Fixtures.unit(8), batchSize: batchSize)
      var expected: [AnomalyResult] = []
      try preparing.score(images, explains: true) { expected.append($0) }
      #expect(streamed.map(\.item) == expected.map(\.item) && streamed.count == 7)
      #expect(streamed.map(\.score) == expected.map(\.score))
      #expect(streamed.map(\.maps[0].map) == expected.map(\.maps[0].map))
      #expect(seen.batches == also.batches)
      #expect(try preparing.rawScores(of: images)["sum"] == streamed.map(\.score))
    }
    #expect(told == prepared.failures.map { .failure($0.reason) })
  }

  @Test(
    "So have volumes that are seen slice by slice or box by box",
    arguments: [InputConfiguration.Views.slices, .patches])
  func views(_ views: InputConfiguration.Views) async throws {
    var input = InputConfiguration()
    (input.intensity, input.views, input.window) = (.unit, views, [0, 10])
    let specification = InputSpecification(extents: views == .slices ? [6, 5] : [3, 4, 4], intensity: input)
    var items = try (0..<4).map { index in
      DataItem(
        name: "\(index)", path: try folder.write("\(index).nii.gz", Fixtures.volume(index, extents: [4 + index, 6, 8])))
    }
    items.insert(DataItem(name: "gone", path: folder.url.path + "/gone.nii.gz"), at: 2)
    let (scorer, detector) = scorer(specification, batchSize: 3)
    var expected: [AnomalyResult] = []
    let images = try await PreparedImages(items, for: specification)
    try scorer.score(images, explains: true) { expected.append($0) }
    let batches = detector.batches
    let streamed = try results(scorer, items)
    #expect(streamed.count == 4 && streamed.map(\.item) == expected.map(\.item))
    #expect(streamed.map(\.score) == expected.map(\.score))
    #expect(streamed.map(\.maps[0].map) == expected.map(\.maps[0].map))
    #expect(detector.batches == batches + batches && batches.dropLast().allSatisfy { $0 == 3 })
  }

  @Test("A result comes with the image it is about; prepared images no longer have theirs")
  func sources() async throws {
    let items = try items(3)
    let (scorer, _) = scorer(Fixtures.unit(8), batchSize: 2)
    for result in try results(scorer, items) {
      #expect(try result.source == MedicalImage.read(result.item.path, isVolume: false))
    }
    try scorer.score(files: items, explains: false) { #expect($0.source == nil) }
    try await scorer.score(PreparedImages(items, for: scorer.specification), explains: true) {
      #expect($0.source == nil)
    }
  }

  @Test("What goes wrong with a result ends the scoring there")
  func stopping() throws {
    struct Full: Error {}
    let (scorer, _) = scorer(Fixtures.unit(8), batchSize: 2)
    var handled: [String] = []
    #expect(throws: Full.self) {
      try scorer.score(files: items(9), explains: false) {
        handled.append($0.item.name)
        if handled.count == 4 { throw Full() }
      }
    }
    #expect(handled == ["0", "1", "2", "3"])
  }

  @Test("Files of the other kind are told one by one where others can be scored, and in one sentence where none can")
  func otherKind() throws {
    let volumes = try (0..<2).map { index in
      DataItem(
        name: "v\(index)", path: try folder.write("v\(index).nii.gz", Fixtures.volume(index, extents: [4, 6, 8])))
    }
    let (scorer, _) = scorer(Fixtures.unit(8), batchSize: 2)
    let errors = volumes.map { ImageError.otherKind(path: $0.path, isVolume: true) }
    var told: [ScoringNotice] = []
    #expect(throws: errors[0]) { try results(scorer, volumes) { told.append($0) } }
    #expect(told.isEmpty)
    #expect(try results(scorer, volumes + items(1)) { told.append($0) }.map(\.item.name) == ["0"])
    #expect(told == errors.map { .failure($0) })
    told = []
    let broken = DataItem(name: "gone", path: folder.url.path + "/gone.png")
    #expect(try results(scorer, [volumes[0], broken]) { told.append($0) }.isEmpty)
    #expect(told == [.failure(errors[0]), .failure(.missing(path: broken.path))])
  }

  @Test("What is worth knowing of a file is told before the next result; files of the other kind with the first result")
  func order() throws {
    let (images, volume) = (try items(2), try folder.write("v.nii.gz", Fixtures.volume(1, extents: [4, 6, 8])))
    let other = DataItem(name: "v", path: volume)
    let gone = DataItem(name: "gone", path: folder.url.path + "/gone.png")
    let (scorer, _) = scorer(Fixtures.unit(8), batchSize: 1)
    func events(_ items: [DataItem]) throws -> [String] {
      var events: [String] = []
      func tell(_ notice: ScoringNotice) {
        events.append(
          notice == .failure(.missing(path: gone.path))
            ? "gone" : notice == .failure(.otherKind(path: volume, isVolume: true)) ? "other" : "?")
      }
      try scorer.score(files: items, explains: false, tell: tell) { events.append($0.item.name) }
      return events
    }
    #expect(try events([other, images[0], other, images[1]]) == ["other", "0", "other", "1"])
    #expect(try events([images[0], other, gone, images[1]]) == ["0", "other", "gone", "1"])
    #expect(try events([images[0], other]) == ["0", "other"])
  }

  @Test("An ensemble scores files as it scores prepared images")
  func ensemble() async throws {
    let (first, second) = (Fixtures.unit(8), Fixtures.unit(6))
    let specification = InputSpecification(members: [first, second, first])
    let items = try items(5, broken: [1])
    let images = try await PreparedImages(items, for: specification)
    let stream = ImageStream(files: items, for: specification, batchSize: 2, keepsSources: false)
    var read: [StreamedImage] = []
    while let next = stream.next() { if case .success(let image) = next { read.append(image) } }
    #expect(read.map(\.item) == images.items && read.map(\.index) == [0, 2, 3, 4])
    for (number, image) in read.enumerated() {
      for (member, seen) in zip(images.members, image.prepared) {
        #expect(try seen.values == member.values(at: number))
        #expect(seen.placement == member.placements[number])
      }
    }
  }
}
