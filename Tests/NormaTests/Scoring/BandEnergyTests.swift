import Evaluation
import Foundation
import MedicalImaging
import Testing
import Torch

@testable import Norma

@Suite("Band energies, the yardstick")
struct BandEnergyTests {
  private func batch(_ images: [[Float]], side: Int) throws -> Tensor {
    try Tensor(images.flatMap { $0 }, shape: [images.count, 1, side, side])
  }

  @Test("A blur keeps grey: every row of its matrix sums to 1", arguments: [0.5, 2.0, 8.0, 40.0])
  func rowsSumToOne(_ sigma: Double) {
    let side = 24
    let matrix = GaussianFilter.matrix(sigma: sigma, side: side)
    for row in 0..<side {
      #expect(abs(matrix[row * side..<(row + 1) * side].reduce(0, +) - 1) < 1e-12)
    }
  }

  @Test("The bands and the rest sum to the image")
  func bandsSum() throws {
    let energies = try BandEnergies(sigmas: [1, 2, 4], side: 32, grid: 4, keepsRest: true)
    let images = try batch([Fixtures.image(1).samples, Fixtures.image(2).samples], side: 32)
    let bands = try energies.bands(of: images)
    #expect(bands.count == 4 && energies.bandCount == 4)
    var sum = bands[0]
    for band in bands.dropFirst() { sum = try sum + band }
    #expect(largestDifference(try sum.values(), try images.values() as [Float]) < 1e-3)
  }

  @Test("Energies are those of SciPy's Gaussian filters")
  func scipy() throws {
    let golden = try NormaGolden.load().energies
    let energies = try BandEnergies(sigmas: golden.sigmas, side: golden.side, grid: golden.grid, keepsRest: true)
    let values = try energies(batch([golden.samples], side: golden.side))
    #expect(values.shape == [1, golden.sigmas.count + 1, golden.grid, golden.grid])
    #expect(largestDifference(try values.values(), golden.expected) < 1e-5)
    let withoutRest = try BandEnergies(sigmas: golden.sigmas, side: golden.side, grid: golden.grid, keepsRest: false)
    let fewer = try withoutRest(batch([golden.samples], side: golden.side))
    #expect(try fewer.values() == values.sliced(0..<golden.sigmas.count, axis: 1).values() as [Float])
  }

  /// A detector fitted to phantoms, and the phantoms' configuration.
  private func fitted(_ change: (inout BandEnergyConfiguration) -> Void = { _ in }) async throws -> Scorer {
    let folder = try TemporaryFolder()
    var configuration = Fixtures.bandEnergy()
    if var settings = configuration.detector.settings as? BandEnergyConfiguration {
      change(&settings)
      configuration.detector = DetectorSettings(settings)
    }
    let training = try await Fixtures.phantoms(30, seed: 0, for: configuration, in: folder)
    let detector = try configuration.makeDetector()
    return try Scorer.fitted(detector, to: training, configuration: configuration, device: .cpu)
  }

  private func scores(_ scorer: Scorer, _ images: [[Float]]) throws -> [Float] {
    let batch = try scorer.specification.scaled(scorer.specification.batch(images, on: .cpu))
    return try #require(scorer.detector.scores(batch, areReferences: false)["bandEnergy"]).values()
  }

  @Test("Brightness and contrast do not change the score")
  func exposure() async throws {
    let scorer = try await fitted()
    let image = try scorer.specification.prepared(Fixtures.image(9, width: 64, height: 64))
    let both = try scores(scorer, [image, image.map { 0.3 * $0 + 0.5 }])
    #expect(abs(both[0] - both[1]) < 1e-2 * both[0])
  }

