import Evaluation
import Foundation
import MedicalImaging
import Torch

/// Finds where in an image the body is, so that a network can see it at one scale.
///
/// The image is averaged over blocks until no side has more than 64 samples and smoothed by a Gaussian of one such sample. What
/// is brighter than 95 % of that is cut, so that a full bladder does not count as the body in PET. The threshold is the one of
/// minimum cross entropy between the image and its two parts (Li & Lee 1993, found by the iteration of Li & Tam, Pattern
/// Recognition Letters 19, 1998); the body is the largest connected region above it. It must be brighter than what is around it
/// and fill more than a twentieth of the image. A table that touches it counts as body, and where there is nothing around it
/// all is body.
enum BodyRegion {
  private static let mostSamples = 64
  private static let brightShare = 95.0

  /// The box around the body, a range per axis, slowest first: its blocks wholly.
  /// - Parameter samples: one channel on `grid`, finite.
  static func box(in samples: [Float], on grid: ImageGrid) throws(TorchError) -> [Range<Int>] {
    let whole = grid.extents.map { 0..<$0 }
    let sides = grid.extents.map { min($0, mostSamples) }
    let image = try Tensor(samples, shape: [1, 1] + grid.extents)
    let blocks = try sides == grid.extents ? image : image.averagePooled(to: sides)
    let blurred = try GaussianFilter(sigma: 1, sides: sides, dtype: .float32, on: .cpu)(blocks)
    let (smooth, brightest): ([Float], Float) = (
      try blurred.values(), try Percentiles.range([0, brightShare], of: blurred).upperBound
    )
    guard let threshold = threshold(of: smooth.map { min($0, brightest) }) else { return whole }
    let (width, height) = (sides[sides.count - 1], sides[sides.count - 2])
    let regions = ConnectedRegions(
      GroundTruthMask(
        width: width, height: height, depth: sides.count == 3 ? sides[0] : 1, pixels: smooth.map { $0 > threshold }))
    guard let largest = regions.sizes.indices.max(by: { regions.sizes[$0] < regions.sizes[$1] }) else { return whole }
    var (lower, upper) = ([Int](repeating: .max, count: 3), [0, 0, 0])
    for (sample, label) in regions.labels.enumerated() where label == Int32(largest + 1) {
      for (axis, place) in [sample / (width * height), sample / width % height, sample % width].enumerated() {
        (lower[axis], upper[axis]) = (min(lower[axis], place), max(upper[axis], place + 1))
      }
    }
    return grid.extents.indices.map { axis in
      let (extent, side, axis3) = (grid.extents[axis], sides[axis], axis + 3 - sides.count)
      return lower[axis3] * extent / side..<(upper[axis3] * extent + side - 1) / side
    }
  }

  /// The threshold of minimum cross entropy: t = (b − f) / (ln b − ln f) with the means b and f of what lies up to t and above
  /// it, all values counted from the smallest; from their mean on, until t moves by less than half the least difference of two
  /// values. Nil where all are equal.
  static func threshold(of values: [Float]) -> Float? {
    let sorted = values.sorted()
    guard let lowest = sorted.first, let highest = sorted.last, lowest < highest else { return nil }
    let tolerance =
      zip(sorted, sorted.dropFirst()).reduce(Double.infinity) {
        $1.0 < $1.1 ? min($0, Double($1.1) - Double($1.0)) : $0
      } / 2
    let shifted = sorted.map { Double($0) - Double(lowest) }
    var sums = [0.0]  // of the first n
    for value in shifted { sums.append(sums[sums.count - 1] + value) }
    let (count, total) = (shifted.count, sums[sums.count - 1])
    var (last, current) = (-2 * tolerance, total / Double(count))
    for _ in 0..<1000 where abs(current - last) > tolerance {
      last = current
      let below = firstIndex(above: current, in: shifted)
      guard below > 0, below < count else { break }
      let (back, front) = (sums[below] / Double(below), (total - sums[below]) / Double(count - below))
      guard back > 0, front > back else { break }
      current = (back - front) / (log(back) - log(front))
    }
    return Float(current + Double(lowest))
  }

  private static func firstIndex(above value: Double, in sorted: [Double]) -> Int {
    var (lower, upper) = (0, sorted.count)
    while lower < upper {
      let middle = (lower + upper) / 2
      if sorted[middle] > value { upper = middle } else { lower = middle + 1 }
    }
    return lower
  }
}
