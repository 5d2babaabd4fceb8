/// How an image is ranked; larger is more unusual.
public enum TokenMaskingScore: String, Codable, CaseIterable, Sendable {
  /// Mean −log p of the image's tokens.
  case tokenSurprise
  /// Mean −log p of the least likely 5 % of the tokens.
  case surprisePeak
  /// Share of the tokens that were flagged, and healed.
  case healedShare
  /// Mean of the anomaly map.
  case mapMean
  /// Mean of the largest 1 % of the anomaly map.
  case mapPeak
  /// Distance of the map of −log p to those of the nearest normal images.
  case surpriseDistance
  /// Structure that the healed image does not share, against what is usual (2-D only).
  case unexplainedEnergy
  /// Distance of the image's band energies, and of what healing changes, to those of the nearest normal images (2-D only).
  case nearestNormals

  /// Chosen on a validation split (README); for two-dimensional images.
  public static let `default` = TokenMaskingScore.nearestNormals

  /// Whether the score looks at band energies, which only two-dimensional images have.
  var comparesBands: Bool { self == .unexplainedEnergy || self == .nearestNormals }
}