  @Test("Phantoms with lesions score higher than healthy ones")
  func lesions() async throws {
    let folder = try TemporaryFolder()
    let scorer = try await fitted()
    let configuration = Fixtures.bandEnergy()
    let test = try await Fixtures.phantoms(30, abnormal: 15, seed: 1000, for: configuration, in: folder)
    let result = try Evaluator.evaluate(scorer, on: test)
    #expect(result.mainScore == "bandEnergy")
    let scores = try #require(result.scores["bandEnergy"])
    let area = try auroc(LabelledScores(scores: scores, labels: result.labels))
    #expect(area > 0.6)
    #expect(result.figures["bandEnergy"] != nil && result.thresholds["bandEnergy"] != nil)
  }

  @Test("The map has a cell per grid cell and lights up where the image changed", arguments: [(1, 6), (4, 4), (6, 2)])
  func map(_ row: Int, _ column: Int) async throws {
    let scorer = try await fitted { $0.lowPass = false }
    let folder = try TemporaryFolder()
    let normal = try await Fixtures.phantoms(1, seed: 2000, for: Fixtures.bandEnergy(), in: folder)
    var image = try normal.values(at: 0)
    func map() throws -> [Float] {
      let explanation = try scorer.detector.explanation(of: scorer.specification.batch([image], on: .cpu))
      #expect(explanation.maps.map(\.name) == ["bandEnergy"])
      #expect(explanation.maps[0].values.shape == [1, 8, 8])
      #expect(explanation.reconstruction == nil)
      return try explanation.maps[0].values.values()
    }
    let before = try map()
    for y in row * 8..<row * 8 + 8 {
      for x in column * 8..<column * 8 + 8 { image[y * 64 + x] += (x + y) % 2 == 0 ? 0.2 : -0.2 }
    }
    let rises = zip(try map(), before).map { $0 - $1 }
    #expect(rises.firstIndex(of: rises.max() ?? 0) == row * 8 + column)
  }

  @Test("A margin leaves cells at the edge out and the map its size")
  func margin() async throws {
    let scorer = try await fitted { $0.margin = 2 }
    let image = try scorer.specification.prepared(Fixtures.image(9, width: 64, height: 64))
    var edge = image
    for index in 0..<64 * 4 { edge[index] = edge[index] > 0.5 ? 0 : 1 }
    let explanation = try scorer.detector.explanation(of: scorer.specification.batch([image], on: .cpu))
    let map: [Float] = try explanation.maps[0].values.values()
    #expect(map.count == 64)
    for cell in 0..<64 {
      let inside = (2..<6).contains(cell / 8) && (2..<6).contains(cell % 8)
      #expect((map[cell] > 0) == inside)
    }
    #expect(scorer.detector.fitted["bandEnergy.references"]?.shape == [30, 6 * 16])
  }

  @Test("A detector that saw nothing says so")
  func unfitted() throws {
    let detector = try BandEnergyDetector(BandEnergyConfiguration())
    let error = #expect(throws: TorchError.self) {
      try detector.scores(.zeros([1, 1, 128, 128]), areReferences: false)
    }
    #expect(error?.description == "bandEnergy: the detector has not been fitted to normal images")
    #expect(detector.stages.isEmpty && detector.fitted.isEmpty)
  }

  @Test(
    "Settings that cannot work are named",
    arguments: [
      ("grid=0", "configuration key 'detector.grid' is 0; it may be 1 or more"),
      (
        "imageSize=100",
        "configuration key 'detector.imageSize' is 100; it may be at least 16 and a multiple of grid (8)"
      ),
      ("margin=4", "configuration key 'detector.margin' is 4; it may be 0 or more, with cells left in between"),
      ("neighbours=0", "configuration key 'detector.neighbours' is 0; it may be 1 or more"),
      (
        "sigmas=[2.0, 1.0]",
        "configuration key 'detector.sigmas' is [2.0, 1.0]; it may be one or more numbers in ascending order, above 0 and "
          + "at most 30"
      ),
    ])
  func validation(_ setting: String, _ expected: String) {
    let error = #expect(throws: ConfigurationError.self) {
      try Preset.bandEnergy.configuration(overrides: ["detector." + setting])
    }
    #expect(error?.description == expected)
  }
}
