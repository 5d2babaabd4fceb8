import ArgumentParser
import Foundation
import MedicalImaging
import Norma

/// The program: parses, calls one function of Norma or Reporting, prints.
@main
struct NormaCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "norma",
    abstract: "Learns what normal looks like from medical images, and finds what is not.",
    discussion: """
      \(Norma.researchNote)

      A first look, on synthetic radiographs:   norma demo
      A detector for your own images:           norma train DATA --output runs/mine
      Scores, maps and a table:                 norma score IMAGES --checkpoint runs/mine/model.safetensors
      """,
    version: Norma.version,
    subcommands: [
      DemoCommand.self, TrainCommand.self, ScoreCommand.self, EvaluateCommand.self, SweepCommand.self,
      BenchmarkCommand.self, AblateCommand.self,
      InfoCommand.self, EnsembleCommand.self, ImportCommand.self, PhantomCommand.self, DataCommand.self,
      BenchCommand.self, CheckCommand.self,
    ])

  static func main() async {
    do {
      var command = try parseAsRoot()
      if var command = command as? any AsyncParsableCommand {
        try await command.run()
      } else {
        try command.run()
      }
    } catch let error where Failure.isOurs(error) {
      FileHandle.standardError.write(Data("norma: \(error)\n".utf8))
      Foundation.exit(Failure.exitCode(of: error))
    } catch {
      exit(withError: error)
    }
  }
}
