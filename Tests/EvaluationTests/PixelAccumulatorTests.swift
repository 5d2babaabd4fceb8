import Evaluation
import Testing

@Suite("Pixel figures map by map")
struct PixelAccumulatorTests {
  /// A map of noise, brighter inside two boxes, and the mask of these.
  private func drawn(
    _ generator: inout SplitMix64, width: Int, height: Int, boxes: Bool, offset: Float = 0
  ) -> (map: [Float], mask: GroundTruthMask) {
    let pixels = (0..<width * height).map { pixel in
      let (row, column) = (pixel / width, pixel % width)
      return boxes && (row < height / 8 && column < width / 4 || row > height - 4 && column > width / 2)
    }
    let map = pixels.map { offset + Float(generator.uniform() + generator.uniform() + ($0 ? 0.6 : 0)) }
    return (map, GroundTruthMask(width: width, height: height, pixels: pixels))
  }

  @Test("One by one or all at once, in between and to the end, the figures are the same")
  func streamed() throws {
    var generator = SplitMix64(state: 61)
    let images = [(9, 7, true), (6, 11, false), (16, 16, true)].map {
      drawn(&generator, width: $0.0, height: $0.1, boxes: $0.2)
    }
    var pixels = PixelAccumulator()
    for (index, image) in images.enumerated() {
      try pixels.add(map: image.map, mask: image.mask)
      let so = images[...index]
      #expect(try pixels.figures() == PixelFigures(maps: so.map(\.map), masks: so.map(\.mask)))
    }
    #expect(pixels.count == 3)
    #expect(try pixels.figures().errorBound == nil)
  }

  @Test("Where values must be rounded the bound holds and is small", arguments: [0, 1_000] as [Float])
  func rounded(_ offset: Float) throws {
    var generator = SplitMix64(state: 62)
    let images = [true, false].map { drawn(&generator, width: 240, height: 250, boxes: $0, offset: offset) }
    var pixels = PixelAccumulator(distinctValues: 1)  // that is, 2¹⁶ for 117,000 values
    for image in images { try pixels.add(map: image.map, mask: image.mask) }
    let exact = try PixelFigures(maps: images.map(\.map), masks: images.map(\.mask))
    let rounded = try pixels.figures()
    #expect(exact.errorBound == nil)
    guard offset == 0 else {
      // So far from zero floats are coarse: fewer values than fit.
      #expect(rounded == exact)
      return
    }
    let bound = try #require(rounded.errorBound)
    #expect(bound > 0 && bound < 1e-3)
    for figure in [\PixelFigures.auroc, \.averagePrecision, \.aupro, \.dice] {
      #expect(abs(rounded[keyPath: figure] - exact[keyPath: figure]) <= bound)
    }
    #expect(rounded.auroc != exact.auroc && abs(rounded.auroc - exact.auroc) < 1e-6)
    #expect(rounded.regionCount == 2 && rounded.bestDice.confusion.count == exact.bestDice.confusion.count)
  }

  @Test("Rounding that changes the order is within the bound, and here equals it")
  func roundedByHand() throws {
    // 70,000 distinct values want 7 bits dropped, so that pairs of them are one; the abnormal pixel, above all others,
    // falls together with the last pair.
    let normal = (0..<70_000).map { 1 + Float($0) * 0x1p-17 }
    let map: [Float] = normal + [1 + 69_999.5 * 0x1p-17]
    let mask = GroundTruthMask(width: map.count, height: 1, pixels: map.indices.map { $0 == 70_000 })
    #expect(try PixelFigures(maps: [map], masks: [mask]).averagePrecision == 1)
    var pixels = PixelAccumulator(distinctValues: 1)
    try pixels.add(map: map, mask: mask)
    let rounded = try pixels.figures()
    let bound = try #require(rounded.errorBound)
    #expect(rounded.averagePrecision == 1.0 / 3 && close(bound, 2.0 / 3))
    #expect(rounded.dice == 0.5 && close(rounded.auroc, 1 - 1.0 / 70_000))
  }

  @Test("Signed zeros are one value, and negative values keep their order")
  func signs() throws {
    let mask = GroundTruthMask(width: 6, height: 1, pixels: [true, false, true, false, true, false])
    let tiny = Float.leastNonzeroMagnitude
    let figures = try PixelFigures(maps: [[0, -0.0, -1, -2, -tiny, tiny]], masks: [mask])
    // Pairs won by 0, −1 and −tiny against −0, −2 and tiny: one and a half, one, one.
    #expect(close(figures.auroc, 3.5 / 9))
    let dice = try PixelFigures(maps: [[0, -1, -0.0, -1, -3, -1]], masks: [mask]).bestDice
    #expect(dice.threshold == 0 && dice.confusion.truePositives == 2 && dice.confusion.falsePositives == 0)
  }

  @Test("A map that is refused is named and not added; one class alone is refused at the end")
  func refusals() throws {
    var pixels = PixelAccumulator()
    let mask = GroundTruthMask(width: 2, height: 1, pixels: [true, true])
    #expect(throws: EvaluationError.oneClassOnly(missing: .abnormal, figure: "Pixel AUROC")) { try pixels.figures() }
    try pixels.add(map: [1, 2], mask: mask, name: "a.png")
    expectMessage(
      "The anomaly map at index 1 (b.png) has a value that is not a finite number; leave the image out or score it again."
    ) {
      try pixels.add(map: [0, .nan], mask: mask, name: "b.png")
    }
    expectMessage("The anomaly map at index 1 (c.png) has 1 pixels and its mask 2; give both the same size.") {
      try pixels.add(map: [0], mask: mask, name: "c.png")
    }
    #expect(throws: EvaluationError.oneClassOnly(missing: .normal, figure: "Pixel AUROC")) { try pixels.figures() }
    try pixels.add(map: [0, 0], mask: .empty(width: 2, height: 1))
    #expect(try pixels.figures().auroc == 1 && pixels.count == 2)
    #expect(throws: EvaluationError.mapNotFinite(index: 0, name: "x.nii")) {
      try PixelFigures(maps: [[.infinity, 1]], masks: [mask], names: ["x.nii"])
    }
  }
}
