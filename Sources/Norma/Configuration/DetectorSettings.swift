/// The methods that Norma implements.
public enum DetectionMethod: String, Codable, CaseIterable, Sendable {
  /// SimSID and SQUID: space-aware memory, in-painting, discriminator.
  case simSID = "simsid"
  /// MemMC-MAE: masked autoencoder with memory-augmented attention and multi-level cross-attention.
  case memMCMAE = "memmc-mae"
  /// Iterative latent token masking: VQ-VAE, transformer, healing, density maps.
  case tokenMasking = "token-masking"
  /// The plain autoencoder, a baseline: reconstruction error.
  case autoencoder
  /// The yardstick: band energies and nearest normal images, no network.
  case bandEnergy = "band-energy"

  /// Finds a method by the name that users type.
  /// - Throws: `ConfigurationError.unknownName`.
  public init(named name: String) throws(ConfigurationError) {
    guard let method = DetectionMethod(rawValue: name.lowercased()) else {
      throw .unknownName(kind: "method", name: name, known: DetectionMethod.allCases.map(\.rawValue))
    }
    self = method
  }
}

/// A method together with its settings.
public enum DetectorSettings: Equatable, Sendable {
  /// SimSID.
  case simSID(SimSIDConfiguration)
  /// MemMC-MAE.
  case memMCMAE(MemMCMAEConfiguration)
  /// Iterative latent token masking.
  case tokenMasking(TokenMaskingConfiguration)
  /// The plain autoencoder.
  case autoencoder(AutoencoderConfiguration)
  /// The yardstick.
  case bandEnergy(BandEnergyConfiguration)

  /// A method's published preset.
  public init(_ method: DetectionMethod) {
    self =
      switch method {
      case .simSID: .simSID(SimSIDConfiguration())
      case .memMCMAE: .memMCMAE(MemMCMAEConfiguration())
      case .tokenMasking: .tokenMasking(TokenMaskingConfiguration())
      case .autoencoder: .autoencoder(AutoencoderConfiguration())
      case .bandEnergy: .bandEnergy(BandEnergyConfiguration())
      }
  }

  /// Which method.
  public var method: DetectionMethod {
    switch self {
    case .simSID: .simSID
    case .memMCMAE: .memMCMAE
    case .tokenMasking: .tokenMasking
    case .autoencoder: .autoencoder
    case .bandEnergy: .bandEnergy
    }
  }

  /// The settings, whatever the method.
  public var settings: any DetectorConfiguration {
    switch self {
    case .simSID(let settings): settings
    case .memMCMAE(let settings): settings
    case .tokenMasking(let settings): settings
    case .autoencoder(let settings): settings
    case .bandEnergy(let settings): settings
    }
  }
}

extension RunConfiguration: Codable {
  private enum Key: String, CodingKey, CaseIterable {
    case method, seed, input, augmentation, training, data, calibration, detector
  }

  /// Reads a whole configuration, `method` and all.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: Key.self)
    switch try values.decode(DetectionMethod.self, forKey: .method) {
    case .simSID: detector = .simSID(try values.decode(SimSIDConfiguration.self, forKey: .detector))
    case .memMCMAE: detector = .memMCMAE(try values.decode(MemMCMAEConfiguration.self, forKey: .detector))
    case .tokenMasking:
      detector = .tokenMasking(try values.decode(TokenMaskingConfiguration.self, forKey: .detector))
    case .autoencoder: detector = .autoencoder(try values.decode(AutoencoderConfiguration.self, forKey: .detector))
    case .bandEnergy: detector = .bandEnergy(try values.decode(BandEnergyConfiguration.self, forKey: .detector))
    }
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
    switch detector {
    case .simSID(let settings): try values.encode(settings, forKey: .detector)
    case .memMCMAE(let settings): try values.encode(settings, forKey: .detector)
    case .tokenMasking(let settings): try values.encode(settings, forKey: .detector)
    case .autoencoder(let settings): try values.encode(settings, forKey: .detector)
    case .bandEnergy(let settings): try values.encode(settings, forKey: .detector)
    }
  }
}
