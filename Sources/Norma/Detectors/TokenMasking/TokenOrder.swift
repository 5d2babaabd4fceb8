import MedicalImaging
import Torch

/// The curves along which a latent grid can be read.
public enum TokenCurve: String, Codable, CaseIterable, Sendable {
  /// Row by row, last axis fastest.
  case raster
  /// Like raster, every other row backwards, so that neighbours in the sequence are neighbours in the grid.
  case snake
  /// The generalised Hilbert curve of any rectangle or box.
  case gilbert
  /// One seeded shuffle, the same for all images.
  case random
}

/// The order in which the cells of a latent grid are read as a sequence (§3.1), and its inverse.
struct TokenOrder {
  /// Extents of the grid, outermost first.
  let extents: [Int]
  /// The flat index of the cell that comes at each place of the sequence.
  let cells: [Int]
  /// The place in the sequence of each cell, by flat index.
  let places: [Int]

  /// - Parameters:
  ///   - extents: two or three extents, outermost first.
  ///   - seed: what the shuffle follows from; other curves do not look at it.
  init(_ curve: TokenCurve, extents: [Int], seed: UInt64) {
    let all = Array(0..<extents.reduce(1, *))
    switch curve {
    case .raster: self.init(cells: all, extents: extents)
    case .snake: self.init(cells: Self.snake(extents), extents: extents)
    case .gilbert: self.init(cells: GilbertCurve.cells(extents), extents: extents)
    case .random:
      var random = SeededGenerator(seed: seed)
      self.init(cells: random.shuffled(all), extents: extents)
    }
  }

  /// An order given cell by cell.
  init(cells: [Int], extents: [Int]) {
    (self.cells, self.extents) = (cells, extents)
    var places = [Int](repeating: 0, count: cells.count)
    for (place, cell) in cells.enumerated() { places[cell] = place }
    self.places = places
  }

  /// Tokens of a sequence.
  var count: Int { cells.count }

  /// Grids `[B, h, w]` or `[B, d, h, w]` as sequences `[B, L]`.
  func sequences(of grids: Tensor) throws(TorchError) -> Tensor {
    let flat = try grids.reshaped([grids.extent(0), count])
    return try flat.selecting(indices(cells, on: grids.device), axis: 1)
  }

  /// Sequences `[B, L]` back as grids.
  func grids(of sequences: Tensor) throws(TorchError) -> Tensor {
    let flat = try sequences.selecting(indices(places, on: sequences.device), axis: 1)
    return try flat.reshaped([sequences.extent(0)] + extents)
  }

  /// The coordinate along one axis of the cell at each place of the sequence.
  func coordinates(axis: Int) -> [Int] {
    let inner = extents.dropFirst(axis + 1).reduce(1, *)
    return cells.map { $0 / inner % extents[axis] }
  }

  private func indices(_ values: [Int], on device: Device) throws(TorchError) -> Tensor {
    try Tensor(values, shape: [values.count], on: device)
  }

  /// Each row turns back where the one before ended; in a volume each slice does so as well.
  private static func snake(_ extents: [Int]) -> [Int] {
    guard let first = extents.first else { return [0] }
    let inner = snake(Array(extents.dropFirst()))
    return (0..<first).flatMap { row in
      (row % 2 == 0 ? inner : inner.reversed()).map { row * inner.count + $0 }
    }
  }
}
