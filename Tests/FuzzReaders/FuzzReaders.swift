import ArgumentParser
import Foundation

/// Damages DICOM and NIfTI files and gives them to the readers (`make fuzz`).
@main
struct FuzzReaders: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "FuzzReaders",
    abstract: "Damages DICOM and NIfTI files and gives them to the readers: none may crash, hang or hoard.",
    discussion: """
      File N of a seed is the same in every run over the same folders. What a reader does not withstand is saved, and
      `--first N --count 1` reads it again. Built with the address sanitizer it also checks every access to memory, and how
      much is held at once against what the file's header claims.
      """)

  @Argument(help: "Folders with whole files to damage.")
  var folders: [String]

  @Option(help: "What the damage follows from.")
  var seed: UInt64 = 1

  @Option(help: "How many damaged files are read.")
  var count = 10_000

  @Option(help: "The number of the first.")
  var first = 0

  @Option(help: "Whole files of more bytes than this are left out.")
  var largest = 1 << 16

  @Option(help: "Seconds of the processor that one file may take.")
  var limit = 5.0

  @Option(help: "The folder for what readers do not withstand.")
  var failures = "fuzz-failures"

  @Flag(help: .hidden)
  var worker = false

  func validate() throws {
    guard count > 0, first >= 0, largest > 0, limit > 0 else {
      throw ValidationError("--count, --largest and --limit must be positive, and --first not negative.")
    }
  }

  func run() throws {
    let seeds = try Seeds(folders: folders, largest: largest, seed: seed)
    let end = first + count
    guard !worker else { return try Worker(seeds: seeds, limit: limit).run(first..<end) }
    let program = URL(fileURLWithPath: CommandLine.arguments[0]).path
    let shared = folders + ["--seed", "\(seed)", "--largest", "\(largest)", "--limit", "\(limit)", "--worker"]
    let supervisor = Supervisor(
      worker: { [program] + shared + ["--first", "\($0)", "--count", "\(end - $0)"] }, end: end)
    let start = Date()
    let summary = try supervisor.run(from: first)
    for failure in summary.failures { try save(failure, seeds) }
    print(
      "\(seeds.files.count) files damaged \(count) times, seed \(seed): \(summary.read) read, \(summary.refused) refused with a "
        + "reason, \(summary.failures.count) not withstood"
        + (summary.peak > 0 ? "; at most \(summary.peak >> 20) MiB held at once" : "")
        + String(format: "; %.0f s", -start.timeIntervalSinceNow))
    guard summary.failures.isEmpty else { throw ExitCode(1) }
  }

  private func save(_ failure: Supervisor.Failure, _ seeds: Seeds) throws {
    let (origin, bytes) = seeds.input(failure.number)
    try FileManager.default.createDirectory(atPath: failures, withIntermediateDirectories: true)
    let path = "\(failures)/seed-\(seed)-file-\(failure.number)-\(origin.name)"
    try Data(bytes).write(to: URL(fileURLWithPath: path))
    print("file \(failure.number), from \(origin.path): \(failure.reason); saved as \(path)")
  }
}
