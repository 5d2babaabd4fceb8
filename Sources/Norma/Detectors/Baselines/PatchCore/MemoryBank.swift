import Torch

/// PatchCore's memory bank: patch features of normal images, of which each knows its image.
struct MemoryBank {
  /// Features, `[m, d]`.
  let features: Tensor
  /// Which of the fitted images each feature is of, `[m]`, int64.
  let owners: Tensor

  /// Numbers that a block of distances may hold.
  private static let blockSize = 1 << 24

  /// Takes up features and their owners.
  init(features: Tensor, owners: Tensor) { (self.features, self.owners) = (features, owners) }

  /// Takes up what `state` gave.
  init?(_ state: [String: Tensor]) {
    guard let features = state["bank.features"], let owners = state["bank.owners"] else { return nil }
    self.init(features: features, owners: owners)
  }

  /// What a checkpoint keeps.
  var state: [String: Tensor] { ["bank.features": features, "bank.owners": owners] }

  /// What was found for the patches of images.
  struct Nearest {
    /// Distance of each patch to the nearest feature of the bank, `[B, P]`.
    let distances: Tensor
    /// Which feature that is, `[B, P]`, int64.
    let indices: Tensor
  }

  /// The nearest features of patches `[B, P, d]` (eq. 6).
  /// - Parameter hidden: features that an image may not be compared with, `[B, m]`, `bool`; nil: none.
  func nearest(to patches: Tensor, hidden: Tensor?) throws(TorchError) -> Nearest {
    let (images, count) = (patches.extent(0), patches.extent(1))
    let step = max(1, Self.blockSize / max(1, features.extent(0) * images))
    var found: [Tensor] = []
    for start in stride(from: 0, to: count, by: step) {
      let part = try patches.sliced(start..<min(start + step, count), axis: 1)
      var distances = try part.reshaped([-1, patches.extent(2)]).pairwiseDistances(to: features)
        .reshaped([images, part.extent(1), -1])
      if let hidden { distances = try distances.masked(hidden.unsqueezed(1), by: .infinity) }
      found.append(try distances.indexOfMinimum(axis: 2))
    }
    let indices = try Tensor.concatenated(found, axis: 1)
    // Distances of many pairs at once come from products, which are rough where they are small; those that count are exact.
    let theirs = try features.selecting(indices.reshaped([-1]), axis: 0).reshaped(patches.shape)
    return Nearest(distances: try (patches - theirs).squared().sum([2]).squareRoot(), indices: indices)
  }

  /// Scores of images, `[B]`: the largest distance s* of a patch, times one minus the softmax of that distance among the
  /// distances of the patch to the b features of the bank that are nearest to the one it is nearest to, itself included (eq. 7).
  func reweighted(
    _ nearest: Nearest, patches: Tensor, neighbours: Int, hidden: Tensor?
  ) throws(TorchError) -> Tensor {
    let (largest, place) = try nearest.distances.top(1, axis: 1)
    let kept = min(neighbours, features.extent(0))
    guard kept > 1 else { return try largest.squeezed(1) }
    let closest = try nearest.indices.gathering(place, axis: 1)
    let centre = try features.selecting(closest.squeezed(1), axis: 0)
    var spread = try centre.pairwiseDistances(to: features)
    if let hidden { spread = try spread.masked(hidden, by: .infinity) }
    // The feature itself comes first, whatever is as near.
    spread = try spread.scattering(closest.to(.float32) * 0 - 1, at: closest, axis: 1)
    let (radii, around) = try spread.top(kept, axis: 1, largest: false)
    let width = patches.extent(2)
    let index = try place.unsqueezed(2).expanded([patches.extent(0), 1, width])
    let patch = try patches.gathering(index, axis: 1)
    let theirs = try features.selecting(around.reshaped([-1]), axis: 0).reshaped([patches.extent(0), kept, width])
    let distances = try (patch - theirs).squared().sum([2]).squareRoot()
      .masked(radii.isFinite().not(), by: -.infinity)
    let weights = try 1 - distances.softmax(axis: 1).sliced(0..<1, axis: 1)
    return try (weights * largest).squeezed(1)
  }

  /// The features that images may not be compared with when they are among the fitted ones, `[B, m]`: their own, and with
  /// them those of the same volume, unless nothing else is in the bank.
  /// - Throws: `TorchError` when it is not said which images they are.
  func hidden(from match: ReferenceMatch) throws(TorchError) -> Tensor? {
    switch match {
    case .others: return nil
    case .itself:
      throw TorchError("patchcore", "an image of the memory bank can be scored only when it is said which one it is")
    case .among(let subjects, let rows):
      let device = features.device
      let owning = try owners.reshaped([1, -1])
      let own = try owning.equal(Tensor(rows, shape: [rows.count, 1], on: device))
      let subjectsOfBank = try Tensor(subjects, on: device).selecting(owners, axis: 0).reshaped([1, -1])
      let same = try subjectsOfBank.equal(Tensor(rows.map { subjects[$0] }, shape: [rows.count, 1], on: device))
      func unlessAll(_ mask: Tensor, _ other: Tensor) throws(TorchError) -> Tensor {
        let hidesAll = try mask.to(.float32).minimum([1], keepingAxes: true).greater(0.5)
        return try mask.replacing(with: other, where: hidesAll)
      }
      return try unlessAll(unlessAll(same, own), own.not().and(own))
    }
  }
}
