/// The configurations that come with Norma, by name.
public enum Preset: String, CaseIterable, Sendable {
  /// SimSID as the paper describes it (§4.2), 128×128.
  case simSIDPaper = "simsid-paper"
  /// The official repository's ZhangLab configuration: memory queue, 2×2 patches, 1000 epochs.
  case simSIDOfficialZhangLab = "simsid-official-zhanglab"
  /// The official repository's CheXpert configuration.
  case simSIDOfficialCheXpert = "simsid-official-chexpert"
  /// The official repository's COVIDx configuration.
  case simSIDOfficialCOVIDx = "simsid-official-covidx"
  /// SQUID, the predecessor.
  case squid
  /// SimSID at 64×64 for a laptop's processor: minutes.
  case simSIDLaptop64 = "simsid-laptop-64"
  /// SimSID at 128×128 for a laptop's processor: less than an hour.
  case simSIDLaptop128 = "simsid-laptop-128"
  /// SimSID at 64×64 for the demonstration on phantoms: two minutes.
  case simSIDDemo = "simsid-demo"
  /// MemMC-MAE as reported: ViT-B, 256×256.
  case memMCMAEPaper = "memmc-mae-paper"
  /// MemMC-MAE at 64×64 for a laptop's processor: minutes.
  case memMCMAELaptop64 = "memmc-mae-laptop-64"
  /// MemMC-MAE at 128×128 for a laptop's processor: less than an hour.
  case memMCMAELaptop128 = "memmc-mae-laptop-128"
  /// Iterative latent token masking as published for two-dimensional images.
  case tokenMaskingPaper = "token-masking-paper"
  /// Iterative latent token masking at 64×64 for a laptop's processor.
  case tokenMaskingLaptop64 = "token-masking-laptop-64"
  /// Iterative latent token masking at 64×64 for training images that are not all normal.
  case tokenMaskingContaminated64 = "token-masking-contaminated-64"
  /// Iterative latent token masking of small PET volumes that are not all normal.
  case tokenMaskingVolume48 = "token-masking-volume-48"
  /// The plain autoencoder at 64×64 for a laptop's processor: a minute or two.
  case autoencoderLaptop64 = "autoencoder-laptop-64"
  /// The plain autoencoder with structural similarity at 64×64 for a laptop's processor: minutes.
  case autoencoderSSIMLaptop64 = "autoencoder-ssim-laptop-64"
  /// The denoising autoencoder at 64×64 for a laptop's processor: minutes.
  case denoisingAutoencoderLaptop64 = "denoising-autoencoder-laptop-64"
  /// The variational autoencoder at 64×64 for a laptop's processor: minutes.
  case vaeLaptop64 = "vae-laptop-64"
  /// The memory-augmented autoencoder at 64×64 for a laptop's processor: minutes.
  case memAELaptop64 = "memae-laptop-64"
  /// GANomaly at 64×64 for a laptop's processor.
  case ganomalyLaptop64 = "ganomaly-laptop-64"
  /// f-AnoGAN at 64×64 for a laptop's processor.
  case fAnoGANLaptop64 = "f-anogan-laptop-64"
  /// CutPaste at 64×64 for a laptop's processor: minutes.
  case cutPasteLaptop64 = "cutpaste-laptop-64"
  /// PaDiM at 64×64 on features of its own, for a laptop's processor: minutes.
  case padimLaptop64 = "padim-laptop-64"
  /// PatchCore at 64×64 on features of its own, for a laptop's processor: minutes.
  case patchCoreLaptop64 = "patchcore-laptop-64"
  /// The yardstick.
  case bandEnergy = "band-energy"

  /// Finds a preset by name.
  /// - Throws: `ConfigurationError.unknownName`.
  public init(named name: String) throws(ConfigurationError) {
    guard let preset = Preset(rawValue: name.lowercased()) else {
      throw .unknownName(kind: "preset", name: name, known: Preset.allCases.map(\.rawValue))
    }
    self = preset
  }

  /// The preset's YAML, with its comments.
  public var yaml: String {
    let bytes =
      switch self {
      case .simSIDPaper: PackageResources.simsid_paper_yaml
      case .simSIDOfficialZhangLab: PackageResources.simsid_official_zhanglab_yaml
      case .simSIDOfficialCheXpert: PackageResources.simsid_official_chexpert_yaml
      case .simSIDOfficialCOVIDx: PackageResources.simsid_official_covidx_yaml
      case .squid: PackageResources.squid_yaml
      case .simSIDLaptop64: PackageResources.simsid_laptop_64_yaml
      case .simSIDLaptop128: PackageResources.simsid_laptop_128_yaml
      case .simSIDDemo: PackageResources.simsid_demo_yaml
      case .memMCMAEPaper: PackageResources.memmc_mae_paper_yaml
      case .memMCMAELaptop64: PackageResources.memmc_mae_laptop_64_yaml
      case .memMCMAELaptop128: PackageResources.memmc_mae_laptop_128_yaml
      case .tokenMaskingPaper: PackageResources.token_masking_paper_yaml
      case .tokenMaskingLaptop64: PackageResources.token_masking_laptop_64_yaml
      case .tokenMaskingContaminated64: PackageResources.token_masking_contaminated_64_yaml
      case .tokenMaskingVolume48: PackageResources.token_masking_volume_48_yaml
      case .autoencoderLaptop64: PackageResources.autoencoder_laptop_64_yaml
      case .autoencoderSSIMLaptop64: PackageResources.autoencoder_ssim_laptop_64_yaml
      case .denoisingAutoencoderLaptop64: PackageResources.denoising_autoencoder_laptop_64_yaml
      case .vaeLaptop64: PackageResources.vae_laptop_64_yaml
      case .memAELaptop64: PackageResources.memae_laptop_64_yaml
      case .ganomalyLaptop64: PackageResources.ganomaly_laptop_64_yaml
      case .fAnoGANLaptop64: PackageResources.f_anogan_laptop_64_yaml
      case .cutPasteLaptop64: PackageResources.cutpaste_laptop_64_yaml
      case .padimLaptop64: PackageResources.padim_laptop_64_yaml
      case .patchCoreLaptop64: PackageResources.patchcore_laptop_64_yaml
      case .bandEnergy: PackageResources.band_energy_yaml
      }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// The configuration that the preset stands for.
  /// - Parameter overrides: `key.path=value` settings, applied last.
  /// - Throws: `ConfigurationError` for an override that does not fit.
  public func configuration(overrides: [String] = []) throws(ConfigurationError) -> RunConfiguration {
    try ConfigurationFile.read(yaml: yaml, source: "preset \(rawValue)", overrides: overrides)
  }
}
