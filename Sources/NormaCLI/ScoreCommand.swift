import ArgumentParser
import Evaluation
import Foundation
import MedicalImaging
import Norma

/// `norma score`.
struct ScoreCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "score", abstract: "Scores images with a trained detector.",
    discussion: """
      Writes one line per image: name, score, standard deviations above normal, probability (the logistic function of
      these), and whether the score exceeds the threshold learned from normal images. A file that cannot be read is
      reported and the rest is scored (exit code 65).

      Examples:
        norma score image.png --checkpoint runs/chest/model.safetensors
        norma score folder --checkpoint runs/chest/model.safetensors --csv scores.csv --maps maps
        norma score folder --checkpoint runs/chest/model.safetensors --json
      """)

  @Argument(help: "Image files (PNG, JPEG, TIFF) or folders of them.")
  var images: [String]

  @Option(name: .shortAndLong, help: "The trained detector.")
  var checkpoint: String

  @Option(help: "Write the table to this CSV file instead of standard output.")
  var csv: String?

  @Option(help: "Write anomaly maps over the images into this folder, as PNG in each image's size.")
  var maps: String?

  @OptionGroup var common: CommonOptions

  func run() async throws {
    let console = common.console
    let device = try common.resolvedDevice()
    let scorer = try Scorer(checkpoint: Checkpoint(contentsOf: URL(fileURLWithPath: checkpoint)), device: device)
    let items = try ImageDataSet.files(at: images).items
    let prepared = try await PreparedImages(items, for: scorer.specification)
    prepared.failures.forEach { console.say("norma: \($0.reason)") }
    var table = ScoreLines(isJSON: common.json)
    let names = MapFiles.names(of: prepared.items)
    try scorer.score(prepared, explains: maps != nil, progress: console.show) { result in
      try table.add(result)
      if let maps {
        let name = names[result.item.path] ?? result.item.name
        try MapFiles.write(result, named: name, to: maps, calibration: scorer.calibration)
      }
    }
    try table.finish(to: csv)
    if !prepared.failures.isEmpty { throw ExitCode(Failure.badData) }
  }
}

/// The table that `norma score` writes.
struct ScoreLines {
  let isJSON: Bool
  private var rows: [String] = ["name,score,standardised,probability,abnormal"]

  init(isJSON: Bool) { self.isJSON = isJSON }

  /// Adds one image; JSON lines are printed at once.
  mutating func add(_ result: AnomalyResult) throws {
    if isJSON {
      try printJSON([
        "name": result.item.name, "score": result.score, "scores": result.scores,
        "standardised": result.standardised as Any? ?? NSNull(), "probability": result.probability as Any? ?? NSNull(),
        "abnormal": result.isAbnormal as Any? ?? NSNull(),
      ])
    }
    let numbers = [result.score, result.standardised, result.probability].map { number in
      number.map { String(format: "%.6g", $0) } ?? ""
    }
    let verdict = result.isAbnormal.map { $0 ? "1" : "0" } ?? ""
    rows.append(([quoted(result.item.name)] + numbers + [verdict]).joined(separator: ","))
  }

  /// Writes the CSV to a file, or to standard output unless JSON went there.
  func finish(to path: String?) throws {
    let text = rows.joined(separator: "\n") + "\n"
    if let path {
      do { try Data(text.utf8).write(to: URL(fileURLWithPath: path), options: .atomic) } catch {
        throw TrainingError.cannotWrite(path: path, reason: error.localizedDescription)
      }
    } else if !isJSON {
      print(text, terminator: "")
    }
  }

  private func quoted(_ field: String) -> String {
    field.contains { ",\"\n\r".contains($0) } ? "\"\(field.replacingOccurrences(of: "\"", with: "\"\""))\"" : field
  }
}

/// Anomaly maps over their images, as PNG files.
enum MapFiles {
  /// A file name without ending for each image's path: the path below the folder that holds all of them.
  static func names(of items: [DataItem]) -> [String: String] {
    let parts = items.map { URL(fileURLWithPath: $0.path).standardizedFileURL.pathComponents }
    var shared = parts.first.map { $0.count - 1 } ?? 0
    for path in parts { shared = min(shared, zip(path.dropLast(), parts[0]).prefix { $0 == $1 }.count) }
    return Dictionary(
      zip(items, parts).map { item, path in
        (item.path, (path.dropFirst(shared).joined(separator: "/") as NSString).deletingPathExtension)
      }
    ) { first, _ in first }
  }

  /// Writes every map of a result over its image: the default one as `name.png`, others with their own name behind.
  static func write(_ result: AnomalyResult, named name: String, to folder: String, calibration: Calibration) throws {
    let image = try ImageReader.read(result.item.path).grey
    for (index, map) in result.maps.enumerated() {
      let range = calibration.mapRanges[map.name] ?? [0, 1]
      let shown = Float(range[0])...max(Float(range[1]), Float(range[0]) + 1e-6)
      let overlay = try CasePictures.overlay(map.map, on: image, range: shown, item: result.item)
      let file = URL(fileURLWithPath: folder).appendingPathComponent(name + (index == 0 ? "" : "-\(map.name)") + ".png")
      do {
        try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      } catch { throw TrainingError.cannotWrite(path: folder, reason: error.localizedDescription) }
      try PNG.write(overlay, to: file.path)
    }
  }
}
