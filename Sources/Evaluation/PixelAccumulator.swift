/// Collects anomaly maps with their masks one by one, so that the figures of many need none of them in memory.
///
/// Kept are the abnormal pixels (8 bytes each) and how often each value occurs among the normal ones (12 bytes for each
/// distinct value). While there are no more of these than `distinctValues`, all figures are exact. Beyond, values are
/// rounded down to as many bits as fit, and `PixelFigures.errorBound` says how far that can be from exact: with a million
/// values or more typically below 1e-5.
public struct PixelAccumulator: Sendable {
  private var normal: ValueCounts
  private var abnormal: [PixelSweep.Pixel] = []
  private var regionSizes: [Int] = []

  /// How many maps were added.
  public private(set) var count = 0

  /// Starts without maps.
  /// - Parameter distinctValues: of normal pixels, that are kept apart; 2²² take 50 MB, and twice that for moments. At
  ///   least 2¹⁶ are kept.
  public init(distinctValues: Int = 1 << 22) {
    normal = ValueCounts(limit: distinctValues)
  }

  /// Adds a map. Complexity: O(pixels) and sorting now and then.
  /// - Parameters:
  ///   - map: finite values, any range.
  ///   - mask: with as many pixels in the same order; without abnormal pixels is fine, and so is without normal ones.
  ///   - name: of the image, used in messages; or nil.
  /// - Throws: `EvaluationError.mapAndMaskDiffer` or `.mapNotFinite`, naming the image; the map is then not added.
  public mutating func add(map: [Float], mask: GroundTruthMask, name: String? = nil) throws(EvaluationError) {
    try mask.requireFit(of: map, index: count, name: name)
    if mask.pixels.contains(true) {
      let regions = ConnectedRegions(mask)
      for (value, label) in zip(map, regions.labels) {
        let key = ValueCounts.key(of: value)
        if label > 0 {
          abnormal.append((key, Int32(regionSizes.count) + label - 1))
        } else {
          normal.add(key)
        }
      }
      regionSizes += regions.sizes
    } else {
      for value in map { normal.add(ValueCounts.key(of: value)) }
    }
    count += 1
  }

  /// The figures of all maps so far; more may be added afterwards.
  /// - Throws: `EvaluationError.oneClassOnly` unless there are normal and abnormal pixels.
  public func figures() throws(EvaluationError) -> PixelFigures {
    if abnormal.isEmpty { throw .oneClassOnly(missing: .abnormal, figure: "Pixel AUROC") }
    var normal = normal
    normal.merge()
    if normal.total == 0 { throw .oneClassOnly(missing: .normal, figure: "Pixel AUROC") }
    return PixelFigures(PixelSweep(abnormal: abnormal, regionSizes: regionSizes, normal: normal))
  }
}

extension GroundTruthMask {
  /// - Throws: `EvaluationError.mapAndMaskDiffer` or `.mapNotFinite`, naming the image.
  func requireFit(of map: [Float], index: Int, name: String?) throws(EvaluationError) {
    guard map.count == pixels.count else {
      throw .mapAndMaskDiffer(index: index, mapPixels: map.count, maskPixels: pixels.count, name: name)
    }
    guard map.allSatisfy(\.isFinite) else { throw .mapNotFinite(index: index, name: name) }
  }
}
