/// Linear attenuation coefficients, per centimetre, near 70 keV, the mean energy of a chest radiograph's beam
/// (NIST XCOM, rounded).
enum Material {
  /// Muscle, blood, fluid.
  static let softTissue: Float = 0.19
  /// Cancellous and cortical bone mixed.
  static let bone: Float = 0.50
  /// Density of inflated lung as a fraction of soft tissue's.
  static let lungDensity: Float = 0.26
  /// What one centimetre of air in place of lung's surroundings, or fluid in place of lung, changes.
  static let fluidOverLung = softTissue * (1 - lungDensity)
  /// What one centimetre of bone in place of soft tissue adds.
  static let boneOverSoftTissue = bone - softTissue
}
