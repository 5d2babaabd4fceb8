import MedicalImaging

/// A seeded source of chest-like frontal radiographs, with and without lesions.
///
/// Each image is made as a radiograph is: depths of soft tissue, aerated lung and bone are summed along the beam into a line
/// integral `A = Σ µ d`, the beam `exp(-A)` gathers scatter, blur and quantum noise, and a film curve turns its logarithm
/// into grey values: bone and heart bright, lungs dark, the air around the body black. The patient's left is the image's
/// right.
///
/// A seed names the patient, the exposure and the noise. The same seed with a lesion is the same patient, exposure and noise
/// with the lesion added; size and lesion do not change the anatomy.
public struct ChestPhantom: Sendable {
  /// A lesion's mask holds the pixels whose line integral it changes by more than this (about 4 % of the beam).
  public static let maskThreshold: Float = 0.04

  /// What the images are made with.
  public let configuration: Configuration

  /// Creates a source of images.
  /// - Throws: `PhantomError.invalidValue` naming the first key that no image can be made with.
  public init(configuration: Configuration = Configuration()) throws(PhantomError) {
    try configuration.validate()
    self.configuration = configuration
  }

  /// Makes the radiograph of the patient `seed`, healthy when `lesion` is nil.
  /// - Returns: grey values in `0 ... 255`, spacing in millimetres at the detector, and the lesion's mask. The same seed,
  ///   lesion and configuration always give the same image.
  public func image(seed: UInt64, lesion: Lesion? = nil) -> PhantomImage {
    let (frame, acquisition) = acquisition(seed: seed)
    let healthy = attenuation(seed: seed)
    var attenuation = healthy
    var mask = [Bool](repeating: false, count: healthy.count)
    if let lesion {
      let change = attenuationChange(seed: seed, lesion: lesion)
      for index in attenuation.indices {
        attenuation[index] = max(attenuation[index] + change[index], 0)
        mask[index] = abs(change[index]) > Self.maskThreshold
      }
    }
    let samples = acquisition.expose(attenuation, reference: healthy, frame: frame, seed: seed)
    let pitch = configuration.fieldOfView * 10 / Double(configuration.size)
    let image = Image2D(
      width: configuration.size, height: configuration.size, samples: samples, range: 0...255,
      spacing: PixelSpacing(row: pitch, column: pitch))
    return PhantomImage(image: image, mask: mask, seed: seed, lesion: lesion)
  }

  /// The healthy patient's line integrals, row by row.
  func attenuation(seed: UInt64) -> [Float] {
    anatomy(seed: seed).attenuation(in: acquisition(seed: seed).frame, seed: seed)
  }

  /// What `lesion` adds to the patient's line integrals, row by row.
  func attenuationChange(seed: UInt64, lesion: Lesion) -> [Float] {
    var generator = RandomStream.lesion.generator(seed: seed, variant: lesion.variant)
    let contrast = Float(configuration.lesionContrast)
    return anatomy(seed: seed)
      .attenuationChange(of: lesion, in: acquisition(seed: seed).frame, using: &generator)
      .map { contrast * $0 }
  }

  /// The patient of a seed.
  func anatomy(seed: UInt64) -> ChestAnatomy {
    var generator = RandomStream.anatomy.generator(seed: seed)
    return ChestAnatomy(using: &generator)
  }

  /// How the patient of a seed stands before the detector, and how the image is taken.
  func acquisition(seed: UInt64) -> (frame: PatientFrame, acquisition: RadiographicAcquisition) {
    var generator = RandomStream.acquisition.generator(seed: seed)
    let position = Float(configuration.positionVariation)
    let frame = PatientFrame(
      size: configuration.size, fieldOfView: Float(configuration.fieldOfView),
      scale: 1.02 + position * generator.uniform(-0.09...0.09), rotation: position * generator.uniform(-0.06...0.06),
      shift: position * SIMD2(generator.uniform(-1.2...1.2), generator.uniform(-0.9...1.2)))
    return (frame, RadiographicAcquisition(configuration: configuration, using: &generator))
  }
}
