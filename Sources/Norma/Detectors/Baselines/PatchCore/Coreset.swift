import Foundation
import Torch

/// Chooses few features that leave none of the others far away: greedy k-centre (PatchCore's algorithm 1, after Sener &
/// Savarese 2018).
enum Coreset {
  /// Dimensions of a random projection under which squared distances of `count` points change by at most the share `error`
  /// (Johnson & Lindenstrauss; Dasgupta & Gupta 2003).
  static func projectedWidth(count: Int, error: Double) -> Int {
    let bound = error * error / 2 - error * error * error / 3
    return max(1, Int(4 * log(Double(max(2, count))) / bound))
  }

  /// Features `[n, d]` in as many dimensions as `projectedWidth` says, by a matrix of normal numbers; as they are where they
  /// have no more dimensions than that.
  static func projected(_ features: Tensor, error: Double, random: Generator) throws(TorchError) -> Tensor {
    let (count, width) = (features.extent(0), features.extent(1))
    let smaller = projectedWidth(count: count, error: error)
    guard smaller < width else { return features }
    let matrix = try random.normal(
      standardDeviation: 1 / Double(smaller).squareRoot(), shape: [width, smaller])
    return try features.matmul(matrix.to(features.device))
  }

  /// Indices of `size` features of `[n, d]`: the one at `start`, then, one by one, the feature that is farthest from all that
  /// were chosen. Time grows with `n · size · d`, memory with `n · d`.
  static func greedy(_ features: Tensor, size: Int, start: Int) throws(TorchError) -> [Int] {
    let norms = try features.squared().sum([1])
    var chosen = [start]
    var nearest: Tensor?
    while chosen.count < min(size, features.extent(0)) {
      let latest = chosen[chosen.count - 1]
      // |x − y|² = |x|² − 2 x · y + |y|²: one pass over the features.
      let centre = try features.selected(latest, axis: 0)
      let squares = try norms - features.matmul(centre) * 2 + norms.selected(latest, axis: 0)
      let closest = if let nearest { try nearest.minimum(squares) } else { squares }
      let index = try Tensor([latest], on: features.device)
      let remaining = try closest.scattering(.full(-.infinity, shape: [1], on: features.device), at: index, axis: 0)
      nearest = remaining
      chosen.append(Int(try remaining.indexOfMaximum(axis: 0).item()))
    }
    return chosen
  }
}
