import Evaluation
import Foundation
import MedicalImaging
import Phantoms
import Testing
import Torch

@testable import Norma

@Suite("Localisation")
struct LocalisationTests {
  private let folder: TemporaryFolder
  private let configuration: RunConfiguration
  private let phantoms: PhantomDataSet
  private let entries: [PhantomDataSet.Entry]

  /// Twelve normal training images, three normal and four abnormal test images, masks of the latter.
  init() async throws {
    folder = try TemporaryFolder()
    var configuration = Fixtures.bandEnergy()
    (configuration.data.validationNormal, configuration.data.validationAbnormal) = (0, 0)
    self.configuration = configuration
    var phantoms = PhantomDataSet()
    (phantoms.trainingNormal, phantoms.testNormal, phantoms.testAbnormal) = (12, 3, 4)
    phantoms.configuration.size = 96
    self.phantoms = phantoms
    entries = try await phantoms.write(to: folder.url)
  }

  private func path(_ name: String) -> String { folder.url.appendingPathComponent(name).path }

  /// The abnormal test images' masks below the folder.
  private var masks: [String] { entries.compactMap(\.maskPath) }

  private func load() async throws -> TrainingData {
    try await TrainingData(folder: folder.url.path, configuration: configuration)
  }

  /// The yardstick, fitted to the training images.
  private func fitted(to data: TrainingData) throws -> Scorer {
    let detector = try configuration.makeDetector()
    return try Scorer.fitted(detector, to: data.training, configuration: configuration, device: .cpu)
  }

  /// The figures of the default map against masks as the phantoms were drawn, without images in `leftOut`.
  private func expected(_ scorer: Scorer, _ images: PreparedImages, leftOut: Set<String> = []) throws -> PixelFigures {
    let phantom = try ChestPhantom(configuration: phantoms.configuration)
    let drawn = Dictionary(uniqueKeysWithValues: entries.map { ($0.imagePath, $0) })
    var (maps, masks): ([[Float]], [GroundTruthMask]) = ([], [])
    try scorer.score(images.selecting { !leftOut.contains($0.name) }, explains: true) { result in
      let entry = try #require(drawn[result.item.name])
      let made = phantom.image(seed: entry.seed, lesion: entry.lesion)
      maps.append(result.maps[0].map.values)
      masks.append(GroundTruthMask(width: made.image.width, height: made.image.height, pixels: made.mask))
    }
    return try PixelFigures(maps: maps, masks: masks)
  }

  @Test("Every map is compared with the masks at the images' own size, normal images included")
  func figures() async throws {
    let data = try await load()
    let test = try #require(data.test)
    let scorer = try fitted(to: data)
    let localisation = try Localisation.evaluate(scorer, on: test)
    #expect(localisation.warnings == [])
    #expect(localisation.maps.map(\.name) == ["bandEnergy"])
    let figures = try #require(localisation.maps.first?.figures)
    #expect(figures == (try expected(scorer, test)))
    #expect(figures.bestDice.confusion.count == 7 * 96 * 96)
  }

  @Test("Every map of a method with several has figures, the default one first")
  func severalMaps() async throws {
    let images = try await PreparedImages(
      load().test?.items ?? [], for: Fixtures.tinySimSID().inputSpecification)
    let detector = try Fixtures.tinySimSID().makeDetector()
    let normals = images.selecting { $0.label == .normal }
    let scorer = try Scorer.fitted(detector, to: normals, configuration: Fixtures.tinySimSID(), device: .cpu)
    var names: [String] = []
    try scorer.score(images.prefix(1), explains: true) { names = $0.maps.map(\.name) }
    let localisation = try Localisation.evaluate(scorer, on: images)
    #expect(names.count == 4 && localisation.maps.map(\.name) == names)
    #expect(localisation.maps[0].figures == (try expected(scorer, images)))
    #expect(Set(localisation.maps.map(\.figures.auroc)).count == 4)
  }

  @Test("A mask that is missing, of another size, empty or no image is named, and the figures are those of the rest")
  func unusable() async throws {
    try FileManager.default.removeItem(atPath: path(masks[0]))
    try folder.write(masks[1], Fixtures.image(1, width: 96, height: 90))
    try folder.write(
      masks[2], Image2D(width: 96, height: 96, samples: .init(repeating: 1, count: 9216), range: 0...255))
    let data = try await load()
    let test = try #require(data.test)
    let scorer = try fitted(to: data)
    let images = entries.filter { $0.lesion != nil }.map(\.imagePath)
    let localisation = try Localisation.evaluate(scorer, on: test)
    #expect(
      localisation.warnings == [
        "\(path(images[0])) has no mask; put one below masks/, at the path that the image has in the data set "
          + "(left out of the localisation figures)",
        "\(path(masks[1])) has 96×90 pixels and its image 96×96; give both one size (left out of the localisation figures)",
        "\(path(masks[2])) marks no pixel; draw abnormal pixels white and all others black "
          + "(left out of the localisation figures)",
      ])
    #expect(localisation.maps.first?.figures == (try expected(scorer, test, leftOut: Set(images.prefix(3)))))

    try folder.write(masks[3], Data("no image".utf8))
    let without = try Localisation.evaluate(scorer, on: test)
    #expect(without.maps.isEmpty && without.warnings.count == 4)
    #expect(without.warnings.last?.hasPrefix(path(masks[3])) == true)
  }

  @Test("Without masks nothing is computed and nothing said; a mask of a normal image is not looked at")
  func noMasks() async throws {
    try FileManager.default.removeItem(atPath: path("masks/test/ABNORMAL"))
    let normal = try #require(entries.first { $0.imagePath.hasPrefix("test/NORMAL") })
    try folder.write("masks/" + normal.imagePath, Fixtures.image(1, width: 96, height: 96))
    let data = try await load()
    let test = try #require(data.test)
    #expect(test.items.contains { $0.maskPath != nil })
    var asked = false
    let localisation = try Localisation.evaluate(fitted(to: data), on: test) { _ in asked = true }
    #expect(localisation.maps.isEmpty && localisation.warnings.isEmpty && !asked)
  }
}
