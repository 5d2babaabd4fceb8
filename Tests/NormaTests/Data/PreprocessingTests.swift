import Foundation
import MedicalImaging
import Testing
import Torch

@testable import Norma

@Suite("Intensities before a network")
struct PreprocessingTests {
  @Test("Percentiles are numpy's", arguments: 0..<5)
  func percentiles(_ index: Int) throws {
    let golden = try PreprocessingGolden.load().percentiles[index]
    let range = try Percentiles.range(golden.percents, of: Tensor(golden.values))
    #expect(largestDifference([range.lowerBound, range.upperBound], golden.expected) < 2e-5)
  }

  @Test("Percentiles of each image are black and white, so that its exposure drops out; paired images have their own")
  func exposure() throws {
    let folder = try TemporaryFolder()
    let input = Fixtures.input { ($0.window, $0.percentiles, $0.pairedPercentiles) = ([], [10, 90], [0, 50]) }
    let specification = InputSpecification(extents: [1, 1, 11], channels: 2, intensity: input)
    let ramp = (0...10).map { Float($0 * $0) }
    func values(_ samples: [Float], paired: [Float]) throws -> [Float] {
      func write(_ name: String, _ samples: [Float]) throws -> String {
        try folder.write(name, Fixtures.volume(samples, extents: [1, 1, 11], spacing: [1, 1, 1]))
      }
      return try specification.prepared(
        DataItem(name: "a", path: write("a.nii.gz", samples), pairedPath: write("b.nii.gz", paired))
      ).values
    }
    // The 10th percentile is the second value, 1; the 90th the last but one, 81; the 50th the middle one, 25.
    let expected = ramp.map { min(max(($0 - 1) / 80, 0), 1) } + ramp.map { min($0 / 25, 1) }
    #expect(largestDifference(try values(ramp, paired: ramp), expected) < 1e-6)
    #expect(largestDifference(try values(ramp.map { $0 * 30 + 700 }, paired: ramp), expected) < 1e-4)
    let window = try specification.window(
      of: .volume(Fixtures.volume(ramp, extents: [1, 1, 11], spacing: [1, 1, 1])))
    #expect(window == 1...81)
  }

  @Test("Percentiles are those of the part that the network sees")
  func seen() throws {
    let input = Fixtures.input { ($0.window, $0.percentiles, $0.spacing) = ([], [0, 100], [1, 1, 1]) }
    let specification = InputSpecification(extents: [1, 1, 3], intensity: input)
    let volume = Fixtures.volume([90, -4, 2, 8, -90], extents: [1, 1, 5], spacing: [1, 1, 1])
    #expect(try specification.window(of: .volume(volume)) == -4...8)
  }

  /// Pixels of one grey level share a bin; a difference of one level of a tile's curve is at most 1/16383 of the range.
  @Test("Equalised contrast is scikit-image's equalize_adapthist to 2e-4, of images and volumes", arguments: 0..<5)
  func equalisation(_ index: Int) throws {
    let golden = try PreprocessingGolden.load().equalisation[index]
    var configuration = EqualisationConfiguration()
    (configuration.clipLimit, configuration.tiles) = (golden.clipLimit, golden.tiles)
    let found = ContrastEqualisation(configuration)(golden.levels.map { $0 / 65535 }, extents: golden.extents)
    #expect(largestDifference(found, golden.expected) < 2e-4)
  }

  @Test("Contrast is equalised after the window, at the network's size, without the padding")
  func equalisedInput() throws {
    let golden = try PreprocessingGolden.load().equalisation[0]
    let image = Image2D(width: 50, height: 40, samples: golden.levels.map { $0 * 2 + 100 }, range: 0...1)
    let input = Fixtures.input {
      ($0.window, $0.aspect) = ([100, 131_170], .pad)
      ($0.clahe.clipLimit, $0.clahe.tiles) = (golden.clipLimit, golden.tiles)
    }
    let values = try InputSpecification(extents: [50, 50], intensity: input).prepared(image)
    #expect(largestDifference(Array(values[250..<2250]), golden.expected) < 2e-4)
    #expect((values[..<250] + values[2250...]).allSatisfy { $0 == 0 })
  }

