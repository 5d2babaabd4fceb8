import Foundation
import Synchronization

/// Reads damaged files one after the other and tells of each, as `Supervisor` expects.
struct Worker {
  let seeds: Seeds
  /// Seconds of the processor that one file may take.
  let limit: Double

  func run(_ numbers: Range<Int>) throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("fuzz-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let reading = Reading(folder: folder)
    let watch = Watch(limit: limit)
    for number in numbers {
      let (origin, bytes) = seeds.input(number)
      Self.say("begin \(number)")
      watch.begin(number)
      let outcome = try reading.read(bytes, of: origin)
      watch.end()
      Self.say("\(outcome.isRead ? "read" : "refused") \(number)")
      guard let peak = outcome.peak else { continue }
      Self.say("peak \(peak)")
      if peak > outcome.allowance {
        Self.say("failed \(number) it holds \(peak) bytes where the file's claim justifies \(outcome.allowance)")
      }
    }
  }

  static func say(_ line: String) { try? FileHandle.standardOutput.write(contentsOf: Data((line + "\n").utf8)) }
}

/// Ends the program when a file takes too long: so many seconds of the processor, or ten times as many on the clock, as other
/// programs may have the processor. The lock guards what it watches.
private final class Watch: Sendable {
  private let current = Mutex<(number: Int, start: Date, used: Double)?>(nil)

  init(limit: Double) {
    let thread = Thread { [self] in
      while true {
        Thread.sleep(forTimeInterval: 0.1)
        guard let (number, start, used) = current.withLock({ $0 }),
          Self.processorSeconds - used > limit || -start.timeIntervalSinceNow > 10 * limit
        else { continue }
        Worker.say("failed \(number) it takes more than \(limit) seconds")
        exit(1)
      }
    }
    thread.start()
  }

  private static var processorSeconds: Double { Double(clock()) / Double(CLOCKS_PER_SEC) }

  func begin(_ number: Int) { current.withLock { $0 = (number, Date(), Self.processorSeconds) } }
  func end() { current.withLock { $0 = nil } }
}
