import Torch

/// The share of an image's structure that a network does not reproduce, band by band and cell by cell, against what is usual
/// for normal images: a score for every method that reconstructs.
///
/// Structure is measured as band energy E (see `BandEnergies`) on an 8×8 grid in one or several views of an image: its
/// pixels, or feature maps. In each view `ρ = log(E(rest) + ε) − log(E(whole) + ε)`, where the rest is what the
/// reconstruction leaves of the view. Every entry is standardised over the normal training images; their mean, over all
/// cells or the inner ones, is the score of an image. Beside it, the log energies of the first view are compared with those of the nearest normal images; there the
/// outermost cells, which show markers and collimation rather than lung, do not count.
///
/// Ours, no paper's: a ratio of energies hardly moves from epoch to epoch.
struct UnexplainedEnergy {
  /// A way to look at an image.
  struct View {
    /// What a checkpoint calls it.
    let name: String
    /// How its energies are taken.
    let bands: BandEnergies

    /// - Parameters:
    ///   - sigmas: standard deviations of the Gaussians in pixels of the view.
    ///   - side: side of the view in pixels.
    init(_ name: String, sigmas: [Double], side: Int) throws(TorchError) {
      self.name = name
      bands = try BandEnergies(sigmas: sigmas, side: side, grid: UnexplainedEnergy.grid, keepsRest: false)
    }
  }

  /// What is measured on a batch, before it is compared with normal images.
  struct Measurement {
    /// ρ of each view, `[B, bands · 64]`.
    var ratios: [Tensor]
    /// Log energies for the comparison with the nearest images, `[B, d]`.
    var signature: Tensor

    static func joined(_ parts: [Measurement]) throws(TorchError) -> Measurement {
      guard let first = parts.first else { throw TorchError("unexplainedEnergy", "there are no images to learn from") }
      return Measurement(
        ratios: try first.ratios.indices.map { view throws(TorchError) in
          try .concatenated(parts.map { $0.ratios[view] }, axis: 0)
        }, signature: try .concatenated(parts.map(\.signature), axis: 0))
    }
  }

  private static let grid = 8
  private static let inner = 1..<7
  /// The ways to look at an image.
  let views: [View]
  /// ε of ρ, in units of the image's scale squared.
  let floor: Double
  /// Rows and columns of cells that the mean of ρ is taken over.
  let scoredCells: Range<Int>

  /// - Parameter scoresEdges: whether the outermost cells count in the mean of ρ.
  init(views: [View], floor: Double, scoresEdges: Bool) {
    (self.views, self.floor, scoredCells) = (views, floor, scoresEdges ? 0..<Self.grid : Self.inner)
  }

  /// Measures energies `[B, bands, 8, 8]`, a pair for each view in order: of the whole, and of what is left.
  func callAsFunction(_ energies: [(whole: Tensor, rest: Tensor)]) throws(TorchError) -> Measurement {
    func ratio(_ pair: (whole: Tensor, rest: Tensor), _ floor: Double) throws(TorchError) -> Tensor {
      try (pair.rest + floor).log() - (pair.whole + floor).log()
    }
    let first = energies[0]
    let signature = try Tensor.concatenated([(first.whole + 1e-5).log(), ratio(first, 1e-5)], axis: 1)
    let count = signature.extent(0)
    return Measurement(
      ratios: try energies.map { pair throws(TorchError) in try ratio(pair, self.floor).reshaped([count, -1]) },
      signature: try signature.sliced(Self.inner, axis: 2).sliced(Self.inner, axis: 3).reshaped([count, -1]))
  }

  /// What is usual for normal images.
  struct Normal {
    /// Names of the views.
    let views: [String]
    /// Rows and columns of cells that the mean of ρ is taken over.
    let scoredCells: Range<Int>
    /// Means and standard deviations of each entry of ρ, `[2, d]`, by view.
    let entries: [Tensor]
    /// Signatures of the normal images.
    let nearest: NearestNormals
    /// Mean and standard deviation over the normal images of: mean ρ of each view, their sum, the distance. `[views + 2, 2]`.
    let scales: Tensor

