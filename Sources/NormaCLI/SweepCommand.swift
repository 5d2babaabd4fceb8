import ArgumentParser
import Foundation
import Norma
import Torch

/// `norma sweep`.
struct SweepCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sweep", abstract: "Trains and evaluates over a range of conditions, and draws what they change.",
    discussion: """
      Examples:
        norma sweep contamination chest_xray --preset autoencoder-laptop-64 --output runs/contamination
      """,
    subcommands: [ContaminationCommand.self])
}

/// `norma sweep contamination`.
struct ContaminationCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "contamination",
    abstract: "How much detectors suffer from abnormal images among those that they take for normal.",
    discussion: """
      At every level, a share of 0 to 1, that share of the training images is abnormal: images of the data set's train
      folder in place of normal ones. All levels train on equally many images (--set data.trainingImages=N; by default as
      many as train has normal ones), a higher level holds the abnormal images of a lower one, and the test images are the
      same. Level 1 therefore needs as many abnormal images in train as there are to train on, beside those that are set
      aside for validation.

      Data sets whose train folder has normal images alone, such as MVTec AD, lend half of their abnormal test images, class by
      class, with --set data.abnormalPool=half-test; the other half is tested on, the same in all runs.

      Every level is trained with several seeds, each run in a folder of its own below OUTPUT. Finished runs are kept, and
      interrupted ones continue. OUTPUT/contamination.csv has all figures, contamination.md the means, contamination.svg
      the plot. With --preset, --config and --method, each as often as you like, configurations are compared; --set changes
      all of them.

      Examples:
        norma sweep contamination chest_xray --preset autoencoder-laptop-64 --output runs/contamination
        norma sweep contamination phantoms --preset memmc-mae-laptop-64 --preset band-energy --levels 0,0.1,0.5 \
      --trials 5 --output runs/compared
        norma sweep contamination phantoms --preset token-masking-contaminated-64 --rounds 0 --output runs/masking
        norma sweep contamination bottle --preset band-energy --set data.abnormalPool=half-test --output runs/bottle
        norma sweep contamination chest_xray --config mine.yaml --set data.trainingImages=500 --output runs/mine
      """)

  @Argument(help: "The data set: its folder, a manifest (.csv, .tsv) or a NumPy archive (.npz).")
  var data: String

  @OptionGroup var comparison: ComparisonOptions

  @Option(help: "Shares of abnormal training images, with commas between them.")
  var levels = "0,0.2,0.5,0.8,1"

  @Option(help: "Seeds per level, counting up from the configuration's.")
  var trials = 3

  @Option(help: "Rounds of training, with commas, whose own checkpoints are compared as well: 0 is without masking.")
  var rounds: String?

  @Option(name: .shortAndLong, help: "Folder for the runs, the tables and the plot.")
  var output: String

  @OptionGroup var tensorBoard: TensorBoardOptions
  @OptionGroup var common: CommonOptions

  func validate() throws {
    _ = try Self.levels(levels)
    _ = try Self.rounds(rounds)
    guard trials > 0 else { throw ValidationError("--trials must be 1 or more.") }
  }

  /// Numbers of rounds, none without the option.
  static func rounds(_ text: String?) throws -> [Int] {
    try (text ?? "").split(separator: ",").map { part in
      guard let round = Int(part.trimmingCharacters(in: .whitespaces)), round >= 0 else {
        throw ValidationError("--rounds has '\(part)'; give whole numbers, for example 0,1.")
      }
      return round
    }
  }

  /// Shares in ascending order.
  static func levels(_ text: String) throws -> [Double] {
    let parts = text.split(separator: ",", omittingEmptySubsequences: false).map {
      $0.trimmingCharacters(in: .whitespaces)
    }
    var levels: [Double] = []
    for part in parts {
      guard let level = Double(part), (0...1).contains(level) else {
        throw ValidationError("--levels has '\(part)'; give shares from 0 to 1, for example 0,0.2,0.5,0.8,1.")
      }
      guard !levels.contains(level) else { throw ValidationError("--levels has \(part) twice; give each share once.") }
      levels.append(level + 0)  // no −0
    }
    return levels.sorted()
  }

  func run() async throws {
    let device = try common.resolvedDevice()
    let console = common.console
    let candidates = try comparison.candidates()
    let folder = URL(fileURLWithPath: output)
    try OutputFolder.make(for: folder.appendingPathComponent(ContaminationReport.name))
    let interruption = Interruption()
    let ending = try await ContaminationSweep.run(
      candidates, contaminations: Self.levels(levels), trials: trials, rounds: Self.rounds(rounds), folder: data,
      output: folder, device: device, tensorBoard: tensorBoard.url, progress: console.show,
      isInterrupted: { interruption.isRequested })
    switch ending {
    case .interrupted(let done, let total):
      console.say("norma: interrupted with \(done) of \(total) runs done; the same command continues")
      throw ExitCode(Failure.interrupted)
    case .finished(let runs):
      for warning in Set(runs.flatMap(\.outcome.warnings)).sorted() { console.say("norma: warning: \(warning)") }
      let report = ContaminationReport(runs: runs)
      if common.json { try report.printJSON() } else { print(try report.markdown(), terminator: "") }
      try report.write(to: folder)
      console.say("table and plot: \(folder.appendingPathComponent(ContaminationReport.name).path).csv, .md and .svg")
    }
  }
}

/// Which configurations to compare, and changes to all of them.
struct ComparisonOptions: ParsableArguments {
  @Option(help: "A preset; repeatable: \(Preset.allCases.map(\.rawValue).joined(separator: ", ")).")
  var preset: [String] = []

  @Option(help: "A configuration file in YAML, known by its name without extension; repeatable.")
  var config: [String] = []

  @Option(
    help:
      "A method with its published preset; repeatable: \(DetectionMethod.trainable.map(\.rawValue).joined(separator: ", "))."
  )
  var method: [String] = []

  @Option(name: .customLong("set"), help: "Change one setting, for example --set training.epochs=20. Repeatable.")
  var settings: [String] = []

  @Option(help: "First seed of weights, order, augmentation and splits.")
  var seed: Int?

  private var sources: [ConfigurationSource] {
    preset.map(ConfigurationSource.preset) + config.map(ConfigurationSource.file)
      + method.map(ConfigurationSource.method)
  }

  func validate() throws {
    guard !sources.isEmpty else {
      throw ValidationError("Give --preset, --config or --method; several are compared.")
    }
    let names = sources.map(\.name)
    if let name = names.first(where: { name in names.count { $0 == name } > 1 }) {
      throw ValidationError("Two configurations are called '\(name)'; give each once, and files names of their own.")
    }
    guard !settings.contains(where: { $0.hasPrefix("data.contamination=") }) else {
      throw ValidationError("data.contamination is what the sweep changes; give --levels.")
    }
  }

  /// The configurations by name, in the order of the options.
  func candidates() throws -> [ContaminationSweep.Candidate] {
    try sources.map { source in
      .init(
        name: source.name,
        configuration: try source.configuration(overrides: settings + (seed.map { ["seed=\($0)"] } ?? [])))
    }
  }
}
