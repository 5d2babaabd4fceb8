/// Everything that defines a denoising autoencoder; the defaults are the published numbers.
///
/// Source: Kascenas, Pugeault, O'Neil 2022 (MIDL), "Denoising autoencoders for unsupervised anomaly detection in brain MRI",
/// and the authors' code (`AntanasKascenas/DenoisingAE`).
public struct DenoisingAutoencoderConfiguration: DetectorConfiguration {
  // MARK: Network

  /// Image side in pixels, a multiple of 2 to the number of levels but one.
  public var imageSize = 128
  /// Channels of the U-Net's first level; each level doubles them.
  public var width = 64
  /// Levels of the U-Net.
  public var levels = 4

  // MARK: Noise

  /// Side of the coarse noise, which is enlarged to the image's; the image's own side: every pixel by itself.
  public var noiseSide = 16
  /// Standard deviation of the coarse noise where black is 0 and white is 1.
  public var noiseDeviation = 0.2
  /// What lies above this share of the way from black to white is foreground: noise, loss and error have no part in the rest.
  /// 0: all pixels are foreground.
  public var foreground = 0.01

  // MARK: Training

  /// Adam's learning rate.
  public var learningRate = 1e-4
  /// Where half a cosine brings the rate; the same as `learningRate`: it stays.
  public var finalLearningRate = 0.0
  /// Epochs of half a cosine, after which the rate rises again; 0 is the whole run. Published: 100 of 512 images each.
  public var cosinePeriod = 100
  /// Coupled L2 decay.
  public var weightDecay = 1e-5

  // MARK: Scoring

  /// The score that ranks images.
  public var scoring = ReconstructionScore.default
  /// Side in pixels of the window whose share of foreground must exceed 95 % for an error to count; 1: the foreground as it
  /// is.
  public var erosion = 5
  /// Side in pixels of the median filter of the errors; 1: none.
  public var median = 5

  /// The published network.
  public init() {}

  /// Checks what the types cannot.
  /// - Throws: `ConfigurationError` naming the key, what it holds and what it may hold.
  public func validate() throws(ConfigurationError) {
    try require((1...8).contains(levels), "levels", levels, "1 to 8")
    let reduction = 1 << (levels - 1)
    try require(
      imageSize >= 2 * reduction && imageSize >= 16 && imageSize % reduction == 0, "imageSize", imageSize,
      "at least \(max(16, 2 * reduction)) and a multiple of \(reduction), as \(levels) levels halve it as often but one"
    )
    try require((1...1024).contains(width), "width", width, "1 to 1024")
    try require((1...imageSize).contains(noiseSide), "noiseSide", noiseSide, "1 to imageSize (\(imageSize))")
    try require((0...10).contains(noiseDeviation), "noiseDeviation", noiseDeviation, "0 to 10")
    try require((0..<1).contains(foreground), "foreground", foreground, "0 (all pixels) to below 1")
    try require(learningRate > 0, "learningRate", learningRate, "above 0")
    try require(
      finalLearningRate >= 0 && finalLearningRate <= learningRate, "finalLearningRate", finalLearningRate,
      "0 to learningRate (\(learningRate))")
    try require(cosinePeriod >= 0, "cosinePeriod", cosinePeriod, "0 (the whole run) or a number of epochs")
    try require(weightDecay >= 0, "weightDecay", weightDecay, "0 or more")
    for (key, side) in [("erosion", erosion), ("median", median)] {
      try require(
        side >= 1 && side % 2 == 1 && side < imageSize, key, side, "1 (none), or an odd number below imageSize")
    }
  }
}

extension DenoisingAutoencoderConfiguration {
  /// `denoising-autoencoder`.
  public static var method: DetectionMethod { .denoisingAutoencoder }

  /// Fresh weights.
  public func makeDetector(in run: RunConfiguration) throws -> any AnomalyDetector {
    try DenoisingAutoencoderDetector(
      self, seed: run.seed, training: run.training, range: run.inputSpecification.background...1)
  }
}
