/// CutPaste's pretext task and how it is trained (Li et al., CVPR 2021, §2.2, §4 and appendix A).
public struct CutPasteTaskConfiguration: Codable, Equatable, Sendable {
  /// Shares of the image's area that a pasted patch has, from and to.
  public var patchArea = [0.02, 0.15]
  /// Height by width of a pasted patch, from and to: between the first and 1, or between 1 and the second, alike often.
  public var patchAspect = [0.3, 3.3]
  /// Widths of a scar, from and to, in pixels at a side of 256; they scale with the image.
  public var scarWidth = [2.0, 16]
  /// Lengths of a scar, likewise.
  public var scarLength = [10.0, 25]
  /// Largest rotation of a scar in degrees, either way.
  public var scarRotation = 45.0
  /// Largest relative change of a patch's brightness and contrast.
  public var jitter = 0.1
  /// Learning rate of stochastic gradient descent, which falls along half a cosine to 0.
  public var learningRate = 0.03
  /// Its momentum.
  public var momentum = 0.9
  /// Its weight decay.
  public var weightDecay = 3e-5

  /// The published numbers.
  public init() {}

  /// Checks what the types cannot.
  /// - Throws: `ConfigurationError` naming the key.
  func validate() throws(ConfigurationError) {
    func require(_ holds: Bool, _ key: String, _ value: some Sendable, _ allowed: String) throws(ConfigurationError) {
      guard holds else { throw .invalidValue(key: "detector.task.\(key)", value: "\(value)", allowed: allowed) }
    }
    func isRange(_ values: [Double], _ low: Double, _ high: Double) -> Bool {
      values.count == 2 && values[0] <= values[1] && values[0] > low && values[1] <= high
    }
    try require(
      isRange(patchArea, 0, 0.5), "patchArea", patchArea, "two numbers, ascending, above 0 and at most 0.5")
    try require(
      patchAspect.count == 2 && (0.1...1).contains(patchAspect[0]) && (1...10).contains(patchAspect[1]), "patchAspect",
      patchAspect, "a number of 0.1 to 1 and one of 1 to 10")
    for (key, lengths) in [("scarWidth", scarWidth), ("scarLength", scarLength)] {
      try require(isRange(lengths, 0, 128), key, lengths, "two numbers, ascending, above 0 and at most 128")
    }
    try require((0...90).contains(scarRotation), "scarRotation", scarRotation, "0 to 90 degrees")
    try require((0..<1).contains(jitter), "jitter", jitter, "0 to below 1")
    try require(learningRate > 0, "learningRate", learningRate, "above 0")
    try require((0..<1).contains(momentum), "momentum", momentum, "0 to below 1")
    try require(weightDecay >= 0, "weightDecay", weightDecay, "0 or more")
  }
}
