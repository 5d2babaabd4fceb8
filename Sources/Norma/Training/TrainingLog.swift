public import Foundation

/// The log of a run: one JSON object per line, appended as things happen.
///
/// Events: `start`, `warning`, `epoch` (losses, rates, images per second, share of time spent waiting for images), `monitor`
/// (AUROC of a labelled set, shown and never used unless the checkpoint rule says so), `interrupted`, `finished`.
struct TrainingLog {
  private let file: URL

  init(in folder: URL) { file = folder.appendingPathComponent("log.jsonl") }

  /// Appends one event.
  /// - Throws: `TrainingError.cannotWrite`.
  func append(_ event: String, _ fields: [String: Any]) throws {
    var object = fields
    object["event"] = event
    do {
      let data = try JSONSerialization.data(withJSONObject: object, options: [.sortedKeys]) + Data("\n".utf8)
      if !FileManager.default.fileExists(atPath: file.path) { try Data().write(to: file) }
      let handle = try FileHandle(forWritingTo: file)
      defer { try? handle.close() }
      try handle.seekToEnd()
      try handle.write(contentsOf: data)
    } catch {
      throw TrainingError.cannotWrite(path: file.path, reason: error.localizedDescription)
    }
  }
}

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
