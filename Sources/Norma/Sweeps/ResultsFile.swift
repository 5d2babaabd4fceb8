public import Foundation

/// The rows of a benchmark, one JSON object per line, appended by whoever has finished a run. Of several rows of one run the
/// last one holds.
public struct ResultsFile: Sendable {
  /// `results.jsonl` in a folder.
  public let url: URL
  private let latest = LatestRows()

  /// The file of a benchmark's folder, whether it is there or not.
  public init(in folder: URL) { url = folder.appendingPathComponent("results.jsonl") }

  /// The last row of each run; the file is read when it has changed since the last call. Lines that cannot be read, such as one that a killed process left unfinished, are as if they
  /// were not there.
  public func records() -> [RunKey: RunRecord] { latest.rows(at: LatestRows.Version(of: url), read: read) }

  private func read() -> [RunKey: RunRecord] {
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

/// The rows as they were when the file was last read: runs are looked up far more often than they end.
///
/// `@unchecked Sendable`: `known` is read and written under `lock`.
private final class LatestRows: @unchecked Sendable {
  /// What changes with the file's content.
  struct Version: Equatable {
    let size: UInt64
    let modified: Date
    let file: UInt64

    /// Nil where there is no file.
    init?(of url: URL) {
      guard let found = try? FileManager.default.attributesOfItem(atPath: url.path),
        let modified = found[.modificationDate] as? Date
      else { return nil }
      self.modified = modified
      size = (found[.size] as? NSNumber)?.uint64Value ?? 0
      file = (found[.systemFileNumber] as? NSNumber)?.uint64Value ?? 0
    }
  }

  private let lock = NSLock()
  private var known: (version: Version, rows: [RunKey: RunRecord])?

  /// The rows of a version that was looked up before they are read, so that rows that come meanwhile are read the next time.
  func rows(at version: Version?, read: () -> [RunKey: RunRecord]) -> [RunKey: RunRecord] {
    lock.withLock {
      guard let version else { return [:] }
      if let known, known.version == version { return known.rows }
      let rows = read()
      known = (version, rows)
      return rows
    }
  }
}
