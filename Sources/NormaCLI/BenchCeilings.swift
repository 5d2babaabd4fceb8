import Foundation
import Norma
import Torch

/// The rates that the bench compares with: measured, printed, and read again.
struct BenchCeilings {
  /// Measures with all threads that are wanted and, where these are several, with one.
  static func measured(on device: Device) throws -> [MachineCeilings] {
    let threads = Runtime.threads
    defer { Runtime.setThreads(threads) }
    let counts = device.kind == .cpu && threads > 1 ? [threads, 1] : [threads]
    return try counts.map { count in
      Runtime.setThreads(count)
      return try MachineCeilings.measure(on: device)
    }
  }

  /// The ceilings of as many threads as are used now, from a file of `norma bench --ceilings --json`.
  /// - Throws: `BenchFileError`.
  static func read(from file: String, on device: Device) throws -> MachineCeilings {
    guard let text = try? String(contentsOfFile: file, encoding: .utf8) else {
      throw BenchFileError(path: file, reason: "cannot be read")
    }
    let decoder = JSONDecoder()
    let all = text.split(separator: "\n").compactMap {
      try? decoder.decode(MachineCeilings.self, from: Data($0.utf8))
    }
    let threads = Runtime.threads
    guard let found = all.last(where: { $0.threads == threads && $0.device == "\(device)" }) else {
      throw BenchFileError(path: file, reason: "has no ceilings of \(threads) threads on \(device)")
    }
    return found
  }

  /// One object per number of threads, or a table.
  static func print(_ all: [MachineCeilings], isJSON: Bool, hardware: String) throws {
    guard !isJSON else {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
      for ceilings in all { Swift.print(String(decoding: try encoder.encode(ceilings), as: UTF8.self)) }
      return
    }
    Swift.print(hardware)
    for ceilings in all {
      let products = zip(ceilings.float32, ceilings.bfloat16).map { single, reduced in
        (single.route, [single, reduced].map { BenchTable.number($0.perSecond / 1e9) + " GFLOP/s" })
      }
      let moves = ceilings.memory.map { ($0.route, [BenchTable.number($0.perSecond / 1e9) + " GB/s"]) }
      let threads = "\(ceilings.threads) \(ceilings.threads == 1 ? "thread" : "threads")"
      let lines = [(threads, ["float32", "bfloat16"])] + products + moves
      let width = lines.map(\.0.count).max() ?? 0
      for (name, values) in lines {
        let cells = values.map { String(repeating: " ", count: max(0, 16 - $0.count)) + $0 }
        Swift.print(name.padding(toLength: width, withPad: " ", startingAt: 0) + cells.joined())
      }
    }
  }
}
