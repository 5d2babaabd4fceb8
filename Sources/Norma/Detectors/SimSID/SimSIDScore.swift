/// The scores that a trained SimSID can give; larger is more unusual.
public enum SimSIDScore: String, Codable, CaseIterable, Sendable {
  /// Eq. 2: minus the discriminator's logit of the student's reconstruction.
  case reconstructionLogit
  /// Minus the discriminator's logit of the image itself.
  case inputLogit
  /// Distance of the image's discriminator features to those of the nearest normal training images.
  case featureDistance

  /// The score that measured best without labels.
  public static let `default` = SimSIDScore.featureDistance
}
