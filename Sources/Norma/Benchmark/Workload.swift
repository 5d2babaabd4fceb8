import Foundation
import MedicalImaging
public import Torch

/// Pieces of work to be timed: training cycles, scoring, and reading images, each as the product does it.
public final class Workload {
  private let configuration: RunConfiguration
  private let detector: any AnomalyDetector
  private let runner: StageRunner?
  private let random: Generator
  private let batch: Tensor
  private let precision: MixedPrecision
  private let scoring: MixedPrecision
  /// The same network with frozen weights, as a checkpoint is scored with.
  private let scored: any AnomalyDetector
  /// Why the work is not done in the number format that was asked for; usually nil.
  public var warning: String? { precision.warning ?? scoring.warning }

  /// Builds networks with fresh weights and a batch of noise.
  /// - Throws: `TorchError` when memory or device fail.
  public init(_ configuration: RunConfiguration, device: Device) throws {
    self.configuration = configuration
    detector = try configuration.makeDetector()
    try detector.network.move(to: device)
    try detector.network.preferChannelsLast()
    let precision = MixedPrecision(configuration.training.precision, on: device)
    let detector = detector
    runner = try detector.stages.first.map {
      try StageRunner($0, of: detector, precision: precision)
    }
    self.precision = precision
    scored = try configuration.makeDetector()
    try scored.network.move(to: device)
    try scored.network.preferChannelsLast()
    scoring = MixedPrecision.scoring(scored, in: configuration.training.precision, on: device, isAsked: true)
    try scored.network.freeze(as: scoring.dtype)
    random = try Generator(seed: 1, on: device)
    let input = configuration.inputSpecification
    batch = try random.uniform(-1, 1, shape: [configuration.training.batchSize, input.channels] + input.extents)
    let (scored, scoring) = (scored, scoring)
    try scoring.retrying {
      try scoring { try withoutGradients { try scored.fit { body in try body(self.batch) } } }
    }
  }

  /// Seconds of `cycles` training cycles: as many iterations each as the slowest update's interval.
  /// - Returns: the time and the images that were trained on.
  public func train(cycles: Int) throws -> (seconds: Double, images: Int) {
    guard let runner else { return (0, 0) }
    let iterations = cycles * (runner.stage.updates.map(\.interval).max() ?? 1)
    let start = Date()
    for iteration in 0..<iterations { _ = try runner.run(step(iteration), on: batch) }
    return (Date().timeIntervalSince(start), iterations * configuration.training.batchSize)
  }

  /// An iteration as a training run would make it.
  private func step(_ iteration: Int) -> TrainingStep {
    TrainingStep(due: runner?.due(in: iteration) ?? [], random: random, iteration: iteration, count: iteration)
  }

  /// The method's default score.
  public var defaultScore: String { detector.scoreNames[0] }

  /// Seconds of scoring `batches` batches by one score, as many images at once as `Scorer` takes.
  public func score(by name: String, batches: Int) throws -> (seconds: Double, images: Int) {
    let (count, atOnce) = (batch.extent(0), scored.scoringBatchSize(on: batch.device))
    let start = Date()
    for first in (0..<batches).flatMap({ _ in stride(from: 0, to: count, by: atOnce) }) {
      let part = try batch.sliced(first..<min(first + atOnce, count), axis: 0)
      let scores = try scoring {
        try withoutGradients { try scored.scores(part, named: [name], areReferences: false) }
      }
      for value in scores.values { _ = try value.values(as: Double.self) }
    }
    return (Date().timeIntervalSince(start), batches * configuration.training.batchSize)
  }

  /// Seconds of reading every image of a folder and bringing it to network size.
  public static func load(folder: String, size: Int, passes: Int) async throws -> (seconds: Double, images: Int) {
    let items = try ImageDataSet.files(at: [folder]).items
    let specification = InputSpecification(size: size, intensity: InputConfiguration())
    let start = Date()
    for _ in 0..<passes {
      let images = try await PreparedImages(items, for: specification)
      if let failure = images.failures.first { throw failure.reason }
      for first in stride(from: 0, to: images.count, by: 16) {
        let values = try (first..<min(first + 16, images.count)).map { try images.values(at: $0) }
        _ = try specification.scaled(specification.batch(values, on: .cpu))
      }
    }
    return (Date().timeIntervalSince(start), passes * items.count)
  }

  /// Seconds of reading every volume of a folder, as its file has it.
  /// - Returns: also how many volumes were read.
  /// - Throws: `DataSetError` when there is none, `ImageError` for one that cannot be read.
  public static func read(folder: String, passes: Int) async throws -> (seconds: Double, images: Int) {
    let items = try ImageDataSet.files(at: [folder]).items
    let start = Date()
    for _ in 0..<passes {
      let volumes = try await ImageReader.decode(filesOf: items) { try VolumeReader.read($0.path).samples[0] }
      for volume in volumes { _ = try volume.get() }
    }
    return (Date().timeIntervalSince(start), passes * items.count)
  }
}
