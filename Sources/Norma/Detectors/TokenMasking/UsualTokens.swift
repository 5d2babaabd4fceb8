import Torch

/// What the scores know of normal images; each part is nil before `fit`.
struct UsualTokens {
  /// Thresholds of −log p at each place, `[L]`, where tokens are flagged by quantile.
  var flagThresholds: Tensor?
  /// Maps of −log p of normal images.
  var surprise: NearestNormals?
  /// Band energies of normal images and of what healing changes in them.
  var energies: UnexplainedEnergy.Normal?

  /// What a checkpoint keeps.
  var state: [String: Tensor] {
    var state = (energies?.state ?? [:]).merging(surprise?.state(prefix: "surprise") ?? [:]) { _, new in new }
    state["flagThresholds"] = flagThresholds
    return state
  }

  /// Nothing yet.
  init() {}

  /// Takes up what `state` gave.
  init(state: [String: Tensor], energies views: UnexplainedEnergy?) {
    flagThresholds = state["flagThresholds"]
    surprise = NearestNormals(state, prefix: "surprise", neighbours: 5)
    energies = views.flatMap { UnexplainedEnergy.Normal(state, of: $0) }
  }
}
