import Evaluation
import Foundation
import Testing

/// What Scripts/golden/evaluation_statistics.py computed from the definitions.
private struct LesionCase: Decodable, CustomTestStringConvertible {
  struct Image: Decodable {
    let extents: [Int]
    let values: [Float]
    let mask: String

    var truth: GroundTruthMask {
      GroundTruthMask(width: extents[0], height: extents[1], depth: extents[2], pixels: mask.map { $0 == "1" })
    }
  }

  struct Lesion: Decodable {
    let image, size: Int
    let confidence: Float?
  }

  let name: String
  let separation: Double
  let images: [Image]
  let lesions: [Lesion]
  let falsePositives: [Float]
  let sensitivities: [Double]
  let score: Double

  var testDescription: String { name }

  static func read() throws -> [LesionCase] {
    try JSONDecoder().decode([LesionCase].self, from: Data(contentsOf: GoldenFigures.file("lesions.json")))
  }
}

@Suite("Lesions found")
struct LesionTests {
  @Test("Hits, false positives and FROC are those of a plain reference", arguments: try LesionCase.read())
  fileprivate func golden(_ golden: LesionCase) throws {
    var detection = LesionDetection(separation: golden.separation)
    for image in golden.images { try detection.add(map: image.values, mask: image.truth) }
    #expect(detection.imageCount == golden.images.count)
    #expect(detection.falsePositives.sorted() == golden.falsePositives)
    #expect(detection.lesions.map(\.image) == golden.lesions.map(\.image))
    #expect(detection.lesions.map(\.size) == golden.lesions.map(\.size))
    #expect(detection.lesions.map(\.confidence) == golden.lesions.map(\.confidence))
    let froc = try detection.froc()
    #expect(froc.lesionCount == golden.lesions.count && froc.imageCount == golden.images.count)
    for (found, expected) in zip(froc.sensitivities, golden.sensitivities) { #expect(close(found, expected)) }
    #expect(close(froc.score, golden.score))
  }

  @Test("Several candidates in a lesion are one hit, equal confidences fall together, the rest counts per image")
  func byHand() throws {
    var detection = LesionDetection()
    // Two peaks in one lesion, one outside of it, equal to the higher; the last pixel's lesion has none.
    let mask = GroundTruthMask(width: 9, height: 1, pixels: "####....#".map { $0 == "#" })
    try detection.add(map: [5, 0, 7, 0, 0, 7, 0, 1, 0.5], mask: mask, name: "a.png")
    try detection.add(map: [3, 0, 0], mask: .empty(width: 3, height: 1))
    #expect(detection.lesions.map(\.confidence) == [7, nil] && detection.lesions.map(\.size) == [4, 1])
    #expect(detection.lesions.map(\.imageName) == ["a.png", "a.png"] && detection.lesions.map(\.region) == [1, 2])
    #expect(detection.falsePositives == [7, 1, 3])
    let froc = try detection.froc()
    #expect(froc.points.map(\.threshold) == [7] && froc.points.map(\.falsePositivesPerImage) == [0.5])
    #expect(froc.points.map(\.sensitivity) == [0.5])
    #expect(froc.sensitivities == [0, 0, 0.5, 0.5, 0.5, 0.5, 0.5] && close(froc.score, 2.5 / 7))
    #expect(froc.sensitivity(atFalsePositivesPerImage: 0.499) == 0)
    let json = try JSONEncoder().encode(froc)
    #expect(try JSONDecoder().decode(FROC.self, from: json) == froc)
  }

  @Test("A plateau stands at its centre, however large, and close maxima can be left out")
  func candidates() throws {
    let clipped: [Float] = [1, 1, 1, 1, 1, 0, 0, 0.5, 0, 0.5]
    func found(_ lesion: Int, separation: Double = 0) throws -> Float? {
      var detection = LesionDetection(separation: separation)
      let mask = GroundTruthMask(width: 10, height: 1, pixels: (0..<10).map { $0 == lesion })
      try detection.add(map: clipped, mask: mask)
      return detection.lesions[0].confidence
    }
    #expect(try [0, 1, 2, 3, 4].map { try found($0) } == [nil, nil, 1, nil, nil])
    #expect(try found(7) == 0.5 && found(9) == 0.5)
    // Of two equal maxima two apart the first stays; one exactly as far as the separation stays.
    #expect(try found(9, separation: 2) == 0.5)
    #expect(try found(9, separation: 2.5) == nil && found(7, separation: 2.5) == 0.5)
    #expect(try found(7, separation: 5.1) == nil)
  }

  @Test("Maps that do not fit and sets without lesions are refused")
  func refusals() throws {
    var detection = LesionDetection()
    expectMessage(
      "The anomaly map at index 0 (n.png) has a value that is not a finite number; leave the image out or score it again."
    ) {
      try detection.add(map: [.nan, 1], mask: .empty(width: 2, height: 1), name: "n.png")
    }
    #expect(throws: EvaluationError.mapAndMaskDiffer(index: 0, mapPixels: 1, maskPixels: 2)) {
      try detection.add(map: [1], mask: .empty(width: 2, height: 1))
    }
    try detection.add(map: [0, 1], mask: .empty(width: 2, height: 1))
    expectMessage(
      "Sensitivity per lesion (FROC) is not defined without abnormal cases; add abnormal cases to the evaluation."
    ) {
      _ = try detection.froc()
    }
    #expect(detection.imageCount == 1 && detection.falsePositives == [1])
  }
}
