public import Foundation

/// The log of a run: one JSON object per line, appended as things happen.
///
/// Events: `start`, `warning`, `epoch` (losses, rates, images per second, share of time spent waiting for images), `monitor`
/// (AUROC of a labelled set, shown and never used unless the checkpoint rule says so), `interrupted`, `finished`.
struct TrainingLog {
  private let file: URL

  init(in folder: URL) { file = folder.appendingPathComponent("log.jsonl") }

  /// The events of a run's folder, in order; none when it has no log. Lines that cannot be read, such as one that a killed
  /// process left unfinished, are passed over.
  static func events(in folder: URL) -> [[String: Any]] {
    guard let data = FileManager.default.contents(atPath: TrainingLog(in: folder).file.path) else { return [] }
    return data.split(separator: UInt8(ascii: "\n")).compactMap {
      try? JSONSerialization.jsonObject(with: $0) as? [String: Any]
    }
  }

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
