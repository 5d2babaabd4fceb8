import Foundation

/// The most memory that this process had in use at once, as the system counts it.
///
/// libtorch's memory is kept for the next step instead of being given back, so that what earlier work needed counts for later
/// work too: a process that does one kind of work gives the figure of that work.
public enum PeakMemory {
  /// Counts from now on, where the system can (Linux); elsewhere from the start of the process.
  public static func forget() {
    #if os(Linux)
      try? Data("5".utf8).write(to: URL(fileURLWithPath: "/proc/self/clear_refs"))
    #endif
  }

  /// Bytes resident at most; nil where the system does not tell.
  public static var bytes: Int? {
    #if os(Linux)
      guard let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8),
        let line = status.split(separator: "\n").first(where: { $0.hasPrefix("VmHWM:") }),
        let kilobytes = line.split(whereSeparator: { " \t".contains($0) }).dropFirst().first.flatMap({ Int($0) })
      else { return nil }
      return 1024 * kilobytes
    #else
      var usage = rusage()
      return getrusage(RUSAGE_SELF, &usage) == 0 ? Int(usage.ru_maxrss) : nil
    #endif
  }
}
