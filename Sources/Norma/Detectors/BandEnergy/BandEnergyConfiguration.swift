/// The settings of the yardstick.
public struct BandEnergyConfiguration: DetectorConfiguration {
  /// Image side in pixels.
  public var imageSize = 128
  /// Standard deviations of the Gaussians, in pixels at a side of 128; they scale with `imageSize`.
  public var sigmas = [1.0, 2, 4, 8, 16]
  /// Cells along each side over which energies are averaged.
  public var grid = 8
  /// Whether what the widest Gaussian leaves counts as a band.
  public var lowPass = true
  /// Cells at each edge that do not count.
  public var margin = 0
  /// Nearest normal images that the distance is averaged over.
  public var neighbours = 5

  /// Five Gaussians, 8×8 cells, five neighbours.
  public init() {}

  /// Checks what the types cannot.
  /// - Throws: `ConfigurationError` naming the key.
  public func validate() throws(ConfigurationError) {
    try require(grid >= 1, "grid", grid, "1 or more")
    try require(
      imageSize >= 16 && imageSize % grid == 0, "imageSize", imageSize, "at least 16 and a multiple of grid (\(grid))")
    try require(neighbours >= 1, "neighbours", neighbours, "1 or more")
    try require(margin >= 0 && 2 * margin < grid, "margin", margin, "0 or more, with cells left in between")
    let widest = sigmas.max() ?? 0
    try require(
      !sigmas.isEmpty && sigmas == sigmas.sorted() && sigmas[0] > 0 && widest <= 30, "sigmas", sigmas,
      "one or more numbers in ascending order, above 0 and at most 30")
  }
}

extension BandEnergyConfiguration {
  /// `band-energy`.
  public static var method: DetectionMethod { .bandEnergy }

  /// Fresh weights.
  public func makeDetector(in run: RunConfiguration) throws -> any AnomalyDetector {
    try BandEnergyDetector(self)
  }
}
