import Foundation

/// What of the machine this process may use: a container may have less than the machine has.
public enum Allotment {
  /// Processors: those that the process may run on, and no more than its control group has time for. At least one.
  public static let processors = processors(root: "/", machine: ProcessInfo.processInfo.activeProcessorCount)

  /// Bytes that can still be taken without pushing anybody else's out: what the machine has free or can free at once, and no more
  /// than the control group leaves; nil where the system does not tell.
  public static var freeMemory: Int? {
    #if os(Linux)
      freeMemory(root: "/")
    #else
      var pages = vm_statistics64()
      var size = mach_msg_type_number_t(MemoryLayout<vm_statistics64>.size / MemoryLayout<integer_t>.size)
      let status = withUnsafeMutablePointer(to: &pages) { pages in
        pages.withMemoryRebound(to: integer_t.self, capacity: Int(size)) {
          host_statistics64(mach_host_self(), HOST_VM_INFO64, $0, &size)
        }
      }
      guard status == KERN_SUCCESS else { return nil }
      let free = Int(pages.free_count) + Int(pages.inactive_count) + Int(pages.purgeable_count)
      return min(free * Int(getpagesize()), Int(ProcessInfo.processInfo.physicalMemory))
    #endif
  }

  // MARK: Linux, below a root that tests choose

  /// - Parameter machine: processors that the process may run on.
  static func processors(root: String, machine: Int) -> Int {
    let shares = groups(root: root, controller: "cpu").compactMap { group -> Int? in
      var numbers = words(group + "/cpu.max")
      if numbers.isEmpty { numbers = words(group + "/cpu.cfs_quota_us") + words(group + "/cpu.cfs_period_us") }
      guard numbers.count == 2, let quota = Double(numbers[0]), let period = Double(numbers[1]), quota > 0, period > 0
      else { return nil }
      return Int((quota / period).rounded(.up))
    }
    return max(1, shares.reduce(machine, min))
  }

  static func freeMemory(root: String) -> Int? {
    let lines = (try? String(contentsOfFile: root + "/proc/meminfo", encoding: .utf8))?.split(separator: "\n") ?? []
    let machine = lines.first { $0.hasPrefix("MemAvailable:") }?.split(separator: " ").dropFirst().first
      .flatMap { Int($0) }.map { $0 << 10 }
    let left = groups(root: root, controller: "memory").compactMap { group -> Int? in
      // The second names are those of the first version of control groups.
      func number(_ names: String...) -> Int? {
        names.lazy.compactMap { words("\(group)/\($0)").first.flatMap { Int($0) } }.first
      }
      guard let most = number("memory.max", "memory.limit_in_bytes"),
        let used = number("memory.current", "memory.usage_in_bytes")
      else { return nil }
      let cached = words(group + "/memory.stat")  // files that can be read again
      let files = zip(cached, cached.dropFirst()).first { ["inactive_file", "total_inactive_file"].contains($0.0) }
      return max(0, most - used + (files.flatMap { Int($0.1) } ?? 0))
    }
    return (left + (machine.map { [$0] } ?? [])).min()
  }

  /// The folders of the control group that the process is in, and of those around it, for a controller.
  private static func groups(root: String, controller: String) -> [String] {
    let lines = (try? String(contentsOfFile: root + "/proc/self/cgroup", encoding: .utf8))?.split(separator: "\n") ?? []
    return lines.flatMap { line -> [String] in
      let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard parts.count == 3 else { return [] }
      let controllers = parts[1].split(separator: ",")
      guard parts[1].isEmpty || controllers.contains(Substring(controller)) else { return [] }
      let base = root + "/sys/fs/cgroup" + (parts[1].isEmpty ? "" : "/\(controller)")
      let names = parts[2].split(separator: "/")
      return (0...names.count).map { base + names.prefix($0).map { "/\($0)" }.joined() }
    }
  }

  private static func words(_ file: String) -> [String] {
    let text = (try? String(contentsOfFile: file, encoding: .utf8)) ?? ""
    return text.split(whereSeparator: { " \t\n".contains($0) }).map(String.init)
  }
}
