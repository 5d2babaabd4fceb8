import MedicalImaging

/// Smooth random texture with features of one size, defined over the whole patient plane.
///
/// Value noise: uniform numbers in `-1 ... 1` on a square lattice, interpolated with a cubic ease. Outside the lattice it
/// repeats.
struct BandLimitedNoise: Sendable {
  private let lattice: [Float]
  private let edge: Int
  private let cellsPerCentimetre: Float

  /// Draws a lattice whose cells are `cellSize` centimetres wide.
  init(cellSize: Float, using generator: inout SeededGenerator) {
    edge = max(Int(48 / cellSize), 2)
    cellsPerCentimetre = 1 / cellSize
    var values: [Float] = []
    values.reserveCapacity(edge * edge)
    for _ in 0..<edge * edge { values.append(generator.uniform(-1...1)) }
    lattice = values
  }

  /// The noise at a patient point, in `-1 ... 1`.
  @inline(__always)
  func value(at point: SIMD2<Float>) -> Float {
    let cell = point * cellsPerCentimetre
    let corner = cell.rounded(.down)
    let inside = cell - corner
    let ease = inside * inside * (3 - 2 * inside)
    let column = wrapped(Int(corner.x))
    let row = wrapped(Int(corner.y))
    let nextColumn = column + 1 == edge ? 0 : column + 1
    let nextRow = row + 1 == edge ? 0 : row + 1
    return lattice.withUnsafeBufferPointer { lattice in
      let top =
        lattice[row * edge + column]
        + ease.x * (lattice[row * edge + nextColumn] - lattice[row * edge + column])
      let bottom =
        lattice[nextRow * edge + column]
        + ease.x * (lattice[nextRow * edge + nextColumn] - lattice[nextRow * edge + column])
      return top + ease.y * (bottom - top)
    }
  }

  @inline(__always)
  private func wrapped(_ index: Int) -> Int {
    let remainder = index % edge
    return remainder < 0 ? remainder + edge : remainder
  }
}
