/// What the settings of methods with a generator and a network against it have in common.
public protocol AdversarialConfiguration: DetectorConfiguration {
  /// Channels of the outermost convolution.
  var width: Int { get }
  /// Numbers that an image is made of.
  var latentWidth: Int { get }
  /// Adam's learning rate of generator and discriminator.
  var learningRate: Double { get }
  /// Standard deviation in pixels of the Gaussian that smooths the map; 0: none.
  var smoothing: Double { get }
}

extension AdversarialConfiguration {
  /// Checks networks, learning rate and smoothing.
  /// - Throws: `ConfigurationError` naming the key, what it holds and what it may hold.
  func validateNetworks() throws(ConfigurationError) {
    try require(
      imageSize >= 16 && imageSize.nonzeroBitCount == 1, "imageSize", imageSize, "a power of two, at least 16")
    try require((1...1024).contains(width), "width", width, "1 to 1024")
    try require(latentWidth >= 1, "latentWidth", latentWidth, "1 or more")
    try require(learningRate > 0, "learningRate", learningRate, "above 0")
    try require((0...Double(imageSize)).contains(smoothing), "smoothing", smoothing, "0 (none) to imageSize")
  }

  /// The output's range decides the input's.
  public func validate(within run: RunConfiguration) throws(ConfigurationError) {
    guard run.input.intensity != .unit else {
      throw .invalidValue(
        key: "input.intensity", value: run.input.intensity.rawValue,
        allowed: "symmetric or standardised, as the generator ends in tanh")
    }
  }
}
