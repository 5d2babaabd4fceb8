import Foundation
import MedicalImaging
public import Torch

/// How many images go through a network at once.
public enum BatchSize: Equatable, Sendable {
  /// So many.
  case fixed(Int)
  /// As many as memory allows.
  case automatic

  /// Reads `auto` or a number.
  public init?(_ text: String) {
    if text == "auto" {
      self = .automatic
    } else if let count = Int(text), count > 0 {
      self = .fixed(count)
    } else {
      return nil
    }
  }

  /// A size that was found by memory.
  public struct Choice: Equatable, Sendable, CustomStringConvertible {
    /// Images.
    public let size: Int
    /// Bytes that such a batch needs, with weights and optimisers in training.
    public let bytes: Int
    /// Bytes that were free.
    public let free: Int

    /// `16 images (0.84 of 21.40 GB that are free)`.
    public var description: String {
      let gigabytes = [bytes, free].map { String(format: "%.2f", Double($0) / 1e9) }
      return "\(size) images (\(gigabytes[0]) of \(gigabytes[1]) GB that are free)"
    }
  }

  /// Share of the free memory that a batch may need: libraries take more than what tensors are counted at.
  static let usableShare = 0.75

  static func fits(_ bytes: Int, in free: Int) -> Bool { Double(bytes) <= usableShare * Double(free) }

  /// Bytes that are free on a device.
  /// - Throws: `BatchSizeError.unknownMemory`.
  static func freeMemory(on device: Device) throws -> Int {
    guard device.kind == .cpu else {
      do { return try device.freeMemory() } catch { throw BatchSizeError.unknownMemory }
    }
    guard let bytes = Allotment.freeMemory else { throw BatchSizeError.unknownMemory }
    return bytes
  }
}

// MARK: - Training

extension RunConfiguration {
  /// The same run with a batch size that was asked for.
  /// - Parameters:
  ///   - data: the images of the run.
  ///   - free: bytes that may be taken; nil: what is free.
  /// - Returns: also the choice, where it was made by memory.
  /// - Throws: `BatchSizeError.unused` for a method that takes no batch size of a run's, `ConfigurationError` for one of 1;
  ///   `TorchError` when memory or device fail.
  public func withBatchSize(
    _ wanted: BatchSize, for data: TrainingData, device: Device, free: Int? = nil
  ) throws -> (configuration: RunConfiguration, choice: BatchSize.Choice?) {
    let stages = try withoutInitialisation { try makeDetector() }.stages
    guard stages.contains(where: { $0.batchSize == nil }) else {
      throw BatchSizeError.unused(method: detector.method.rawValue, isTrained: !stages.isEmpty)
    }
    var (configuration, choice) = (self, BatchSize.Choice?.none)
    switch wanted {
    case .fixed(let size): configuration.training.batchSize = size
    case .automatic:
      var random = SeededGenerator(seed: 0)
      let views = data.training.shuffledViews(perImage: input.viewsPerImage, isAtHand: true, using: &random)
      let free = try free ?? BatchSize.freeMemory(on: device)
      let found = try TrainingMemory(of: self, on: device, free: free).choice(images: views.count, free: free) { size in
        let counted = try TrainingMemory.step(of: self, size: size, on: device)
        return counted.lasting + counted.bytes
      }
      (configuration.training.batchSize, choice) = (found.size, found)
    }
    try configuration.validate()
    return (configuration, choice)
  }
}

/// Why a batch size cannot be had, in one sentence.
public enum BatchSizeError: Error, Equatable, CustomStringConvertible, Sendable {
  /// A batch does not fit into memory.
  case outOfMemory(size: Int, isTraining: Bool)
  /// The method has no use for a batch size of a run's.
  case unused(method: String, isTrained: Bool)
  /// An ensemble's members have batches of their own.
  case ensemble
  /// The system does not tell how much memory is free.
  case unknownMemory

  /// The sentence.
  public var description: String {
    switch self {
    case .outOfMemory(let size, let isTraining):
      "memory does not suffice for \(size) images at once; give a smaller --batch"
        + (isTraining ? " (a run is resumed with the batches that it has: start it anew)" : ", or --batch auto")
    case .unused(let method, let isTrained):
      isTrained
        ? "every stage of \(method) has a batch size of its own, which --batch does not change; use --set"
        : "\(method) is fitted to all images, not trained in batches; leave --batch out"
    case .ensemble: "the members of an ensemble have batches of their own; give a number to --batch, or leave it out"
    case .unknownMemory: "the system does not tell how much memory is free; give a number to --batch"
    }
  }
}

/// Counts the bytes that training takes at growing sizes of batch.
struct TrainingMemory {
  /// An epoch keeps at least so many steps, however much memory there is.
  static let leastSteps = 16
  /// Bytes of weights, their averages and optimisers.
  private(set) var lasting = 0
  /// Bytes of the largest step beside them, by size of batch; twice as many images each.
  private(set) var steps: [(size: Int, bytes: Int)] = []

