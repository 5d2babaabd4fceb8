import Evaluation
import Foundation
import Testing

/// What Scripts/golden/evaluation.py computed from the definitions.
private struct PixelCase: Decodable, CustomTestStringConvertible {
  struct Image: Decodable {
    let width, height: Int
    let values: [Float]
    let mask: String

    var truth: GroundTruthMask { GroundTruthMask(width: width, height: height, pixels: mask.map { $0 == "1" }) }
  }

  let name: String
  let images: [Image]
  let auroc, averagePrecision, aupro, dice: Double
  let regions: Int

  var testDescription: String { name }

  static func read() throws -> [PixelCase] {
    try JSONDecoder().decode([PixelCase].self, from: Data(contentsOf: GoldenFigures.file("pixels.json")))
  }
}

@Suite("Pixel figures")
struct PixelFiguresTests {
  /// A mask drawn with `#` for abnormal pixels.
  private func mask(_ rows: String...) -> GroundTruthMask {
    GroundTruthMask(width: rows[0].count, height: rows.count, pixels: rows.joined().map { $0 == "#" })
  }

  @Test("Equal to scikit-learn and, for AUPRO, to SciPy's regions and the definition", arguments: try PixelCase.read())
  fileprivate func golden(_ golden: PixelCase) throws {
    let figures = try PixelFigures(maps: golden.images.map(\.values), masks: golden.images.map(\.truth))
    #expect(close(figures.auroc, golden.auroc))
    #expect(close(figures.averagePrecision, golden.averagePrecision))
    #expect(close(figures.aupro, golden.aupro))
    #expect(close(figures.dice, golden.dice))
    #expect(figures.regionCount == golden.regions)
  }

