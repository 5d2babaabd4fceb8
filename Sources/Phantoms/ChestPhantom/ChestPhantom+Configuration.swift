extension ChestPhantom {
  /// How the radiographs are made; the defaults are a chest detector sampled coarsely.
  public struct Configuration: Codable, Equatable, Sendable {
    /// Pixels along each edge of the square image; 32 to 2048.
    public var size = 128
    /// Edge of the detector in centimetres; 20 to 80.
    public var fieldOfView = 35.0
    /// Quanta that reach a pixel through air, before each image's own variation; 0 leaves the noise out.
    public var photonsPerPixel = 30_000.0
    /// Scattered over primary radiation behind the body; 0 to 2.
    public var scatter = 0.3
    /// Strength of the random differences in brightness and contrast; 0 for none, 1 for those of a busy department.
    public var exposureVariation = 1.0
    /// Strength of the random differences in the patient's size, rotation and shift; 0 to 2.
    public var positionVariation = 1.0
    /// Whether some images carry a lead letter, shutters and darker corners.
    public var showsAccessories = true
    /// Factor of the lesions' attenuation; 1 is plausible, smaller is harder; above 0, at most 10.
    public var lesionContrast = 1.0

    /// Creates the default configuration.
    public init() {}

    /// Checks every value.
    /// - Throws: `PhantomError.invalidValue` naming the first key out of range.
    public func validate() throws(PhantomError) {
      try PhantomError.check("size", size, in: 32...2048)
      try PhantomError.check("fieldOfView", fieldOfView, in: 20...80)
      try PhantomError.check("photonsPerPixel", photonsPerPixel, in: 0...1e9)
      try PhantomError.check("scatter", scatter, in: 0...2)
      try PhantomError.check("exposureVariation", exposureVariation, in: 0...2)
      try PhantomError.check("positionVariation", positionVariation, in: 0...2)
      try PhantomError.check("lesionContrast", lesionContrast, in: 0.01...10)
    }
  }
}
