import Foundation
import Torch

/// From anomaly maps of the training images to the tokens that the next round leaves out (§4.1, §4.3).
///
/// A token is suspected when at least a share of its pixels exceeds the threshold, which is to say when its ⌈share · pixels⌉-th
/// largest pixel does. So one number a token is kept, and the threshold can be settled after all images were seen.
struct SuspectedTokens {
  /// What the rounds are like.
  let settings: TokenMaskingConfiguration.Rounds

  /// The suspicion of every token of maps `[B, sides…]` with cells of `cell` pixels: `[B, grid…]`.
  func suspicion(of maps: Tensor, cell: Int) throws(TorchError) -> Tensor {
    let sides = Array(maps.shape.dropFirst())
    let axes = sides.count
    let split = try maps.reshaped([maps.extent(0)] + sides.flatMap { [$0 / cell, cell] })
    let grid = (0..<axes).map { 1 + 2 * $0 }
    let inner = (0..<axes).map { 2 + 2 * $0 }
    let cells = try split.permuted([0] + grid + inner).reshaped([maps.extent(0)] + sides.map { $0 / cell } + [-1])
    let pixels = cells.extent(-1)
    let rank = max(1, Int((settings.cellShare * Double(pixels)).rounded(.up)))
    return try cells.kthSmallest(pixels - rank + 1, axis: axes + 1)
  }

  /// The tokens to leave out.
  /// - Parameters:
  ///   - suspicion: `[N, grid…]`.
  ///   - threshold: of the map.
  /// - Returns: `[N, grid…]`, `bool`, and how many images had more than the cap allows.
  func tokens(_ suspicion: Tensor, threshold: Double) throws(TorchError) -> (suspected: Tensor, capped: Int) {
    var suspected = try suspicion.greater(threshold)
    if settings.dilates {
      let window = suspicion.shape.dropFirst().map { _ in 3 }
      suspected = try suspected.to(.float32).unsqueezed(1).pooled(
        .maximum, kernel: window, stride: window.map { _ in 1 }, padding: window.map { _ in 1 }
      ).squeezed(1).greater(0.5)
    }
    let count = suspicion.extent(0)
    let flat = try suspected.reshaped([count, -1])
    let most = max(1, Int(settings.cap * Double(flat.extent(1))))
    let tooMany = try flat.to(.float32).sum([1], keepingAxes: true).greater(Double(most))
    let capped: [Int] = try tooMany.to(.int64).values(as: Int.self)
    guard capped.contains(1) else { return (suspected, 0) }
    // Where there are too many, the worst: those that come first in descending order.
    let ranks = try suspicion.reshaped([count, -1]).sorted(axis: 1, descending: true).indices.sorted(axis: 1).indices
    let worst = try ranks.less(Double(most)).and(flat)
    return (try flat.replacing(with: worst, where: tooMany).reshaped(suspected.shape), capped.count { $0 == 1 })
  }

  /// How much a round changed: 1 − intersection over union of the suspected tokens; 0 where neither round has any.
  static func change(from old: Tensor, to new: Tensor) throws(TorchError) -> Double {
    let both = try old.and(new).to(.float32).sum().item()
    let either = try old.or(new).to(.float32).sum().item()
    return either == 0 ? 0 : 1 - both / either
  }
}

/// Values of maps counted in fine steps, for the median and the median deviation from it of any number of pixels.
struct MapHistogram {
  /// Values above this count as this.
  private static let most = 32.0
  private static let bins = 1 << 16
  /// Pixels per step.
  private(set) var counts: [Double]

  init() { counts = [Double](repeating: 0, count: Self.bins) }

  /// Takes up counts that were kept.
  init(counts: [Double]) { self.counts = counts }

  /// Counts values `[n]`.
  mutating func add(_ values: Tensor) throws(TorchError) {
    let found: [Float] = try values.values()
    for value in found where value.isFinite {
      counts[min(Self.bins - 1, max(0, Int(Double(value) / Self.most * Double(Self.bins))))] += 1
    }
  }

  /// `median + k · 1.4826 · MAD`; nil where there is nothing, or no spread.
  func robustThreshold(deviations: Double) -> Double? {
    guard let median = quantile(0.5, counts) else { return nil }
    let centre = Int(median / Self.most * Double(Self.bins))
    var distances = [Double](repeating: 0, count: Self.bins)
    for (bin, count) in counts.enumerated() { distances[abs(bin - centre)] += count }
    guard let spread = quantile(0.5, distances), spread > 1.5 * Self.most / Double(Self.bins) else { return nil }
    return median + deviations * 1.4826 * spread
  }

  private func quantile(_ share: Double, _ counts: [Double]) -> Double? {
    let total = counts.reduce(0, +)
    guard total > 0 else { return nil }
    var sum = 0.0
    for (bin, count) in counts.enumerated() {
      sum += count
      if sum >= share * total { return (Double(bin) + 0.5) * Self.most / Double(Self.bins) }
    }
    return nil
  }
}
