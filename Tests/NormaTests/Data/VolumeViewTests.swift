import Foundation
import MedicalImaging
import Testing
import Torch

@testable import Norma

@Suite("Volumes slice by slice and box by box")
struct VolumeViewTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func specification(
    _ extents: [Int], channels: Int = 1, _ change: (inout InputConfiguration) -> Void
  ) -> InputSpecification {
    var input = InputConfiguration()
    (input.intensity, input.window, input.pairedWindow) = (.unit, [0, 10], [-10, 10])
    change(&input)
    return InputSpecification(extents: extents, channels: channels, intensity: input)
  }

  private func item(_ seed: Int, extents: [Int] = [4, 6, 8], paired: Bool = false) throws -> DataItem {
    let path = try folder.write("\(seed).nii.gz", Fixtures.volume(seed, extents: extents))
    let other = paired ? try folder.write("paired/\(seed).nii.gz", moved(seed, extents)) : nil
    return DataItem(name: "\(seed).nii.gz", path: path, label: .normal, pairedPath: other)
  }

  /// Another volume on the grid of volume `seed`.
  private func moved(_ seed: Int, _ extents: [Int]) -> Volume3D {
    var volume = Fixtures.volume(seed + 50, extents: extents)
    volume.affine = Fixtures.volume(seed, extents: extents).affine
    return volume
  }

  /// The sample of a slice's row and column: half a turn in each plane.
  private func shown(_ plane: InputConfiguration.Plane, _ slice: Int, _ row: Int, _ column: Int, _ sides: [Int]) -> Int
  {
    let place =
      switch plane {
      case .axial: [slice, sides[1] - 1 - row, sides[2] - 1 - column]
      case .coronal: [sides[0] - 1 - row, slice, sides[2] - 1 - column]
      case .sagittal: [sides[0] - 1 - row, sides[1] - 1 - column, slice]
      }
    return (place[0] * sides[1] + place[1]) * sides[2] + place[2]
  }

  @Test("Slices are the volume's, shown the radiological way, image before paired image", arguments: [1, 2])
  func slices(_ channels: Int) async throws {
    let (sides, item) = ([4, 6, 8], try item(3, paired: true))
    let (volume, other) = (Fixtures.volume(3), moved(3, [4, 6, 8]))
    for (plane, extents) in [
      (InputConfiguration.Plane.axial, [6, 8]), (.coronal, [4, 8]), (.sagittal, [4, 6]),
    ] {
      let images = try await PreparedImages(
        [item], for: specification(extents, channels: channels) { ($0.views, $0.plane) = (.slices, plane) })
      #expect(images.count == 1 && images.views.count == sides[plane.axis])
      let values = try images.values(at: 0)
      for view in images.views.indices {
        var expected: [Float] = []
        for (samples, low, high) in [(volume.samples, 0, 10), (other.samples, -10, 10)].prefix(channels) {
          for row in 0..<extents[0] {
            for column in 0..<extents[1] {
              let sample = samples[shown(plane, view, row, column, sides)]
              expected.append((sample - Float(low)) / Float(high - low))
            }
          }
        }
        #expect(largestDifference(images.values(ofView: view, in: values), expected) < 1e-6, "\(plane) \(view)")
      }
    }
  }

  @Test(
    "Steps spread the slices that are seen, each in the middle of its share",
    arguments: [(9, 1), (9, 3), (10, 3), (2, 5), (7, 2)])
  func steps(_ depth: Int, _ step: Int) async throws {
    let expected = [
      [9, 1]: Array(0..<9), [9, 3]: [1, 4, 7], [10, 3]: [1, 5, 8], [2, 5]: [1], [7, 2]: [0, 2, 4, 6],
    ]
    let images = try await PreparedImages(
      [item(1, extents: [depth, 4, 4])], for: specification([4, 4]) { ($0.views, $0.sliceStep) = (.slices, step) })
    guard case .slices(let slices) = images.layouts[0] else {
      Issue.record("no slices")
      return
    }
    #expect(slices.seen == expected[[depth, step]])
    let all = try await PreparedImages(images.items, for: specification([4, 4]) { $0.views = .slices })
    let (values, whole) = (try images.values(at: 0), try all.values(at: 0))
    for (view, slice) in slices.seen.enumerated() {
      #expect(images.values(ofView: view, in: values) == all.values(ofView: slice, in: whole))
    }
  }

  @Test("A slice is prepared as the same image on its own is: size, padding, contrast")
  func alike() async throws {
    let volume = Fixtures.volume(3, extents: [3, 20, 30])
    for aspect in InputConfiguration.Aspect.allCases {
      let change: (inout InputConfiguration) -> Void = {
        ($0.aspect, $0.clahe.clipLimit, $0.clahe.tiles) = (aspect, 0.03, 3)
      }
      let images = try await PreparedImages(
        [item(3, extents: [3, 20, 30])],
        for: specification([17, 17]) {
          change(&$0)
          $0.views = .slices
        })
      let alone = specification([17, 17], change)
      for view in 0..<3 {
        let slice = Array(volume.samples[view * 600..<(view + 1) * 600].reversed())
        let expected = try alone.prepared(Image2D(width: 30, height: 20, samples: slice, range: 0...10))
        let found = images.values(ofView: view, in: try images.values(at: 0))
        // An odd rest of padding lies on the other side of what is turned.
        let shift = aspect == .pad ? images.placement(ofView: view).axes[0].offset - 3 : 0
        #expect(shift == 0)
        #expect(largestDifference(found, expected) < 1e-5, "\(aspect) \(view)")
      }
    }
  }

  @Test(
    "Boxes cover a volume with the overlap that is asked for, the last one flush, and their shares add up to one",
    arguments: [([7, 9, 20], 0.5), ([4, 8, 8], 0.0), ([3, 30, 8], 0.75), ([11, 8, 9], 0.9)])
  func boxes(_ sides: [Int], _ overlap: Double) async throws {
    let extents = [4, 8, 8]
    let images = try await PreparedImages(
      [item(2, extents: sides)], for: specification(extents) { ($0.views, $0.overlap) = (.patches, overlap) })
    guard case .patches(let patches) = images.layouts[0] else {
      Issue.record("no patches")
      return
    }
    for axis in 0..<3 {
      let field = max(sides[axis], extents[axis])
      let starts = patches.starts[axis]
      #expect(starts.first == 0 && starts.last == field - extents[axis] && starts == Array(Set(starts)).sorted())
      for (start, next) in zip(starts, starts.dropFirst()) {
        #expect(Double(start + extents[axis] - next) >= overlap * Double(extents[axis]) || next - start == 1)
      }
    }
    var sum = [Float](repeating: 0, count: patches.field.axes.reduce(1) { $0 * $1.count })
    for number in 0..<patches.count {
      patches.add([Float](repeating: 1, count: 256), of: number, to: &sum)
    }
    #expect(sum.allSatisfy { abs($0 - 1) < 1e-5 })
    // Boxes hold the volume's own samples.
    let volume = Fixtures.volume(2, extents: sides).samples.map { $0 / 10 }
    var joined = JoinedMap(images.layouts[0])
    for view in images.views.indices {
      let values = images.values(ofView: view, in: try images.values(at: 0))
      try joined.add(Tensor(values, shape: extents), of: view)
    }
    let back = try AnomalyMap(joined.tensor(), at: images.placements[0])
    #expect(back.grid == Fixtures.volume(2, extents: sides).grid && largestDifference(back.values, volume) < 1e-5)
  }

  @Test("A box of two channels holds both, and knows where it is padded")
  func paddedBoxes() async throws {
    let images = try await PreparedImages(
      [item(4, paired: true)], for: specification([7, 4, 4], channels: 2) { $0.views = .patches })
    #expect(images.views.count == 1 * 2 * 3)
    let values = try images.values(at: 0)
    let samples = [Fixtures.volume(4).samples.map { $0 / 10 }, moved(4, [4, 6, 8]).samples.map { ($0 + 10) / 20 }]
    for (view, start) in [[0, 0], [0, 2], [0, 4], [2, 0], [2, 2], [2, 4]].enumerated() {
      var expected: [Float] = []
      for channel in samples {
        for z in -1..<6 {
          for y in start[0]..<start[0] + 4 {
            for x in start[1]..<start[1] + 4 { expected.append((0..<4).contains(z) ? channel[(z * 6 + y) * 8 + x] : 0) }
          }
        }
      }
      #expect(largestDifference(images.values(ofView: view, in: values), expected) < 1e-6)
      let placement = images.placement(ofView: view)
      #expect(placement.axes.map(\.covered) == [1..<5, 0..<4, 0..<4])
    }
  }

  @Test("An epoch sees every slice once, or as many of each volume as it is told, and few volumes at a time")
  func order() async throws {
    let images = try await PreparedImages(
      (0..<20).map { try item($0, extents: [3 + $0 % 4, 4, 4]) }, for: specification([4, 4]) { $0.views = .slices })
    func drawn(_ perImage: Int, _ isAtHand: Bool, seed: UInt64 = 1) -> [Int] {
      var random = SeededGenerator(seed: seed)
      return images.shuffledViews(perImage: perImage, isAtHand: isAtHand, using: &random)
    }
    for isAtHand in [true, false] {
      #expect(drawn(0, isAtHand).sorted() == Array(images.views.indices))
      #expect(drawn(0, isAtHand) == drawn(0, isAtHand) && drawn(0, isAtHand) != drawn(0, isAtHand, seed: 2))
      let some = drawn(2, isAtHand)
      #expect(Set(some).count == 40)
      #expect(Dictionary(grouping: some) { images.views[$0].image }.values.allSatisfy { $0.count == 2 })
      #expect(Set(some) != Set(drawn(2, isAtHand, seed: 2)))
    }
    // Eight volumes, then eight others, then the last four.
    let parts = drawn(2, false)
    for part in [parts[..<16], parts[16..<32], parts[32...]] {
      #expect(Set(part.map { images.views[$0].image }).count == part.count / 2)
    }
  }

  @Test("Volumes that do not fit into memory give the same batches, in any order", arguments: [0, 1, 300, 2000])
  func memory(_ limit: Int) async throws {
    let items = try (0..<12).map { try item($0, extents: [3, 4, 4]) }
    let specification = specification([4, 4]) { $0.views = .slices }
    let cached = try await PreparedImages(items, for: specification)
    let limited = try await PreparedImages(items, for: specification, memoryLimit: limit)
    #expect(limited.placements == cached.placements && limited.views == cached.views && cached.bytes == 12 * 192)
    #expect((0..<12).map { limited.isInMemory($0) } == (0..<12).map { ($0 + 1) * 192 <= limit })
    var random = SeededGenerator(seed: 5)
    let order = random.shuffled(Array(cached.views.indices))
    let (a, b) = (
      BatchLoader(cached, order: order, batchSize: 5), BatchLoader(limited, order: order, batchSize: 5)
    )
    var seen: [Int] = []
    while let batch = try a.next(), let other = try b.next() {
      #expect(batch.values == other.values && batch.indices == other.indices)
      #expect(
        zip(batch.values, batch.indices).allSatisfy { values, view in
          values
            == Fixtures.volume(cached.views[view].image, extents: [3, 4, 4])
            .samples[cached.views[view].number * 16..<(cached.views[view].number + 1) * 16].reversed().map { $0 / 10 }
        })
      seen += batch.indices
    }
    #expect(seen == order)
  }

  @Test("A field that no memory holds is refused in one sentence")
  func tooLarge() throws {
    let item = try item(1, extents: [60, 4, 4])
    let error = #expect(throws: ImageError.self) {
      try specification([8192, 8192]) { $0.views = .slices }.prepared(item)
    }
    #expect(
      error?.description.contains("cut into slices it has more than") == true, "\(String(describing: error))")
  }

  @Test(
    "Keys that do not go together are named",
    arguments: [
      ("views", "slices", [8, 8, 8], "whole or patches, as the method takes volumes"),
      ("views", "patches", [8, 8], "whole, or slices of volumes, as the method takes images"),
      ("aspect", "pad", [8, 8, 8], "stretch while input.views is patches"),
      ("spacing", "[4.0, 4.0]", [8, 8], "three numbers, for z, y and x,"),
      ("sliceStep", "0", [8, 8], "1 to 1000"), ("overlap", "0.95", [8, 8, 8], "0 to 0.9"),
      ("viewsPerImage", "-1", [8, 8], "0 (all) or a number"),
    ])
  func validation(_ key: String, _ value: String, _ extents: [Int], _ allowed: String) {
    var input = InputConfiguration()
    input.views = extents.count == 2 ? .slices : .patches
    switch key {
    case "views": input.views = extents.count == 2 ? .patches : .slices
    case "aspect": input.aspect = .pad
    case "spacing": input.spacing = [4, 4]
    case "sliceStep": input.sliceStep = 0
    case "overlap": input.overlap = 0.95
    default: input.viewsPerImage = -1
    }
    let error = #expect(throws: ConfigurationError.self) { try input.validate(extents: extents) }
    #expect(error?.description.hasPrefix("configuration key 'input.\(key)' is \(value); it may be \(allowed)") == true)
  }
}
