/// The scores that a trained MemMC-MAE can give; larger is more unusual.
public enum MemMCMAEScore: String, Codable, CaseIterable, Sendable {
  /// `unexplainedEnergy` plus `nearestNormals`, each in standard deviations of the normal training images.
  case combined
  /// How much more of the structure of hidden patches than usual the network fails to predict (see `UnexplainedEnergy`).
  case unexplainedEnergy
  /// Distance of an image's band energies, predicted and not, to those of the nearest normal training images.
  case nearestNormals
  /// 1 − MS-SSIM between image and reconstruction, averaged over the masks (§5).
  case multiScaleSimilarity
  /// Mean squared error of hidden pixels, averaged over the masks.
  case squaredError

  /// The score that measured best over seeds on validation images (README of this folder).
  public static let `default` = MemMCMAEScore.combined
}
