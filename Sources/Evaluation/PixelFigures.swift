/// How well anomaly maps agree with masks, over the pixels of all images, or the voxels of all volumes, together.
public struct PixelFigures: Codable, Equatable, Sendable {
  /// Up to which false positive rate AUPRO is integrated.
  public static let integrationLimit = 0.3

  /// Area under the ROC curve of all pixels, 0 ... 1.
  public let auroc: Double
  /// Average precision of all pixels, 0 ... 1.
  public let averagePrecision: Double
  /// Area under the per-region overlap (PRO), 0 ... 1 (Bergmann et al., IJCV 2021).
  ///
  /// The overlap at a threshold is the share of a connected region (8-connectivity, 26 in volumes) that is called
  /// abnormal, averaged over the regions of all images, so that small regions count as much as large ones. It is
  /// integrated against the false positive rate of all normal pixels from 0 to `integrationLimit`, and divided by that.
  public let aupro: Double
  /// The operating point with the highest Dice, 2 TP / (2 TP + FP + FN), which is its `f1`.
  public let bestDice: OperatingPoint
  /// Ground-truth regions that AUPRO is averaged over.
  public let regionCount: Int

  /// The highest Dice over all thresholds, 0 ... 1. It looks at the masks, so it is an upper bound.
  public var dice: Double { bestDice.f1 ?? 0 }

  /// How far a figure can at most be from the exact one, where values had to be rounded (`PixelAccumulator`); nil where all
  /// are exact.
  public let errorBound: Double?

  /// Computes the figures of whole maps, exactly, with equal values as one threshold.
  /// - Parameters:
  ///   - maps: anomaly maps, finite, any range; the sizes may differ from image to image.
  ///   - masks: one per map with as many pixels in the same order. Masks without abnormal pixels are fine.
  ///   - names: one per map, used in messages; or nil.
  /// - Throws: `EvaluationError` when counts differ, a value is not finite or only one class occurs.
  public init(maps: [[Float]], masks: [GroundTruthMask], names: [String]? = nil) throws(EvaluationError) {
    guard maps.count == masks.count else { throw .mapsAndMasksDiffer(maps: maps.count, masks: masks.count) }
    guard names == nil || names?.count == maps.count else {
      throw .countsDiffer(scores: maps.count, labels: masks.count, names: names?.count)
    }
    var pixels = PixelAccumulator(distinctValues: .max)
    for (index, (map, mask)) in zip(maps, masks).enumerated() {
      try pixels.add(map: map, mask: mask, name: names?[index])
    }
    self = try pixels.figures()
  }

  /// Both classes occur.
  init(_ sweep: PixelSweep) {
    let confusions = sweep.confusions
    auroc = confusions.areaUnderROC
    averagePrecision = confusions.averagePrecision
    aupro = sweep.areaUnderOverlap(to: Self.integrationLimit)
    let best = confusions.bestF1
    bestDice = OperatingPoint(rule: "best Dice", threshold: best.threshold, confusion: best.confusion)
    regionCount = sweep.regionCount
    errorBound = sweep.isExact ? nil : sweep.errorBound(to: Self.integrationLimit)
  }
}
