extension Volume3D {
  /// The volume with its voxels in the order closest to the patient's axes: x towards the right, y towards the front, z
  /// towards the head (RAS). Axes are exchanged and reversed; no value is interpolated, and none moves in the patient.
  public var canonical: Volume3D { oriented(along: .canonical) }

  /// The volume with its voxels in another order, the place of each in the patient unchanged.
  /// - Parameter target: which axis of the result is to run along which axis of the patient.
  public func oriented(along target: AnatomicalAxes) -> Volume3D {
    let current = affine.anatomicalAxes
    guard current != target else { return self }
    let (extents, strides, columns) = (
      [width, height, depth], [1, width, width * height], [affine.x, affine.y, affine.z]
    )
    var (newExtents, steps, newColumns) = ([1, 1, 1], [0, 0, 0], columns)
    var (start, origin) = (0, affine.origin)
    for direction in 0..<3 {
      let (from, to) = (current.axes[direction], target.axes[direction])
      let isReversed = current.ascends[direction] != target.ascends[direction]
      newExtents[to] = extents[from]
      steps[to] = isReversed ? -strides[from] : strides[from]
      newColumns[to] = isReversed ? -columns[from] : columns[from]
      guard isReversed else { continue }
      start += (extents[from] - 1) * strides[from]
      origin += columns[from] * Double(extents[from] - 1)
    }
    let reordered = [Float](unsafeUninitializedCapacity: samples.count) { result, count in
      for z in 0..<newExtents[2] {
        for y in 0..<newExtents[1] {
          var place = start + z * steps[2] + y * steps[1]
          for _ in 0..<newExtents[0] {
            result.initializeElement(at: count, to: samples[place])
            count += 1
            place += steps[0]
          }
        }
      }
    }
    return Volume3D(
      width: newExtents[0], height: newExtents[1], depth: newExtents[2], samples: reordered, range: range,
      affine: Affine3D(x: newColumns[0], y: newColumns[1], z: newColumns[2], origin: origin), provenance: provenance)
  }
}

extension AnatomicalAxes {
  /// x towards the right, y towards the front, z towards the head (RAS).
  public static let canonical = AnatomicalAxes(axes: [0, 1, 2], ascends: [true, true, true])
}
