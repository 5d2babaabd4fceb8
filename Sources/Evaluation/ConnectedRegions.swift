/// The connected regions of a mask: abnormal pixels that touch, along an edge or at a corner (8-connectivity; 26 of voxels).
public struct ConnectedRegions: Equatable, Sendable {
  /// One value per pixel, in the mask's order: 0 outside, the region's number, counted from 1, inside.
  public let labels: [Int32]
  /// Pixels of each region; those of region `n` stand at `n - 1`. Regions come in the order of their first pixels.
  public let sizes: [Int]

  /// Finds the regions. Complexity: O(pixels).
  public init(_ mask: GroundTruthMask) {
    let (width, height, depth) = (mask.width, mask.height, mask.depth)
    var labels = [Int32](repeating: 0, count: mask.pixels.count)
    var sizes: [Int] = []
    var pending: [Int] = []  // pixels whose neighbours are still to be looked at
    for first in mask.pixels.indices where mask.pixels[first] && labels[first] == 0 {
      let label = Int32(sizes.count + 1)
      var size = 0
      labels[first] = label
      pending.append(first)
      while let pixel = pending.popLast() {
        size += 1
        let (line, column) = pixel.quotientAndRemainder(dividingBy: width)
        let (slice, row) = line.quotientAndRemainder(dividingBy: height)
        for z in max(slice - 1, 0)...min(slice + 1, depth - 1) {
          for y in max(row - 1, 0)...min(row + 1, height - 1) {
            for x in max(column - 1, 0)...min(column + 1, width - 1) {
              let neighbour = (z * height + y) * width + x
              guard mask.pixels[neighbour], labels[neighbour] == 0 else { continue }
              labels[neighbour] = label
              pending.append(neighbour)
            }
          }
        }
      }
      sizes.append(size)
    }
    (self.labels, self.sizes) = (labels, sizes)
  }
}
