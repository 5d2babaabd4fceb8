import Foundation

/// The Python with the readers that ours are compared with: pydicom with its plug-ins, GDCM, nibabel, and the files that they
/// carry for their own tests. `make test` fetches them into `.norma/corpora`; NORMA_PYTHON names a Python that has them.
enum ReferencePython {
  static let isInstalled = (try? run(["-c", "import pydicom, data_store, gdcm, libjpeg, openjpeg, nibabel"])) != nil
  static let absence =
    "pydicom, GDCM and nibabel are not there; Scripts/corpora fetches them, or NORMA_PYTHON names a Python that has them"

  struct Failure: Error, CustomStringConvertible {
    let description: String
  }

  private static let root = Golden.folder.deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  /// Runs one of Scripts/golden.
  /// - Throws: `Failure` with what it printed.
  static func run(script: String, _ arguments: String...) throws {
    try run([root.appendingPathComponent("Scripts/golden/\(script)").path] + arguments)
  }

  private static func run(_ arguments: [String]) throws {
    var environment = ProcessInfo.processInfo.environment
    let python = environment["NORMA_PYTHON"]
    if python == nil { environment["PYTHONPATH"] = root.appendingPathComponent(".norma/corpora/packages").path }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [python ?? "python3"] + arguments
    process.environment = environment
    let folder = try TemporaryFolder()
    let log = try folder.write("log")  // a file, as a pipe that nobody reads would fill up
    process.standardError = try FileHandle(forWritingTo: URL(fileURLWithPath: log))
    process.standardOutput = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      throw Failure(description: (try? String(contentsOfFile: log, encoding: .utf8)) ?? "")
    }
  }
}

extension Data {
  /// Numbers that were written one after the other, in this machine's byte order.
  func numbers<Number>(_: Number.Type) -> [Number] {
    withUnsafeBytes { bytes in
      (0..<bytes.count / MemoryLayout<Number>.size).map {
        bytes.loadUnaligned(fromByteOffset: $0 * MemoryLayout<Number>.size, as: Number.self)
      }
    }
  }
}
