import ArgumentParser
import Foundation
import Norma

/// `norma train`.
struct TrainCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train", abstract: "Trains a detector on normal images.",
    discussion: """
      DATA is a folder of class folders (train/NORMAL, test/NORMAL, test/PNEUMONIA, …) or in MVTec's layout
      (train/good, test/*, ground_truth); or a manifest, a CSV or TSV file with the columns path, label, split, patient, mask;
      or a NumPy archive in MedMNIST's layout, its normal labels named by data.normalClass; or a published data set as it is
      shipped (norma data list), or a file that norma data prepare wrote. Only normal training images are used. The trained
      detector is written to OUTPUT/model.safetensors, the log to OUTPUT/log.jsonl. Ctrl-C saves the state; --resume
      continues it.

      Examples:
        norma train chest_xray --preset simsid-laptop-64 --output runs/chest
        norma train chest_xray --method band-energy --output runs/yardstick
        norma train chest_xray --resume --output runs/chest
        norma train chest_xray --tensorboard runs/events --output runs/watched
        norma train pneumoniamnist.npz --preset simsid-laptop-64 --set data.normalClass=0 --output runs/mnist
        norma train CheXpert-v1.0 --preset simsid-paper --set data.set=chexpert --output runs/chexpert
        norma train chest_xray --preset simsid-paper --set training.epochs=50 --output runs/short
        norma train chest_xray --preset memmc-mae-paper --batch auto --output runs/large
      """)

  @Argument(help: "The data set: its folder, a manifest (.csv, .tsv) or a NumPy archive (.npz).")
  var data: String

  @Option(name: .shortAndLong, help: "Folder for the trained detector, its log and its state.")
  var output: String

  @Flag(help: "Continue the run in OUTPUT where it stopped.")
  var resume = false

  @Flag(help: "Log the AUROC of the labelled test images after every epoch: a learning curve to look at.")
  var watchTest = false

  @Option(
    help: """
      Images per step: a number, or auto for the largest power of two that fits into memory and leaves an epoch 16 steps. \
      By default what the configuration says; the checkpoint tells which it was.
      """)
  var batch: BatchSize?

  @OptionGroup var tensorBoard: TensorBoardOptions
  @OptionGroup var settings: ConfigurationOptions
  @OptionGroup var common: CommonOptions

  func validate() throws {
    guard !resume || !settings.areGiven && batch == nil else {
      throw ValidationError(
        "--resume continues with the run's own configuration; leave out --preset, --config, --method, --set, --seed and --batch."
      )
    }
    guard !resume || common.precision == nil else {
      throw ValidationError("--resume continues in the run's own precision; leave out --precision.")
    }
  }

  func run() async throws {
    let folder = URL(fileURLWithPath: output)
    var configuration = try resume ? Trainer.configuration(in: folder) : settings.resolved()
    let lock = try RunLock.taken(in: folder)
    defer { withExtendedLifetime(lock) {} }
    if !resume, Trainer.hasState(in: folder) { throw TrainingError.folderInUse(path: output) }
    let console = common.console
    let device = try common.resolvedDevice()
    configuration.training.precision = common.resolvedPrecision(on: device) ?? configuration.training.precision
    let images = try await TrainingData(folder: data, configuration: configuration, progress: console.show)
    images.warnings.forEach { console.say("norma: warning: \($0)") }
    if let batch {
      let (sized, choice) = try configuration.withBatchSize(batch, for: images, device: device)
      configuration = sized
      if let choice { console.say("norma: --batch auto: \(choice)") }
    }
    let interruption = Interruption()
    let trainer = try Trainer(
      configuration, data: images, folder: folder, device: device, watchesTest: watchTest, tensorBoard: tensorBoard.url,
      progress: console.show, isInterrupted: { interruption.isRequested })
    let early = trainer.warnings
    early.forEach { console.say("norma: warning: \($0)") }
    if resume { try trainer.resume() }
    let outcome = try trainer.run()
    trainer.warnings.filter { !early.contains($0) }.forEach { console.say("norma: warning: \($0)") }
    switch outcome {
    case .finished(let file):
      if common.json { try printJSON(["checkpoint": file.path]) } else { print("trained: \(file.path)") }
    case .interrupted:
      console.say("norma: interrupted; continue with: norma train \(data) --resume --output \(output)")
      throw ExitCode(Failure.interrupted)
    }
  }
}
