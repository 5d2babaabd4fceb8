import Foundation

/// Runs workers, which read damaged files and say on a line of output which one they begin and how it ended, and finds out
/// which file ended a worker.
struct Supervisor {
  /// A damaged file that a reader does not withstand.
  struct Failure: Equatable {
    let number: Int
    /// A part of a sentence.
    let reason: String
  }

  /// The command that reads the files from a number on.
  let worker: (_ first: Int) -> [String]
  /// The number after the last one.
  let end: Int

  /// What all the files came to.
  struct Summary: Equatable {
    var (read, refused) = (0, 0)
    /// Most bytes held at once by one file.
    var peak = 0
    var failures: [Failure] = []
  }

  func run(from first: Int) throws -> Summary {
    var summary = Summary()
    var next = first
    while next < end {
      let (output, ending) = try run(worker(next))
      let begun = take(output, into: &summary)
      guard ending != nil || (begun ?? end) < end - 1 else { break }
      // What was begun and has no end stopped the worker.
      let number = begun ?? next
      if summary.failures.last?.number != number {
        summary.failures.append(Failure(number: number, reason: ending ?? "the worker ended before its work was done"))
      }
      next = number + 1
    }
    return summary
  }

  /// The last file begun.
  private func take(_ output: String, into summary: inout Summary) -> Int? {
    var begun: Int?
    for line in output.split(separator: "\n") {
      let words = line.split(separator: " ", maxSplits: 2).map(String.init)
      guard words.count >= 2, let number = Int(words[1]) else { continue }
      switch words[0] {
      case "begin": begun = number
      case "read": summary.read += 1
      case "refused": summary.refused += 1
      case "failed": summary.failures.append(Failure(number: number, reason: words.count > 2 ? words[2] : ""))
      case "peak": summary.peak = max(summary.peak, number)
      default: break
      }
    }
    return begun
  }

  /// What a command printed, and how it ended when not well.
  private func run(_ command: [String]) throws -> (String, ending: String?) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: command[0])
    process.arguments = Array(command.dropFirst())
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    let status = process.terminationStatus
    if process.terminationReason == .uncaughtSignal {
      return (text, "the reader ended the program with signal \(status)")
    }
    return (text, status == 0 ? nil : "the reader ended the program with status \(status)")
  }
}
