/// A box around something abnormal in an image, as readers draw them: its edges in pixels of the image, counted from the left
/// and upper edge of the first pixel.
public struct LesionBox: Codable, Equatable, Hashable, Sendable {
  /// The left edge; columns begin at 0.
  public let left: Double
  /// The upper edge; rows begin at 0.
  public let top: Double
  /// The right edge.
  public let right: Double
  /// The lower edge.
  public let bottom: Double

  /// Creates a box from its edges.
  public init(left: Double, top: Double, right: Double, bottom: Double) {
    (self.left, self.top, self.right, self.bottom) = (left, top, right, bottom)
  }
}

extension [LesionBox] {
  /// The pixels of an image whose middle lies in one of the boxes, row by row: what a mask would mark, with the boxes' corners.
  /// - Returns: nil where they are no boxes in this image: for volumes, or where one reaches more than a pixel beyond the sides,
  ///   as boxes of an image at another size do.
  public func marked(on grid: ImageGrid) -> [Bool]? {
    let (width, height) = (grid.width, grid.height)
    let fit = allSatisfy {
      $0.left > -1 && $0.top > -1 && $0.right < Double(width) + 1 && $0.bottom < Double(height) + 1
    }
    guard !grid.isVolume, fit else { return nil }
    var pixels = [Bool](repeating: false, count: grid.count)
    for box in self {
      for row in Self.middles(from: box.top, to: box.bottom, below: height) {
        for column in Self.middles(from: box.left, to: box.right, below: width) { pixels[row * width + column] = true }
      }
    }
    return pixels
  }

  /// The pixels p of `0 ..< count` with p + ½ in `start ..< end`.
  private static func middles(from start: Double, to end: Double, below count: Int) -> Range<Int> {
    let first = Swift.max(0, Int((start - 0.5).rounded(.up)))
    return first..<Swift.max(first, Swift.min(count, Int((end - 0.5).rounded(.up))))
  }
}
