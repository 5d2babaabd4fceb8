import ArgumentParser
import Foundation
import Norma

/// `norma info`.
struct InfoCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "info", abstract: "Tells what a checkpoint is: method, training, calibration, configuration.",
    discussion: """
      Examples:
        norma info runs/chest/model.safetensors
        norma info runs/chest/model.safetensors --json
      """)

  @Argument(help: "The checkpoint.")
  var checkpoint: String

  @Flag(help: "Print one JSON object instead of text.")
  var json = false

  func run() throws {
    let checkpoint = try Checkpoint(contentsOf: URL(fileURLWithPath: checkpoint))
    let metadata = checkpoint.metadata
    if json {
      let object = try JSONSerialization.jsonObject(with: JSONEncoder().encode(metadata))
      try printJSON(object as? [String: Any] ?? [:])
      return
    }
    let origin = metadata.origin
    let numbers = checkpoint.arrays.values.reduce(0) { $0 + $1.shape.reduce(1, *) }
    var lines = [
      ("method", metadata.configuration.detector.method.rawValue),
      ("written by", "Norma \(metadata.version), format \(metadata.format)"),
      ("tensors", "\(checkpoint.arrays.count) with \(numbers) numbers"),
      ("trained on", "\(origin.trainingImages) images, fingerprint \(origin.dataFingerprint)"),
      ("epochs", "\(origin.epochs) in \(Console.duration(origin.seconds))"),
      ("weights", origin.checkpointRule), ("precision", origin.precision ?? "float32"), ("hardware", origin.hardware),
      ("thresholds from", metadata.calibration.thresholdSource),
    ]
    for (name, member) in checkpoint.members { lines.append(("member \(name)", Self.summary(member.metadata))) }
    if !origin.imported.isEmpty { lines.append(("imported from", origin.imported.joined(separator: ", "))) }
    for (name, score) in metadata.calibration.scores.sorted(by: { $0.key < $1.key }) {
      lines.append(
        (
          "score \(name)",
          String(format: "mean %.4g, sd %.4g, threshold %.4g", score.mean, score.standardDeviation, score.threshold)
        ))
    }
    let width = lines.map(\.0.count).max() ?? 0
    for (key, value) in lines { print(key.padding(toLength: width + 2, withPad: " ", startingAt: 0) + value) }
    print("\n" + (try ConfigurationFile.yaml(metadata.configuration)), terminator: "")
  }

  /// A member of an ensemble in one line.
  private static func summary(_ metadata: Checkpoint.Metadata) -> String {
    let (configuration, origin) = (metadata.configuration, metadata.origin)
    return
      "\(configuration.detector.method.rawValue), seed \(configuration.seed), \(origin.trainingImages) images with "
      + "fingerprint \(origin.dataFingerprint), \(origin.epochs) epochs in \(Console.duration(origin.seconds)), weights: "
      + "\(origin.checkpointRule)"
  }
}
