/// The scores that a trained MemMC-MAE can give; larger is more unusual.
public enum MemMCMAEScore: String, Codable, CaseIterable, Sendable {
  /// Distance of an image's band energies, and of what of them is not predicted where it is hidden, to those of the nearest
  /// normal training images.
  case nearestNormals
  /// How much more of the structure of hidden patches than usual is not predicted (see `UnexplainedEnergy`).
  case unexplainedEnergy
  /// The sum of both, each in standard deviations of the normal training images.
  case combined
  /// Mean of the highest hundredth of the anomaly map: for small lesions.
  case anomalyPeak
  /// 1 − MS-SSIM between image and reconstruction, averaged over the masks (§5).
  case multiScaleSimilarity
  /// Mean squared error of hidden pixels, averaged over the masks.
  case squaredError

  /// The score that measured best on validation images and on phantoms together (README of this folder).
  public static let `default` = MemMCMAEScore.nearestNormals
}
