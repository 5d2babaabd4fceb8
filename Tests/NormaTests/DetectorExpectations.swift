import Testing

@testable import Norma
@testable import Torch

extension AnomalyDetector {
  /// That all scores are there, each alone where it is asked for, and that every score of an image is the same alone as among
  /// others, and so are its maps.
  func expectIndependence(from images: Tensor, tolerance: Double = 1e-5) throws {
    let alone = try images.sliced(2..<3, axis: 0)
    let all = try scores(images, areReferences: false)
    #expect(Set(all.keys) == Set(scoreNames))
    for (name, values) in all {
      #expect(values.shape == [images.extent(0)])
      let own = try scores(alone, named: [name], areReferences: false)
      #expect(own.count == 1)
      let gap = try largestDifference(#require(own[name]), values.sliced(2..<3, axis: 0))
      #expect(try gap < tolerance * (1 + values.abs().maximum().item()), "\(name)")
    }
    for (map, own) in zip(try explanation(of: images).maps, try explanation(of: alone).maps) {
      #expect(try largestDifference(own.values, map.values.sliced(2..<3, axis: 0)) < 10 * tolerance, "\(map.name)")
    }
  }
}

/// Trains a configuration on phantoms and expects the checkpoint to hold the detector bit for bit, scores included.
func expectCheckpointToHold(_ configuration: RunConfiguration) async throws -> TrainerRun {
  let folder = try TemporaryFolder()
  let images = try await Fixtures.phantoms(10, seed: 50, for: configuration, in: folder)
  let run = TrainerRun(
    folder: folder, data: TrainingData(training: images, fingerprint: "phantoms"), configuration: configuration)
  let trainer = try Trainer(configuration, data: run.data, folder: folder.url, device: .cpu)
  guard case .finished(let model) = try trainer.run() else {
    Issue.record("the run did not finish")
    return run
  }
  let restored = try Checkpoint(contentsOf: model).makeDetector()
  #expect(try restored.network.numbers() == trainer.detector.network.numbers())
  let side = configuration.detector.settings.imageSize
  let batch = try smoothImages(4, side: side, seed: 3)
  let (found, expected) = (
    try restored.scores(batch, areReferences: false), try trainer.detector.scores(batch, areReferences: false)
  )
  for name in restored.scoreNames {
    #expect(try largestDifference(#require(found[name]), #require(expected[name])) == 0, "\(name)")
  }
  return run
}

/// The sentence that a configuration is refused with, or `valid`.
func refusal<Configuration: DetectorConfiguration>(
  of _: Configuration.Type, _ change: (inout Configuration) -> Void
) -> String {
  var configuration = Configuration()
  change(&configuration)
  do { try configuration.validate() } catch { return "\(error)" }
  return "valid"
}
