public import Foundation

/// Holds a run's folder for one process, so that several can work on one queue and none trains into another's run.
///
/// The lock is the system's, on a file `run.lock` that holds the process's number for people: when a process ends, however
/// it ends, its lock is gone, and a file that it left behind stops nobody.
public final class RunLock {
  private static let name = "run.lock"
  private let path: String
  private let descriptor: Int32
  /// The folder, where it came with the lock: it goes with it again if nothing was put into it.
  private let made: String?

  /// Takes the lock; nil when another process holds it. The folder is made.
  /// - Throws: `TrainingError.cannotWrite`.
  init?(in folder: URL) throws {
    made = FileManager.default.fileExists(atPath: folder.path) ? nil : folder.path
    do { try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true) } catch {
      throw TrainingError.cannotWrite(path: folder.path, reason: error.localizedDescription)
    }
    path = folder.appendingPathComponent(Self.name).path
    while true {
      let file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
      guard file >= 0 else {
        throw TrainingError.cannotWrite(path: path, reason: String(cString: strerror(errno)))
      }
      guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
        close(file)
        return nil
      }
      // Whoever held it before may have removed the file between our opening and locking it.
      var (held, found) = (stat(), stat())
      if fstat(file, &held) == 0, stat(path, &found) == 0, held.st_ino == found.st_ino {
        descriptor = file
        break
      }
      close(file)
    }
    let note = "\(ProcessInfo.processInfo.processIdentifier)\n"
    if ftruncate(descriptor, 0) == 0 { _ = note.withCString { write(descriptor, $0, strlen($0)) } }
  }

  /// Takes the lock of a folder that nobody else may be working on.
  /// - Throws: `TrainingError.runElsewhere` when another process holds it, `cannotWrite` when the folder cannot be made.
  public static func taken(in folder: URL) throws -> RunLock {
    guard let lock = try RunLock(in: folder) else {
      throw TrainingError.runElsewhere(path: folder.path, process: holder(of: folder))
    }
    return lock
  }

  deinit {
    unlink(path)
    if let made { rmdir(made) }  // refused where there is something in it
    close(descriptor)
  }

  /// The process that works on a run; nil when none does.
  static func holder(of folder: URL) -> Int32? {
    let file = open(folder.appendingPathComponent(name).path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return nil }
    defer { close(file) }
    guard flock(file, LOCK_SH | LOCK_NB) != 0 else { return nil }
    var text = [UInt8](repeating: 0, count: 32)
    let count = read(file, &text, text.count)
    return Int32(
      String(decoding: text.prefix(max(0, count)), as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines))
  }
}
