public import Foundation
public import Torch

/// Whether a device computes what the processor does: a short training on both, from the same weights, images and random
/// numbers, and one checkpoint's scores and maps on both; and whether the device repeats itself.
public struct DeviceCheck: Sendable {
  /// One comparison.
  public struct Finding: Equatable, Sendable {
    /// What was compared.
    public let subject: String
    /// The largest difference; its unit depends on the subject.
    public let difference: Double
    /// The largest difference that is still rounding.
    public let limit: Double

    /// Whether the two agree; NaN never does.
    public var passes: Bool { difference <= limit }
  }

  /// What is trained; a few epochs are enough.
  public let configuration: RunConfiguration
  /// The device that is compared with the processor.
  public let device: Device

  /// A check of one method.
  public init(_ configuration: RunConfiguration, on device: Device) {
    (self.configuration, self.device) = (configuration, device)
  }

  /// Trains on the processor, and twice on the device.
  ///
  /// - `losses`: relative to the larger of the two, over all epochs and stages.
  /// - `scores`: of the test images by the processor's checkpoint, in standard deviations of each score.
  /// - `maps`: root mean square over their pixels, in standard deviations of each map.
  /// - `repeats`: largest difference of any weight between two trainings on the device: none is allowed.
  /// - Parameter folder: for the runs' files, which must not be there yet.
  /// - Throws: what training and scoring throw; `EvaluationImagesError.noTestImages`.
  public func findings(on data: TrainingData, in folder: URL) throws -> [Finding] {
    guard let test = data.test else { throw EvaluationImagesError.noTestImages }
    let processor = try train(on: .cpu, data, in: folder.appendingPathComponent("processor"))
    let first = try train(on: device, data, in: folder.appendingPathComponent("device"))
    let second = try train(on: device, data, in: folder.appendingPathComponent("again"))
    let (here, there) = (try Output(processor, test, on: .cpu), try Output(processor, test, on: device))
    var findings = [
      Finding(subject: "scores", difference: here.largestScoreDifference(to: there), limit: 0.05),
      Finding(subject: "maps", difference: here.largestMapDifference(to: there), limit: 0.02),
      Finding(subject: "repeats", difference: try Self.largestDifference(first, second), limit: 0),
    ]
    let losses = [folder.appendingPathComponent("processor"), folder.appendingPathComponent("device")]
      .map { LossCurve.curves(of: TrainingLog.events(in: $0)).flatMap { $0.points.map(\.value) } }
    if !losses[0].isEmpty {
      let difference = Self.largestRelativeDifference(losses[0], losses[1])
      findings.insert(Finding(subject: "losses", difference: difference, limit: 0.02), at: 0)
    }
    return findings
  }

  private func train(on device: Device, _ data: TrainingData, in folder: URL) throws -> Checkpoint {
    let trainer = try Trainer(configuration, data: data, folder: folder, device: device, drawsOn: .cpu)
    guard case .finished(let file) = try trainer.run() else { throw CancellationError() }
    return try Checkpoint(contentsOf: file)
  }

  /// The largest |a − b| of any weight, infinite where one has other weights.
  static func largestDifference(_ a: Checkpoint, _ b: Checkpoint) throws -> Double {
    guard Set(a.arrays.keys) == Set(b.arrays.keys) else { return .infinity }
    return try a.arrays.reduce(0) { largest, entry in
      guard let other = b.arrays[entry.key], other.data != entry.value.data else { return largest }
      let difference = try entry.value.tensor().to(.float64) - other.tensor().to(.float64)
      return max(largest, try difference.abs().maximum().item())
    }
  }

  /// The largest |a − b| / max(|a|, |b|); infinite where there are not as many, NaN where one is none.
  static func largestRelativeDifference(_ a: [Double], _ b: [Double]) -> Double {
    guard a.count == b.count else { return .infinity }
    let differences = zip(a, b).map { $0 == $1 ? 0 : abs($0 - $1) / max(abs($0), abs($1)) }
    return differences.contains(where: \.isNaN) ? .nan : differences.max() ?? 0
  }

  /// Scores and maps of images by name.
  struct Output {
    var scores: [String: [Double]] = [:]
    var maps: [String: [Float]] = [:]

    init(_ checkpoint: Checkpoint, _ images: PreparedImages, on device: Device) throws {
      let scorer = try Scorer(checkpoint: checkpoint, device: device)
      try scorer.forEachFinding(of: images, explains: true, allScores: true) { _, finding, _ in
        for (name, score) in finding.scores { scores[name, default: []].append(score) }
        for (name, values) in finding.maps { maps[name, default: []] += try values.to(.cpu).values(as: Float.self) }
      }
    }

    func largestScoreDifference(to other: Output) -> Double {
      Self.largest(scores, other.scores) { zip($0, $1).map { abs($0 - $1) }.max() ?? 0 }
    }

    func largestMapDifference(to other: Output) -> Double {
      Self.largest(maps.mapValues { $0.map(Double.init) }, other.maps.mapValues { $0.map(Double.init) }) { a, b in
        (zip(a, b).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) } / Double(max(a.count, 1))).squareRoot()
      }
    }

    /// The largest difference of two lists of any name, in standard deviations of the first; infinite where they do not fit.
    static func largest(
      _ a: [String: [Double]], _ b: [String: [Double]], difference: ([Double], [Double]) -> Double
    ) -> Double {
      guard Set(a.keys) == Set(b.keys) else { return .infinity }
      return a.reduce(0) { largest, entry in
        guard let other = b[entry.key], other.count == entry.value.count else { return .infinity }
        guard !largest.isNaN, !(entry.value + other).contains(where: \.isNaN) else { return .nan }
        let count = Double(max(entry.value.count, 1))
        let mean = entry.value.reduce(0, +) / count
        let spread = (entry.value.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / count).squareRoot()
        let found = difference(entry.value, other)
        return max(largest, found == 0 ? 0 : found / spread)
      }
    }
  }
}
