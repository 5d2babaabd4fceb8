/// How well anomaly maps agree with masks, over the pixels of all images together.
public struct PixelFigures: Codable, Equatable, Sendable {
  /// Area under the ROC curve of all pixels, 0 ... 1.
  public let auroc: Double
  /// Average precision of all pixels, 0 ... 1.
  public let averagePrecision: Double
  /// The operating point with the highest Dice, 2 TP / (2 TP + FP + FN), which is its `f1`.
  public let bestDice: OperatingPoint

  /// The highest Dice over all thresholds, 0 ... 1. It looks at the masks, so it is an upper bound.
  public var dice: Double { bestDice.f1 ?? 0 }

  /// Computes the figures of pixels that were gathered already.
  /// - Throws: `EvaluationError.oneClassOnly` unless normal and abnormal pixels occur.
  public init(_ pixels: LabelledScores) throws(EvaluationError) {
    try pixels.requireBothClasses(for: "Pixel AUROC")
    let sweep = ThresholdSweep(pixels)
    auroc = sweep.areaUnderROC
    averagePrecision = sweep.averagePrecision
    let best = sweep.bestF1
    bestDice = OperatingPoint(rule: "best Dice", threshold: best.threshold, confusion: best.confusion)
  }

  /// Computes the figures of whole maps.
  /// - Parameters:
  ///   - maps: anomaly maps, finite, any range; the sizes may differ from image to image.
  ///   - masks: one per map with as many pixels in the same order; true is abnormal. Masks without abnormal pixels are fine.
  /// - Throws: `EvaluationError` when counts differ, a value is not finite (`index` then counts pixels over all maps) or
  ///   only one class occurs.
  public init(maps: [[Float]], masks: [[Bool]]) throws(EvaluationError) {
    guard maps.count == masks.count else { throw .mapsAndMasksDiffer(maps: maps.count, masks: masks.count) }
    for (index, (map, mask)) in zip(maps, masks).enumerated() where map.count != mask.count {
      throw .mapAndMaskDiffer(index: index, mapPixels: map.count, maskPixels: mask.count)
    }
    try self.init(
      LabelledScores(scores: maps.flatMap { $0.map(Double.init) }, labels: masks.flatMap(\.self)))
  }
}
