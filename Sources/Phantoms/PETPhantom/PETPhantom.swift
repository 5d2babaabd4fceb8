import MedicalImaging

/// A seeded source of whole-body FDG PET volumes with the CT of the same patient, with and without lesions.
///
/// Each patient is painted solid by solid, with the SUV and the density of each tissue, on a grid of voxels of at most 10 mm;
/// the PET gets the scanner's blur; both are averaged over the configured voxels and get their noise, the PET's growing with
/// the uptake as counts have it. Bladders are full or empty and hearts active or not: healthy uptake is bimodal there.
///
/// A seed names the patient, the scan and the noise. The same seed with lesions is the same patient, scan and noise with the
/// lesions' uptake added; grid and lesions do not change the anatomy.
public struct PETPhantom: Sendable {
  /// A lesion's mask holds the voxels where its own contribution to the PET, blurred but free of noise, exceeds this share of
  /// its largest: the customary threshold of 40 % of the maximum, applied to the lesion alone.
  public static let maskThreshold: Float = 0.4

  /// What the volumes are made with.
  public let configuration: Configuration

  /// Creates a source of volumes.
  /// - Throws: `PhantomError.invalidValue` naming the first key that no volume can be made with.
  public init(configuration: Configuration = Configuration()) throws(PhantomError) {
    try configuration.validate()
    self.configuration = configuration
  }

  /// Makes the PET and CT of the patient `seed`.
  /// - Parameters:
  ///   - seed: names patient, scan, noise and lesions.
  ///   - hasLesions: whether one to four lesions are added.
  /// - Returns: both volumes and the mask. The same seed and configuration always give the same bits on one machine.
  public func makeCase(seed: UInt64, hasLesions: Bool = false) -> PETPhantomCase {
    let anatomy = anatomy(seed: seed)
    let (grid, acquisition) = acquisition(seed: seed, anatomy: anatomy)
    let parts = Self.parts(of: grid)
    let tissue = anatomy.tissue(on: grid.divided(by: parts), seed: seed)
    var uptake = tissue.uptake
    VolumeFilter.gaussian(&uptake, grid: tissue.grid, sigma: acquisition.blur)
    uptake = VolumeFilter.mean(of: uptake, grid: grid, parts: parts)
    var density = VolumeFilter.mean(of: tissue.density, grid: grid, parts: parts)
    var mask = [Bool](repeating: false, count: grid.count)
    var findings: [PETPhantomCase.Finding] = []
    for tumour in hasLesions ? tumours(seed: seed, anatomy: anatomy) : [] {
      let change = TumourChange(
        of: tumour, in: tissue, anatomy: anatomy, grid: grid, parts: parts, blur: acquisition.blur,
        contrast: Float(configuration.lesionContrast))
      let voxels = change.add(to: &uptake, &density, &mask)
      findings.append(tumour.finding(in: grid, voxels: voxels))
    }
    return PETPhantomCase(
      depth: grid.depth, height: grid.height, width: grid.width, spacing: PETPhantomCase.Axes(grid.spacing),
      uptake: acquisition.uptakeImage(of: uptake, grid: grid, seed: seed),
      density: acquisition.densityImage(of: density, grid: grid, seed: seed), lesions: mask, findings: findings,
      seed: seed, hasFullBladder: anatomy.hasFullBladder, hasActiveHeart: anatomy.hasActiveHeart)
  }

  /// The patient of a seed.
  func anatomy(seed: UInt64) -> BodyAnatomy {
    var generator = RandomStream.anatomy.generator(seed: seed)
    return BodyAnatomy(configuration: configuration, using: &generator)
  }

  /// The tumours that the patient of a seed has when ill.
  func tumours(seed: UInt64, anatomy: BodyAnatomy) -> [Tumour] {
    var generator = RandomStream.lesion.generator(seed: seed)
    return anatomy.tumours(
      of: configuration.lesions, size: Float(configuration.lesionSize), using: &generator)
  }

  /// How the patient of a seed lies in the scanner, and how the scan is taken.
  func acquisition(seed: UInt64, anatomy: BodyAnatomy) -> (grid: VoxelGrid, acquisition: TomographicAcquisition) {
    var generator = RandomStream.acquisition.generator(seed: seed)
    let variation = Float(configuration.variation)
    let shift = variation * SIMD2(generator.uniform(-5...5), generator.uniform(-5...5))
    let field = SIMD3(
      Float(configuration.fieldWidth), Float(configuration.fieldHeight), Float(configuration.fieldDepth))
    let size = SIMD3(Float(configuration.width), Float(configuration.height), Float(configuration.depth))
    let top = anatomy.crown + 12 + variation * generator.uniform(0...10)
    let corner = SIMD3(-field.x / 2 - shift.x, -field.y / 2 - shift.y, top - field.z)
    let grid = VoxelGrid(
      depth: configuration.depth, height: configuration.height, width: configuration.width, spacing: field / size,
      origin: corner + field / size / 2)
    return (grid, TomographicAcquisition(configuration: configuration, using: &generator))
  }

  /// Into how many pieces along x, y and z voxels are cut for painting, so that none is longer than 10 mm.
  static func parts(of grid: VoxelGrid) -> SIMD3<Int> {
    SIMD3<Int>(grid.spacing / 10, rounding: .up)
  }
}

extension PETPhantomCase.Axes {
  /// Takes x as width, y as height, z as depth.
  init(_ values: SIMD3<Float>) {
    self.init(depth: Double(values.z), height: Double(values.y), width: Double(values.x))
  }
}
