/// Blurring and averaging of volumes laid out as `VoxelGrid` says.
enum VolumeFilter {
  /// A Gaussian blur of standard deviation `sigma` millimetres, as repeated three-tap kernels of together the same variance;
  /// beyond the border the border's voxels go on.
  static func gaussian(_ volume: inout [Float], grid: VoxelGrid, sigma: Float) {
    let axes = [(grid.width, 1), (grid.height, grid.width), (grid.depth, grid.width * grid.height)]
    for (axis, (length, stride)) in axes.enumerated() {
      let plan = passes(sigma: sigma / grid.spacing[axis])
      for _ in 0..<plan.count { threeTaps(&volume, length: length, stride: stride, weight: plan.weight) }
    }
  }

  /// Voxels that the blur carries a value along `axis` (0 for x).
  static func reach(sigma: Float, spacing: SIMD3<Float>, axis: Int) -> Int {
    passes(sigma: sigma / spacing[axis]).count
  }

  /// The standard deviation that white noise of standard deviation 1 keeps under the blur.
  static func remainingNoise(sigma: Float, spacing: SIMD3<Float>) -> Float {
    var remaining: Float = 1
    for axis in 0..<3 {
      let plan = passes(sigma: sigma / spacing[axis])
      var kernel = [Float](repeating: 0, count: 2 * plan.count + 1)
      kernel[plan.count] = 1
      for _ in 0..<plan.count { threeTaps(&kernel, length: kernel.count, stride: 1, weight: plan.weight) }
      remaining *= kernel.reduce(0) { $0 + $1 * $1 }.squareRoot()
    }
    return remaining
  }

  /// The mean of each block of `parts.x` by `parts.y` by `parts.z` voxels of `volume`, which lies on
  /// `grid.divided(by: parts)`.
  static func mean(of volume: [Float], grid: VoxelGrid, parts: SIMD3<Int>) -> [Float] {
    guard parts != SIMD3(1, 1, 1) else { return volume }
    var means = [Float](repeating: 0, count: grid.count)
    let weight = 1 / Float(parts.x * parts.y * parts.z)
    let fineWidth = grid.width * parts.x
    let fineHeight = grid.height * parts.y
    means.withUnsafeMutableBufferPointer { means in
      volume.withUnsafeBufferPointer { volume in
        for z in 0..<grid.depth * parts.z {
          for y in 0..<fineHeight {
            let source = (z * fineHeight + y) * fineWidth
            let target = (z / parts.z * grid.height + y / parts.y) * grid.width
            for x in 0..<grid.width {
              var sum: Float = 0
              for part in 0..<parts.x { sum += volume[source + x * parts.x + part] }
              means[target + x] += weight * sum
            }
          }
        }
      }
    }
    return means
  }

  /// How often the three-tap kernel runs, and the weight of each of its neighbours.
  private static func passes(sigma: Float) -> (count: Int, weight: Float) {
    let count = max(Int((2 * sigma * sigma).rounded(.up)), 1)
    return (count, sigma * sigma / (2 * Float(count)))
  }

  /// Moves each value by `weight` times the second difference along the axis whose neighbours lie `stride` apart.
  private static func threeTaps(_ volume: inout [Float], length: Int, stride: Int, weight: Float) {
    var before = [Float](repeating: 0, count: stride)
    volume.withUnsafeMutableBufferPointer { volume in
      before.withUnsafeMutableBufferPointer { before in
        for start in Swift.stride(from: 0, to: volume.count, by: length * stride) {
          for offset in 0..<stride { before[offset] = volume[start + offset] }
          for position in 0..<length {
            let line = start + position * stride
            let next = position == length - 1 ? 0 : stride
            for offset in 0..<stride {
              let value = volume[line + offset]
              volume[line + offset] = value + weight * (before[offset] + volume[line + offset + next] - 2 * value)
              before[offset] = value
            }
          }
        }
      }
    }
  }
}
