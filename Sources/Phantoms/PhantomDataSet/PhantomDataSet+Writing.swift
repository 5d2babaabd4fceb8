public import Foundation
import MedicalImaging

extension PhantomDataSet {
  /// Makes every image and mask and writes them as 8-bit grey PNG files below `folder`, which is created when missing.
  ///
  /// Images are made on all processors; each depends on its own seed alone, so the files do not depend on how many there
  /// are. Each file is written under a temporary name and renamed; files of an earlier run with the same names are replaced.
  /// - Parameters:
  ///   - folder: where the set goes.
  ///   - progress: told after each image how many are done and how many there are, in rising order.
  /// - Returns: what was written, in the order of the seeds.
  /// - Throws: `PhantomError.invalidValue` for a plan out of range, `PhantomError.cannotWrite` naming the folder that cannot
  ///   be made, `ImageError.notWritable` naming the file, `CancellationError` when the task is cancelled (the images
  ///   finished so far stay).
  @discardableResult
  public func write(
    to folder: URL, progress: (_ done: Int, _ count: Int) -> Void = { _, _ in }
  ) async throws -> [Entry] {
    let entries = try entries()
    let phantom = try ChestPhantom(configuration: configuration)
    try Self.createFolders(for: entries, below: folder)
    let workers = min(ProcessInfo.processInfo.activeProcessorCount, entries.count)
    try await withThrowingTaskGroup(of: Void.self) { group in
      var remaining = entries.makeIterator()
      func startNext() {
        guard let entry = remaining.next() else { return }
        group.addTask { try Self.write(entry, of: phantom, below: folder) }
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
    return entries
  }

  private static func write(_ entry: Entry, of phantom: ChestPhantom, below folder: URL) throws {
    let made = phantom.image(seed: entry.seed, lesion: entry.lesion)
    try PNG.write(made.image, to: folder.appendingPathComponent(entry.imagePath).path, bitsPerSample: 8)
    if let maskPath = entry.maskPath {
      try PNG.write(made.maskImage, to: folder.appendingPathComponent(maskPath).path, bitsPerSample: 8)
    }
  }

  private static func createFolders(for entries: [Entry], below folder: URL) throws(PhantomError) {
    let paths = entries.flatMap { [$0.imagePath, $0.maskPath].compactMap { $0 } }
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
