extension PETPhantom {
  /// How the volumes are made; the defaults are a whole-body scan from head to thighs, sampled coarsely: voxels of 18, 12 and
  /// 14 mm.
  public struct Configuration: Codable, Equatable, Sendable {
    /// Voxels from feet to head; 16 to 320.
    public var depth = 48
    /// Voxels from front to back; 16 to 320.
    public var height = 32
    /// Voxels from right to left; 16 to 320.
    public var width = 32
    /// Millimetres from feet to head, 860 to 2000: the top lies just above the patient's head, so that more shows more leg.
    public var fieldDepth = 864.0
    /// Millimetres from front to back; 340 to 1000.
    public var fieldHeight = 384.0
    /// Millimetres from right to left; 440 to 1000.
    public var fieldWidth = 448.0
    /// Full width at half maximum of the PET's point-spread function in millimetres; 0 to 20.
    public var resolution = 7.0
    /// Standard deviation of the PET's noise in a voxel whose SUV is 1; it grows with the root of the uptake; 0 to 1.
    public var uptakeNoise = 0.08
    /// Standard deviation of the CT's noise in Hounsfield units; 0 to 200.
    public var densityNoise = 12.0
    /// Strength of the random differences in the patients' build and in place and size of their organs; 0 to 1.
    public var variation = 1.0
    /// Share of patients whose bladder is full of tracer; 0 to 1.
    public var fullBladderShare = 0.5
    /// Share of patients whose heart muscle burns glucose; 0 to 1.
    public var activeHeartShare = 0.4
    /// The kinds of lesion that abnormal patients may have; at least one.
    public var lesions = Lesion.allCases
    /// Factor of the lesions' radii; 1 suits voxels of a centimetre and more; 0.2 to 2.
    public var lesionSize = 1.0
    /// Factor of what the lesions add to uptake; 1 is plausible, smaller is harder; above 0, at most 10.
    public var lesionContrast = 1.0

    /// Creates the default configuration.
    public init() {}

    /// Checks every value.
    /// - Throws: `PhantomError.invalidValue` naming the first key out of range.
    public func validate() throws(PhantomError) {
      try PhantomError.check("depth", depth, in: 16...320)
      try PhantomError.check("height", height, in: 16...320)
      try PhantomError.check("width", width, in: 16...320)
      try PhantomError.check("fieldDepth", fieldDepth, in: 860...2000)
      try PhantomError.check("fieldHeight", fieldHeight, in: 340...1000)
      try PhantomError.check("fieldWidth", fieldWidth, in: 440...1000)
      try PhantomError.check("resolution", resolution, in: 0...20)
      try PhantomError.check("uptakeNoise", uptakeNoise, in: 0...1)
      try PhantomError.check("densityNoise", densityNoise, in: 0...200)
      try PhantomError.check("variation", variation, in: 0...1)
      try PhantomError.check("fullBladderShare", fullBladderShare, in: 0...1)
      try PhantomError.check("activeHeartShare", activeHeartShare, in: 0...1)
      if lesions.isEmpty {
        let kinds = Lesion.allCases.map(\.rawValue).joined(separator: ", ")
        throw .invalidValue(key: "lesions", value: "empty", expected: "at least one of \(kinds)")
      }
      try PhantomError.check("lesionSize", lesionSize, in: 0.2...2)
      try PhantomError.check("lesionContrast", lesionContrast, in: 0.01...10)
    }
  }
}
