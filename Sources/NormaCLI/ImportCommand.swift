public import ArgumentParser
import Foundation
import MedicalImaging
public import Norma

/// `norma import`.
struct ImportCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import", abstract: "Turns official SimSID or SQUID weights into a detector of Norma's.",
    discussion: """
      Reads the tensors of model.pth and discriminator.pth without running code from them. Sizes follow from names and
      shapes; what the files do not tell is given, with the official values by default. With --data the scores are
      calibrated on the normal training images of a data set, and the label-free scores become available.

      Examples:
        norma import model.pth discriminator.pth --output official.safetensors
        norma import model.pth discriminator.pth --data chest_xray --output official.safetensors
      """)

  @Argument(help: "The generator's state dictionary.")
  var model: String

  @Argument(help: "The discriminator's state dictionary.")
  var discriminator: String

  @Option(name: .shortAndLong, help: "File for the detector.")
  var output: String

  @Option(help: "A data set whose normal training images calibrate the scores.")
  var data: String?

  @Option(help: "In-painting memory: matrix or queue. By default as published.")
  var memory: SimSIDConfiguration.InpaintMemory?

  @Option(help: "k of the Gumbel shrinkage.")
  var activeItems = 5

  @Option(help: "Last non-linearity: tanh or sigmoid. By default as published.")
  var nonLinearity: SimSIDConfiguration.Output?

  @Option(help: "Batch-norm statistics of the discriminator in scoring: perImage or running.")
  var statistics: SimSIDConfiguration.DiscriminatorStatistics = .perImage

  @OptionGroup var common: CommonOptions

  func run() async throws {
    for path in [model, discriminator] where !FileManager.default.fileExists(atPath: path) {
      throw DataSetError.missing(path: path)
    }
    try OutputFolder.make(for: URL(fileURLWithPath: output))
    var options = SimSIDImport.Options()
    options.inpaintMemory = memory
    options.activeItems = activeItems
    options.output = nonLinearity
    options.discriminatorStatistics = statistics
    var checkpoint = try SimSIDImport.checkpoint(
      model: URL(fileURLWithPath: model), discriminator: URL(fileURLWithPath: discriminator), options: options)
    if let data {
      let images = try await TrainingData(
        folder: data, configuration: checkpoint.metadata.configuration, progress: common.console.show)
      checkpoint = try checkpoint.calibrated(on: images, device: common.resolvedDevice())
    }
    try checkpoint.write(to: URL(fileURLWithPath: output))
    if common.json { try printJSON(["checkpoint": output]) } else { print("imported: \(output)") }
  }
}

extension SimSIDConfiguration.InpaintMemory: ExpressibleByArgument {}
extension SimSIDConfiguration.Output: ExpressibleByArgument {}
extension SimSIDConfiguration.DiscriminatorStatistics: ExpressibleByArgument {}
