import ArgumentParser
import Foundation
import Norma
import Phantoms
import Torch

/// `norma check`.
struct CheckCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check", abstract: "Compares what a device computes with what the processor does.",
    discussion: """
      Trains every method for an epoch on a few synthetic radiographs, on the processor and twice on the device, with
      deterministic kernels and the same random numbers. Losses, one checkpoint's scores and maps, and the two trainings on
      the device must agree; where they do not, the exit code is 1.

      Examples:
        norma check --device cuda
        norma check --device cuda --method simsid --json
      """)

  @Option(name: .customLong("method"), help: "Only this method; repeatable.")
  var methods: [String] = []

  @OptionGroup var common: CommonOptions

  func run() async throws {
    let chosen = try methods.map { try DetectionMethod(named: $0) }
    let device = try common.resolvedDevice()
    let console = common.console
    Runtime.setDeterministic(true)
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("norma-check-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    let images = folder.appendingPathComponent("images")
    try await Self.phantoms.write(to: images)
    var agrees = true
    if !common.json { print("\(device) against the processor; \(Hardware.description(device: device))") }
    for method in chosen.isEmpty ? DetectionMethod.trainable : chosen {
      let configuration = try Self.configuration(of: method)
      let data = try await TrainingData(folder: images.path, configuration: configuration)
      console.say("checking \(method.rawValue)")
      let findings = try DeviceCheck(configuration, on: device).findings(
        on: data, in: folder.appendingPathComponent(method.rawValue))
      for finding in findings {
        agrees = agrees && finding.passes
        try tell(finding, of: method)
      }
    }
    if !agrees { throw ExitCode(Failure.failed) }
  }

  private func tell(_ finding: DeviceCheck.Finding, of method: DetectionMethod) throws {
    guard !common.json else {
      return try printJSON([
        "method": method.rawValue, "subject": finding.subject, "difference": "\(finding.difference)",
        "limit": finding.limit, "agrees": finding.passes,
      ])
    }
    func padded(_ text: String, _ width: Int) -> String { text.padding(toLength: width, withPad: " ", startingAt: 0) }
    print(
      padded(method.rawValue, 24) + padded(finding.subject, 10)
        + String(format: "%9.2e  of %g at most  ", finding.difference, finding.limit)
        + (finding.passes ? "agrees" : "DIFFERS"))
  }

  /// 16 to train on, 8 normal and 8 abnormal ones to test with.
  private static var phantoms: PhantomDataSet {
    var set = PhantomDataSet()
    (set.trainingNormal, set.testNormal, set.testAbnormal) = (16, 8, 8)
    set.configuration.size = 64
    set.configuration.lesionContrast = 3
    return set
  }

  /// A method's smallest preset, for as few epochs as train every stage.
  static func configuration(of method: DetectionMethod) throws -> RunConfiguration {
    let preset = Preset(rawValue: "\(method.rawValue)-laptop-64") ?? Preset(rawValue: method.rawValue)
    let source = preset.map { ConfigurationSource.preset($0.rawValue) } ?? .method(method.rawValue)
    var overrides = ["data.validationNormal=0", "data.validationAbnormal=0"]
    if method != .bandEnergy { overrides += ["training.epochs=1", "training.batchSize=8"] }
    switch method {
    case .memMCMAE: overrides += ["detector.warmUpEpochs=0"]
    case .tokenMasking:
      overrides += [
        "detector.autoencoder.epochs=1", "detector.transformer.epochs=1", "detector.rounds.count=1",
      ]
    case .fAnoGAN: overrides += ["detector.encoderEpochs=1"]
    default: break
    }
    return try source.configuration(overrides: overrides)
  }
}
