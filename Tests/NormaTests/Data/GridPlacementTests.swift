import Foundation
import MedicalImaging
import Testing
import Torch

@testable import Norma

@Suite("Where a network's grid lies in an image's")
struct GridPlacementTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// What the network sees of an image, and a map of that, brought back.
  private func roundTrip(
    _ image: MedicalImage, _ specification: InputSpecification
  ) throws -> (seen: [Float], placement: GridPlacement, map: AnomalyMap) {
    let item: DataItem
    switch image {
    case .image(let image):
      let seen = try specification.prepared(image)
      let placement = try specification.placement(of: .image(image))
      let batch = try Tensor(seen, shape: [1] + specification.extents)
      return (seen, placement, try AnomalyMap.maps(batch, at: [placement])[0])
    case .volume(let volume):
      let path = try folder.write("\(UUID().uuidString).nii.gz", volume)
      item = DataItem(name: "volume", path: path)
    }
    let prepared = try specification.prepared(item)
    let batch = try Tensor(prepared.values, shape: [1] + specification.extents)
    return (prepared.values, prepared.placement, try AnomalyMap.maps(batch, at: [prepared.placement])[0])
  }

  private func image(_ samples: [Float], _ extents: [Int], spacing: PixelSpacing? = nil) -> MedicalImage {
    .image(Image2D(width: extents[1], height: extents[0], samples: samples, range: 0...1, spacing: spacing))
  }

  /// A smooth image or volume of 0.2 ... 0.8, its waves `length` samples long.
  private func waves(_ extents: [Int], length: Double = 12) -> [Float] {
    let strides = extents.indices.map { extents[($0 + 1)...].reduce(1, *) }
    return (0..<extents.reduce(1, *)).map { sample in
      let sum = extents.indices.reduce(0.0) { sum, axis in
        sum + cos(2 * .pi * Double(sample / strides[axis] % extents[axis]) / length + Double(axis))
      }
      return Float(0.5 + 0.3 * sum / Double(extents.count))
    }
  }

  // MARK: Against Pillow and SciPy

  @Test("Padding keeps the aspect as Pillow's ImageOps.pad does", arguments: 0..<4)
  func padding(_ index: Int) throws {
    let golden = try PreprocessingGolden.load().padding[index]
    let specification = InputSpecification(extents: golden.network, intensity: Fixtures.input { $0.aspect = .pad })
    let seen = try roundTrip(image(golden.samples, golden.extents), specification).seen
    #expect(largestDifference(seen, golden.expected) < 1e-5)
    #expect(seen.contains(0) == (golden.extents[0] != golden.extents[1]))
  }

  @Test("A volume at a given spacing is Pillow's, and its map comes back as SciPy reads it", arguments: 0..<2)
  func placing(_ index: Int) throws {
    let golden = try PreprocessingGolden.load().placing[index]
    let volume = Fixtures.volume(golden.samples, extents: golden.extents, spacing: golden.spacing)
    let specification = InputSpecification(
      extents: golden.network, intensity: Fixtures.input { $0.spacing = golden.target })
    let (seen, placement, _) = try roundTrip(.volume(volume), specification)
    #expect(largestDifference(seen, golden.expected) < 1e-5)
    let map = try AnomalyMap.maps(Tensor(golden.map, shape: [1] + golden.network), at: [placement])[0]
    #expect(map.grid == volume.grid)
    #expect(largestDifference(map.values, golden.back) < 1e-4)
  }

  // MARK: Round trips

  @Test(
    "A map of what the network sees equals the image, on its own grid, without the padding",
    arguments: [[40, 64], [64, 40], [64, 64], [31, 50]])
  func images(_ extents: [Int]) throws {
    let samples = waves(extents)
    let specification = InputSpecification(extents: [64, 64], intensity: Fixtures.input { $0.aspect = .pad })
    let (_, placement, map) = try roundTrip(image(samples, extents), specification)
    #expect(map.grid == ImageGrid(extents: extents) && placement.seesWhole)
    #expect(largestDifference(map.values, samples) < (extents.contains(64) ? 1e-6 : 0.02))
  }

  @Test("A marked region of a volume with unequal spacing lands where it was, in millimetres")
  func region() throws {
    let (extents, spacing) = ([14, 40, 28], [6.0, 2.0, 3.0])
    let marked = (0..<extents.reduce(1, *)).map { sample -> Bool in
      let (z, y, x) = (sample / (40 * 28), sample / 28 % 40, sample % 28)
      return (4..<8).contains(z) && (20..<32).contains(y) && (9..<17).contains(x)
    }
    let volume = Fixtures.volume(marked.map { $0 ? 1 : 0 }, extents: extents, spacing: spacing)
    for change: (inout InputConfiguration) -> Void in [
      { $0.aspect = .pad }, { $0.spacing = [4, 4, 4] }, { $0.crop = .body }, { ($0.crop, $0.aspect) = (.body, .pad) },
    ] {
      let specification = InputSpecification(extents: [24, 24, 24], intensity: Fixtures.input(change))
      let map = try roundTrip(.volume(volume), specification).map
      #expect(map.grid == volume.grid)
      let found = map.values.map { $0 > 0.5 }
      let both = zip(found, marked).count { $0 && $1 }
      let dice = 2 * Double(both) / Double(found.count { $0 } + marked.count { $0 })
      #expect(dice > 0.85)
      // The middle of what is found, in millimetres, is the region's: z, y, x.
      func middle(_ mask: [Bool]) -> [Double] {
        let members = mask.indices.filter { mask[$0] }
        return [(40 * 28, 14), (28, 40), (1, 28)].enumerated().map { axis, sides in
          members.reduce(0) { $0 + Double($1 / sides.0 % sides.1) } / Double(members.count) * spacing[axis]
        }
      }
      #expect(zip(middle(found), middle(marked)).allSatisfy { abs($0 - $1) < 1.5 }, "\(middle(found))")
    }
  }

  @Test("What the network does not see is zero in a map, or as little as anything it sees; the rest is the image")
  func outside() throws {
    let (extents, samples) = ([20, 30, 26], waves([20, 30, 26]))
    let volume = Fixtures.volume(samples, extents: extents, spacing: [1, 1, 1])
    let specification = InputSpecification(
      extents: [16, 16, 16], intensity: Fixtures.input { $0.spacing = [1, 1, 1] })
    let (_, placement, map) = try roundTrip(.volume(volume), specification)
    #expect(placement.axes.map(\.seen) == [2..<18, 7..<23, 5..<21])
    for (sample, value) in map.values.enumerated() {
      let place = [sample / (30 * 26), sample / 26 % 30, sample % 26]
      let isSeen = zip(placement.axes, place).allSatisfy { $0.seen.contains($1) }
      #expect(value == (isSeen ? samples[sample] : 0))
    }
    let negative = try AnomalyMap.maps(Tensor.full(-3, shape: [1, 16, 16, 16]), at: [placement])[0]
    #expect(negative.values.allSatisfy { $0 == -3 })
  }

  @Test(
    "Padding has no influence on a map of any resolution",
    arguments: [[32, 32], [16, 16], [8, 8], [5, 7], [64, 64]])
  func padded(_ sides: [Int]) throws {
    let specification = InputSpecification(extents: [32, 32], intensity: Fixtures.input { $0.aspect = .pad })
    let placement = try specification.placement(of: image(waves([16, 48]), [16, 48]))
    let covered = zip(placement.axes, sides).map { $0.covered(of: $1) }
    #expect(placement.coveredExtents == [11, 32])
    let values = (0..<sides[0] * sides[1]).map { sample in
      covered[0].contains(sample / sides[1]) && covered[1].contains(sample % sides[1]) ? Float(2) : .infinity
    }
    let map = try AnomalyMap.maps(Tensor(values, shape: [1] + sides), at: [placement])[0]
    #expect(map.values.allSatisfy { $0 == 2 } && map.values.count == 16 * 48)
  }

  // MARK: Scales

  @Test("Pixels that are not square count in millimetres; without spacing they count as they are")
  func spacing() throws {
    let specification = InputSpecification(extents: [32, 32], intensity: Fixtures.input { $0.aspect = .pad })
    let samples = waves([40, 40])
    let tall = try specification.placement(of: image(samples, [40, 40], spacing: PixelSpacing(row: 2, column: 1)))
    #expect(tall.coveredExtents == [32, 16])
    #expect(try specification.placement(of: image(samples, [40, 40])).coveredExtents == [32, 32])
    let volume = Fixtures.volume(waves([10, 40, 20]), extents: [10, 40, 20], spacing: [8, 2, 2])
    let cube = InputSpecification(extents: [16, 16, 16], intensity: Fixtures.input { $0.aspect = .pad })
    #expect(try cube.placement(of: .volume(volume)).coveredExtents == [16, 16, 8])
    // At a spacing of images: 40 rows of 2 mm are 80 of 1 mm, of which the middle 32 are seen.
    let fine = InputSpecification(extents: [32, 32], intensity: Fixtures.input { $0.spacing = [1, 2] })
    let placed = try fine.placement(of: image(samples, [40, 40], spacing: PixelSpacing(row: 2, column: 1)))
    #expect(placed.axes.map(\.resampled) == [80, 20] && placed.axes.map(\.seen) == [12..<28, 0..<40])
  }

  @Test(
    "Images as thin as they can be, and images of one value, go there and back",
    arguments: [[1, 200], [200, 1], [1, 1], [3, 1000]])
  func extremes(_ extents: [Int]) throws {
    for crop in [InputConfiguration.Crop.none, .body] {
      let input = Fixtures.input {
        ($0.aspect, $0.crop) = (.pad, crop)
        ($0.clahe.clipLimit, $0.percentiles, $0.window) = (0.02, [1, 99], [])
      }
      let specification = InputSpecification(extents: [16, 16], intensity: input)
      for samples in [waves(extents), [Float](repeating: 0.4, count: extents[0] * extents[1])] {
        let (seen, _, map) = try roundTrip(image(samples, extents), specification)
        #expect(seen.count == 256 && seen.allSatisfy { (0...1).contains($0) })
        #expect(map.grid == ImageGrid(extents: extents) && map.values.allSatisfy { (0...1).contains($0) })
      }
    }
  }

  @Test("A spacing that the file does not tell, or that makes too much of it, is a sentence that names the file")
  func impossible() throws {
    func sentence(_ image: Image2D, spacing: Double) -> String {
      let input = Fixtures.input { $0.spacing = [spacing, spacing] }
      do { return "\(try InputSpecification(extents: [8, 8], intensity: input).prepared(image))" } catch {
        return "\(error)"
      }
    }
    var image = Image2D(
      width: 40, height: 40, samples: waves([40, 40]), range: 0...1, provenance: Provenance(path: "a.png"))
    #expect(
      sentence(image, spacing: 1)
        == "a.png cannot be used: it does not tell how far its samples lie apart, which input.spacing needs; leave "
        + "input.spacing empty for such images.")
    image.spacing = PixelSpacing(row: 1000, column: 1000)
    #expect(
      sentence(image, spacing: 0.001)
        == "a.png cannot be used: at input.spacing it has more than 268435456 samples; give a larger spacing.")
  }

  @Test("Reconstructions cover the image's own space: without padding, or on the image's own grid")
  func reconstructions() throws {
    let volume = Fixtures.volume(waves([10, 20, 20]), extents: [10, 20, 20], spacing: [4, 2, 2])
    let pad = InputSpecification(extents: [16, 16, 32], intensity: Fixtures.input { $0.aspect = .pad })
    let (seen, placement, _) = try roundTrip(.volume(volume), pad)
    #expect(placement.coveredExtents == [16, 16, 16])
    let shown = try pad.images(pad.batch([seen], on: .cpu), at: [placement])[0]
    #expect(shown.grid == volume.grid.resampled(to: [16, 16, 16]))
    #expect(shown.samples == seen.indices.filter { (8..<24).contains($0 % 32) }.map { seen[$0] })

    let narrow = InputSpecification(extents: [4, 8, 8], intensity: Fixtures.input { $0.spacing = [4, 2, 2] })
    let (middle, cut, _) = try roundTrip(.volume(volume), narrow)
    let whole = try narrow.images(narrow.batch([middle], on: .cpu), at: [cut])[0]
    #expect(whole.grid == volume.grid && whole.samples.count { $0 == 0 } == 4000 - 256)
    #expect(whole.samples[(3 * 20 + 6) * 20 + 6] == volume.samples[(3 * 20 + 6) * 20 + 6])
  }
}
