import Evaluation
import Foundation
import MedicalImaging
import Testing
import Torch

@testable import Norma

@Suite("Scoring what was cropped, padded and brought to a spacing")
struct PreprocessedScoringTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// Images 96 × 60 of smooth tissue, an abnormal one with a square of stripes and its mask.
  private func image(_ seed: Int, abnormal: Bool = false) throws -> DataItem {
    let name = "\(seed).png"
    var samples = Fixtures.image(seed, width: 96, height: 60).samples.map { 90 + $0 / 10 }
    guard abnormal else { return DataItem(name: name, path: try folder.write(name, grey(samples)), label: .normal) }
    var mask = [Float](repeating: 0, count: samples.count)
    for row in 12..<26 {
      for column in 60..<76 {
        (samples[row * 96 + column], mask[row * 96 + column]) = ((row + column) % 2 == 0 ? 0 : 250, 255)
      }
    }
    return DataItem(
      name: name, path: try folder.write(name, grey(samples)), label: .abnormal,
      maskPath: try folder.write("mask-" + name, grey(mask)))
  }

  private func grey(_ samples: [Float]) -> Image2D {
    Image2D(width: 96, height: 60, samples: samples.map { $0.rounded() }, range: 0...255)
  }

  @Test("Maps of padded images find what masks mark, on the images' own grids; padding is in no figure")
  func padded() async throws {
    var configuration = Fixtures.bandEnergy()
    configuration.input.aspect = .pad
    (configuration.input.intensity, configuration.input.percentiles) = (.unit, [0, 100])
    let specification = configuration.inputSpecification
    let training = try await PreparedImages((0..<8).map { try image($0) }, for: specification)
    let test = try await PreparedImages(
      [image(20), image(21, abnormal: true)], for: specification, memoryLimit: 0)
    #expect(
      training.placements[0].coveredExtents == [40, 64] && test.placements == Array(training.placements.prefix(2)))
    let scorer = try Scorer.fitted(
      try configuration.makeDetector(), to: training, configuration: configuration, device: .cpu)
    var results: [AnomalyResult] = []
    try scorer.score(test, explains: true) { results.append($0) }
    #expect(results.allSatisfy { $0.maps.allSatisfy { $0.map.grid == ImageGrid(width: 96, height: 60) } })
    let figures = try #require(try Localisation.evaluate(scorer, on: test).maps.first?.figures)
    #expect(figures.auroc > 0.8 && figures.bestDice.confusion.count == 2 * 96 * 60)
    // Display ranges are those of the pixels that show something: the maps' own, where these are not enlarged.
    var shown: [Float] = []
    let name = try #require(results.first?.maps.first?.name)
    for index in 0..<training.count {
      let batch = try training.batch([training.values(at: index)], at: [index], on: .cpu)
      let map = try #require(try scorer.detector.explanation(of: batch).maps.first { $0.name == name }).values
      let rows = training.placements[index].axes[0].covered(of: map.extent(1))
      shown += try map.sliced(rows, axis: 1).contiguous().values()
    }
    shown.sort()
    let expected = [0.5, 0.995].map { Double(shown[Int($0 * Double(shown.count - 1))]) }
    #expect(largestDifference(scorer.calibration.mapRanges[name] ?? [], expected) < 1e-6)
  }

  @Test("Volumes of unequal sides and spacings train, score and are brought back", arguments: [true, false])
  func volumes(_ crops: Bool) async throws {
    /// A bright body in air, turned in the file; in abnormal ones a box that is dark.
    func item(_ seed: Int, abnormal: Bool) throws -> DataItem {
      let extents = [10 + seed % 3, 22, 30]
      let body = Fixtures.volume(seed, extents: extents).samples
      var mask = [Float](repeating: 0, count: body.count)
      let samples = body.indices.map { sample -> Float in
        let (z, y, x) = (sample / (22 * 30), sample / 30 % 22, sample % 30)
        let isBody = (1..<9).contains(z) && (4..<20).contains(y) && (6..<26).contains(x)
        if abnormal && (3..<6).contains(z) && (8..<13).contains(y) && (10..<16).contains(x) { mask[sample] = 1 }
        return isBody ? (mask[sample] == 1 ? 12 : 4 + body[sample] / 10) : 0
      }
      let affine = Affine3D(x: SIMD3(0, 2, 0), y: SIMD3(-2, 0, 0), z: SIMD3(0, 0, 5), origin: SIMD3(30, -20, 0))
      func volume(_ samples: [Float]) -> Volume3D {
        Volume3D(width: 30, height: 22, depth: extents[0], samples: samples, affine: affine)
      }
      let name = "\(seed)-\(abnormal).nii.gz"
      return DataItem(
        name: name, path: try folder.write(name, volume(samples)), label: abnormal ? .abnormal : .normal,
        maskPath: abnormal ? try folder.write("mask-" + name, volume(mask)) : nil)
    }
    var input = InputConfiguration()
    (input.intensity, input.window, input.spacing, input.crop) = (.unit, [0, 10], [5, 4, 4], crops ? .body : .none)
    let specification = InputSpecification(extents: [8, 12, 8], intensity: input)
    let training = try await PreparedImages((0..<4).map { try item($0, abnormal: false) }, for: specification)
    let test = try await PreparedImages(
      (4..<8).map { try item($0, abnormal: $0 > 5) }, for: specification)
    let scorer = try Scorer.fitted(
      ConvolutionDetector(channels: 1), to: training, configuration: Fixtures.bandEnergy(), device: .cpu)
    for (result, placement) in zip(try all(scorer, test), test.placements) {
      let grid = try VolumeReader.read(result.item.path).canonical.grid
      #expect(placement.grid == grid && result.maps.allSatisfy { $0.map.grid == grid })
      let isSeen = (0..<grid.count).map { sample in
        let place = [sample / (grid.width * grid.height), sample / grid.width % grid.height, sample % grid.width]
        return zip(placement.axes, place).allSatisfy { $0.seen.contains($1) }
      }
      #expect(zip(result.maps[0].map.values, isSeen).allSatisfy { $1 ? $0 > 0 : $0 == 0 })
      let reconstruction = try #require(result.reconstruction)
      #expect(reconstruction.grid == grid || placement.seesWhole)
    }
    let localisation = try Localisation.evaluate(scorer, on: test)
    #expect(localisation.warnings == [] && (localisation.maps.first?.figures.auroc ?? 0) > 0.9)
  }

  private func all(_ scorer: Scorer, _ images: PreparedImages) throws -> [AnomalyResult] {
    var results: [AnomalyResult] = []
    try scorer.score(images, explains: true) { results.append($0) }
    return results
  }
}
