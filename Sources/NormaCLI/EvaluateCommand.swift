import ArgumentParser
import Evaluation
import Foundation
import MedicalImaging
import Norma
import Torch

/// `norma evaluate`.
struct EvaluateCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "evaluate", abstract: "Figures of trained detectors on labelled images, with a report page.",
    discussion: """
      Either of trained detectors (--checkpoint, repeatable), or of a configuration that is trained with several seeds first
      (--trials; finished trials are kept, interrupted ones continue). Checkpoints that differ in their seeds alone are trials
      of one method: mean ± sd over them. Others are methods that are set side by side and compared.

      Every figure has a 95 % confidence interval: AUROC by DeLong's method, shares at the threshold that was learned from
      normal images by Wilson's, all others by a stratified bootstrap. Methods, the yardstick among them, are compared by
      DeLong's paired test, and by Welch's test where both have several seeds.

      The yardstick (band energies, no network) is fitted to the same data and stands in every table of images, and of
      volumes that are seen slice by slice; there is none for methods that take volumes.

      Where abnormal test images have masks, every anomaly map is compared with them as well: pixel AUROC, pixel average
      precision, AUPRO (per-region overlap, false positive rate up to 0.3), best Dice, and the share of lesions found
      against false positives per image (FROC).

      Examples:
        norma evaluate chest_xray --checkpoint runs/chest/model.safetensors --report runs/chest/report.html
        norma evaluate cohort.csv --checkpoint runs/chest/model.safetensors --subgroup sex --subgroup age:40,60
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

  @Option(help: "Tell figures by a column of the manifest, for example sex or, in bands, age:40,60. Repeatable.")
  var subgroup: [String] = []

  @Option(help: "A specificity at which the highest sensitivity is told. Repeatable; 0.9 without it.")
  var atSpecificity: [Double] = []

  @Option(help: "A sensitivity at which the highest specificity is told. Repeatable; 0.9 without it.")
  var atSensitivity: [Double] = []

  @Option(help: "Resamples of the bootstrap; 0 leaves its intervals and bands out.")
  var bootstrap = 2_000

  @Flag(help: "While training, log the AUROC of the test images after every epoch.")
  var watchTest = false

  @Flag(inversion: .prefixedNo, help: "Fit the yardstick to the same data for comparison.")
  var yardstick = true

  @Flag(help: "Show file names in the report; they may identify patients.")
  var showNames = false

  @OptionGroup var tensorBoard: TensorBoardOptions
  @OptionGroup var settings: ConfigurationOptions
  @OptionGroup var common: CommonOptions

  func validate() throws {
    _ = try subgroup.map(SubgroupOption.init)
    for (option, shares) in [("--at-specificity", atSpecificity), ("--at-sensitivity", atSensitivity)] {
      guard shares.allSatisfy({ (0...1).contains($0) }) else {
        throw ValidationError("\(option) takes shares from 0 to 1.")
      }
    }
    guard bootstrap == 0 || bootstrap >= 100 else {
      throw ValidationError("--bootstrap must be 100 or more, or 0 for none.")
    }
    guard checkpoint.isEmpty != (trials == nil) else {
      throw ValidationError("Give --checkpoint, or --trials with --output.")
    }
    if let trials {
      guard trials > 0 else { throw ValidationError("--trials must be 1 or more.") }
      guard output != nil else { throw ValidationError("--trials needs --output, a folder for the runs.") }
    } else if tensorBoard.folder != nil {
      throw ValidationError("--tensorboard goes with --trials; a checkpoint is trained already.")
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
    let subgroups = try subgroup.map(SubgroupOption.init)
    if !subgroups.isEmpty { try SubgroupOption.check(subgroups, in: dataSet(), path: data) }
    let outcomes = try await outcomes(device: device, console: console)
    for warning in Set(outcomes.flatMap(\.warnings)).sorted() { console.say("norma: warning: \(warning)") }
    let configuration = outcomes[0].metadata.configuration
    let fits = try PreparedDataSet.opened(at: data)?.serves(Preset.bandEnergy.configuration()) ?? true
    if yardstick, !fits { console.say("norma: the yardstick is left out: \(data) was prepared for another image size") }
    let reference =
      try await yardstick && fits && !outcomes.contains { $0.metadata.configuration.detector.method == .bandEnergy }
      && configuration.inputSpecification.extents.count == 2
      ? Yardstick.outcomes(like: trialsOfFirst(outcomes), data: data, device: device, progress: console.show) : []
    let results = try EvaluationResults(
      outcomes: outcomes, yardstick: reference,
      options: .init(
        specificities: atSpecificity.isEmpty ? [0.9] : atSpecificity,
        sensitivities: atSensitivity.isEmpty ? [0.9] : atSensitivity,
        bootstrap: bootstrap == 0 ? nil : Bootstrap(resamples: bootstrap), subgroups: subgroups))
    if common.json { try results.printJSON() } else { print(try results.text()) }
    if let page {
      try await EvaluationPage(results: results).write(
        to: URL(fileURLWithPath: page), data: data, device: device, showsNames: showNames)
      console.say("report: \(page)")
    }
  }

  /// The data set as the configuration sees it, before anything is decoded.
  private func dataSet() throws -> ImageDataSet {
    guard let file = checkpoint.first else { return try settings.resolved().dataSet(in: data) }
    return try Checkpoint(contentsOf: URL(fileURLWithPath: file)).metadata.configuration.dataSet(in: data)
  }

  /// The outcomes that differ from the first in their seed alone: one yardstick serves all methods.
  private func trialsOfFirst(_ outcomes: [Trials.Outcome]) -> [Trials.Outcome] {
    var wanted = outcomes[0].metadata.configuration
    return outcomes.filter { outcome in
      wanted.seed = outcome.metadata.configuration.seed
      return outcome.metadata.configuration == wanted
    }
  }

  private func outcomes(device: Device, console: Console) async throws -> [Trials.Outcome] {
    guard let trials, let output else {
      var outcomes: [Trials.Outcome] = []
      for file in checkpoint {
        outcomes.append(
          try await Trials.evaluate(
            URL(fileURLWithPath: file), folder: data, device: device, precision: common.resolvedPrecision(on: device),
            progress: console.show))
      }
      return outcomes
    }
    var configuration = try settings.resolved()
    configuration.training.precision = common.resolvedPrecision(on: device) ?? configuration.training.precision
    let interruption = Interruption()
    let ending = try await Trials.run(
      configuration, seeds: Array(configuration.seed..<configuration.seed + trials), folder: data,
      output: URL(fileURLWithPath: output), device: device, watchesTest: watchTest, tensorBoard: tensorBoard.url,
      progress: console.show, isInterrupted: { interruption.isRequested })
    guard case .finished(let outcomes) = ending else {
      console.say("norma: interrupted; the same command continues")
      throw ExitCode(Failure.interrupted)
    }
    return outcomes
  }
}
