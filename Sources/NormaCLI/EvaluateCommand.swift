import ArgumentParser
import Evaluation
import Foundation
import Norma
import Torch

/// `norma evaluate`.
struct EvaluateCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "evaluate", abstract: "Figures of trained detectors on labelled images, with a report page.",
    discussion: """
      Either of trained detectors (--checkpoint, repeatable: mean ± sd over them), or of a configuration that is trained
      with several seeds first (--trials; finished trials are kept, interrupted ones continue).

      The yardstick (band energies, no network) is fitted to the same data and stands in every table of images, and of
      volumes that are seen slice by slice; there is none for methods that take volumes.

      Where abnormal test images have masks, every anomaly map is compared with them as well: pixel AUROC, pixel average
      precision, AUPRO (per-region overlap, false positive rate up to 0.3) and best Dice.

      Examples:
        norma evaluate chest_xray --checkpoint runs/chest/model.safetensors --report runs/chest/report.html
        norma evaluate chest_xray --preset simsid-laptop-64 --trials 3 --output runs/chest64 --watch-test
      """)

  @Argument(help: "The data set: its folder, a manifest (.csv, .tsv) or a NumPy archive (.npz).")
  var data: String

  @Option(name: .shortAndLong, help: "A trained detector; give several for mean ± sd.")
  var checkpoint: [String] = []

  @Option(help: "Train and evaluate this many seeds, counting up from the configuration's.")
  var trials: Int?

  @Option(name: .shortAndLong, help: "Folder for the trials; the report goes there as report.html.")
  var output: String?

  @Option(help: "File for the report page.")
  var report: String?

  @Flag(help: "While training, log the AUROC of the test images after every epoch.")
  var watchTest = false

  @Flag(inversion: .prefixedNo, help: "Fit the yardstick to the same data for comparison.")
  var yardstick = true

  @Flag(help: "Show file names in the report; they may identify patients.")
  var showNames = false

  @OptionGroup var settings: ConfigurationOptions
  @OptionGroup var common: CommonOptions

  func validate() throws {
    guard checkpoint.isEmpty != (trials == nil) else {
      throw ValidationError("Give --checkpoint, or --trials with --output.")
    }
    if let trials {
      guard trials > 0 else { throw ValidationError("--trials must be 1 or more.") }
      guard output != nil else { throw ValidationError("--trials needs --output, a folder for the runs.") }
    } else if settings.areGiven {
      throw ValidationError(
        "--preset, --config, --method, --set and --seed go with --trials; a checkpoint has its own configuration.")
    }
  }

  func run() async throws {
    let device = try common.resolvedDevice()
    let console = common.console
    let page = report ?? output.map { $0 + "/report.html" }
    if let page { try OutputFolder.make(for: URL(fileURLWithPath: page)) }
    let outcomes = try await outcomes(device: device, console: console)
    for warning in Set(outcomes.flatMap(\.warnings)).sorted() { console.say("norma: warning: \(warning)") }
    let configuration = outcomes[0].metadata.configuration
    let fits = try PreparedDataSet.opened(at: data)?.serves(Preset.bandEnergy.configuration()) ?? true
    if yardstick, !fits { console.say("norma: the yardstick is left out: \(data) was prepared for another image size") }
    let reference =
      try await yardstick && fits && configuration.detector.method != .bandEnergy
      && configuration.inputSpecification.extents.count == 2
      ? Yardstick.outcomes(like: outcomes, data: data, device: device, progress: console.show) : []
    let evaluation = EvaluationPage(outcomes: outcomes, yardstick: reference)
    if common.json { try evaluation.printJSON() } else { print(try evaluation.text()) }
    if let page {
      try await evaluation.write(
        to: URL(fileURLWithPath: page), data: data, device: device, showsNames: showNames)
      console.say("report: \(page)")
    }
  }

  private func outcomes(device: Device, console: Console) async throws -> [Trials.Outcome] {
    guard let trials, let output else {
      var outcomes: [Trials.Outcome] = []
      for file in checkpoint {
        outcomes.append(
          try await Trials.evaluate(URL(fileURLWithPath: file), folder: data, device: device, progress: console.show))
      }
      return outcomes
    }
    let configuration = try settings.resolved()
    let interruption = Interruption()
    let ending = try await Trials.run(
      configuration, seeds: Array(configuration.seed..<configuration.seed + trials), folder: data,
      output: URL(fileURLWithPath: output), device: device, watchesTest: watchTest, progress: console.show,
      isInterrupted: { interruption.isRequested })
    guard case .finished(let outcomes) = ending else {
      console.say("norma: interrupted; the same command continues")
      throw ExitCode(Failure.interrupted)
    }
    return outcomes
  }
}
