public import Foundation

/// The learning curve of one labelled set: AUROC by score and epoch, read back from a run's log.
public struct LearningCurve: Sendable, Equatable {
  /// The set's name, `validation` or `test`.
  public let set: String
  /// The score's name.
  public let score: String
  /// Epoch (from 1) and AUROC.
  public let points: [(epoch: Int, auroc: Double)]

  /// Equal names and points.
  public static func == (a: LearningCurve, b: LearningCurve) -> Bool {
    a.set == b.set && a.score == b.score && a.points.map(\.epoch) == b.points.map(\.epoch)
      && a.points.map(\.auroc) == b.points.map(\.auroc)
  }

  /// All curves in a run's folder; none when it has no log. An epoch that was run twice counts as it was last.
  public static func curves(in folder: URL) -> [LearningCurve] {
    guard let text = try? String(contentsOf: folder.appendingPathComponent("log.jsonl"), encoding: .utf8) else {
      return []
    }
    var points: [String: [String: [Int: Double]]] = [:]
    for line in text.split(separator: "\n") {
      guard let object = try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any],
        object["event"] as? String == "monitor", let set = object["set"] as? String,
        let epoch = object["epoch"] as? Int, let aurocs = object["auroc"] as? [String: Double]
      else { continue }
      for (score, auroc) in aurocs { points[set, default: [:]][score, default: [:]][epoch] = auroc }
    }
    return points.keys.sorted().flatMap { set in
      (points[set] ?? [:]).sorted { $0.key < $1.key }.map { score, values in
        LearningCurve(
          set: set, score: score, points: values.sorted { $0.key < $1.key }.map { (epoch: $0.key, auroc: $0.value) })
      }
    }
  }
}

/// One loss over the epochs of one stage, read back from a run's log.
public struct LossCurve: Sendable, Equatable {
  /// The stage's name.
  public let stage: String
  /// The loss's name.
  public let loss: String
  /// Epoch (from 1, counted within the stage) and the mean loss of its iterations, in the loss's own unit.
  public let points: [Point]

  /// One epoch.
  public struct Point: Sendable, Equatable {
    /// From 1.
    public let epoch: Int
    /// The mean over the epoch's iterations.
    public let value: Double
  }

  /// All curves in a run's folder, stages in the order of the log; none when it has no log. An epoch that was run twice
  /// counts as it was last.
  public static func curves(in folder: URL) -> [LossCurve] {
    guard let text = try? String(contentsOf: folder.appendingPathComponent("log.jsonl"), encoding: .utf8) else {
      return []
    }
    var stages: [String] = []
    var values: [String: [String: [Int: Double]]] = [:]
    for line in text.split(separator: "\n") {
      guard let object = try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any],
        object["event"] as? String == "epoch", let stage = object["stage"] as? String,
        let epoch = object["epoch"] as? Int, let losses = object["losses"] as? [String: Double]
      else { continue }
      if values[stage] == nil { stages.append(stage) }
      for (loss, value) in losses { values[stage, default: [:]][loss, default: [:]][epoch] = value }
    }
    return stages.flatMap { stage in
      (values[stage] ?? [:]).sorted { $0.key < $1.key }.map { loss, values in
        LossCurve(
          stage: stage, loss: loss,
          points: values.sorted { $0.key < $1.key }.map { Point(epoch: $0.key, value: $0.value) })
      }
    }
  }
}
