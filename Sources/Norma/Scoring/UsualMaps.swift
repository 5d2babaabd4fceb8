import Torch

/// What maps of normal images look like pixel by pixel, so that an unusual value counts by how unusual it is at its place.
///
/// Errors are large at ribs and edges of normal images as well; a map in standard deviations of its own pixel forgives them.
struct UsualMaps {
  /// Means of each map, `[M, H, W]`.
  let mean: Tensor
  /// Standard deviations of each map, `[M, H, W]`, raised by a fifth of the map's average deviation.
  let deviation: Tensor

  /// Sums over the maps of normal images, batch by batch; on the processor, as not every device has float64.
  struct Tally {
    private var count = 0
    private var device = Device.cpu
    private var sum: Tensor?
    private var squares: Tensor?

    /// Adds the maps of a batch, each `[B, H, W]`.
    mutating func add(_ maps: [Tensor]) throws(TorchError) {
      let found = try Tensor.stacked(maps)
      device = found.device
      let values = try found.to(.cpu).to(.float64)
      let (first, second) = (try values.sum([1]), try values.squared().sum([1]))
      sum = if let sum { try sum + first } else { first }
      squares = if let squares { try squares + second } else { second }
      count += values.extent(1)
    }

    /// What was usual.
    /// - Throws: `TorchError` when no maps were added.
    func usual() throws(TorchError) -> UsualMaps {
      guard let sum, let squares else { throw TorchError("maps", "there are no images to learn from") }
      let mean = try sum / Double(count)
      let deviation = try (squares / Double(count) - mean.squared()).clamped(0, .infinity).squareRoot()
      let least = try deviation.mean([1, 2], keepingAxes: true) * 0.2 + 1e-6
      return UsualMaps(
        mean: try mean.to(.float32).to(device), deviation: try (deviation + least).to(.float32).to(device))
    }
  }

  private init(mean: Tensor, deviation: Tensor) { (self.mean, self.deviation) = (mean, deviation) }

  /// Takes up what `state` gave.
  init?(_ state: [String: Tensor]) {
    guard let mean = state["usualMaps.mean"], let deviation = state["usualMaps.deviation"] else { return nil }
    (self.mean, self.deviation) = (mean, deviation)
  }

  /// What a checkpoint keeps.
  var state: [String: Tensor] { ["usualMaps.mean": mean, "usualMaps.deviation": deviation] }

  /// The weighted sum of maps `[B, H, W]`, each in standard deviations of its pixels, `[B, H, W]`.
  func standardisedSum(_ maps: [(values: Tensor, weight: Double)]) throws(TorchError) -> Tensor {
    let weights = try Tensor(maps.map { Float($0.weight) }, shape: [maps.count, 1, 1, 1], on: mean.device)
    let standardised = try (.stacked(maps.map(\.values)) - mean.unsqueezed(1)) / deviation.unsqueezed(1)
    return try (standardised * weights).sum([0])
  }
}
