import Evaluation
import Foundation
import MedicalImaging
import Testing
import Torch

@testable import Norma

@Suite("Scoring volumes slice by slice and box by box")
struct ViewScoringTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// Says what it sees: the map and the reconstruction are the input, the score is its highest value.
  private final class Echo: AnomalyDetector {
    let network = Module()
    let stages: [TrainingStage] = []
    let scoreNames = ["highest"]
    private let batchSize: Int
    init(batchSize: Int = 3) { self.batchSize = batchSize }
    func losses(of update: TrainingUpdate, on batch: Tensor, step: TrainingStep) throws -> Losses {
      throw TorchError("echo", "nothing is trained")
    }
    func scoringBatchSize(on device: Device) -> Int { batchSize }
    func scores(_ batch: Tensor, named names: Set<String>, areReferences: ReferenceMatch) throws -> [String: Tensor] {
      ["highest": try batch.maximum(Array(1..<batch.rank))]
    }
    func explanation(of batch: Tensor) throws -> Explanation {
      let map = try batch.selected(0, axis: 1)
      return Explanation(
        maps: [("echo", map), ("shadow", try map * -1)], reconstruction: batch,
        steps: [("dark", try batch * 0.5)])
    }
  }

  private func input(_ change: (inout InputConfiguration) -> Void) -> InputConfiguration {
    var input = InputConfiguration()
    (input.intensity, input.window) = (.unit, [0, 10])
    change(&input)
    return input
  }

  private func scorer(
    _ specification: InputSpecification, _ detector: any AnomalyDetector = Echo(),
    calibration: Calibration = Calibration(scores: [:], mapRanges: [:])
  ) -> Scorer {
    Scorer(detector, specification: specification, calibration: calibration, device: .cpu)
  }

  private func results(_ scorer: Scorer, _ images: PreparedImages) throws -> [AnomalyResult] {
    var results: [AnomalyResult] = []
    try scorer.score(images, explains: true) { results.append($0) }
    return results
  }

  /// A volume stored with its first axis towards the front and its second towards the left.
  private func turned(_ seed: Int, extents: [Int]) throws -> DataItem {
    var volume = Fixtures.volume(seed, extents: extents)
    volume.affine = Affine3D(
      x: SIMD3(0, 2, 0), y: SIMD3(-2, 0, 0), z: SIMD3(0, 0, 4), origin: volume.affine.origin)
    let name = "\(seed).nii.gz"
    return DataItem(name: name, path: try folder.write(name, volume), label: .normal)
  }

  /// Plane, the network's sides, spacing.
  private static let planes: [(InputConfiguration.Plane, [Int], [Double])] = [
    (.axial, [8, 6], []), (.coronal, [4, 6], []), (.sagittal, [4, 8], []), (.axial, [11, 9], [4, 2, 2]),
    (.sagittal, [7, 13], [4, 2, 2]), (.coronal, [6, 6], [4, 2, 2]),
  ]

  @Test("A method that says what it sees gives the volume back from its slices", arguments: planes.indices)
  func slices(_ number: Int) async throws {
    let (plane, extents, spacing) = Self.planes[number]
    let specification = InputSpecification(
      extents: extents, intensity: input { ($0.views, $0.plane, $0.spacing) = (.slices, plane, spacing) })
    let items = try (0..<3).map { try turned($0, extents: [4, 6, 8]) }
    for limit in [Int.max, 0] {
      let images = try await PreparedImages(items, for: specification, memoryLimit: limit)
      let found = try results(scorer(specification), images)
      #expect(found.map(\.item) == items)
      for result in found {
        let volume = try VolumeReader.read(result.item.path).canonical
        let expected = volume.samples.map { $0 / 10 }
        #expect(result.maps.map(\.name) == ["echo", "shadow"] && result.steps.map(\.name) == ["dark"])
        #expect(result.maps.allSatisfy { $0.map.grid == volume.grid })
        #expect(largestDifference(result.maps[0].map.values, expected) < 1e-6)
        #expect(largestDifference(result.maps[1].map.values, expected.map { -$0 }) < 1e-6)
        #expect(result.reconstruction?.grid == volume.grid)
        #expect(largestDifference(result.reconstruction?.samples ?? [], expected) < 1e-6)
        #expect(largestDifference(result.steps.first?.image.samples ?? [], expected.map { $0 / 2 }) < 1e-6)
        #expect(abs(result.score - Double(expected.max() ?? 0)) < 1e-6)
      }
    }
  }

  @Test(
    "It gives the volume back from overlapping boxes, whatever their sides",
    arguments: [[3, 4, 4], [2, 8, 6], [6, 5, 4], [5, 9, 9]], [0, 0.5])
  func patches(_ extents: [Int], _ overlap: Double) async throws {
    let specification = InputSpecification(
      extents: extents, intensity: input { ($0.views, $0.overlap) = (.patches, overlap) })
    let images = try await PreparedImages(
      (0..<2).map { try turned($0, extents: [4, 6, 8]) }, for: specification)
    for result in try results(scorer(specification), images) {
      let volume = try VolumeReader.read(result.item.path).canonical
      let expected = volume.samples.map { $0 / 10 }
      #expect(result.maps[0].map.grid == volume.grid && result.reconstruction?.grid == volume.grid)
      #expect(largestDifference(result.maps[0].map.values, expected) < 1e-5)
      #expect(largestDifference(result.reconstruction?.samples ?? [], expected) < 1e-5)
    }
  }

  @Test("Boxes at another spacing: the map is the volume's, brought there and back")
  func spacing() async throws {
    let change: (inout InputConfiguration) -> Void = { $0.spacing = [4, 4, 4] }
    let whole = InputSpecification(extents: [8, 10, 12], intensity: input(change))
    let cut = InputSpecification(
      extents: [4, 4, 4],
      intensity: input {
        change(&$0)
        $0.views = .patches
      })
    let items = [try turned(1, extents: [8, 24, 20])]
    let expected = try await results(scorer(whole), PreparedImages(items, for: whole))
    let found = try await results(scorer(cut), PreparedImages(items, for: cut))
    #expect(found[0].maps[0].map.grid.extents == [8, 20, 24])
    #expect(largestDifference(found[0].maps[0].map.values, expected[0].maps[0].map.values) < 1e-5)
  }

  @Test("Between slices that are not seen maps are linear")
  func steps() async throws {
    // 0.5 at the feet, 1 more with every slice.
    let samples = (0..<6 * 16).map { Float($0 / 16) + 0.5 }
    let volume = Volume3D(width: 4, height: 4, depth: 6, samples: samples, affine: Affine3D(spacing: .one))
    let item = DataItem(name: "a", path: try folder.write("a.nii.gz", volume), label: .normal)
    let specification = InputSpecification(
      extents: [4, 4], intensity: input { ($0.views, $0.sliceStep) = (.slices, 3) })
    let images = try await PreparedImages([item], for: specification)
    let map = try results(scorer(specification), images)[0].maps[0].map
    // Slices 1 and 4 are seen.
    let expected = [0.15, 0.15, 0.25, 0.35, 0.45, 0.45].flatMap { [Float](repeating: $0, count: 16) }
    #expect(largestDifference(map.values, expected) < 1e-6)
  }

  @Test("A volume's score is the highest, the mean, or the mean of the highest tenth of its slices'")
  func gathering() async throws {
    // 20 slices of 1, slice 7 has a lesion of 9.
    var samples = [Float](repeating: 1, count: 20 * 16)
    samples[7 * 16 + 5] = 9
    let volume = Volume3D(width: 4, height: 4, depth: 20, samples: samples, affine: Affine3D(spacing: .one))
    let path = try folder.write("a.nii.gz", volume)
    let items = [
      try turned(1, extents: [4, 4, 4]), DataItem(name: "a", path: path, label: .abnormal),
      try turned(2, extents: [5, 4, 4]),
    ]
    let expected: [InputConfiguration.Gathering: Double] = [
      .max: 0.9, .mean: (0.9 + 19 * 0.1) / 20, .top: (0.9 + 0.1) / 2,
    ]
    for gather in InputConfiguration.Gathering.allCases {
      let specification = InputSpecification(
        extents: [4, 4], intensity: input { ($0.views, $0.gather) = (.slices, gather) })
      let images = try await PreparedImages(items, for: specification)
      let scores = try #require(try scorer(specification).rawScores(of: images)["highest"])
      #expect(scores.count == 3 && abs(scores[1] - (expected[gather] ?? 0)) < 1e-6)
      // Neither batches nor neighbours matter.
      #expect(try results(scorer(specification), images).map(\.score) == scores)
      #expect(try scorer(specification, Echo(batchSize: 7)).rawScores(of: images)["highest"] == scores)
      let turned = try await PreparedImages(items.reversed(), for: specification, memoryLimit: 0)
      #expect(try scorer(specification).rawScores(of: turned)["highest"] == scores.reversed())
    }
    #expect(input { $0.gather = .max }.gather([1, .nan, 2]).isNaN)
  }

  // MARK: Methods

  /// Volumes of noise over smooth tissue; abnormal ones have a striped box on three slices.
  private func volume(_ seed: Int, abnormal: Bool = false) throws -> DataItem {
    let (depth, side) = (6, 32)
    var random = SeededGenerator(seed: UInt64(seed))
    var samples = (0..<depth * side * side).map { _ in 4 + Float(random.index(below: 256)) / 256 }
    var mask = [Float](repeating: 0, count: samples.count)
    if abnormal {
      for z in 2..<5 {
        for y in 8..<20 {
          for x in 10..<22 {
            let sample = (z * side + y) * side + x
            (samples[sample], mask[sample]) = ((x + y) % 2 == 0 ? 0 : 10, 1)
          }
        }
      }
    }
    let affine = Affine3D(x: SIMD3(0, 2, 0), y: SIMD3(-2, 0, 0), z: SIMD3(0, 0, 5), origin: SIMD3(30, -20, 0))
    func volume(_ samples: [Float]) -> Volume3D {
      Volume3D(width: side, height: side, depth: depth, samples: samples, affine: affine)
    }
    let name = "\(seed).nii.gz"
    return DataItem(
      name: name, path: try folder.write(name, volume(samples)), label: abnormal ? .abnormal : .normal,
      maskPath: abnormal ? try folder.write("mask-" + name, volume(mask), as: .uint8) : nil)
  }

  @Test("A method for images is fitted, calibrated on volumes' scores and finds voxels")
  func yardstick() async throws {
    var settings = BandEnergyConfiguration()
    (settings.imageSize, settings.neighbours) = (32, 3)
    var configuration = RunConfiguration(detector: DetectorSettings(settings))
    configuration.input = input { $0.views = .slices }
    let specification = configuration.inputSpecification
    #expect(specification.isVolume && specification.extents == [32, 32])
    let training = try await PreparedImages((0..<5).map { try volume($0) }, for: specification)
    let test = try await PreparedImages(
      (10..<14).map { try volume($0, abnormal: $0 > 11) }, for: specification)
    let detector = try configuration.makeDetector()
    let scorer = try Scorer.fitted(detector, to: training, configuration: configuration, device: .cpu)
    // The scores that the calibration saw: no slice was compared with one of its own volume.
    let all = try training.batch(
      training.views.indices.map { training.values(ofView: $0, in: try training.values(at: training.views[$0].image)) },
      at: Array(training.views.indices), on: .cpu)
    let subjects = training.views.map(\.image)
    let scores: [Double] = try #require(
      try detector.scores(all, areReferences: .among(subjects, at: Array(subjects.indices)))["bandEnergy"]
    ).values(as: Double.self)
    let expected = (0..<5).map { volume in scores[volume * 6..<(volume + 1) * 6].max() ?? 0 }
    let calibrated = try #require(scorer.calibration.scores["bandEnergy"])
    let distribution = Calibration.Distribution(of: expected, quantile: 0.95)
    #expect(
      abs(calibrated.mean - distribution.mean) < 1e-4 && abs(calibrated.threshold - distribution.threshold) < 1e-4)
    #expect(scorer.calibration.thresholdSource == "95.0 % of 5 training images")
    let found = try results(scorer, test)
    #expect(found.suffix(2).map(\.isAbnormal) == [true, true])
    #expect(try Evaluator.evaluate(scorer, on: test).figures["bandEnergy"]?.auroc == 1)
    let localisation = try Localisation.evaluate(scorer, on: test)
    let figures = try #require(localisation.maps.first?.figures)
    #expect(localisation.warnings == [] && figures.bestDice.confusion.count == 4 * 6 * 32 * 32)
    #expect(figures.auroc > 0.7, "\(figures.auroc)")
    #expect(figures.regionCount == 2)
  }

  @Test("A method for volumes is trained on boxes and scores larger volumes")
  func convolution() async throws {
    let specification = InputSpecification(
      extents: [4, 8, 8], intensity: input { ($0.views, $0.overlap) = (.patches, 0.25) })
    let training = try await PreparedImages((0..<3).map { try volume($0) }, for: specification)
    let test = try await PreparedImages([volume(10), volume(11, abnormal: true)], for: specification, memoryLimit: 0)
    var configuration = Fixtures.bandEnergy()
    configuration.calibration.quantile = 0.5
    let scorer = try Scorer.fitted(
      ConvolutionDetector(channels: 1), to: training, configuration: configuration, device: .cpu)
    let found = try results(scorer, test)
    #expect(found[0].maps.map(\.name) == ["error", "coarse"] && found[0].score < found[1].score)
    #expect(found.allSatisfy { $0.maps.allSatisfy { $0.map.grid.extents == [6, 32, 32] } })
    let auroc = try Localisation.evaluate(scorer, on: test).maps.first?.figures.auroc ?? 0
    #expect(auroc > 0.7, "\(auroc)")
  }

  @Test("A run on drawn slices, files read as they come, resumes to the same bits", arguments: [0, 1])
  func resuming(_ memoryLimit: Int) async throws {
    var configuration = Fixtures.tinySimSID(epochs: 3)
    (configuration.input.views, configuration.input.viewsPerImage) = (.slices, 3)
    (configuration.input.window, configuration.data.memoryLimit) = ([0, 10], memoryLimit)
    let data = TrainingData(
      training: try await PreparedImages(
        (0..<10).map { try volume($0) }, for: configuration.inputSpecification, memoryLimit: memoryLimit << 20),
      fingerprint: "same")
    #expect(data.training.isInMemory(0) == (memoryLimit > 0))
    let (first, second) = (try TemporaryFolder(), try TemporaryFolder())
    let unbroken = TrainerRun(folder: first, data: data, configuration: configuration)
    try unbroken.run()
    let broken = TrainerRun(folder: second, data: data, configuration: configuration)
    guard case .interrupted = try broken.run(stopsAfter: 11) else {
      Issue.record("the run was not interrupted")
      return
    }
    try broken.run(resumes: true)
    #expect(try broken.model.arrays == unbroken.model.arrays)
    #expect(try broken.model.metadata.calibration == unbroken.model.metadata.calibration)
    // 30 slices in batches of 4, the last of two: eight iterations.
    #expect(try broken.events("epoch").count == 3)
  }
}
