import Foundation
import MedicalImaging
import Testing
import Torch

@testable import Norma

/// What detectors are handed, against what is known of the images without `Scorer`.
@Suite("From images to batches for scoring")
struct ScoringBatchTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func scorer(_ specification: InputSpecification, batchSize: Int) throws -> Scorer {
    let scorer = Scorer(
      try ConvolutionDetector(channels: 1), specification: specification,
      calibration: Calibration(scores: [:], mapRanges: [:]), device: .cpu)
    _ = try scorer.setBatchSize(.fixed(batchSize), images: 1, explains: false)
    return scorer
  }

  private func volumes(_ count: Int, extents: [Int], change: (inout Volume3D) -> Void = { _ in }) throws -> [DataItem] {
    try (0..<count).map { index in
      var volume = Fixtures.volume(index, extents: extents)
      change(&volume)
      return DataItem(name: "\(index)", path: try folder.write("\(index).nii.gz", volume))
    }
  }

  private func slices(_ extents: [Int]) -> InputSpecification {
    var input = InputConfiguration()
    (input.intensity, input.views, input.window, input.aspect) = (.standardised, .slices, [0, 10], .pad)
    return InputSpecification(extents: extents, intensity: input)
  }

  @Test(
    "The views that are wanted come in order, numbered, in full batches but for the last, each as training sees it",
    arguments: [nil, [0, 1, 4, 5, 8]])
  func views(_ chosen: [Int]?) async throws {
    let specification = slices([7, 7])
    let items = try volumes(3, extents: [3, 4, 6])
    let order = chosen ?? Array(0..<9)
    for limit in [Int.max, 0] {
      let images = try await PreparedImages(items, for: specification, memoryLimit: limit)
      #expect(images.views.count == 9 && images.views.indices.allSatisfy { images.placement(ofView: $0).isPadded })
      var batches: [ViewBatch] = []
      try scorer(specification, batchSize: 2).forEachBatch(of: images, views: chosen) { batches.append($0) }
      #expect(batches.map(\.views.count) == Array(repeating: 2, count: order.count / 2) + [1])
      #expect(batches.flatMap(\.indices) == Array(order.indices))
      for batch in batches {
        let places = batch.indices.map { order[$0] }
        #expect(
          batch.views.map { ImageView(image: $0.image.index, number: $0.number) } == places.map { images.views[$0] })
        #expect(batch.views.map(\.image.item) == places.map { items[images.views[$0].image] })
        let values = try places.map { images.values(ofView: $0, in: try images.values(at: images.views[$0].image)) }
        let expected = try images.batch(values, at: places, on: .cpu)
        #expect(try batch.values.values() as [Float] == expected.values())
      }
    }
  }

  @Test("Progress counts images of files, those that cannot be read among them, and the views of prepared images")
  func progress() async throws {
    var input = InputConfiguration()
    (input.intensity, input.views, input.window, input.overlap) = (.unit, .patches, [0, 10], 0)
    let boxes = InputSpecification(extents: [1, 4, 6], intensity: input)
    let items = try volumes(2, extents: [3, 4, 6])
    let gone = DataItem(name: "gone", path: folder.url.path + "/gone.nii.gz")
    func told(_ score: (Scorer, @escaping ProgressHandler) throws -> Void) throws -> [String] {
      var told: [String] = []
      try score(try scorer(boxes, batchSize: 4)) { told.append("\($0.activity) \($0.done)/\($0.total) \($0.unit)") }
      return told
    }
    let files = try told { scorer, progress in
      try scorer.forEachFinding(
        of: ImageStream(files: [items[0], gone, items[1]], for: boxes, batchSize: 4, keepsSources: false),
        explains: false, allScores: false, failed: { _ in }, progress: progress
      ) { _, _, _ in }
    }
    #expect(files == ["scoring 2/3 images", "scoring 3/3 images"])
    let images = try await PreparedImages(items, for: boxes)
    let views = try told { try $0.score(images, explains: false, progress: $1) { _ in } }
    #expect(views == ["scoring 4/6 patches", "scoring 6/6 patches"])
  }

  @Test("No more files are being read than the next batch wants, and one for each thread")
  func ahead() throws {
    let items = try (0..<9 + Runtime.threads).map {
      DataItem(name: "\($0)", path: try folder.write("\($0).png", Fixtures.image($0, width: 8, height: 8)))
    }
    let stream = ImageStream(files: items, for: Fixtures.unit(8), batchSize: 2, keepsSources: false)
    for (index, item) in items.enumerated() {
      let image = try #require(try stream.next()?.get())
      #expect(image.item == item && image.index == index)
      #expect(stream.work.count == min(1 + Runtime.threads, items.count - index - 1))
    }
    #expect(stream.next() == nil)
  }

  @Test("What members see is read once, and once more where a later one also wants the paired image")
  func members() throws {
    let path = try folder.write("image.nii.gz", Fixtures.volume(1))
    let item = DataItem(name: "image", path: path, pairedPath: try folder.write("paired.nii.gz", Fixtures.volume(2)))
    let (one, two, other) = (Fixtures.volumes(), Fixtures.volumes(channels: 2), Fixtures.volumes([2, 6, 4]))
    for (members, reads) in [([one, one, two, other], 2), ([two, one, other, two], 1), ([one, other, one], 1)] {
      var channels: [Int] = []
      let seen = try InputSpecification(members: members).seen {
        channels.append($0.channels)
        return try $0.read(item)
      }
      #expect(channels.count == reads)
      for (member, prepared) in zip(members, seen.prepared) {
        let expected = try member.prepared(item)
        #expect(prepared.values == expected.values && prepared.placement == expected.placement)
      }
      #expect(seen.prepared.count == members.count)
      #expect(try seen.source == MedicalImage.read(path, isVolume: true))
    }
  }

  @Test("Tilted volumes are named one by one, and counted where there are many", arguments: [5, 6, 8])
  func remarks(_ count: Int) throws {
    let items = try volumes(count, extents: [4, 6, 8]) { $0.affine.z.y = 2 }
    let specification = Fixtures.volumes()
    var told: [ScoringNotice] = []
    try scorer(specification, batchSize: 3).score(files: items, explains: false, tell: { told.append($0) }) { _ in }
    let named = try items.map { item in
      let grid = try MedicalImage.read(item.path, isVolume: true).grid
      return ScoringNotice.remark(try #require(grid.remark(about: item.path)))
    }
    let summary = ScoringNotice.remark("3 more volumes have tilted slices; norma data inspect names them.")
    #expect(told == (count < 8 ? named : named.prefix(5) + [summary]))
  }
}
