import Torch

/// Decodes healed sequences several times each, with other channels dropped every time (§5, §7).
///
/// Channels are dropped before the last layer only, unless residual units drop some as well: everything before it is then
/// computed once per distinct sequence. Which channels are dropped follows from the image, the sample and the decoding.
struct DropoutDecoder {
  /// VQ-VAE and order of tokens.
  let network: TokenMaskingNetwork
  /// The VQ-VAE's settings.
  let settings: TokenMaskingConfiguration.Autoencoder
  /// Decodings of each sequence, D.
  let decodings: Int
  /// Numbers that the features of one chunk of decodings may hold.
  private static let chunkCount = 1 << 26

  /// Images of one image's healed sequences `[S, L]`, handed over in chunks `[k, P]` of all P pixels, S · D rows in all:
  /// sample by sample, the decodings of each in a row.
  /// - Parameter key: names the random numbers of the image.
  func decode(_ sequences: Tensor, key: UInt64, _ body: (Tensor) throws -> Void) throws {
    let samples = sequences.extent(0)
    let pixels = network.order.extents.reduce(1) { $0 * $1 << settings.levels }
    let step = max(1, Self.chunkCount / (decodings * settings.width / 2 * max(1, pixels / 4)))
    let (distinct, places) = try Self.distinct(sequences)
    for start in stride(from: 0, to: samples, by: step) {
      let chunk = start..<min(start + step, samples)
      let features = try self.features(of: distinct, places: Array(places[chunk]), first: start, key: key)
      let images = try network.autoencoder.decoderEnd(features)
      try body(images.reshaped([chunk.count * decodings, -1]))
    }
  }

  /// Features before the last layer with channels dropped, `[k · D, C_h / 2, …]`.
  private func features(of distinct: Tensor, places: [Int], first: Int, key: UInt64) throws -> Tensor {
    let used = Array(Set(places)).sorted()
    let rows = try distinct.selecting(Tensor(used, shape: [used.count], on: distinct.device), axis: 0)
    let index = places.flatMap { place in
      [Int](repeating: (used.firstIndex(of: place) ?? 0), count: decodings)
    }
    let each = try Tensor(index, shape: [index.count], on: distinct.device)
    let isRandom = decodings > 1 || settings.decoderDropout > 0
    guard isRandom else {
      return try network.autoencoder.decoderTrunk(network.vectors(of: rows)).selecting(each, axis: 0)
    }
    let features: Tensor
    if settings.dropsInUnits {
      let random = try Generator(
        seed: CounterRandom.hash(key, UInt64(first)), on: distinct.device, drawnOn: .cpu)  // the same on every device
      let vectors = try network.vectors(of: rows.selecting(each, axis: 0))
      features = try network.autoencoder.decoderTrunk(vectors, random: random)
    } else {
      features = try network.autoencoder.decoderTrunk(network.vectors(of: rows)).selecting(each, axis: 0)
    }
    return try features * mask(rows: places.count, first: first, features, key: key)
  }

  /// 1 / (1 − p) for channels that stay, 0 for those that are dropped, `[rows · D, C, 1, …]`.
  private func mask(rows: Int, first: Int, _ features: Tensor, key: UInt64) throws(TorchError) -> Tensor {
    let (channels, dropped) = (features.extent(1), Float(settings.decoderDropout))
    var values: [Float] = []
    values.reserveCapacity(rows * decodings * channels)
    for decoding in first * decodings..<(first + rows) * decodings {
      for channel in 0..<channels {
        values.append(CounterRandom.uniform(~key, decoding, channel) < dropped ? 0 : 1 / (1 - dropped))
      }
    }
    let shape = [rows * decodings, channels] + features.shape.dropFirst(2).map { _ in 1 }
    return try Tensor(values, shape: shape, on: features.device)
  }

  /// The distinct rows of `[S, L]` and, for every row, which of them it is.
  private static func distinct(_ sequences: Tensor) throws(TorchError) -> (rows: Tensor, places: [Int]) {
    let (samples, length) = (sequences.extent(0), sequences.extent(1))
    let values: [Int] = try sequences.contiguous().values(as: Int.self)
    var seen: [[Int]: Int] = [:]
    var rows: [Int] = []
    let places = (0..<samples).map { sample in
      let row = Array(values[sample * length..<(sample + 1) * length])
      if let place = seen[row] { return place }
      seen[row] = rows.count
      rows.append(sample)
      return rows.count - 1
    }
    return (try sequences.selecting(Tensor(rows, shape: [rows.count], on: sequences.device), axis: 0), places)
  }
}
