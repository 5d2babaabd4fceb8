import Torch

/// Anomaly maps of images from their healed sequences (§5): where tokens were flagged, how unlikely the observed intensity is
/// among the healed ones.
struct TokenMaps {
  /// Decodes healed sequences.
  let decoder: DropoutDecoder
  /// What maps measure.
  let settings: TokenMaskingConfiguration.Detection
  /// Units of the network's scale in the image's 0 ... 1.
  let range: ClosedRange<Double>
  private let sides: [Int]
  private let spread: GaussianFilter
  private let smoothing: GaussianFilter?

  init(
    decoder: DropoutDecoder, settings: TokenMaskingConfiguration.Detection, sides: [Int], range: ClosedRange<Double>,
    device: Device
  ) throws(TorchError) {
    (self.decoder, self.settings, self.sides, self.range) = (decoder, settings, sides, range)
    let cell = Double(1 << decoder.settings.levels)
    spread = try GaussianFilter(sigma: settings.maskSpread * cell, sides: sides, dtype: .float32, on: device)
    smoothing =
      settings.smoothing > 0
      ? try GaussianFilter(sigma: settings.smoothing, sides: sides, dtype: .float32, on: device) : nil
  }

  /// What is known of one image's pixels, each `[P]`; zero where nothing was flagged nearby.
  struct Maps {
    /// −log density relative to the kernel's peak.
    var density: Tensor
    /// Distance to the mean healed intensity, in units of 0 ... 1.
    var residual: Tensor
    /// The same in standard deviations of the healed intensities.
    var zScore: Tensor
    /// The mean healed image, in units of 0 ... 1, everywhere.
    var healed: Tensor

    /// The map of a kind.
    subscript(kind: TokenMaskingConfiguration.Detection.Map) -> Tensor {
      switch kind {
      case .density: density
      case .residual: residual
      case .zScore: zScore
      }
    }
  }

  /// Where maps are made: near flagged tokens (§5, evaluation mask).
  /// - Parameter flags: `[B, grid…]`, `bool`.
  /// - Returns: `[B, P]`, `bool`; nowhere in an image without flags.
  func validPixels(_ flags: Tensor) throws(TorchError) -> Tensor {
    let batch = flags.extent(0)
    let blurred = try spread(flags.to(.float32).unsqueezed(1).resized(to: sides, .nearest)).reshaped([batch, -1])
    let peak = try blurred.maximum([1], keepingAxes: true)
    return try blurred.greater(peak * 0.003_75 + 1e-12)
  }

  /// The maps of one image.
  /// - Parameters:
  ///   - image: `[P]` in network scale.
  ///   - valid: `[P]`, `bool`.
  ///   - healed: its healed sequences, `[S, L]`.
  ///   - key: names the random numbers of the image.
  func maps(of image: Tensor, valid: Tensor, healed: Tensor, key: UInt64) throws -> Maps {
    let observed = try unit(image)
    let places = try Self.places(where: valid)
    let rows = healed.extent(0) * decoder.decodings
    let atOnce = max(1, settings.memoryLimit << 20 / (rows * 4))
    var found: (density: [Tensor], residual: [Tensor], zScore: [Tensor]) = ([], [], [])
    var mean: Tensor?
    for start in stride(from: 0, to: max(places.count, 1), by: atOnce) {
      let part = Array(places[start..<min(start + atOnce, places.count)])
      let index = try Tensor(part, shape: [part.count], on: image.device)
      var samples: [Tensor] = []
      var sum: Tensor?
      try decoder.decode(healed, key: key) { images in
        let decoded = try self.unit(images)
        if !part.isEmpty { samples.append(try decoded.selecting(index, axis: 1)) }
        if mean == nil { sum = if let sum { try sum + decoded.sum([0]) } else { try decoded.sum([0]) } }
      }
      if let sum { mean = try sum / Double(rows) }
      guard !part.isEmpty else { break }
      let all = try Tensor.concatenated(samples, axis: 0)
      let own = try observed.selecting(index, axis: 0)
      let density = KernelDensity(rule: settings.bandwidth, floor: settings.bandwidthFloor)
      found.density.append(try density.surprise(of: own, among: all))
      let distance = try own - all.mean([0])
      found.residual.append(try distance.abs())
      found.zScore.append(try (distance / (all.variance([0], correction: min(1, rows - 1)).squareRoot() + 0.01)).abs())
    }
    guard let mean else { throw TorchError("maps", "no sequence was decoded") }
    let index = try Tensor(places, shape: [places.count], on: image.device)
    func whole(_ parts: [Tensor]) throws(TorchError) -> Tensor {
      let empty = try Tensor.zeros([image.extent(0)], on: image.device)
      guard !parts.isEmpty else { return empty }
      return try smoothed(empty.scattering(.concatenated(parts, axis: 0), at: index, axis: 0))
    }
    return Maps(
      density: try whole(found.density), residual: try whole(found.residual), zScore: try whole(found.zScore),
      healed: mean)
  }

  private func smoothed(_ map: Tensor) throws(TorchError) -> Tensor {
    guard let smoothing else { return map }
    return try smoothing(map.reshaped([1] + sides)).reshaped([-1])
  }

  /// Network scale as 0 ... 1, cut at both ends.
  private func unit(_ values: Tensor) throws(TorchError) -> Tensor {
    try ((values - range.lowerBound) / (range.upperBound - range.lowerBound)).clamped(0, 1)
  }

  private static func places(where valid: Tensor) throws(TorchError) -> [Int] {
    let values: [UInt8] = try valid.to(.uint8).values(as: UInt8.self)
    return values.indices.filter { values[$0] != 0 }
  }
}
