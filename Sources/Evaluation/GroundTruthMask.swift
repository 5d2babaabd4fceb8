/// Which pixels of an image, or voxels of a volume, are abnormal.
public struct GroundTruthMask: Equatable, Sendable {
  /// Columns.
  public let width: Int
  /// Rows.
  public let height: Int
  /// Slices; 1 for images.
  public let depth: Int
  /// `depth · height · width` values slice by slice, row by row; true is abnormal.
  public let pixels: [Bool]

  /// Creates a mask from its pixels.
  /// - Precondition: `pixels.count == width * height * depth`.
  public init(width: Int, height: Int, depth: Int = 1, pixels: [Bool]) {
    precondition(pixels.count == width * height * depth)
    (self.width, self.height, self.depth, self.pixels) = (width, height, depth, pixels)
  }

  /// The mask of a normal image: nothing is abnormal.
  public static func empty(width: Int, height: Int, depth: Int = 1) -> GroundTruthMask {
    let pixels = [Bool](repeating: false, count: width * height * depth)
    return GroundTruthMask(width: width, height: height, depth: depth, pixels: pixels)
  }
}