    /// Learns from the measurement of all normal training images.
    /// - Parameter subjects: the volume that each image is a part of; empty where each is whole.
    init(_ normal: Measurement, of energies: UnexplainedEnergy, subjects: [Int] = []) throws(TorchError) {
      let scoredCells = energies.scoredCells
      (views, self.scoredCells) = (energies.views.map(\.name), scoredCells)
      entries = try normal.ratios.map { values throws(TorchError) in try Self.moments(values) }
      nearest = try NearestNormals(fitting: normal.signature, neighbours: 5, subjects: subjects)
      var rows: [Tensor] = []
      var sum: Tensor?
      for (values, entry) in zip(normal.ratios, entries) {
        let mean = try Self.mean(Self.scaled(values, entry), over: scoredCells)
        let row = try Self.moments(mean)
        let scaled = try Self.scaled(mean, row)
        rows.append(row)
        sum = if let sum { try sum + scaled } else { scaled }
      }
      let match = ReferenceMatch.fitted(subjects, at: Array(subjects.indices))
      let distances = try nearest.nearest(to: normal.signature, areReferences: match).distances
      if let sum { rows.append(try Self.moments(sum)) }
      scales = try .stacked(rows + [Self.moments(distances)])
    }

    /// Takes up what `state` gave.
    init?(_ state: [String: Tensor], of energies: UnexplainedEnergy) {
      let names = energies.views.map(\.name)
      let entries = names.compactMap { state["unexplained.\($0)"] }
      guard entries.count == names.count, let scales = state["unexplained.scales"],
        let nearest = NearestNormals(state, prefix: "nearestNormals", neighbours: 5)
      else { return nil }
      (views, scoredCells, self.entries) = (names, energies.scoredCells, entries)
      (self.scales, self.nearest) = (scales, nearest)
    }

    /// What a checkpoint keeps.
    var state: [String: Tensor] {
      var state = nearest.state(prefix: "nearestNormals")
      for (name, entry) in zip(views, entries) { state["unexplained.\(name)"] = entry }
      state["unexplained.scales"] = scales
      return state
    }

    /// The scores `[B]` of a measurement, each in standard deviations of normal images.
    func scores(
      _ measured: Measurement, areReferences: ReferenceMatch
    ) throws(TorchError) -> (unexplained: Tensor, distance: Tensor) {
      var sum = try measured.signature.selected(0, axis: 1).zerosLike()
      for (view, values) in measured.ratios.enumerated() {
        let mean = try Self.mean(Self.scaled(values, entries[view]), over: scoredCells)
        sum = try sum + Self.scaled(mean, scales.selected(view, axis: 0))
      }
      let distances = try nearest.nearest(to: measured.signature, areReferences: areReferences).distances
      return (
        try Self.scaled(sum, scales.selected(views.count, axis: 0)),
        try Self.scaled(distances, scales.selected(views.count + 1, axis: 0))
      )
    }

    /// Per cell the mean standardised ρ over all bands, summed over the views, `[B, 8, 8]`.
    func map(_ measured: Measurement) throws(TorchError) -> Tensor {
      let (count, grid) = (measured.signature.extent(0), UnexplainedEnergy.grid)
      var map = try Tensor.zeros([count, grid, grid], on: measured.signature.device)
      for (values, entry) in zip(measured.ratios, entries) {
        map = try map + Self.scaled(values, entry).reshaped([count, -1, grid, grid]).mean([1])
      }
      return map
    }

    /// Per cell the distance to the nearest normal images, `[B, 8, 8]`; the outermost cells are zero.
    func nearestMap(_ measured: Measurement, areReferences: ReferenceMatch = false) throws(TorchError) -> Tensor {
      try nearest.map(
        of: measured.signature, cells: UnexplainedEnergy.inner.count, margin: UnexplainedEnergy.inner.lowerBound,
        areReferences: areReferences)
    }

    /// The mean of entries `[B, bands · 64]` over all bands and some cells, `[B]`.
    private static func mean(_ entries: Tensor, over cells: Range<Int>) throws(TorchError) -> Tensor {
      let grid = UnexplainedEnergy.grid
      guard cells.count < grid else { return try entries.mean([1]) }
      return try entries.reshaped([entries.extent(0), -1, grid, grid])
        .sliced(cells, axis: 2).sliced(cells, axis: 3).mean([1, 2, 3])
    }

    /// Means and standard deviations over the images, `[2, …]`.
    private static func moments(_ values: Tensor) throws(TorchError) -> Tensor {
      try .stacked([values.mean([0]), (values.variance([0]).squareRoot() + 1e-6)])
    }

    private static func scaled(_ values: Tensor, _ moments: Tensor) throws(TorchError) -> Tensor {
      try (values - moments.selected(0, axis: 0)) / moments.selected(1, axis: 0)
    }
  }
}
