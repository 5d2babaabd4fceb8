import Foundation

/// Writing of data sets: folders first, then all entries on all processors.
enum PhantomFiles {
  /// Makes the folders that the entries' paths lie in and calls `body` for every entry.
  /// - Parameters:
  ///   - paths: where the files of an entry go, below `folder`.
  ///   - progress: told after each entry how many are done and how many there are, in rising order.
  /// - Throws: `PhantomError.cannotWrite` naming the folder that cannot be made, what `body` throws, `CancellationError` when
  ///   the task is cancelled (the entries finished so far stay).
  static func write<Entry: Sendable>(
    _ entries: [Entry], paths: (Entry) -> [String], below folder: URL, progress: (_ done: Int, _ count: Int) -> Void,
    _ body: @escaping @Sendable (Entry) throws -> Void
  ) async throws {
    try createFolders(for: entries.flatMap(paths), below: folder)
    let workers = min(ProcessInfo.processInfo.activeProcessorCount, entries.count)
    try await withThrowingTaskGroup(of: Void.self) { group in
      var remaining = entries.makeIterator()
      func startNext() {
        guard let entry = remaining.next() else { return }
        group.addTask { try body(entry) }
      }
      for _ in 0..<workers { startNext() }
      var done = 0
      while try await group.next() != nil {
        try Task.checkCancellation()
        done += 1
        progress(done, entries.count)
        startNext()
      }
    }
  }

  private static func createFolders(for paths: [String], below folder: URL) throws(PhantomError) {
    let folders = Set(paths.map { folder.appendingPathComponent($0).deletingLastPathComponent() })
    for folder in folders.sorted(by: { $0.path < $1.path }) {
      do {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      } catch {
        throw .cannotWrite(path: folder.path, reason: reason(of: error))
      }
    }
  }

  /// What the operating system says, for example "not a directory", or Foundation's words where it says nothing.
  private static func reason(of error: any Error) -> String {
    let cause = (error as NSError).userInfo[NSUnderlyingErrorKey] as? any Error ?? error
    let system = cause as NSError
    guard system.domain == NSPOSIXErrorDomain else { return error.localizedDescription }
    return String(cString: strerror(Int32(system.code))).lowercased()
  }
}
