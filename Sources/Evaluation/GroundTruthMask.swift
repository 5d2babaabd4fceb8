/// Which pixels of an image are abnormal.
public struct GroundTruthMask: Equatable, Sendable {
  /// Columns.
  public let width: Int
  /// Rows.
  public let height: Int
  /// `height · width` values row by row; true is abnormal.
  public let pixels: [Bool]

  /// Creates a mask from its pixels.
  /// - Precondition: `pixels.count == width * height`.
  public init(width: Int, height: Int, pixels: [Bool]) {
    precondition(pixels.count == width * height)
    (self.width, self.height, self.pixels) = (width, height, pixels)
  }

  /// The mask of a normal image: nothing is abnormal.
  public static func empty(width: Int, height: Int) -> GroundTruthMask {
    GroundTruthMask(width: width, height: height, pixels: [Bool](repeating: false, count: width * height))
  }
}
