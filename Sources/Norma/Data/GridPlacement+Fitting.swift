import MedicalImaging

extension GridPlacement {
  /// A part of an image, shrunk or enlarged by one factor so that it just fits into the network's sides.
  /// - Parameters:
  ///   - source: the part, one range per axis.
  ///   - spacing: how far samples lie apart along each axis, in one unit, all positive.
  ///   - kept: the axis that has its samples in any case.
  /// - Precondition: there are as many of each as the grid has axes.
  init(
    fitting source: [Range<Int>], of grid: ImageGrid, spacing: [Double], into extents: [Int], keeping kept: Int? = nil
  ) {
    let lengths = zip(source, spacing).map { Double($0.count) * $1 }
    let factor = extents.indices.filter { $0 != kept }.map { Double(extents[$0]) / lengths[$0] }.min() ?? 1
    self.init(
      grid: grid,
      axes: grid.extents.indices.map { axis in
        let samples = axis == kept ? Double(source[axis].count) : (lengths[axis] * factor).rounded()
        return AxisPlacement(
          extent: grid.extents[axis], source: source[axis],
          resampled: samples < Double(extents[axis]) ? max(1, Int(samples)) : extents[axis], count: extents[axis])
      })
  }

  /// A part of an image with its samples `target` apart, the middle of both in one place; nil where that makes more samples than
  /// any image may have.
  /// - Parameters:
  ///   - source: the part, one range per axis.
  ///   - spacing: how far samples lie apart along each axis, in the unit of `target`, all positive.
  init?(
    resampling source: [Range<Int>], of grid: ImageGrid, spacing: [Double], to target: [Double], extents: [Int]
  ) {
    let samples = grid.extents.indices.map { axis in
      max(1, (Double(source[axis].count) * spacing[axis] / target[axis]).rounded())
    }
    // The first axis is resampled last.
    let most = samples.dropFirst().reduce(max(samples[0], Double(source[0].count)), *)
    guard most <= Double(ImageReader.maximumSamples) else { return nil }
    self.init(
      grid: grid,
      axes: grid.extents.indices.map { axis in
        AxisPlacement(
          extent: grid.extents[axis], source: source[axis], resampled: Int(samples[axis]), count: extents[axis])
      })
  }
}
