import Evaluation
import Foundation
import MedicalImaging
import Testing

@testable import Norma

@Suite("Localisation by boxes")
struct BoxLocalisationTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func path(_ name: String) -> String { folder.url.appendingPathComponent(name).path }

  private func item(_ seed: Int, boxes: [LesionBox]? = nil, abnormal: Bool = true) throws -> DataItem {
    let image = Fixtures.image(seed, width: 40, height: 32)
    return DataItem(
      name: "\(seed).png", path: try folder.write("\(seed).png", image), label: abnormal ? .abnormal : .normal,
      boxes: boxes)
  }

  private func localisation(_ items: [DataItem]) async throws -> (Localisation, Scorer, PreparedImages) {
    let configuration = Fixtures.bandEnergy()
    let specification = configuration.inputSpecification
    let training = try await PreparedImages(
      (0..<8).map { try item($0, abnormal: false) }, for: specification)
    let scorer = try Scorer.fitted(
      configuration.makeDetector(), to: training, configuration: configuration, device: .cpu)
    let images = try await PreparedImages(items, for: specification)
    return (try Localisation.evaluate(scorer, on: images), scorer, images)
  }

  @Test("Figures are those of masks that are drawn from the boxes")
  func figures() async throws {
    let boxes = [
      LesionBox(left: 4, top: 6, right: 14, bottom: 12), LesionBox(left: 30.2, top: 20, right: 38, bottom: 31),
    ]
    let (found, scorer, images) = try await localisation([item(20, boxes: boxes), item(21, abnormal: false)])
    var pixels = PixelAccumulator()
    try scorer.score(images, explains: true) { result in
      let marks = (0..<32 * 40).map { pixel in
        let (row, column) = (pixel / 40, pixel % 40)
        return result.item.label == .abnormal
          && ((6..<12).contains(row) && (4..<14).contains(column)
            || (20..<31).contains(row) && (30..<38).contains(column))
      }
      try pixels.add(map: result.maps[0].map.values, mask: GroundTruthMask(width: 40, height: 32, pixels: marks))
    }
    #expect(try found.maps.first?.figures == pixels.figures())
    #expect(found.maps.first?.figures.regionCount == 2 && found.warnings == [])
  }

  @Test("Abnormal images without boxes are counted in one sentence; boxes of another size are named")
  func warnings() async throws {
    let box = LesionBox(left: 1, top: 1, right: 9, bottom: 9)
    let far = LesionBox(left: 1, top: 1, right: 80, bottom: 9)
    let thin = LesionBox(left: 1.1, top: 1, right: 1.2, bottom: 9)
    let (found, _, _) = try await localisation([
      item(20, boxes: [box]), item(21), item(22), item(23, boxes: [far]), item(24, boxes: [thin]),
    ])
    #expect(
      found.warnings == [
        "2 of 5 abnormal images have no boxes (left out of the localisation figures)",
        "\(path("23.png")) has boxes that reach beyond its 40×32 pixels; use the images at the size at which they are "
          + "published (left out of the localisation figures)",
        "\(path("24.png")) has boxes that hold no pixel; correct them in the data set's table (left out of the "
          + "localisation figures)",
      ])
    #expect(found.maps.first?.figures.bestDice.confusion.count == 40 * 32)
    #expect(found.maps.first?.figures.regionCount == 1)
  }
}
