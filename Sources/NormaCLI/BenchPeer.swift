import Foundation

/// Another program that does the same work: it answers `work count` on its input with a line of JSON.
final class BenchPeer {
  private let command: String
  private let process = Process()
  private let input = Pipe()
  private let output = Pipe()
  private var buffer = Data()

  /// Starts the peer.
  /// - Parameter options: follow the words of the command line.
  /// - Throws: `BenchError` when it cannot be started.
  init(_ command: String, options: [String] = []) throws {
    self.command = command
    signal(SIGPIPE, SIG_IGN)  // a peer that ended is an error to tell, not the end of this program
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = command.split(separator: " ").map(String.init) + options
    process.standardInput = input
    process.standardOutput = output
    do { try process.run() } catch { throw BenchError(command: command, reason: error.localizedDescription) }
  }

  /// Lets the peer do some work and returns what it took.
  func run(_ work: String, count: Int) throws -> BenchSample {
    do { try input.fileHandleForWriting.write(contentsOf: Data("\(work) \(count)\n".utf8)) } catch { throw ended }
    let line = try readLine()
    guard let object = try? JSONSerialization.jsonObject(with: line) as? [String: Any],
      let seconds = object["seconds"] as? Double, seconds > 0, let images = object["images"] as? Int, images > 0
    else { throw BenchError(command: command, reason: "it answered '\(String(decoding: line, as: UTF8.self))'") }
    return BenchSample(seconds: seconds, images: images, peakBytes: object["peakBytes"] as? Int)
  }

  /// Ends the peer.
  func quit() {
    try? input.fileHandleForWriting.write(contentsOf: Data("quit\n".utf8))
    process.waitUntilExit()
  }

  private var ended: BenchError { BenchError(command: command, reason: "it ended without an answer") }

  private func readLine() throws -> Data {
    while true {
      if let end = buffer.firstIndex(of: UInt8(ascii: "\n")) {
        defer { buffer = Data(buffer[(end + 1)...]) }
        return Data(buffer[..<end])
      }
      let more = output.fileHandleForReading.availableData
      guard !more.isEmpty else { throw ended }
      buffer.append(more)
    }
  }
}

/// A peer that does not work.
struct BenchError: Error, CustomStringConvertible {
  let command: String
  let reason: String
  var description: String { "the peer '\(command)' failed: \(reason); run 'make bench', which sets it up" }
}
