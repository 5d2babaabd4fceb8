/// The scores that a trained SimSID can give; larger is more unusual.
public enum SimSIDScore: String, Codable, CaseIterable, Sendable {
  /// `unexplainedEnergy` plus `nearestNormals`, each in standard deviations of the normal training images.
  case combined
  /// How much more of an image's structure than usual the student fails to reproduce (see `UnexplainedEnergy`).
  case unexplainedEnergy
  /// The same at the one cell of the image where it is largest: for small lesions.
  case unexplainedPeak
  /// Distance of an image's band energies, explained and not, to those of the nearest normal training images.
  case nearestNormals
  /// Eq. 2: minus the discriminator's logit of the student's reconstruction.
  case reconstructionLogit
  /// Minus the discriminator's logit of the image itself.
  case inputLogit
  /// Distance of the image's discriminator features to those of the nearest normal training images.
  case featureDistance

  /// The score that measured best over seeds on validation images (README of this folder).
  public static let `default` = SimSIDScore.combined
}
