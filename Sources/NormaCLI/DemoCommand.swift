import ArgumentParser
import Foundation
import Norma
import Phantoms

/// `norma demo`.
struct DemoCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "demo",
    abstract: "Draws synthetic radiographs, trains SimSID on the normal ones, and shows what it finds.",
    discussion: """
      Takes a few minutes on two processor cores. Everything is written below OUTPUT: the images, the trained detector,
      anomaly maps and report.html.

      Example:
        norma demo --output demo
      """)

  @Option(name: .shortAndLong, help: "Folder for everything that the demonstration makes.")
  var output = "demo"

  @OptionGroup var common: CommonOptions

  func run() async throws {
    let folder = URL(fileURLWithPath: output)
    let console = common.console
    let images = folder.appendingPathComponent("images")
    console.say("1/3  drawing synthetic radiographs: \(images.path)")
    var set = PhantomDataSet()
    set.trainingNormal = 400
    set.testNormal = 60
    set.testAbnormal = 60
    set.configuration.lesionContrast = 3  // plain enough to be seen on a page
    set.configuration.positionVariation = 0.5
    set.configuration.exposureVariation = 0.5
    try await set.write(to: images) { done, count in
      console.show(.init("drawing", done: done, total: count, unit: "images"))
    }
    console.say("2/3  training on the normal ones: \(folder.appendingPathComponent("seed-1").path)")
    var evaluation = try EvaluateCommand.parse([
      images.path, "--preset", Preset.simSIDDemo.rawValue, "--trials", "1", "--output", folder.path, "--show-names",
    ])
    evaluation.common = common
    try await evaluation.run()
    console.say("3/3  drawing anomaly maps: \(folder.appendingPathComponent("maps").path)")
    var scoring = try ScoreCommand.parse([
      images.appendingPathComponent("test").path, "--checkpoint",
      folder.appendingPathComponent("seed-1/model.safetensors").path, "--maps",
      folder.appendingPathComponent("maps").path, "--csv", folder.appendingPathComponent("scores.csv").path,
    ])
    scoring.common = common
    try await scoring.run()
    console.say("done: open \(folder.appendingPathComponent("report.html").path)")
  }
}
