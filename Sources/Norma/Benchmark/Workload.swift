import Foundation
import MedicalImaging
public import Torch

/// Pieces of work to be timed: training cycles, scoring, and reading images, each as the product does it.
public final class Workload {
  private let configuration: RunConfiguration
  private let device: Device
  private let random: Generator
  private let batch: Tensor
  private var trained: Trained?
  private var scored: Scored?

  /// A network with its optimisers.
  private struct Trained {
    let runner: StageRunner?
    let precision: MixedPrecision
  }

  /// A network with frozen weights, as a checkpoint is scored with.
  private struct Scored {
    let detector: any AnomalyDetector
    let precision: MixedPrecision
  }

  /// Why the work is not done in the number format that was asked for; usually nil.
  public var warning: String? { trained?.precision.warning ?? scored?.precision.warning }
  /// The method's default score.
  public let defaultScore: String

  /// A batch of noise; networks are made with fresh weights when work first needs them, so that each kind of work has the memory
  /// that it needs alone.
  /// - Throws: `TorchError` when memory or device fail.
  public init(_ configuration: RunConfiguration, device: Device) throws {
    (self.configuration, self.device) = (configuration, device)
    defaultScore = try withoutInitialisation { try configuration.makeDetector() }.scoreNames[0]
    random = try Generator(seed: 1, on: device)
    let input = configuration.inputSpecification
    batch = try random.uniform(-1, 1, shape: [configuration.training.batchSize, input.channels] + input.extents)
  }

  private func makeDetector() throws -> any AnomalyDetector {
    let detector = try configuration.makeDetector()
    try detector.network.move(to: device)
    try detector.network.preferChannelsLast()
    return detector
  }

  private func training() throws -> Trained {
    if let trained { return trained }
    let precision = MixedPrecision(configuration.training.precision, on: device)
    let detector = try makeDetector()
    let made = Trained(
      runner: try detector.stages.first.map { try StageRunner($0, of: detector, precision: precision) },
      precision: precision)
    trained = made
    return made
  }

  private func scoring() throws -> Scored {
    if let scored { return scored }
    let detector = try makeDetector()
    let precision = MixedPrecision.scoring(
      detector, in: configuration.training.precision, on: device, isAsked: true)
    try detector.network.freeze(as: precision.dtype)
    try precision.retrying {
      try precision { try withoutGradients { try detector.fit { body in try body(self.batch) } } }
    }
    Runtime.giveFreedMemoryBack()  // what fitting took is none of scoring's
    let made = Scored(detector: detector, precision: precision)
    scored = made
    return made
  }

  /// Seconds of `cycles` training cycles: as many iterations each as the slowest update's interval.
  /// - Returns: the time and the images that were trained on.
  public func train(cycles: Int) throws -> (seconds: Double, images: Int) {
    guard let runner = try training().runner else { return (0, 0) }
    let iterations = cycles * (runner.stage.updates.map(\.interval).max() ?? 1)
    let start = Date()
    for iteration in 0..<iterations { _ = try runner.run(step(iteration, of: runner), on: batch) }
    try device.finish()
    return (Date().timeIntervalSince(start), iterations * configuration.training.batchSize)
  }

  /// An iteration as a training run would make it.
  private func step(_ iteration: Int, of runner: StageRunner) -> TrainingStep {
    TrainingStep(due: runner.due(in: iteration), random: random, iteration: iteration, count: iteration)
  }

  /// Seconds of scoring `batches` batches by one score, as many images at once as `Scorer` takes.
  public func score(by name: String, batches: Int) throws -> (seconds: Double, images: Int) {
    let (count, atOnce) = (batch.extent(0), try scoring().detector.scoringBatchSize(on: device))
    let starts = (0..<batches).flatMap { _ in stride(from: 0, to: count, by: atOnce) }
    return try score(by: name, starts.map { $0..<min($0 + atOnce, count) })
  }

  /// Seconds of scoring `count` images by one score, each alone: what somebody waits who has one image.
  public func scoreEach(by name: String, count: Int) throws -> (seconds: Double, images: Int) {
    try score(by: name, (0..<count).map { $0 % batch.extent(0) }.map { $0..<$0 + 1 })
  }

  private func score(by name: String, _ parts: [Range<Int>]) throws -> (seconds: Double, images: Int) {
    let scored = try scoring()
    let start = Date()
    for part in parts {
      let images = try batch.sliced(part, axis: 0)
      let scores = try scored.precision {
        try withoutGradients { try scored.detector.scores(images, named: [name], areReferences: false) }
      }
      for value in scores.values { _ = try value.values(as: Double.self) }
    }
    return (Date().timeIntervalSince(start), parts.map(\.count).reduce(0, +))
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
