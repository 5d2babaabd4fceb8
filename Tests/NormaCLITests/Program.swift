import Foundation

/// The built program, run as a child process with one thread on the processor.
enum Program {
  /// The commands that take a device.
  private static let computing = ["train", "score", "evaluate", "sweep", "benchmark", "import", "bench"]

  /// What a run left behind.
  struct Run {
    let status: Int32
    let output: String
    let errors: String

    var lines: [String] { output.split(separator: "\n").map(String.init) }
    var errorLines: [String] { errors.split(separator: "\n").map(String.init) }

    /// Every line of the output as JSON.
    func objects() throws -> [[String: Any]] {
      try lines.map { line in
        guard let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any] else {
          throw ProgramError(reason: "'\(line)' is no JSON object")
        }
        return object
      }
    }
  }

  /// Runs the program to its end.
  /// - Parameter attend: called with the process once it runs, for example to interrupt it.
  static func run(_ arguments: [String], attend: (Process) throws -> Void = { _ in }) throws -> Run {
    let folder = try TemporaryFolder()
    defer { withExtendedLifetime(folder) {} }
    let process = Process()
    process.executableURL = try executable.get()
    let takesDevice = computing.contains(arguments.first ?? "") && !arguments.contains("--device")
    process.arguments = arguments + (takesDevice ? ["--device", "cpu"] : [])
    process.currentDirectoryURL = folder.url
    process.environment = ProcessInfo.processInfo.environment.merging(["OMP_NUM_THREADS": "1"]) { $1 }
    let files = try ["output", "errors"].map { try folder.write($0, "") }
    let handles = try files.map { try FileHandle(forWritingTo: URL(fileURLWithPath: $0)) }
    process.standardInput = FileHandle.nullDevice
    (process.standardOutput, process.standardError) = (handles[0], handles[1])
    try process.run()
    try attend(process)
    process.waitUntilExit()
    let texts = try files.map { try String(contentsOfFile: $0, encoding: .utf8) }
    return Run(status: process.terminationStatus, output: texts[0], errors: texts[1])
  }

  static func run(_ arguments: String...) throws -> Run { try run(arguments) }

  /// `norma` in the products' folder, which lies above whatever runs the tests.
  private static let executable = Result<URL, any Error> {
    let starts = CommandLine.arguments.filter { $0.contains("/") } + Bundle.allBundles.map(\.bundlePath)
    for start in starts {
      var folder = URL(fileURLWithPath: start).deletingLastPathComponent()
      while folder.pathComponents.count > 1 {
        let file = folder.appendingPathComponent("norma")
        var isFolder: ObjCBool = false
        if FileManager.default.fileExists(atPath: file.path, isDirectory: &isFolder), !isFolder.boolValue {
          return file
        }
        folder.deleteLastPathComponent()
      }
    }
    throw ProgramError(reason: "the program norma is not beside the tests; build it with 'Scripts/swift build'")
  }
}

/// Why a test cannot use the program.
struct ProgramError: Error, CustomStringConvertible {
  let reason: String
  var description: String { reason }
}

/// A folder of its own for one test, removed with the last reference to it.
final class TemporaryFolder {
  let url = FileManager.default.temporaryDirectory.appendingPathComponent("norma-\(UUID().uuidString)")

  init() throws { try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true) }

  deinit { try? FileManager.default.removeItem(at: url) }

  /// The path of a file or folder below, whether it is there or not.
  func path(_ name: String) -> String { url.appendingPathComponent(name).path }

  /// Writes a text file and gives its path.
  @discardableResult
  func write(_ name: String, _ text: String) throws -> String {
    try text.write(toFile: path(name), atomically: false, encoding: .utf8)
    return path(name)
  }

  /// Copies a file or folder below and gives its new path.
  @discardableResult
  func copy(_ file: String, to name: String) throws -> String {
    let target = url.appendingPathComponent(name)
    try FileManager.default.createDirectory(at: target.deletingLastPathComponent(), withIntermediateDirectories: true)
    try FileManager.default.copyItem(atPath: file, toPath: target.path)
    return target.path
  }
}

/// Whether there is a file or folder.
func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }
