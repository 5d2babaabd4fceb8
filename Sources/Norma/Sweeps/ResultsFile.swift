public import Foundation

/// The rows of a benchmark, one JSON object per line, appended by whoever has finished a run. Of several rows of one run the
/// last one holds.
public struct ResultsFile: Sendable {
  /// `results.jsonl` in a folder.
  public let url: URL

  /// The file of a benchmark's folder, whether it is there or not.
  public init(in folder: URL) { url = folder.appendingPathComponent("results.jsonl") }

  /// The last row of each run. Lines that cannot be read, such as one that a killed process left unfinished, are as if they
  /// were not there.
  public func records() -> [RunKey: RunRecord] {
    guard let data = FileManager.default.contents(atPath: url.path) else { return [:] }
    var records: [RunKey: RunRecord] = [:]
    for line in data.split(separator: UInt8(ascii: "\n")) {
      guard let record = try? Self.record(line) else { continue }
      records[record.key] = record
    }
    return records
  }

  /// Appends a row: all of it with one write, while no other process appends.
  /// - Throws: `TrainingError.cannotWrite`.
  func append(_ record: RunRecord) throws {
    do {
      try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
      var line = try encoder.encode(record) + Data("\n".utf8)
      let descriptor = open(url.path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
      guard descriptor >= 0 else { throw CocoaError(.fileWriteNoPermission) }
      let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
      guard flock(descriptor, LOCK_EX) == 0 else { throw CocoaError(.fileLocking) }
      let end = try handle.seekToEnd()
      if end > 0 {
        try handle.seek(toOffset: end - 1)
        if try handle.read(upToCount: 1) != Data("\n".utf8) { line = Data("\n".utf8) + line }
      }
      try handle.write(contentsOf: line)
      try handle.close()
    } catch { throw TrainingError.cannotWrite(path: url.path, reason: error.localizedDescription) }
  }

  /// Reads a row. Its configuration may be older than this Norma: keys that came later have their defaults.
  private static func record(_ line: Data) throws -> RunRecord? {
    guard var tree = try JSONSerialization.jsonObject(with: line) as? [String: Any] else { return nil }
    if let stored = tree["configuration"] {
      let configuration = try ConfigurationFile.read(json: JSONSerialization.data(withJSONObject: stored))
      tree["configuration"] = try JSONSerialization.jsonObject(with: JSONEncoder().encode(configuration))
    }
    return try JSONDecoder().decode(RunRecord.self, from: JSONSerialization.data(withJSONObject: tree))
  }
}
