public import ArgumentParser
import Foundation
public import Norma

/// `norma ensemble`.
struct EnsembleCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ensemble", abstract: "Fuses trained detectors into one.",
    discussion: """
      The fused detector is one file that holds its members whole; it is scored, evaluated and inspected like any other. Each
      member sees an image in its own way; scores and maps are brought to a common scale and put together image by image.

      DATA calibrates: its normal images that no member was trained on, or the training images where there are fewer than 20 of
      these. Give the data set that the members were trained on.

      Examples:
        norma ensemble runs/simsid/model.safetensors runs/ae/model.safetensors chest_xray --output runs/fused.safetensors
        norma ensemble seed-1/model.safetensors seed-2/model.safetensors chest_xray --fusion rank --output fused.safetensors
      """)

  @Argument(help: ArgumentHelp("The trained detectors and, last, the data set.", valueName: "checkpoints> ... <data"))
  var files: [String]

  @Option(
    help: """
      mean or maximum of the standardised scores, or rank: the mean of the ranks among normal images. Whichever is chosen ranks \
      images; figures are given for all.
      """)
  var fusion: EnsembleConfiguration.Fusion = .mean

  @Option(name: .shortAndLong, help: "File for the fused detector.")
  var output: String

  @OptionGroup var common: CommonOptions

  func validate() throws {
    guard files.count >= 2 else {
      throw ValidationError("Give one trained detector or more and, last, the data set that calibrates.")
    }
  }

  func run() async throws {
    let data = files[files.count - 1]
    let console = common.console
    let device = try common.resolvedDevice()
    let files = files.dropLast().map { URL(fileURLWithPath: $0) }
    let members = try zip(Checkpoint.memberNames(of: files), files).map { name, file in
      (name: name, checkpoint: try Checkpoint(contentsOf: file))
    }
    let configuration = try RunConfiguration.ensemble(of: members, fusion: fusion)
    try OutputFolder.make(for: URL(fileURLWithPath: output))
    let images = try await TrainingData(folder: data, configuration: configuration, progress: console.show)
    for warning in try await images.warnings + Checkpoint.unfamiliar(members, in: data) {
      console.say("norma: warning: \(warning)")
    }
    let fused = try Checkpoint.fused(members, fusion: fusion, on: images, device: device)
    try fused.write(to: URL(fileURLWithPath: output))
    if common.json { try printJSON(["checkpoint": output]) } else { print("fused: \(output)") }
  }
}

extension EnsembleConfiguration.Fusion: ExpressibleByArgument {}
