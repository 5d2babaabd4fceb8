import Torch

/// The default score: the share of an image's structure that the student does not reproduce, band by band and cell by cell,
/// against what is usual for normal images.
///
/// Structure is measured as band energy E (see `BandEnergies`) on an 8×8 grid, once on pixels, x against x − r, and once on
/// the discriminator's first feature maps, a(x) against a(x) − a(r), where r is the student's reconstruction of x:
/// `ρ = log(E(x − r) + ε) − log(E(x) + ε)`. Every entry is standardised over the normal training images; their mean is the
/// score of an image. Beside it, the vector of log energies is compared with those of the nearest normal images; there the
/// outermost cells, which show markers and collimation rather than lung, do not count.
///
/// Ours, not the paper's: a ratio of energies hardly moves from epoch to epoch, where the discriminator's logit swings.
struct UnexplainedEnergy {
  /// What is measured on a batch, before it is compared with normal images.
  struct Measurement {
    /// ρ on pixels, `[B, bands · 64]`.
    var pixels: Tensor
    /// ρ on features, `[B, bands · 64]`.
    var features: Tensor
    /// Log energies for the comparison with the nearest images, `[B, d]`.
    var signature: Tensor

    static func joined(_ parts: [Measurement]) throws(TorchError) -> Measurement {
      Measurement(
        pixels: try .concatenated(parts.map(\.pixels), axis: 0),
        features: try .concatenated(parts.map(\.features), axis: 0),
        signature: try .concatenated(parts.map(\.signature), axis: 0))
    }
  }

  private static let grid = 8
  private static let inner = 1..<7
  private let pixelBands: BandEnergies
  private let featureBands: BandEnergies

  /// - Parameter imageSize: side of the images; the discriminator's first maps have half of it.
  init(imageSize: Int) throws(TorchError) {
    let scale = Double(imageSize) / 64
    pixelBands = try BandEnergies(
      sigmas: [1, 2, 4, 8].map { $0 * scale }, side: imageSize, grid: Self.grid, keepsRest: false)
    featureBands = try BandEnergies(
      sigmas: [1, 2, 4].map { $0 * scale }, side: imageSize / 2, grid: Self.grid, keepsRest: false)
  }

  /// Measures images against their reconstructions, and their feature maps against each other.
  func callAsFunction(
    images: Tensor, reconstructions: Tensor, features: Tensor, reconstructedFeatures: Tensor
  ) throws(TorchError) -> Measurement {
    let whole = try pixelBands(images)
    let rest = try pixelBands(images - reconstructions)
    let ratio = try (rest + 1e-5).log() - (whole + 1e-5).log()
    let signature = try Tensor.concatenated([(whole + 1e-5).log(), ratio], axis: 1)
    let count = images.extent(0)
    return Measurement(
      pixels: try ((rest + 1e-3).log() - (whole + 1e-3).log()).reshaped([count, -1]),
      features: try
        ((featureBands(features - reconstructedFeatures) + 1e-3).log()
        - (featureBands(features) + 1e-3).log()).reshaped([count, -1]),
      signature: try signature.sliced(Self.inner, axis: 2).sliced(Self.inner, axis: 3).reshaped([count, -1]))
  }

  /// What is usual for normal images.
  struct Normal {
    /// Means and standard deviations of each entry of ρ, `[2, d]`.
    let pixels: Tensor
    let features: Tensor
    /// Signatures of the normal images.
    let nearest: NearestNormals
    /// Mean and standard deviation over the normal images of: mean ρ on pixels, on features, their sum, the distance. `[4, 2]`.
    let scales: Tensor

    /// Learns from the measurement of all normal training images.
    init(_ normal: Measurement) throws(TorchError) {
      func moments(_ values: Tensor) throws(TorchError) -> Tensor {
        try .stacked([values.mean([0]), (values.variance([0]).squareRoot() + 1e-6)])
      }
      pixels = try moments(normal.pixels)
      features = try moments(normal.features)
      nearest = try NearestNormals(fitting: normal.signature, neighbours: 5)
      let first = try Self.meanEntry(normal.pixels, pixels)
      let second = try Self.meanEntry(normal.features, features)
      let (a, b) = (try moments(first), try moments(second))
      let sum = try Self.scaled(first, a) + Self.scaled(second, b)
      let distances = try nearest.nearest(to: normal.signature, areReferences: true).distances
      scales = try .stacked([a, b, try moments(sum), try moments(distances)])
    }

    /// Takes up what `state` gave.
    init?(_ state: [String: Tensor]) {
      guard let pixels = state["unexplained.pixels"], let features = state["unexplained.features"],
        let scales = state["unexplained.scales"],
        let nearest = NearestNormals(state, prefix: "nearestNormals", neighbours: 5)
      else { return nil }
      (self.pixels, self.features, self.nearest, self.scales) = (pixels, features, nearest, scales)
    }

    /// What a checkpoint keeps.
    var state: [String: Tensor] {
      nearest.state(prefix: "nearestNormals").merging([
        "unexplained.pixels": pixels, "unexplained.features": features, "unexplained.scales": scales,
      ]) { _, new in new }
    }

    /// The scores `[B]` of a measurement, each in standard deviations of normal images.
    func scores(
      _ measured: Measurement, areReferences: Bool
    ) throws(TorchError) -> (unexplained: Tensor, distance: Tensor) {
      let first = try Self.scaled(Self.meanEntry(measured.pixels, pixels), scales.selected(0, axis: 0))
      let second = try Self.scaled(Self.meanEntry(measured.features, features), scales.selected(1, axis: 0))
      let distances = try nearest.nearest(to: measured.signature, areReferences: areReferences).distances
      return (
        try Self.scaled(first + second, scales.selected(2, axis: 0)),
        try Self.scaled(distances, scales.selected(3, axis: 0))
      )
    }

    /// Per cell the mean standardised ρ over all bands of pixels and features, `[B, 8, 8]`.
    func map(_ measured: Measurement) throws(TorchError) -> Tensor {
      func cells(_ values: Tensor, _ moments: Tensor) throws(TorchError) -> Tensor {
        try ((values - moments.selected(0, axis: 0)) / moments.selected(1, axis: 0)).reshaped([
          values.extent(0), -1, UnexplainedEnergy.grid, UnexplainedEnergy.grid,
        ]).mean([1])
      }
      return try cells(measured.pixels, pixels) + cells(measured.features, features)
    }

    /// Per cell the distance to the nearest normal images, `[B, 8, 8]`; the outermost cells are zero.
    func nearestMap(_ measured: Measurement) throws(TorchError) -> Tensor {
      try nearest.map(
        of: measured.signature, cells: UnexplainedEnergy.inner.count, margin: UnexplainedEnergy.inner.lowerBound)
    }

    private static func meanEntry(_ values: Tensor, _ moments: Tensor) throws(TorchError) -> Tensor {
      try ((values - moments.selected(0, axis: 0)) / moments.selected(1, axis: 0)).mean([1])
    }

    private static func scaled(_ values: Tensor, _ moments: Tensor) throws(TorchError) -> Tensor {
      try (values - moments.selected(0, axis: 0)) / moments.selected(1, axis: 0)
    }
  }
}
