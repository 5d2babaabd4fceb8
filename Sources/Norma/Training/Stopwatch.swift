import Foundation

/// How long work takes: by the clock on the wall, and of the processor, which other programs on the machine lengthen less.
struct Stopwatch {
  private let start = Date()
  private let processorStart = Self.processorSeconds

  /// Seconds that have passed.
  var seconds: Double { Date().timeIntervalSince(start) }

  /// Seconds that this process's threads have worked together.
  var processorSeconds: Double { Self.processorSeconds - processorStart }

  private static var processorSeconds: Double {
    var time = timespec()
    guard clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time) == 0 else { return 0 }
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }
}