  @Test("All maps are pooled, masks without abnormal pixels included")
  func pooled() throws {
    let figures = try PixelFigures(maps: [[0, 0.25, 0.5, 1], [0.125, 0.75]], masks: [mask("..", "##"), mask("..")])
    // Descending: 1 (abnormal), 0.75 (normal), 0.5 (abnormal), then three normal ones. 8 pairs, one ordered wrongly.
    #expect(figures.auroc == 7.0 / 8)
    #expect(close(figures.averagePrecision, (1 + 2.0 / 3) / 2))
    #expect(figures.dice == 4.0 / 5 && figures.bestDice.threshold == 0.5 && figures.bestDice.rule == "best Dice")
    #expect(
      figures.bestDice.confusion
        == ConfusionMatrix(truePositives: 2, falsePositives: 1, trueNegatives: 3, falseNegatives: 0))
  }

  @Test("AUPRO weighs regions alike, steps through ties, and ends inside a step")
  func overlapByHand() throws {
    let figures = try PixelFigures(
      maps: [[9, 9, 3, 1, 7, 1, 1, 7, 1, 1]], masks: [mask("##.#......")])
    // Regions of 2 and 1 pixels, 7 normal pixels. At 9 the first is found whole: overlap 1/2 at no false positive. At 7 two
    // normal pixels, at 3 one: level up to 3/7, beyond the limit of 0.3.
    #expect(close(figures.aupro, 0.5))
    let tied = try PixelFigures(maps: [[9, 7, 3, 7, 7, 1, 1, 7, 1, 1]], masks: [mask("##.#......")])
    // At 9 half of the first: overlap 1/4. At 7 all regions and two of 7 normal pixels: a slope from (0, 1/4) to (2/7, 1),
    // and level from there to 0.3.
    #expect(close(tied.aupro, (2.0 / 7 * (0.25 + 1) / 2 + (0.3 - 2.0 / 7)) / 0.3))
    let cut = try PixelFigures(maps: [[9, 7, 7, 7, 7, 1, 1, 7, 1, 1]], masks: [mask("##.#......")])
    // The same slope reaches only to 3/7 and is cut at 0.3.
    #expect(close(cut.aupro, 0.25 + 0.75 * (0.3 / (3.0 / 7)) / 2))
  }

  @Test("Regions touch along edges and at corners, and do not reach round the image's sides")
  func regions() {
    let corners = ConnectedRegions(mask("#..#", ".#..", "...#", "#..#"))
    #expect(corners.labels == [1, 0, 0, 2, 0, 1, 0, 0, 0, 0, 0, 3, 4, 0, 0, 3])
    #expect(corners.sizes == [2, 1, 2, 1])
    let spiral = ConnectedRegions(mask("#####", "....#", "###.#", "#...#", "#####"))
    #expect(spiral.sizes == [17])
    #expect(ConnectedRegions(.empty(width: 3, height: 2)).labels == [0, 0, 0, 0, 0, 0])
    #expect(ConnectedRegions(.empty(width: 3, height: 2)).sizes == [])
  }

  @Test("Summaries hold mean and deviation of every figure")
  func summary() throws {
    let good = try PixelFigures(maps: [[2, 1, 0, 0]], masks: [mask("##..")])
    let bad = try PixelFigures(maps: [[0, 1, 2, 0]], masks: [mask("##..")])
    let summary = try LocalisationSummary([good, bad])
    #expect(summary.trials == 2)
    for (statistic, figure) in [
      (summary.auroc, \PixelFigures.auroc), (summary.averagePrecision, \.averagePrecision), (summary.aupro, \.aupro),
      (summary.dice, \.dice),
    ] {
      #expect(good[keyPath: figure] == 1 && bad[keyPath: figure] < 1)
      #expect(statistic == (try TrialStatistic([1, bad[keyPath: figure]])))
    }
    #expect(Set([bad.auroc, bad.averagePrecision, bad.aupro, bad.dice]).count == 4)
    let json = try JSONEncoder().encode(bad)
    #expect(try JSONDecoder().decode(PixelFigures.self, from: json) == bad)
  }

  @Test("Maps and masks that do not fit are named")
  func refusals() {
    expectMessage("The anomaly map at index 1 has 1 pixels and its mask 2; give both the same size.") {
      _ = try PixelFigures(maps: [[1], [2]], masks: [mask("#"), mask(".#")])
    }
    expectMessage("There are 1 anomaly maps and 0 masks; give one mask per map.") {
      _ = try PixelFigures(maps: [[1]], masks: [])
    }
    expectMessage(
      "The anomaly map at index 1 has a value that is not a finite number; leave the image out or score it again."
    ) {
      _ = try PixelFigures(maps: [[1], [.nan]], masks: [mask("#"), mask(".")])
    }
    expectMessage("Pixel AUROC is not defined without abnormal cases; add abnormal cases to the evaluation.") {
      _ = try PixelFigures(maps: [[1, 2]], masks: [mask("..")])
    }
    expectMessage("Pixel AUROC is not defined without normal cases; add normal cases to the evaluation.") {
      _ = try PixelFigures(maps: [[1, 2]], masks: [mask("##")])
    }
  }

  @Test("Voxels that touch at a corner are one region, and slices are told apart from rows")
  func regionsOfVolumes() {
    func regions(_ width: Int, _ height: Int, _ depth: Int, _ marked: [Int]) -> [Int] {
      let pixels = (0..<width * height * depth).map { marked.contains($0) }
      return ConnectedRegions(GroundTruthMask(width: width, height: height, depth: depth, pixels: pixels)).sizes
    }
    #expect(regions(2, 2, 2, [0, 7]) == [2])  // opposite corners of a cube
    #expect(regions(3, 3, 3, [0, 26, 13]) == [3])
    #expect(regions(3, 3, 3, [0, 26]) == [1, 1])
    #expect(regions(3, 1, 3, [2, 3]) == [1, 1])  // neighbours in the list, not in space
    #expect(regions(2, 3, 2, [4, 6]) == [1, 1])  // last row of a slice, first row of the next
    #expect(regions(2, 2, 3, [1, 9]) == [1, 1])  // a slice between them
    #expect(regions(2, 2, 1, [0, 3]) == regions(2, 2, 2, [0, 3]))
  }

  @Test("Figures of volumes are those of their voxels, with overlap over regions in space")
  func volumes() throws {
    // One region of 3 voxels through two slices, and one of 1 voxel two slices further; slice by slice they would be three.
    let slices: [[Bool]] = [
      [true, false, false, false], [true, true, false, false], [false, false, false, false],
      [false, false, false, true],
    ]
    let pixels = Array(slices.joined())
    let values: [Float] = [9, 1, 2, 3, 8, 4, 5, 0, 1, 2, 3, 0, 1, 2, 3, 7]
    let volume = GroundTruthMask(width: 2, height: 2, depth: 4, pixels: pixels)
    let figures = try PixelFigures(maps: [values], masks: [volume])
    #expect(figures.regionCount == 2)
    let row = try PixelFigures(maps: [values], masks: [GroundTruthMask(width: 16, height: 1, pixels: pixels)])
    #expect(figures.auroc == row.auroc && figures.averagePrecision == row.averagePrecision && figures.dice == row.dice)
    // At 9, 8 and 7 the overlap is 1/6, 2/6 and 5/6 without a false positive; at 5 one of 12 normal voxels is called, and at
    // 4 both regions are found whole: level up to the rate of 0.3.
    #expect(close(figures.aupro, (1.0 / 12 * 5 / 6 + (0.3 - 1.0 / 12)) / 0.3))
  }
}
