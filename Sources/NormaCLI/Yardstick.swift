import Foundation
import Norma
import Torch

/// The yardstick, fitted to the same images as the detectors that it stands beside.
enum Yardstick {
  /// What it is called in tables.
  static let name = "yardstick: band energy"

  static func outcomes(
    like outcomes: [Trials.Outcome], data: String, device: Device, progress: @escaping ProgressHandler
  ) async throws -> [Trials.Outcome] {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("norma-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    var found: [Trials.Outcome] = []
    for (index, outcome) in outcomes.enumerated() {
      var configuration = try Preset.bandEnergy.configuration()
      configuration.seed = outcome.metadata.configuration.seed
      configuration.data = outcome.metadata.configuration.data
      let input = outcome.metadata.configuration.input
      if input.views == .slices {
        let own = configuration.input
        configuration.input = input
        (configuration.input.intensity, configuration.input.deviations) = (own.intensity, own.deviations)
        (configuration.input.aspect, configuration.input.spacing) = (own.aspect, [])  // its side is another
      }
      let ending = try await Trials.run(
        configuration, seeds: [configuration.seed], folder: data, output: folder.appendingPathComponent("\(index)"),
        device: device, progress: progress)
      if case .finished(let results) = ending { found += results }
    }
    return found
  }
}
