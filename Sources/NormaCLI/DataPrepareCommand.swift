import ArgumentParser
import Foundation
import Norma

/// `norma data prepare`.
struct DataPrepareCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "prepare", abstract: "Writes a data set into one file at training size, read once and for all.",
    discussion: """
      The file is given in place of the folder (norma train chest-64.safetensors …): training, evaluation and sweeps then
      start at once, with the same bits. It
      serves every configuration with the same image size and input settings, apart from input.intensity and
      input.deviations. It holds file names, labels, splits and numbered patients; with --keep-patients their names.
      Interrupted, also by a kill, the same command goes on. A file that cannot be read is reported and the rest is prepared
      (exit code 65).

      Examples:
        norma data prepare chest_xray --preset simsid-laptop-64 --output chest-64.safetensors
        norma data prepare FDG-PET-CT-Lesions --preset token-masking-volume-48 --output pet.safetensors
      """)

  @Argument(help: "The data set: its folder, a manifest (.csv, .tsv) or a NumPy archive (.npz).")
  var data: String

  @Option(name: .shortAndLong, help: "The file to write, ending in .safetensors.")
  var output: String

  @Flag(help: "Keep patients as the data set calls them, instead of numbers.")
  var keepPatients = false

  @Option(help: "Images that are read at a time. By default one per processor.")
  var workers: Int?

  @Flag(help: "Print one JSON object instead of text.")
  var json = false

  @Flag(help: "Show no progress.")
  var quiet = false

  @OptionGroup var settings: ConfigurationOptions

  func validate() throws {
    if let workers, workers < 1 { throw ValidationError("--workers must be 1 or more.") }
  }

  func run() async throws {
    let console = Console(isQuiet: quiet || json)
    try OutputFolder.make(for: URL(fileURLWithPath: output))
    let preparation = try DataPreparation(
      of: data, for: settings.resolved(), to: output, keepsPatients: keepPatients)
    let interruption = Interruption()
    let outcome: DataPreparation.Outcome
    do {
      outcome = try await preparation.run(
        workers: workers, progress: console.show, isInterrupted: { interruption.isRequested })
    } catch is CancellationError {
      console.say("norma: interrupted; the same command continues")
      throw ExitCode(Failure.interrupted)
    }
    outcome.failures.forEach { console.say("norma: \($0.reason)") }
    if json {
      try printJSON([
        "prepared": outcome.path, "images": outcome.images, "resumed": outcome.resumed, "bytes": outcome.bytes,
        "unreadable": outcome.failures.count, "fingerprint": outcome.fingerprint,
      ])
    } else {
      let resumed = outcome.resumed > 0 ? ", \(outcome.resumed) of them by an earlier run" : ""
      print(
        "prepared: \(outcome.path) (\(outcome.images - outcome.failures.count) images\(resumed), "
          + String(format: "%.1f MB, ", Double(outcome.bytes) / 1e6) + "fingerprint \(outcome.fingerprint))")
    }
    if !outcome.failures.isEmpty { throw ExitCode(Failure.badData) }
  }
}