  /// Counts single steps on noise, each of twice as many images, as long as the next fits.
  /// - Parameter free: bytes that may be taken.
  init(of configuration: RunConfiguration, on device: Device, free: Int = .max) throws {
    for size in [2, 4, 8, 16, 32] {
      if steps.count >= 2, !BatchSize.fits(bytes(of: size), in: free) { break }
      let counted = try Self.step(of: configuration, size: size, on: device)
      lasting = counted.lasting
      steps.append((size, counted.bytes))
    }
  }

  /// Counts what a run holds all the time, and what the largest step of its stages takes beside that.
  static func step(
    of configuration: RunConfiguration, size: Int, on device: Device
  ) throws -> (lasting: Int, bytes: Int) {
    var wanted = configuration
    wanted.training.batchSize = size
    var runners: [StageRunner] = []
    var average: WeightAverage?
    let lasting = try MemoryMeter.peak {
      let detector = try wanted.makeDetector()
      try detector.network.move(to: device)
      try detector.network.preferChannelsLast()
      average = wanted.training.weightAverage > 0 ? try WeightAverage(detector.network, decay: 0.5) : nil
      runners = try detector.stages.filter { $0.batchSize == nil }.map {
        try StageRunner($0, of: detector, precision: MixedPrecision(wanted.training.precision, on: device))
      }
    }
    defer { withExtendedLifetime(average) {} }
    let input = wanted.inputSpecification
    let random = try Generator(seed: 1, on: device)
    var largest = 0
    for runner in runners {
      runner.begin(epoch: 0)
      let bytes = try MemoryMeter.peak {
        let batch =
          try runner.stage.readsImages
          ? random.uniform(-1, 1, shape: [size, input.channels] + input.extents) : .zeros([0], on: device)
        let step = TrainingStep(due: runner.due(in: 0), random: random, indices: Array(0..<size))
        _ = try runner.run(step, on: batch)
      }
      largest = max(largest, bytes)
    }
    return (lasting, largest)
  }

  /// Bytes that training in batches of `size` takes: counted, or on the straight line through what was.
  func bytes(of size: Int) -> Int {
    let (last, before) = (steps[steps.count - 1], steps[steps.count - 2])
    let rate = max(0, Double(last.bytes - before.bytes)) / Double(last.size - before.size)
    let counted = steps.first { $0.size == size }?.bytes
    return lasting + (counted ?? last.bytes + Int(rate * Double(size - last.size)))
  }

  /// The largest power of two that fits and leaves an epoch enough steps; 2 at least. One that was not counted is tried once,
  /// and half as many images taken as long as it does not fit.
  /// - Parameter trying: the bytes that training in batches of such a size is found to take.
  func choice(images: Int, free: Int, trying: (Int) throws -> Int) throws -> BatchSize.Choice {
    var size = 2
    while size * 2 * Self.leastSteps <= images, BatchSize.fits(bytes(of: size * 2), in: free) { size *= 2 }
    while size > steps[steps.count - 1].size {
      do {
        let bytes = try trying(size)
        if BatchSize.fits(bytes, in: free) { return BatchSize.Choice(size: size, bytes: bytes, free: free) }
      } catch let error as TorchError where error.isOutOfMemory {}
      size /= 2
    }
    return BatchSize.Choice(size: size, bytes: bytes(of: size), free: free)
  }
}

// MARK: - Scoring

extension Scorer {
  /// The size of batches at which images are scored fastest, of those that fit into memory: twice as many at a time until that
  /// makes nothing faster.
  /// - Parameters:
  ///   - images: how many there are to score.
  ///   - explains: whether maps and reconstructions are wanted.
  ///   - free: bytes that may be taken; nil: what is free.
  ///   - clock: seconds since some moment.
  /// - Throws: `TorchError` when memory or device fail.
  func fastestBatch(
    images: Int, explains: Bool, free: Int? = nil, clock: () -> Double = { Date().timeIntervalSinceReferenceDate }
  ) throws -> BatchSize.Choice {
    guard members.isEmpty else { throw BatchSizeError.ensemble }
    let free = try free ?? BatchSize.freeMemory(on: device)
    let random = try Generator(seed: 1, on: device)
    var best: (size: Int, rate: Double, bytes: Int)?
    var size = 1
    let most = specification.isCut ? Int.max : max(1, images)
    while size <= most {
      let expected = best.map { $0.bytes * size / $0.size } ?? 0
      guard BatchSize.fits(expected, in: free) else { break }
      let batch = try random.uniform(0, 1, shape: [size, specification.channels] + specification.extents)
      var bytes = 0
      var seconds = Double.infinity
      do {
        for _ in 0..<2 {  // the first one also makes what later ones find made
          let start = clock()
          bytes = max(
            bytes,
            try MemoryMeter.peak { _ = try findings(specification.scaled(batch), explains: explains, allScores: false) }
          )
          seconds = min(seconds, clock() - start)
        }
      } catch let error as TorchError where error.isOutOfMemory && best != nil { break }
      guard best == nil || BatchSize.fits(bytes, in: free) else { break }
      let rate = Double(size) / max(seconds, 1e-9)
      if let best, rate < best.rate * Self.worthwhileGain { break }
      best = (size, rate, bytes)
      size *= 2
    }
    return BatchSize.Choice(size: best?.size ?? 1, bytes: best?.bytes ?? 0, free: free)
  }

  /// How much faster twice as many images must be.
  private static let worthwhileGain = 1.03
}
