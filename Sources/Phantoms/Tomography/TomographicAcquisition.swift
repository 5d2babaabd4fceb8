import MedicalImaging

/// How one pair of volumes is taken: the scanner's resolution and noise.
struct TomographicAcquisition: Sendable {
  /// Standard deviation of the PET's point-spread function, in millimetres.
  let blur: Float
  /// Standard deviation of the PET's noise where the uptake is 1; 0 for none.
  let uptakeNoise: Float
  /// Standard deviation of the CT's noise in Hounsfield units; 0 for none.
  let densityNoise: Float

  /// Draws an acquisition.
  init(configuration: PETPhantom.Configuration, using generator: inout SeededGenerator) {
    blur = Float(configuration.resolution) / 2.354_82
    uptakeNoise = Float(configuration.uptakeNoise) * generator.uniform(0.75...1.25)
    densityNoise = Float(configuration.densityNoise) * generator.uniform(0.75...1.25)
  }

  /// The PET's image of `uptake`, a volume with the blur already in it.
  ///
  /// Noise of variance `uptakeNoise² · uptake`, as counts have it, correlated like the blur; negative sums become 0. Where the
  /// uptake rises, so does the result, whatever the noise: `u + c √u` rises with `u` wherever it is above 0.
  func uptakeImage(of uptake: [Float], grid: VoxelGrid, seed: UInt64) -> [Float] {
    guard uptakeNoise > 0 else { return uptake }
    var noise = whiteNoise(grid: grid, seed: seed, variant: 0)
    VolumeFilter.gaussian(&noise, grid: grid, sigma: blur)
    let scale = uptakeNoise / VolumeFilter.remainingNoise(sigma: blur, spacing: grid.spacing)
    for index in noise.indices {
      noise[index] = max(uptake[index] + scale * noise[index] * uptake[index].squareRoot(), 0)
    }
    return noise
  }

  /// The CT's image of `density`, with noise that does not depend on it; never below air by more than 24 Hounsfield units.
  func densityImage(of density: [Float], grid: VoxelGrid, seed: UInt64) -> [Float] {
    guard densityNoise > 0 else { return density }
    var noise = whiteNoise(grid: grid, seed: seed, variant: 1)
    for index in noise.indices { noise[index] = max(density[index] + densityNoise * noise[index], -1024) }
    return noise
  }

  private func whiteNoise(grid: VoxelGrid, seed: UInt64, variant: UInt64) -> [Float] {
    var generator = RandomStream.noise.generator(seed: seed, variant: variant)
    var noise = [Float](repeating: 0, count: grid.count)
    for index in noise.indices { noise[index] = Float(generator.normal()) }
    return noise
  }
}
