import Foundation

/// Draws from the cases of each class as many as there are, with replacement, straight into the counts of a sweep.
///
/// Scores are sorted once. A resample then only counts how often each distinct score was drawn, which takes O(n) rather
/// than sorting again.
struct StratifiedResampler {
  /// The sweep of the latest resample; at first that of the cases. Its thresholds stay.
  private(set) var sweep: ThresholdSweep
  /// Per abnormal case, then per normal case, descending scores: the place of its score among the thresholds.
  private let abnormal, normal: [Int32]
  private var generator: SplitMix64
  private var abnormalCounts, normalCounts: [UInt32]  // per threshold, 0 between draws

  init(_ cases: LabelledScores, seed: UInt64) {
    sweep = ThresholdSweep(cases)
    abnormal = Self.places(sweep.truePositives)
    normal = Self.places(sweep.falsePositives)
    generator = SplitMix64(seed: seed)
    abnormalCounts = [UInt32](repeating: 0, count: sweep.thresholds.count)
    normalCounts = abnormalCounts
  }

  private static func places(_ cumulative: [Int]) -> [Int32] {
    var places: [Int32] = []
    places.reserveCapacity(cumulative.last ?? 0)
    for (place, count) in cumulative.enumerated() {
      while places.count < count { places.append(Int32(place)) }
    }
    return places
  }

  /// Makes `sweep` that of a new resample.
  mutating func draw() {
    Self.count(drawnFrom: abnormal, into: &abnormalCounts, &generator)
    Self.count(drawnFrom: normal, into: &normalCounts, &generator)
    Self.accumulate(&abnormalCounts, into: &sweep.truePositives)
    Self.accumulate(&normalCounts, into: &sweep.falsePositives)
  }

  /// The figures of `count` resamples in order, drawn on all processors where that pays.
  ///
  /// Every resample has a place of its own in the sequence of random numbers, as though drawn one after the other, so the values
  /// do not depend on the number of processors.
  /// - Parameter parts: how many are drawn at a time; nil: one per processor.
  /// - Returns: for each figure one value per resample; nil where it is not defined.
  mutating func values(of figures: [SweepFigure], resamples count: Int, parts: Int? = nil) -> [[Double?]] {
    let size = abnormal.count + normal.count
    let work = count.multipliedReportingOverflow(by: size)
    let isLong = work.overflow || work.partialValue >= 1 << 22
    let parts = max(1, min(parts ?? (isLong ? ProcessInfo.processInfo.activeProcessorCount : 1), count))
    let (begin, origin) = (self, generator)
    generator = origin.advanced(by: work.partialValue)
    let gathered = GatheredDraws(parts: parts)
    DispatchQueue.concurrentPerform(iterations: parts) { part in
      var resampler = begin
      let drawn = (count * part / parts..<count * (part + 1) / parts).map { resample in
        resampler.generator = origin.advanced(by: resample &* size)
        resampler.draw()
        return figures.map { $0.value(resampler.sweep) }
      }
      gathered.set(drawn, at: part)
    }
    let rows = gathered.all
    return figures.indices.map { figure in rows.map { $0[figure] } }
  }

  /// What each case of one class adds to a figure, over the number of cases, by leaving cases out (the jackknife). Of many
  /// cases, random groups are left out together: sums of squares and cubes stay the same on average.
  /// - Returns: one value per case or group; empty where the figure is not defined without one of them.
  mutating func influences(
    abnormal isAbnormal: Bool, groups limit: Int, of figure: (ThresholdSweep) -> Double?
  ) -> [Double] {
    var places = isAbnormal ? abnormal : normal
    let groups = min(limit, places.count)
    if groups < places.count {
      for last in stride(from: places.count - 1, to: 0, by: -1) {
        places.swapAt(last, generator.next(below: UInt64(last + 1)))
      }
    }
    let whole = (abnormal.count, normal.count)
    var rest: [Double] = []
    for group in 0..<groups {
      let left = places[(places.count * group / groups)..<(places.count * (group + 1) / groups)]
      for place in abnormal { abnormalCounts[Int(place)] += 1 }
      for place in normal { normalCounts[Int(place)] += 1 }
      if isAbnormal {
        for place in left { abnormalCounts[Int(place)] -= 1 }
      } else {
        for place in left { normalCounts[Int(place)] -= 1 }
      }
      Self.accumulate(&abnormalCounts, into: &sweep.truePositives)
      Self.accumulate(&normalCounts, into: &sweep.falsePositives)
      sweep.abnormalCount = whole.0 - (isAbnormal ? left.count : 0)
      sweep.normalCount = whole.1 - (isAbnormal ? 0 : left.count)
      let value = figure(sweep)
      (sweep.abnormalCount, sweep.normalCount) = whole
      guard let value else { return [] }
      rest.append(value)
    }
    let mean = rest.reduce(0, +) / Double(groups)
    return rest.map { (mean - $0) * Double(groups - 1) / Double(groups) }
  }

  private static func count(
    drawnFrom places: [Int32], into counts: inout [UInt32], _ generator: inout SplitMix64
  ) {
    let bound = UInt64(places.count)
    places.withUnsafeBufferPointer { places in
      counts.withUnsafeMutableBufferPointer { counts in
        var local = generator  // in registers
        for _ in 0..<places.count { counts[Int(places[local.next(below: bound)])] &+= 1 }
        generator = local
      }
    }
  }

  /// Sums counts from the highest score down, and sets them to 0.
  private static func accumulate(_ counts: inout [UInt32], into cumulative: inout [Int]) {
    counts.withUnsafeMutableBufferPointer { counts in
      cumulative.withUnsafeMutableBufferPointer { cumulative in
        var sum = 0
        for place in 0..<counts.count {
          sum &+= Int(counts[place])
          counts[place] = 0
          cumulative[place] = sum
        }
      }
    }
  }
}

/// The figures of resamples, part by part.
///
/// `@unchecked Sendable`: `parts` is read and written under `lock`.
private final class GatheredDraws: @unchecked Sendable {
  private let lock = NSLock()
  private var parts: [[[Double?]]]

  init(parts: Int) { self.parts = Array(repeating: [], count: parts) }

  func set(_ drawn: [[Double?]], at part: Int) { lock.withLock { parts[part] = drawn } }

  var all: [[Double?]] { lock.withLock { parts.flatMap { $0 } } }
}
