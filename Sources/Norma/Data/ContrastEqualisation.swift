/// Contrast-limited adaptive histogram equalisation (CLAHE; Zuiderveld, Graphics Gems IV, 1994) of images and volumes.
///
/// The image is stretched to its own extremes and counted into grey levels, in tiles that share the image's sides evenly. A
/// level that holds more than `clipLimit` of a tile's pixels is cut to that, and what was cut is dealt out over all levels; the
/// sums over the levels up to each are the tile's curve. A pixel takes the curves of the tiles whose middles lie around it,
/// linearly between them along every axis (8 of a volume's), and the whole is stretched to 0 ... 1 again. Beyond its end the
/// image is mirrored to fill the last tiles. Sizes of tiles, levels and the dealing out follow scikit-image's
/// `equalize_adapthist`, whose results these are.
struct ContrastEqualisation {
  /// The largest share of a tile's pixels that one grey level may hold.
  let clipLimit: Double
  /// Tiles along each side.
  let tiles: Int

  private static let greys = 1 << 14
  private static let levels = 256
  /// Greys of one level; the last few levels stay empty.
  private static let greysPerLevel = 1 + greys / levels

  init(_ configuration: EqualisationConfiguration) {
    (clipLimit, tiles) = (configuration.clipLimit, configuration.tiles)
  }

  /// The equalised image, 0 ... 1; an image of one value stays as it is.
  /// - Parameters:
  ///   - values: the image, 0 ... 1, last axis fastest.
  ///   - extents: its sides, slowest first.
  func callAsFunction(_ values: [Float], extents: [Int]) -> [Float] {
    guard let (lowest, highest) = Self.extremes(values), lowest < highest else { return values }
    let axes = extents.map { Axis(extent: $0, tiles: tiles) }
    let (black, extent) = (Double(lowest), Double(highest) - Double(lowest))
    let levels = values.map { value -> Int in
      let grey: Double = (Double(value) - black) / extent * Double(Self.greys - 1)
      return Int(grey.rounded(.toNearestOrEven)) / Self.greysPerLevel
    }
    let curves = curves(of: levels, axes)
    var equalised = [Double](repeating: 0, count: values.count)
    let strides = Self.strides(extents)
    let tileStrides = Self.strides(axes.map(\.tiles))
    for sample in values.indices {
      let level = levels[sample]
      // Along every axis the tile before and the tile behind: all combinations of these.
      for corner in 0..<1 << axes.count {
        var (tile, weight) = (0, 1.0)
        for axis in axes.indices {
          let tap = axes[axis].taps[sample / strides[axis] % extents[axis]]
          let isBehind = corner >> axis & 1 == 1
          tile += (isBehind ? tap.upper : tap.lower) * tileStrides[axis]
          weight *= isBehind ? tap.share : 1 - tap.share
        }
        equalised[sample] += curves[tile * Self.levels + level] * weight
      }
    }
    guard let bounds = Self.extremes(equalised), bounds.lowest < bounds.highest else { return values }
    return equalised.map { Float(($0 - bounds.lowest) / (bounds.highest - bounds.lowest)) }
  }

  /// The curve of every tile: the grey that each level becomes.
  private func curves(of levels: [Int], _ axes: [Axis]) -> [Double] {
    let tileCounts = axes.map(\.tiles)
    let (extents, sides) = (axes.map(\.extent), axes.map(\.side))
    let (strides, tileStrides, withinStrides) = (
      Self.strides(extents), Self.strides(tileCounts), Self.strides(sides)
    )
    let pixels = sides.reduce(1, *)
    let limit = max(1, Int(clipLimit * Double(pixels)))
    var curves: [Double] = []
    for tile in 0..<tileCounts.reduce(1, *) {
      var histogram = [Int](repeating: 0, count: Self.levels)
      for pixel in 0..<pixels {
        var sample = 0
        for axis in axes.indices {
          let first = tile / tileStrides[axis] % tileCounts[axis] * sides[axis]
          sample += axes[axis].mirrored(first + pixel / withinStrides[axis] % sides[axis]) * strides[axis]
        }
        histogram[levels[sample]] += 1
      }
      Self.clip(&histogram, to: limit)
      var sum = 0
      for count in histogram {
        sum += count
        let grey = Double(sum) * (Double(Self.greys - 1) / Double(pixels))
        curves.append(min(grey, Double(Self.greys - 1)).rounded(.down))
      }
    }
    return curves
  }

  /// Cuts what exceeds `limit` and deals it out: first the same to every level, and what is then missing to those that are within
  /// that share of the limit; then one by one to levels that still have room, at even distances, until nothing is left or nobody
  /// has room.
  private static func clip(_ histogram: inout [Int], to limit: Int) {
    var excess = histogram.reduce(0) { $0 + max(0, $1 - limit) }
    let share = excess / histogram.count
    for level in histogram.indices {
      if histogram[level] > limit {
        histogram[level] = limit
      } else if histogram[level] < limit - share {
        histogram[level] += share
        excess -= share
      }
      if histogram[level] >= limit - share {
        excess -= limit - histogram[level]
        histogram[level] = limit
      }
    }
    var isDealing = true
    while excess > 0, isDealing {
      isDealing = false
      for first in histogram.indices where excess > 0 {
        let step = max(1, histogram.count { $0 < limit } / excess)
        for level in stride(from: first, to: histogram.count, by: step) where histogram[level] < limit {
          histogram[level] += 1
          excess -= 1
          isDealing = true
        }
      }
    }
  }

  /// How an axis is divided.
  private struct Axis {
    let extent: Int
    /// Pixels of a tile.
    let side: Int
    /// Tiles that hold the axis.
    let tiles: Int
    /// For each pixel the tiles with the next middles before and behind it, and how far it lies towards the second.
    let taps: [(lower: Int, upper: Int, share: Double)]

    init(extent: Int, tiles: Int) {
      let side = max(extent / tiles, 1)
      let count = (extent + side - 1) / side
      (self.extent, self.side, self.tiles) = (extent, side, count)
      taps = (0..<extent).map { pixel in
        let (block, rest) = (pixel + side / 2).quotientAndRemainder(dividingBy: side)
        return (max(block - 1, 0), min(block, count - 1), Double(rest) / Double(side))
      }
    }

    /// The pixel at a place that may lie beyond the end, where the image is mirrored at its last pixel.
    func mirrored(_ place: Int) -> Int {
      guard extent > 1 else { return 0 }
      let folded = place % (2 * (extent - 1))
      return folded < extent ? folded : 2 * (extent - 1) - folded
    }
  }

  private static func extremes<Value: Comparable>(_ values: [Value]) -> (lowest: Value, highest: Value)? {
    guard let lowest = values.min(), let highest = values.max() else { return nil }
    return (lowest, highest)
  }

  private static func strides(_ extents: [Int]) -> [Int] {
    extents.indices.map { extents[($0 + 1)...].reduce(1, *) }
  }
}
