/// What a voxel holds: uptake as SUV, density in Hounsfield units.
struct Tissue: Equatable, Sendable {
  var uptake: Float
  var density: Float

  /// The densities used, in Hounsfield units.
  enum Density {
    static let air: Float = -1000
    static let lung: Float = -800
    static let fat: Float = -100
    static let fluid: Float = 10
    static let brain: Float = 35
    static let softTissue: Float = 40
    static let blood: Float = 45
    static let liver: Float = 60
    static let spongyBone: Float = 400
    static let corticalBone: Float = 700
    static let skull: Float = 800
  }
}
