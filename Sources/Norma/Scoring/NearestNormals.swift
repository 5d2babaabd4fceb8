import Torch

/// Distances of feature vectors to the nearest normal training images: what the yardstick and the feature scores share.
///
/// Features are divided by their standard deviations over the normal images, so that every one counts alike.
struct NearestNormals {
  /// Neighbours that the distance is averaged over.
  let neighbours: Int
  /// Standardised features of the normal images, `[n, d]`.
  let references: Tensor
  /// Means of the features, `[d]`.
  let mean: Tensor
  /// Standard deviations of the features, `[d]`.
  let deviation: Tensor
  /// Which volume each normal image is a part of, while that is known: a checkpoint does not keep it.
  private let subjects: [Int]

  /// Learns from the features of normal images, `[n, d]`.
  /// - Parameter subjects: the volume that each is a part of; empty where each is whole.
  init(fitting features: Tensor, neighbours: Int, subjects: [Int] = []) throws(TorchError) {
    (self.neighbours, self.subjects) = (neighbours, subjects)
    let features = features.dtype == .bfloat16 ? try features.to(.float32) : features
    mean = try features.mean([0])
    deviation = try features.variance([0]).squareRoot().clamped(1e-6, .infinity)
    references = try (features - mean) / deviation
  }

  /// Takes up what `state` gave, under the same prefix.
  init?(_ state: [String: Tensor], prefix: String, neighbours: Int) {
    guard let references = state[prefix + ".references"], let mean = state[prefix + ".mean"],
      let deviation = state[prefix + ".deviation"]
    else { return nil }
    (self.neighbours, self.references, self.mean, self.deviation) = (neighbours, references, mean, deviation)
    subjects = []
  }

  /// What a checkpoint keeps.
  func state(prefix: String) -> [String: Tensor] {
    [prefix + ".references": references, prefix + ".mean": mean, prefix + ".deviation": deviation]
  }

  /// The nearest normal images of features `[B, d]`.
  /// - Parameter areReferences: each row is one of the normal images, and itself, with all that shows the same volume, is left
  ///   out.
  /// - Returns: mean distances `[B]`, and the indices of the neighbours, `[B, k]`.
  func nearest(
    to features: Tensor, areReferences: ReferenceMatch
  ) throws(TorchError) -> (distances: Tensor, indices: Tensor) {
    let count = references.extent(0)
    let all = try standardised(features).pairwiseDistances(to: references)
    if case .among(let subjects, let rows) = areReferences {
      // Normal images may have been left out of the references.
      let theirs = self.subjects.count == count ? self.subjects : subjects
      if theirs.count == count, let others = rows.map({ row in theirs.count { $0 != subjects[row] } }).min(), others > 0
      {
        let own = try Tensor(rows.map { subjects[$0] }, shape: [rows.count, 1], on: all.device)
        let same = try own.equal(Tensor(theirs, shape: [1, count], on: all.device))
        let (values, indices) = try all.masked(same, by: .infinity).top(
          min(neighbours, others), axis: 1, largest: false)
        return (try values.mean([1]), indices)
      }
    }
    let skipped = areReferences == .others ? 0 : 1
    let wanted = min(min(neighbours, count) + skipped, count)
    let (values, indices) = try all.top(wanted, axis: 1, largest: false)
    let kept = min(skipped, wanted - 1)..<wanted
    return (try values.sliced(kept, axis: 1).mean([1]), try indices.sliced(kept, axis: 1))
  }

  /// Where features `[B, d]` that are laid out as `[channels, cells, cells]` differ from those of the nearest normal images:
  /// per cell the mean distance over the neighbours, `[B, cells + 2 · margin, …]`, zero in the margin.
  func map(
    of features: Tensor, cells: Int, margin: Int, areReferences: ReferenceMatch = false
  ) throws(TorchError) -> Tensor {
    let indices = try nearest(to: features, areReferences: areReferences).indices
    let theirs = try references.selecting(indices.reshaped([-1]), axis: 0)
      .reshaped([features.extent(0), indices.extent(1), -1, cells, cells])
    let own = try standardised(features).reshaped([features.extent(0), 1, -1, cells, cells])
    let distances = try (own - theirs).squared().sum([2]).squareRoot().mean([1])
    return try distances.padded([Int](repeating: margin, count: 4))
  }

  /// Features on the scale of `references`.
  func standardised(_ features: Tensor) throws(TorchError) -> Tensor { try (features - mean) / deviation }
}
