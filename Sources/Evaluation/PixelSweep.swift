/// The pixels of all images at falling thresholds: their confusion matrices, and how much of each region is covered.
///
/// Curves bend only at the values of abnormal pixels. So these few are sorted, normal pixels are merely counted between
/// two of them, and the figures are still those over all thresholds.
struct PixelSweep {
  /// An abnormal pixel: the key of its value, see `ValueCounts`, and its region's place in the list of sizes.
  typealias Pixel = (key: UInt32, region: Int32)

  /// The confusion matrices just above and at each value of an abnormal pixel, and below all values.
  let confusions: ThresholdSweep
  /// Mean over the regions of the share with a value of at least the threshold: the per-region overlap, 0 ... 1, ascending.
  let overlaps: [Double]
  /// Ground-truth regions in all masks.
  let regionCount: Int
  /// Whether no value was rounded.
  let isExact: Bool

  /// - Parameters:
  ///   - abnormal: pixels, in any order.
  ///   - regionSizes: pixels of each region.
  ///   - normal: how often each value occurs among normal pixels; nothing waits in it.
  init(abnormal: [Pixel], regionSizes: [Int], normal: ValueCounts) {
    let sorted = abnormal.sorted { $0.key > $1.key }
    var (thresholds, hits, alarms, overlaps): ([Double], [Int], [Int], [Double]) = ([], [], [], [])
    var (hit, alarm, overlap) = (0, 0, 0.0)
    var rest = normal.keys.count  // keys from here on are counted
    func countAlarms(from key: UInt32) {
      while rest > 0, normal.keys[rest - 1] >= key {
        rest -= 1
        alarm += normal.counts[rest]
      }
    }
    func addPoint(at key: UInt32?) {
      thresholds.append(key.map { Double(ValueCounts.value(of: $0)) } ?? -.infinity)
      hits.append(hit)
      alarms.append(alarm)
      overlaps.append(overlap / Double(max(regionSizes.count, 1)))
    }
    while hit < sorted.count {
      let level = normal.rounded(sorted[hit].key)
      let above = level + 1 << normal.droppedBits
      countAlarms(from: above)
      addPoint(at: above)
      countAlarms(from: level)
      while hit < sorted.count, sorted[hit].key >= level {
        overlap += 1 / Double(regionSizes[Int(sorted[hit].region)])
        hit += 1
      }
      addPoint(at: level)
    }
    countAlarms(from: 0)
    addPoint(at: nil)
    confusions = ThresholdSweep(
      thresholds: thresholds, truePositives: hits, falsePositives: alarms, abnormalCount: hit, normalCount: alarm)
    self.overlaps = overlaps
    regionCount = regionSizes.count
    isExact = normal.droppedBits == 0
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

  /// How far AUROC, average precision, Dice and the area to `limit` can at most be from those of values that were not
  /// rounded: where pixels share a rounded value, their order could be any. Every other point of the curves is exact.
  func errorBound(to limit: Double) -> Double {
    let (abnormal, normal) = (Double(confusions.abnormalCount), Double(confusions.normalCount))
    let dice = confusions.bestF1.f1 ?? 0
    var (auroc, precision, bestDice, aupro) = (0.0, 0.0, dice, 0.0)
    // Each level has two points, above it and at it.
    for at in stride(from: 1, to: overlaps.count, by: 2) {
      let (h0, h1) = (Double(confusions.truePositives[at - 1]), Double(confusions.truePositives[at]))
      let (a0, a1) = (Double(confusions.falsePositives[at - 1]), Double(confusions.falsePositives[at]))
      auroc += (h1 - h0) * (a1 - a0) / 2
      if a0 < limit * normal { aupro += (a1 - a0) * (overlaps[at] - overlaps[at - 1]) / 2 }
      let found = h1 / (h1 + a1)
      precision += (h1 - h0) * max(h1 / (h1 + a0) - found, found - (h0 + 1) / (h0 + 1 + a1))
      bestDice = max(bestDice, 2 * h1 / (h1 + a0 + abnormal))
    }
    return max(
      auroc / (abnormal * normal), precision / abnormal, bestDice - dice, aupro / (limit * normal))
  }
}
