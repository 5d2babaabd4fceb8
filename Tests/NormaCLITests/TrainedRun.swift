import Foundation

/// A tiny data set and a detector trained on it, made once by the program and read by all suites.
struct TrainedRun: Sendable {
  static let shared = Result { try TrainedRun() }

  /// Options for the smallest network that is still SimSID.
  static let tiny = [
    "--preset", "simsid-demo", "--set", "training.epochs=2", "--set", "detector.width=2", "--set", "detector.slots=8",
    "--set", "data.validationNormal=4",
  ]

  private static let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
    "norma-\(UUID().uuidString)")

  /// The data set: 24 normal training images, 6 normal and 6 abnormal test images of 64 × 64 pixels.
  let data = folder.appendingPathComponent("data").path
  /// The run's folder.
  let output = folder.appendingPathComponent("run").path
  /// What the program printed as it drew and trained.
  let drawing: String, training: String

  /// The trained detector.
  var checkpoint: String { output + "/model.safetensors" }
  /// The folder of test images.
  var test: String { data + "/test" }

  /// The paths of the test images of one class.
  func images(_ name: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: "\(test)/\(name)").sorted().map { "\(test)/\(name)/\($0)" }
  }

  private init() throws {
    try FileManager.default.createDirectory(at: Self.folder, withIntermediateDirectories: true)
    atexit { try? FileManager.default.removeItem(at: TrainedRun.folder) }
    drawing = try Self.made(
      by: ["phantom", data, "--train", "24", "--test-normal", "6", "--test-abnormal", "6", "--size", "64"])
    training = try Self.made(by: ["train", data, "--output", output] + Self.tiny)
  }

  /// What a run printed that must go well and be silent about it.
  private static func made(by arguments: [String]) throws -> String {
    let run = try Program.run(arguments)
    guard run.status == 0, run.errors.isEmpty else {
      throw ProgramError(reason: "norma \(arguments[0]) ended with \(run.status): \(run.errors)")
    }
    return run.output
  }
}
