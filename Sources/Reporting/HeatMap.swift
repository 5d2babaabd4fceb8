public import MedicalImaging

/// An anomaly map as a picture: coloured by itself or laid over the image it belongs to.
public struct HeatMap: Equatable, Sendable {
  /// Columns.
  public let width: Int
  /// Rows.
  public let height: Int
  /// Anomaly per pixel, row by row, finite; higher is more abnormal.
  public let values: [Float]

  /// Wraps an anomaly map.
  /// - Parameter values: `width · height` values, row by row.
  /// - Throws: `ReportingError.mapSize` or `.mapNotFinite`.
  public init(values: [Float], width: Int, height: Int) throws(ReportingError) {
    guard width > 0, height > 0, values.count == width * height else {
      throw .mapSize(width: width, height: height, values: values.count)
    }
    if let index = values.firstIndex(where: { !$0.isFinite }) {
      throw .mapNotFinite(row: index / width, column: index % width)
    }
    self.init(checked: values, width: width, height: height)
  }

  private init(checked values: [Float], width: Int, height: Int) {
    self.values = values
    self.width = width
    self.height = height
  }

  /// The lowest and the highest value: a display range that makes the most of this one map, and cannot be compared with
  /// another map's.
  public var extremes: ClosedRange<Float> {
    values.reduce(values[0]...values[0]) { min($0.lowerBound, $1)...max($0.upperBound, $1) }
  }

  /// A display range that many maps share: percentiles of the values of normal images.
  ///
  /// Below the lower one an overlay shows the image alone, at the upper one the strongest colour. Linear between values.
  /// - Parameters:
  ///   - maps: anomaly maps of normal images.
  ///   - shares: lower and upper percentile as shares, each 0 ... 1.
  /// - Throws: `ReportingError.noMaps` when `maps` is empty.
  public static func displayRange(
    ofNormal maps: [HeatMap], shares: ClosedRange<Double> = 0.5...0.999
  ) throws(ReportingError) -> ClosedRange<Float> {
    let sorted = maps.flatMap(\.values).sorted()
    guard !sorted.isEmpty else { throw .noMaps }
    func percentile(_ share: Double) -> Float {
      let place = min(max(share, 0), 1) * Double(sorted.count - 1)
      let lower = Int(place)
      let upper = min(lower + 1, sorted.count - 1)
      return sorted[lower] + (sorted[upper] - sorted[lower]) * Float(place - Double(lower))
    }
    return percentile(shares.lowerBound)...percentile(shares.upperBound)
  }

  /// The map at another size, bilinear with pixel centres aligned (half-pixel convention) and edges repeated.
  public func resized(width newWidth: Int, height newHeight: Int) -> HeatMap {
    if newWidth == width, newHeight == height { return self }
    let columns = Self.taps(from: width, to: newWidth)
    let rows = Self.taps(from: height, to: newHeight)
    var resized: [Float] = []
    resized.reserveCapacity(newWidth * newHeight)
    for row in rows {
      for column in columns {
        let (first, second) = (row.lower * width, row.upper * width)
        let upper = mix(values[first + column.lower], values[first + column.upper], column.share)
        let lower = mix(values[second + column.lower], values[second + column.upper], column.share)
        resized.append(mix(upper, lower, row.share))
      }
    }
    return HeatMap(checked: resized, width: newWidth, height: newHeight)
  }

  /// The map in colour.
  /// - Parameters:
  ///   - range: the values of the first and the last colour; values outside are limited.
  ///   - colourMap: the colours.
  /// - Returns: an RGB image of the map's size, range 0 ... 255.
  public func coloured(in range: ClosedRange<Float>, by colourMap: ColourMap = .ember) -> Image2D {
    let colours = values.map { colourMap.colour(at: Self.position(of: $0, in: range)) }
    return Image2D(colours: colours, width: width, height: height)
  }

  /// Where a value lies in the range: 0 at and below the lower bound, 1 at and above the upper one.
  static func position(of value: Float, in range: ClosedRange<Float>) -> Float {
    if value <= range.lowerBound { return 0 }
    if value >= range.upperBound { return 1 }
    return (value - range.lowerBound) / (range.upperBound - range.lowerBound)
  }

  /// For each new pixel the two old ones beside its centre, and how far it lies towards the second.
  private static func taps(from old: Int, to new: Int) -> [(lower: Int, upper: Int, share: Float)] {
    (0..<new).map { index in
      let centre = (Double(index) + 0.5) * Double(old) / Double(new) - 0.5
      let limited = min(max(centre, 0), Double(old - 1))
      let lower = Int(limited)
      return (lower, min(lower + 1, old - 1), Float(limited - Double(lower)))
    }
  }

  private func mix(_ first: Float, _ second: Float, _ share: Float) -> Float {
    first + (second - first) * share
  }
}
