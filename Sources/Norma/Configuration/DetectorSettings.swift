/// The methods that Norma implements. A new one is a case here and a configuration in its own folder.
public enum DetectionMethod: String, Codable, CaseIterable, Sendable {
  /// SimSID and SQUID: space-aware memory, in-painting, discriminator.
  case simSID = "simsid"
  /// MemMC-MAE: masked autoencoder with memory-augmented attention and multi-level cross-attention.
  case memMCMAE = "memmc-mae"
  /// Iterative latent token masking: VQ-VAE, transformer, healing, density maps.
  case tokenMasking = "token-masking"
  /// The plain autoencoder, a baseline: reconstruction error.
  case autoencoder
  /// The denoising autoencoder, a baseline: what a network takes away with the noise.
  case denoisingAutoencoder = "denoising-autoencoder"
  /// The variational autoencoder, a baseline: reconstruction probability.
  case vae
  /// The memory-augmented autoencoder, a baseline: what remembered normal parts cannot make up.
  case memAE = "memae"
  /// GANomaly, a baseline: distance of an image's latent vector to that of its reconstruction.
  case ganomaly
  /// f-AnoGAN, a baseline: what a generator of normal images cannot make.
  case fAnoGAN = "f-anogan"
  /// Several trained detectors as one.
  case ensemble
  /// CutPaste, a baseline: a network that tells pasted patches, and a Gaussian of its embeddings.
  case cutPaste = "cutpaste"
  /// PaDiM, a baseline: a Gaussian of a backbone's features at every position.
  case padim
  /// PatchCore, a baseline: the nearest of a backbone's patch features in a memory bank.
  case patchCore = "patchcore"
  /// The yardstick: band energies and nearest normal images, no network.
  case bandEnergy = "band-energy"

  /// What is trained or fitted: all but ensembles, which are made of trained detectors.
  public static var trainable: [DetectionMethod] { allCases.filter { $0 != .ensemble } }

  /// Finds a method by the name that users type.
  /// - Throws: `ConfigurationError.unknownName`.
  public init(named name: String) throws(ConfigurationError) {
    guard let method = DetectionMethod(rawValue: name.lowercased()) else {
      throw .unknownName(kind: "method", name: name, known: DetectionMethod.trainable.map(\.rawValue))
    }
    self = method
  }

  /// The type of the method's settings.
  var configuration: any DetectorConfiguration.Type {
    switch self {
    case .simSID: SimSIDConfiguration.self
    case .memMCMAE: MemMCMAEConfiguration.self
    case .tokenMasking: TokenMaskingConfiguration.self
    case .autoencoder: AutoencoderConfiguration.self
    case .denoisingAutoencoder: DenoisingAutoencoderConfiguration.self
    case .vae: VAEConfiguration.self
    case .memAE: MemAEConfiguration.self
    case .ganomaly: GANomalyConfiguration.self
    case .fAnoGAN: FAnoGANConfiguration.self
    case .ensemble: EnsembleConfiguration.self
    case .cutPaste: CutPasteConfiguration.self
    case .padim: PaDiMConfiguration.self
    case .patchCore: PatchCoreConfiguration.self
    case .bandEnergy: BandEnergyConfiguration.self
    }
  }
}

/// A method together with its settings.
public struct DetectorSettings: Equatable, Sendable {
  /// The settings, whatever the method.
  public let settings: any DetectorConfiguration

  /// A method with settings of one's own.
  public init(_ settings: any DetectorConfiguration) { self.settings = settings }

  /// A method's published preset.
  public init(_ method: DetectionMethod) { self.init(method.configuration.init()) }

  /// Which method.
  public var method: DetectionMethod { type(of: settings).method }

  /// The same method with the same settings.
  public static func == (a: DetectorSettings, b: DetectorSettings) -> Bool { a.settings.equals(b.settings) }
}

extension DetectorConfiguration {
  fileprivate func equals(_ other: any DetectorConfiguration) -> Bool { (other as? Self) == self }
}

extension RunConfiguration: Codable {
  private enum Key: String, CodingKey, CaseIterable {
    case method, seed, input, augmentation, training, data, calibration, detector
  }

  /// Reads a whole configuration, `method` and all.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: Key.self)
    let method = try values.decode(DetectionMethod.self, forKey: .method)
    detector = DetectorSettings(try values.decode(method.configuration, forKey: .detector))
    seed = try values.decode(Int.self, forKey: .seed)
    input = try values.decode(InputConfiguration.self, forKey: .input)
    augmentation = try values.decode(AugmentationConfiguration.self, forKey: .augmentation)
    training = try values.decode(TrainingConfiguration.self, forKey: .training)
    data = try values.decode(DataConfiguration.self, forKey: .data)
    calibration = try values.decode(CalibrationConfiguration.self, forKey: .calibration)
  }

  /// Writes a whole configuration, `method` and all.
  public func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: Key.self)
    try values.encode(detector.method, forKey: .method)
    try values.encode(seed, forKey: .seed)
    try values.encode(input, forKey: .input)
    try values.encode(augmentation, forKey: .augmentation)
    try values.encode(training, forKey: .training)
    try values.encode(data, forKey: .data)
    try values.encode(calibration, forKey: .calibration)
    try values.encode(detector.settings, forKey: .detector)
  }
}
