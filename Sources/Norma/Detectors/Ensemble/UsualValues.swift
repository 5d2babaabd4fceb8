import Torch

/// What a member says about normal images, its scores or its map's values: the common scale of all members.
struct UsualValues {
  /// The distinct values, ascending.
  private let values: [Double]
  /// Of each, the share of values that are smaller, those that are equal counted half: above 0, below 1.
  private let positions: [Double]
  private let mean: Double
  private let deviation: Double
  /// The median and the value that 99.5 % do not exceed.
  private let range: (middle: Double, high: Double)

  /// Learns from values in any order.
  /// - Precondition: there is at least one, and none is NaN.
  init(of all: [Double]) {
    let sorted = all.sorted()
    let moments = Calibration.Distribution(of: sorted, quantile: 0)
    (mean, deviation) = (moments.mean, moments.standardDeviation)
    func quantile(_ share: Double) -> Double { sorted[Int(share * Double(sorted.count - 1))] }
    range = (quantile(0.5), quantile(0.995))
    var (values, positions): ([Double], [Double]) = ([], [])
    var first = 0
    while first < sorted.count {
      let next = sorted[first...].firstIndex { $0 > sorted[first] } ?? sorted.count
      values.append(sorted[first])
      positions.append((Double(first) + Double(next)) / 2 / Double(sorted.count))
      first = next
    }
    (self.values, self.positions) = (values, positions)
  }

  /// Standard deviations above the mean.
  func standardised(_ value: Double) -> Double { (value - mean) / (deviation + 1e-8) }

  /// The share of usual values that lie below, 0 to 1 without either end, strictly increasing: linear between two neighbours.
  /// Above the largest, `t` standard deviations away, the share of values that are left shrinks to `1 / (1 + t)` of what it was
  /// there; below the smallest the share that lies below does.
  func rank(_ value: Double) -> Double {
    guard !value.isNaN else { return .nan }
    let (lowest, highest) = (values[0], values[values.count - 1])
    if value > highest {
      return 1 - (1 - positions[positions.count - 1]) / (1 + (value - highest) / (deviation + 1e-8))
    }
    if value < lowest { return positions[0] / (1 + (lowest - value) / (deviation + 1e-8)) }
    // The last value that is not above.
    var (low, high) = (0, values.count)
    while high - low > 1 {
      let middle = (low + high) / 2
      if values[middle] <= value { low = middle } else { high = middle }
    }
    guard high < values.count else { return positions[low] }
    let share = (value - values[low]) / (values[high] - values[low])
    return positions[low] + share * (positions[high] - positions[low])
  }

  /// A map in units of the usual range: 0 at the median of normal images, 1 at what 99.5 % of their values do not exceed.
  func scaled(_ map: Tensor) throws(TorchError) -> Tensor {
    let span = [range.high, values[values.count - 1]].map { $0 - range.middle }.first { $0 > 0 } ?? 1
    return try (map - range.middle) / span
  }

  /// The rank of every value of a map.
  func ranks(_ map: Tensor) throws(TorchError) -> Tensor {
    let (values, positions) = (try Tensor(self.values), try Tensor(self.positions))
    let points = try map.to(.cpu).to(.float64).reshaped([-1])
    // The last value that is not above each point, or the first: by halves.
    var low = try Tensor([Int](repeating: 0, count: points.count))
    for step in Self.halves(of: self.values.count) {
      let next = try (low + Tensor([step])).minimum(Tensor([self.values.count - 1]))
      low = try low.replacing(with: next, where: points.greaterOrEqual(values.selecting(next, axis: 0)))
    }
    let high = try (low + Tensor([1])).minimum(Tensor([self.values.count - 1]))
    let (below, position) = (try values.selecting(low, axis: 0), try positions.selecting(low, axis: 0))
    let gap = try values.selecting(high, axis: 0) - below
    let share = try (points - below) / gap.masked(gap.equal(0), by: 1)
    let between = try position + share * (positions.selecting(high, axis: 0) - position)
    let (lowest, highest) = (self.values[0], self.values[self.values.count - 1])
    let (first, last) = (self.positions[0], self.positions[self.positions.count - 1])
    let beyond = try 1 - Tensor([1 - last]) / ((points - highest) / (deviation + 1e-8) + 1)
    let before = try Tensor([first]) / ((lowest - points) / (deviation + 1e-8) + 1)
    return try between.replacing(with: beyond, where: points.greater(highest))
      .replacing(with: before, where: points.less(lowest)).to(.float32).reshaped(map.shape).to(map.device)
  }

  /// The powers of two below `count`, falling.
  private static func halves(of count: Int) -> [Int] {
    Array(sequence(first: 1) { $0 * 2 < count ? $0 * 2 : nil }).reversed()
  }

  /// So many quantiles of values, from the smallest to the largest.
  static func quantiles(_ count: Int, of values: [Float]) -> [Float] {
    let sorted = values.sorted()
    return (0..<count).map { sorted[$0 * (sorted.count - 1) / (count - 1)] }
  }
}

extension EnsembleConfiguration.Fusion {
  /// The members' scores of one image as one; no number where one of them is none.
  func callAsFunction(_ scores: [Double], usual: [UsualValues]) -> Double {
    guard !scores.contains(where: \.isNaN) else { return .nan }
    let scaled = zip(usual, scores).map { self == .rank ? $0.rank($1) : $0.standardised($1) }
    return self == .maximum ? scaled.reduce(-.infinity, max) : scaled.reduce(0, +) / Double(scaled.count)
  }

  /// The members' maps of one image on its own grid as one map.
  /// - Parameter maps: of every member that makes one its map over what it sees, and where that lies in the image's grid.
  func callAsFunction(
    _ maps: [(map: Tensor, placement: GridPlacement, usual: UsualValues)]
  ) throws(TorchError) -> Tensor? {
    var fused: Tensor?
    for (map, placement, usual) in maps {
      let scaled = try self == .rank ? usual.ranks(map) : usual.scaled(map)
      // Where a member sees nothing, nothing is less unusual.
      let outside = try placement.seesWhole ? 0 : placement.covered(scaled).minimum().item()
      let own = try placement.restored(scaled, outside: outside)
      fused =
        try fused.map { other throws(TorchError) in try self == .maximum ? other.maximum(own) : other + own } ?? own
    }
    return try self == .maximum ? fused : fused.map { sum throws(TorchError) in try sum / Double(maps.count) }
  }
}
