import ArgumentParser
import Foundation
import MedicalImaging
import Norma
import Torch

/// Where to compute and how much to say; every command has these.
struct CommonOptions: ParsableArguments {
  @Option(help: "Device: cpu, cuda, cuda:N or mps. By default the fastest that is there.")
  var device: String?

  @Option(help: "Threads inside one operator on the processor, and threads that read and write. By default all.")
  var threads: Int?

  @Flag(help: "Use kernels that repeat themselves to the bit, on GPUs at some cost; the processor's always do.")
  var deterministic = false

  @Option(
    help: """
      Number format of products and convolutions: float32, bfloat16 (bf16), or auto: bfloat16 where the device has \
      instructions for it. By default the configuration's: float32 unless it says otherwise.
      """)
  var precision: String?

  @Flag(help: "Print one JSON object per line instead of text.")
  var json = false

  @Flag(help: "Show no progress.")
  var quiet = false

  /// The device; sets the number of threads on the way.
  func resolvedDevice() throws -> Device {
    // libtorch knows of processors, not of what share of them a container may use.
    if let count = threads ?? (Allotment.processors < Runtime.threads ? Allotment.processors : nil) {
      Runtime.setThreads(count)
    }
    if deterministic { Runtime.setDeterministic(true) }
    return try device.map { try Device(parsing: $0) } ?? .best
  }

  /// The number format asked for; nil where none is.
  func resolvedPrecision(on device: Device) -> TrainingConfiguration.Precision? {
    precision.flatMap { TrainingConfiguration.Precision(parsing: $0, for: device) }
  }

  var console: Console { Console(isQuiet: quiet || json) }

  func validate() throws {
    if let threads, threads < 1 { throw ValidationError("--threads must be 1 or more.") }
    if let precision, TrainingConfiguration.Precision(parsing: precision, for: .cpu) == nil {
      throw ValidationError("--precision is '\(precision)'; it may be float32, bfloat16, bf16 or auto.")
    }
  }
}

/// What to write of a training beside its log.
struct TensorBoardOptions: ParsableArguments {
  @Option(name: .customLong("tensorboard"), help: "Write event files for TensorBoard into this folder while training.")
  var folder: String?

  var url: URL? { folder.map { URL(fileURLWithPath: $0) } }
}

/// What to train: a preset, a file, or a method's published preset, and changes to it.
struct ConfigurationOptions: ParsableArguments {
  @Option(help: "A preset: \(Preset.allCases.map(\.rawValue).joined(separator: ", ")).")
  var preset: String?

  @Option(help: "A configuration file in YAML; it names what differs from the method's published preset.")
  var config: String?

  @Option(
    help: "A method with its published preset: \(DetectionMethod.trainable.map(\.rawValue).joined(separator: ", ")).")
  var method: String?

  @Option(name: .customLong("set"), help: "Change one setting, for example --set training.epochs=20. Repeatable.")
  var settings: [String] = []

  @Option(help: "Seed of weights, order, augmentation and splits.")
  var seed: Int?

  func validate() throws {
    guard [preset, config, method].compactMap({ $0 }).count <= 1 else {
      throw ValidationError("Give one of --preset, --config and --method.")
    }
  }

  /// Whether anything was asked for.
  var areGiven: Bool { !settings.isEmpty || seed != nil || preset != nil || config != nil || method != nil }

  /// The configuration that the options stand for; `fallback` where none is named.
  func resolved(fallback: Preset = .simSIDLaptop64) throws -> RunConfiguration {
    let source =
      config.map(ConfigurationSource.file) ?? method.map(ConfigurationSource.method)
      ?? .preset(preset ?? fallback.rawValue)
    return try source.configuration(overrides: settings + (seed.map { ["seed=\($0)"] } ?? []))
  }
}
