import Foundation
import Norma

/// What people see while work goes on: one line on a terminal, rewritten; nothing elsewhere.
///
/// `@unchecked Sendable`: the stored properties are read and written under `lock`.
final class Console: @unchecked Sendable {
  private let lock = NSLock()
  private let isShown: Bool
  private var last = Date.distantPast
  private var width = 0

  init(isQuiet: Bool = false) { isShown = !isQuiet && isatty(STDERR_FILENO) == 1 }

  /// Shows progress, at most ten times a second.
  func show(_ progress: WorkProgress) {
    guard isShown else { return }
    lock.withLock {
      let isDone = progress.done >= progress.total
      guard isDone || Date().timeIntervalSince(last) > 0.1 else { return }
      last = Date()
      write(Self.line(progress), ends: isDone)
    }
  }

  /// A sentence for people, on standard error, whether terminal or not.
  func say(_ text: String) {
    lock.withLock {
      if width > 0 { write("", ends: false) }
      FileHandle.standardError.write(Data((width > 0 ? "\r\(text)\n" : "\(text)\n").utf8))
      width = 0
    }
  }

  private func write(_ line: String, ends: Bool) {
    let padding = String(repeating: " ", count: max(0, width - line.count))
    FileHandle.standardError.write(Data("\r\(line)\(padding)\(ends ? "\n" : "")".utf8))
    width = ends ? 0 : line.count
  }

  /// One line: activity, count, rate, time left, latest figures.
  static func line(_ progress: WorkProgress) -> String {
    var parts = ["\(progress.activity) \(progress.done)/\(progress.total) \(progress.unit)"]
    if let rate = progress.imagesPerSecond { parts.append(String(format: "%.0f images/s", rate)) }
    if let seconds = progress.secondsLeft { parts.append("\(duration(seconds)) left") }
    parts += progress.figures.map { "\($0.name) " + String(format: "%.4g", $0.value) }
    return parts.joined(separator: "  ")
  }

  /// `42 s`, `3 min 20 s`, `2 h 5 min`.
  static func duration(_ seconds: Double) -> String {
    let whole = Int(seconds.rounded())
    if whole < 60 { return "\(whole) s" }
    if whole < 3600 { return "\(whole / 60) min \(whole % 60) s" }
    return "\(whole / 3600) h \(whole % 3600 / 60) min"
  }
}

/// Ctrl-C, noticed between two iterations instead of ending the program; a second one ends it at once.
///
/// `@unchecked Sendable`: `requested` is read and written under `lock`.
final class Interruption: @unchecked Sendable {
  private let lock = NSLock()
  private var requested = false
  private let source: any DispatchSourceSignal

  init() {
    signal(SIGINT, SIG_IGN)
    source = DispatchSource.makeSignalSource(signal: SIGINT, queue: DispatchQueue(label: "norma.interruption"))
    source.setEventHandler { [weak self] in
      guard let self else { return }
      let again = lock.withLock {
        defer { requested = true }
        return requested
      }
      if again { _exit(Failure.interrupted) }  // at once: other threads are still computing
    }
    source.resume()
  }

  /// Whether Ctrl-C was pressed.
  var isRequested: Bool { lock.withLock { requested } }
}

/// Figures for machines: one JSON object per line on standard output.
func printJSON(_ object: [String: Any]) throws {
  let data = try JSONSerialization.data(withJSONObject: object, options: [.sortedKeys, .withoutEscapingSlashes])
  print(String(decoding: data, as: UTF8.self))
}
