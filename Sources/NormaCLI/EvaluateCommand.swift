import ArgumentParser
import Evaluation
import Foundation
import Norma

/// `norma evaluate`.
struct EvaluateCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "evaluate", abstract: "Figures on labelled images.")
  @Argument(help: "The data set's folder.")
  var data: String
  @Option(name: .shortAndLong, help: "A trained detector.")
  var checkpoint: String
  @OptionGroup var common: CommonOptions

  func run() async throws {
    let device = try common.resolvedDevice()
    let checkpoint = try Checkpoint(contentsOf: URL(fileURLWithPath: checkpoint))
    let images = try await TrainingData(folder: data, configuration: checkpoint.metadata.configuration)
    let scorer = try Scorer(checkpoint: checkpoint, device: device)
    for set in [images.validation, images.test].compactMap({ $0 }) {
      let result = try Evaluator.evaluate(scorer, on: set)
      for (name, figures) in result.figures { print(name, figures.auroc, figures.averagePrecision) }
    }
  }
}