  @Test("A paired image keeps its values where the image's contrast is equalised")
  func paired() throws {
    let folder = try TemporaryFolder()
    let (pet, ct) = (Fixtures.volume(1), Fixtures.volume(2))
    try folder.write("a.nii.gz", pet)
    let path = try folder.write(
      "b.nii.gz", Volume3D(width: 8, height: 6, depth: 4, samples: ct.samples, affine: pet.affine))
    var specification = Fixtures.volumes(channels: 2)
    var input = specification.intensity
    input.clahe.clipLimit = 0.1
    specification = InputSpecification(extents: [4, 6, 8], channels: 2, intensity: input)
    let values = try specification.prepared(
      DataItem(name: "a", path: folder.url.appendingPathComponent("a.nii.gz").path, pairedPath: path)
    ).values
    #expect(Array(values[192...]) == ct.samples.map { ($0 + 10) / 20 })
    #expect(largestDifference(Array(values[..<192]), pet.samples.map { $0 / 10 }) > 0.1)
  }

  @Test("Mean and deviation of a standardised image are those of its own pixels, its padding black")
  func standardised() throws {
    let input = Fixtures.input { ($0.intensity, $0.deviations, $0.aspect) = (.standardised, 2, .pad) }
    let specification = InputSpecification(extents: [8, 8], intensity: input)
    let samples = (0..<32).map { Float($0 % 7) / 10 + 0.2 }
    let image = Image2D(width: 8, height: 4, samples: samples, range: 0...1)
    let square = Fixtures.image(4, width: 8, height: 8)
    let placements = try [MedicalImage.image(image), .image(square)].map { try specification.placement(of: $0) }
    let batch = try specification.batch(
      [specification.prepared(image), square.samples.map { $0 / 255 }], on: .cpu)
    let scaled: [Float] = try specification.scaled(batch, placements: placements).values()
    let mean = samples.reduce(0, +) / 32
    let deviation = (samples.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 32).squareRoot()
    let expected = samples.map { min(max(($0 - mean) / (2 * deviation), -1), 1) }
    let border = [Float](repeating: -1, count: 16)
    #expect(largestDifference(Array(scaled[..<64]), border + expected + border) < 1e-5)
    // An image without padding beside it is what it is alone.
    let alone: [Float] = try specification.scaled(batch.sliced(1..<2, axis: 0)).values()
    #expect(largestDifference(Array(scaled[64...]), alone) < 1e-5)
  }

  @Test("Images are prepared again where anything but the scale differs")
  func reading() throws {
    let changes: [(inout InputConfiguration) -> Void] = [
      { $0.window = [0, 2] }, { $0.pairedWindow = [0, 2] }, { ($0.window, $0.percentiles) = ([], [1, 99]) },
      { $0.pairedPercentiles = [1, 99] }, { $0.clahe.clipLimit = 0.1 }, { $0.clahe.tiles = 3 },
      { $0.aspect = .pad }, { $0.spacing = [1, 1] }, { $0.crop = .body },
    ]
    func specification(_ change: (inout InputConfiguration) -> Void) -> InputSpecification {
      InputSpecification(extents: [8, 8], intensity: Fixtures.input(change))
    }
    let plain = specification { _ in }
    for change in changes { #expect(!specification(change).readsAlike(plain)) }
    #expect(specification { ($0.intensity, $0.deviations) = (.standardised, 1) }.readsAlike(plain))
  }

  @Test("All of it travels with a configuration; one that was stored before has nothing of it")
  func stored() throws {
    var configuration = Fixtures.bandEnergy()
    configuration.input = Fixtures.input {
      ($0.window, $0.percentiles, $0.aspect, $0.crop, $0.spacing) = ([], [0.5, 99.5], .pad, .body, [0.5, 0.25])
      ($0.clahe.clipLimit, $0.clahe.tiles) = (0.01, 4)
    }
    #expect(try ConfigurationFile.read(json: JSONEncoder().encode(configuration)) == configuration)
    #expect(try ConfigurationFile.read(yaml: ConfigurationFile.yaml(configuration), source: "again") == configuration)
    let old =
      #"{"method": "band-energy", "input": {"intensity": "unit", "deviations": 3, "window": [0, 15], "pairedWindow": []}}"#
    let input = try ConfigurationFile.read(json: Data(old.utf8)).input
    #expect(input == Fixtures.input { $0.window = [0, 15] })
    #expect(input.percentiles.isEmpty && input.clahe.clipLimit == 0 && input.aspect == .stretch && input.crop == .none)
  }
}
