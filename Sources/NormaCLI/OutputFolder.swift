import Foundation

/// Folders for the files that a command writes.
enum OutputFolder {
  /// Makes the folder that a file is to lie in; called before the work, so that a wrong path costs nothing.
  /// - Throws: `OutputError`.
  static func make(for file: URL) throws {
    do {
      try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    } catch { throw OutputError(path: file.path, reason: error.localizedDescription) }
  }
}

/// A file that cannot be written.
struct OutputError: Error, CustomStringConvertible {
  let path: String
  let reason: String
  var description: String { "\(path) cannot be written: \(reason); give another path" }
}
