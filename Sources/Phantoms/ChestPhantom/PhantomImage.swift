public import MedicalImaging

/// A synthetic image and the truth about it.
public struct PhantomImage: Equatable, Sendable {
  /// The radiograph: one channel, grey values in `0 ... 255`.
  public let image: Image2D
  /// True where the lesion changes the attenuation by more than `ChestPhantom.maskThreshold`; row by row like the image's
  /// samples. All false without a lesion.
  public let mask: [Bool]
  /// The patient.
  public let seed: UInt64
  /// What is wrong with the patient; nil for nothing.
  public let lesion: ChestPhantom.Lesion?

  /// The mask as an image: 255 inside the lesion, 0 outside.
  public var maskImage: Image2D {
    Image2D(
      width: image.width, height: image.height, samples: mask.map { $0 ? 255 : 0 }, range: 0...255,
      spacing: image.spacing)
  }
}
