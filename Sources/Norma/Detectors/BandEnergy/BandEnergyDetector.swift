public import Torch

/// The yardstick: an image is as unusual as its band energies are far from those of the nearest normal images.
///
/// No network and no gradients; fitted in seconds. A method that does not beat it has not earned its cost.
public final class BandEnergyDetector: AnomalyDetector {
  private let configuration: BandEnergyConfiguration
  private let energies: BandEnergies
  private var normals: NearestNormals?

  /// A detector that has seen nothing yet.
  public init(_ configuration: BandEnergyConfiguration) throws {
    self.configuration = configuration
    let scale = Double(configuration.imageSize) / 128
    energies = try BandEnergies(
      sigmas: configuration.sigmas.map { $0 * scale }, side: configuration.imageSize, grid: configuration.grid,
      keepsRest: configuration.lowPass)
  }

  /// Nothing is trained.
  public let network = Module()
  /// No stages.
  public var stages: [TrainingStage] { [] }
  /// `bandEnergy`.
  public var scoreNames: [String] { ["bandEnergy"] }

  /// Standardised energies of the normal images.
  public var fitted: [String: Tensor] {
    get { normals?.state(prefix: "bandEnergy") ?? [:] }
    set { normals = NearestNormals(newValue, prefix: "bandEnergy", neighbours: configuration.neighbours) }
  }

  /// Never called: there are no stages.
  public func losses(of update: TrainingUpdate, on batch: Tensor, step: TrainingStep) throws -> Losses {
    throw TorchError(update.name, "band energies are fitted, not trained")
  }

  /// Learns the energies of the normal images.
  public func fit(_ batches: ((Tensor) throws -> Void) throws -> Void) throws {
    var features: [Tensor] = []
    try batches { features.append(try self.features($0)) }
    normals = try NearestNormals(fitting: .concatenated(features, axis: 0), neighbours: configuration.neighbours)
  }

  /// Mean distance to the nearest normal images.
  public func scores(_ batch: Tensor, named names: Set<String>, areReferences: ReferenceMatch) throws -> [String:
    Tensor]
  {
    let nearest = try fittedNormals().nearest(to: features(batch), areReferences: areReferences)
    return ["bandEnergy": nearest.distances]
  }

  /// Per cell, the distance to the same cell of the nearest normal images, `[B, grid, grid]`; no reconstruction.
  public func explanation(of batch: Tensor) throws -> Explanation {
    let map = try fittedNormals().map(
      of: features(batch), cells: configuration.grid - 2 * configuration.margin, margin: configuration.margin)
    return Explanation(maps: [("bandEnergy", map)], reconstruction: nil)
  }

  /// Log energies of the standardised images in the cells that count, `[B, d]`.
  private func features(_ batch: Tensor) throws(TorchError) -> Tensor {
    let mean = try batch.mean([1, 2, 3], keepingAxes: true)
    let deviation = try (batch.variance([1, 2, 3], keepingAxes: true) + 1e-8).squareRoot()
    let cells = configuration.margin..<configuration.grid - configuration.margin
    let energy = try energies((batch - mean) / deviation).sliced(cells, axis: 2).sliced(cells, axis: 3)
    return try (energy + 1e-6).log().reshaped([batch.extent(0), -1])
  }

  private func fittedNormals() throws(TorchError) -> NearestNormals {
    guard let normals else { throw TorchError("bandEnergy", "the detector has not been fitted to normal images") }
    return normals
  }
}
