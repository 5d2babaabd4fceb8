import Foundation
import Testing

@testable import MedicalImaging

@Suite("What of the machine a process may use")
struct AllotmentTests {
  private let root = FileManager.default.temporaryDirectory.appendingPathComponent("norma-\(UUID().uuidString)")

  private func made<Value>(_ files: [String: String], _ body: (String) throws -> Value) throws -> Value {
    defer { try? FileManager.default.removeItem(at: root) }
    for (name, text) in files {
      let file = root.appendingPathComponent(name)
      try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try text.write(to: file, atomically: true, encoding: .utf8)
    }
    return try body(root.path)
  }

  @Test("Without control groups the machine's figures stand")
  func machine() throws {
    let (processors, memory) = try made(["proc/meminfo": "MemTotal: 900 kB\nMemAvailable:    700 kB\n"]) {
      (Allotment.processors(root: $0, machine: 6), Allotment.freeMemory(root: $0))
    }
    #expect(processors == 6 && memory == 700 << 10)
    #expect(try made([:]) { Allotment.freeMemory(root: $0) } == nil)
    #expect(Allotment.processors >= 1 && Allotment.freeMemory ?? 1 > 0)
  }

  @Test(
    "The narrowest group counts, the one that a process is in or one around it; files that can be read again are free")
  func secondVersion() throws {
    let found = try made([
      "proc/meminfo": "MemAvailable: 9000 kB\n", "proc/self/cgroup": "0::/outer/inner\n",
      "sys/fs/cgroup/outer/cpu.max": "250000 100000\n", "sys/fs/cgroup/outer/inner/cpu.max": "max 100000\n",
      "sys/fs/cgroup/outer/memory.max": "5000\n", "sys/fs/cgroup/outer/memory.current": "4000\n",
      "sys/fs/cgroup/outer/memory.stat": "anon 3500\ninactive_file 300\nactive_file 200\n",
      "sys/fs/cgroup/outer/inner/memory.max": "max\n", "sys/fs/cgroup/outer/inner/memory.current": "4000\n",
    ]) { ($0, Allotment.processors(root: $0, machine: 8), Allotment.freeMemory(root: $0)) }
    #expect(found.1 == 3 && found.2 == 1300)
  }

  @Test("So do groups of the first version, each controller with a folder of its own")
  func firstVersion() throws {
    let found = try made([
      "proc/meminfo": "MemAvailable: 9000 kB\n",
      "proc/self/cgroup": "5:memory:/a\n4:cpu,cpuacct:/b\n3:pids:/c\n",
      "sys/fs/cgroup/cpu/b/cpu.cfs_quota_us": "50000\n", "sys/fs/cgroup/cpu/b/cpu.cfs_period_us": "100000\n",
      "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n", "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
      "sys/fs/cgroup/memory/a/memory.limit_in_bytes": "700\n", "sys/fs/cgroup/memory/a/memory.usage_in_bytes": "900\n",
    ]) { (Allotment.processors(root: $0, machine: 8), Allotment.freeMemory(root: $0)) }
    #expect(found.0 == 1 && found.1 == 0)
  }
}
