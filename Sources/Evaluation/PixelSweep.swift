/// The pixels of all images at falling thresholds: their confusion matrices, and how much of each region is covered.
///
/// Curves bend only at the values of abnormal pixels. So these few are sorted, each normal pixel is merely counted
/// between two of them, and the figures are still exact over all thresholds. Complexity: O(n log n) time for n pixels,
/// memory for the abnormal ones.
struct PixelSweep {
  /// The confusion matrices just above and at each value of an abnormal pixel, and below all values.
  let confusions: ThresholdSweep
  /// Mean over the regions of the share with a value of at least the threshold: the per-region overlap, 0 ... 1, ascending.
  let overlaps: [Double]
  /// Ground-truth regions in all masks.
  let regionCount: Int

  /// - Parameters:
  ///   - maps: finite values.
  ///   - masks: one per map with as many pixels.
  init(maps: [[Float]], masks: [GroundTruthMask]) {
    let (abnormal, sizes) = Self.abnormalPixels(maps, masks)
    let levels = abnormal.map(\.value).reduce(into: [Float]()) { if $0.last != $1 { $0.append($1) } }
    let normal = Self.normalCounts(maps, masks, levels: levels)
    var (thresholds, hits, alarms, overlaps): ([Double], [Int], [Int], [Double]) = ([], [], [], [])
    var (hit, alarm, overlap) = (0, 0, 0.0)
    func addPoint(at threshold: Float) {
      thresholds.append(Double(threshold))
      hits.append(hit)
      alarms.append(alarm)
      overlaps.append(overlap / Double(max(sizes.count, 1)))
    }
    for (index, level) in levels.enumerated() {
      alarm += normal.above[index]
      addPoint(at: level.nextUp)
      alarm += normal.at[index]
      while hit < abnormal.count, abnormal[hit].value == level {
        overlap += 1 / Double(sizes[Int(abnormal[hit].region)])
        hit += 1
      }
      addPoint(at: level)
    }
    alarm += normal.above[levels.count]
    addPoint(at: -.infinity)
    confusions = ThresholdSweep(
      thresholds: thresholds, truePositives: hits, falsePositives: alarms, abnormalCount: hit, normalCount: alarm)
    self.overlaps = overlaps
    regionCount = sizes.count
  }

  /// The area under the per-region overlap against the false positive rate from 0 to `limit`, divided by `limit`.
  func areaUnderOverlap(to limit: Double) -> Double {
    let end = limit * Double(confusions.normalCount)
    var area = 0.0
    var (alarmsBefore, overlapBefore) = (0.0, 0.0)
    for (count, overlap) in zip(confusions.falsePositives, overlaps) {
      let alarms = Double(count)
      guard alarms < end else {
        let share = (end - alarmsBefore) / (alarms - alarmsBefore)
        let overlapAtEnd = overlapBefore + share * (overlap - overlapBefore)
        area += (end - alarmsBefore) * (overlapBefore + overlapAtEnd) / 2
        break
      }
      area += (alarms - alarmsBefore) * (overlapBefore + overlap) / 2
      (alarmsBefore, overlapBefore) = (alarms, overlap)
    }
    return area / end
  }

  /// An abnormal pixel: its value, and its region's place in the list of sizes.
  private typealias Pixel = (value: Float, region: Int32)

  /// The abnormal pixels of all images, values falling, and the sizes of their regions.
  private static func abnormalPixels(
    _ maps: [[Float]], _ masks: [GroundTruthMask]
  ) -> (pixels: [Pixel], sizes: [Int]) {
    var pixels: [Pixel] = []
    var sizes: [Int] = []
    for (map, mask) in zip(maps, masks) {
      let regions = ConnectedRegions(mask)
      for (value, label) in zip(map, regions.labels) where label > 0 {
        pixels.append((value, Int32(sizes.count) + label - 1))
      }
      sizes += regions.sizes
    }
    pixels.sort { $0.value > $1.value }
    return (pixels, sizes)
  }

  /// Normal pixels by where their values lie among falling `levels`: equal to each, and above each up to the one before;
  /// the last of `above` counts those below all levels.
  private static func normalCounts(
    _ maps: [[Float]], _ masks: [GroundTruthMask], levels: [Float]
  ) -> (above: [Int], at: [Int]) {
    var above = [Int](repeating: 0, count: levels.count + 1)
    var at = [Int](repeating: 0, count: levels.count)
    for (map, mask) in zip(maps, masks) {
      for (value, isAbnormal) in zip(map, mask.pixels) where !isAbnormal {
        var (low, high) = (0, levels.count)  // the first level of at most `value` lies in low ... high
        while low < high {
          let middle = (low + high) / 2
          if levels[middle] > value { low = middle + 1 } else { high = middle }
        }
        if low < levels.count, levels[low] == value { at[low] += 1 } else { above[low] += 1 }
      }
    }
    return (above, at)
  }
}
