/// Blurs square images (`size` by `size`, row by row); beyond the border the border's pixels go on.
enum Blur {
  /// A Gaussian blur of standard deviation `sigma` pixels, as repeated three-tap kernels of together the same variance.
  static func gaussian(_ image: inout [Float], size: Int, sigma: Float) {
    let passes = max(Int((2 * sigma * sigma).rounded(.up)), 1)
    let weight = sigma * sigma / (2 * Float(passes))
    for _ in 0..<passes {
      along(&image, size: size, step: 1, lineStep: size) { threeTaps($0, $1, weight: weight) }
      along(&image, size: size, step: size, lineStep: 1) { threeTaps($0, $1, weight: weight) }
    }
  }

  /// Three running means of `2 radius + 1` pixels each way: near a Gaussian of standard deviation `radius`.
  static func broad(_ image: inout [Float], size: Int, radius: Int) {
    for _ in 0..<3 {
      along(&image, size: size, step: 1, lineStep: size) { runningMean($0, $1, radius: radius) }
      along(&image, size: size, step: size, lineStep: 1) { runningMean($0, $1, radius: radius) }
    }
  }

  private typealias Line = UnsafeMutableBufferPointer<Float>

  /// Filters each row (`step` 1) or each column (`step` `size`): `filter` reads its first argument and fills its second.
  @inline(__always)
  private static func along(
    _ image: inout [Float], size: Int, step: Int, lineStep: Int, filter: (Line, Line) -> Void
  ) {
    var source = [Float](repeating: 0, count: size)
    var target = source
    image.withUnsafeMutableBufferPointer { image in
      source.withUnsafeMutableBufferPointer { source in
        target.withUnsafeMutableBufferPointer { target in
          for line in 0..<size {
            for position in 0..<size { source[position] = image[line * lineStep + position * step] }
            filter(source, target)
            for position in 0..<size { image[line * lineStep + position * step] = target[position] }
          }
        }
      }
    }
  }

  @inline(__always)
  private static func threeTaps(_ source: Line, _ target: Line, weight: Float) {
    let last = source.count - 1
    for position in 0...last {
      let neighbours = source[max(position - 1, 0)] + source[min(position + 1, last)]
      target[position] = source[position] + weight * (neighbours - 2 * source[position])
    }
  }

  @inline(__always)
  private static func runningMean(_ source: Line, _ target: Line, radius: Int) {
    let last = source.count - 1
    var sum: Float = 0
    for offset in -radius...radius { sum += source[min(max(offset, 0), last)] }
    let weight = 1 / Float(2 * radius + 1)
    for position in 0...last {
      target[position] = sum * weight
      sum += source[min(position + radius + 1, last)] - source[max(position - radius, 0)]
    }
  }
}
