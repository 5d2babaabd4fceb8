import Foundation
import Testing
import Torch

@testable import Norma

@Suite("Comparing devices")
struct DeviceCheckTests {
  private func data(_ configuration: RunConfiguration, in folder: TemporaryFolder) async throws -> TrainingData {
    TrainingData(
      training: try await Fixtures.phantoms(8, seed: 1, for: configuration, in: folder),
      test: try await Fixtures.phantoms(4, abnormal: 2, seed: 50, for: configuration, in: folder), fingerprint: "")
  }

  @Test("The processor agrees with itself in everything that is compared")
  func agreement() async throws {
    let (folder, configuration) = (try TemporaryFolder(), Fixtures.tinySimSID(epochs: 1))
    let findings = try DeviceCheck(configuration, on: .cpu).findings(
      on: await data(configuration, in: folder), in: folder.url)
    #expect(findings.map(\.subject) == ["losses", "scores", "maps", "repeats"])
    #expect(findings.allSatisfy { $0.difference == 0 && $0.passes })
  }

  @Test("Other weights are told by weights, losses, scores and maps")
  func difference() async throws {
    let (folder, configuration) = (try TemporaryFolder(), Fixtures.tinySimSID(epochs: 1))
    let data = try await data(configuration, in: folder)
    var other = configuration
    other.seed += 1
    let checkpoints = try [configuration, other].map { settings in
      let trainer = try Trainer(
        settings, data: data, folder: folder.url.appendingPathComponent("seed-\(settings.seed)"), device: .cpu)
      guard case .finished(let file) = try trainer.run() else { throw CancellationError() }
      return try Checkpoint(contentsOf: file)
    }
    #expect(try DeviceCheck.largestDifference(checkpoints[0], checkpoints[0]) == 0)
    #expect(try DeviceCheck.largestDifference(checkpoints[0], checkpoints[1]) > 1e-3)
    let test = try #require(data.test)
    let outputs = try checkpoints.map { try DeviceCheck.Output($0, test, on: .cpu) }
    #expect(outputs[0].largestScoreDifference(to: outputs[1]) > 0.05)
    #expect(outputs[0].largestMapDifference(to: outputs[1]) > 0.02)
  }

  @Test("Differences are relative to the larger value, or to the standard deviation; what does not fit never agrees")
  func arithmetic() {
    #expect(DeviceCheck.largestRelativeDifference([1, -4, 0], [1, -5, 0]) == 0.2)
    #expect(DeviceCheck.largestRelativeDifference([1], [1, 2]) == .infinity)
    #expect(DeviceCheck.largestRelativeDifference([1, .nan], [1, 2]).isNaN)
    let largest = { (a: [String: [Double]], b: [String: [Double]]) in
      DeviceCheck.Output.largest(a, b) { zip($0, $1).map { abs($0 - $1) }.max() ?? 0 }
    }
    #expect(largest(["a": [1, 3], "b": [0, 4]], ["a": [1, 3.5], "b": [0, 4]]) == 0.5)  // standard deviations 1 and 2
    #expect(largest(["a": [1, 3]], ["b": [1, 3]]) == .infinity)
    #expect(largest(["a": [1, 3]], ["a": [1]]) == .infinity)
    #expect(largest(["a": [2, 2]], ["a": [2, 2]]) == 0)  // no spread, no difference
    #expect(largest(["a": [1, 3]], ["a": [1, .nan]]).isNaN)
    #expect(!DeviceCheck.Finding(subject: "scores", difference: .nan, limit: 1).passes)
    #expect(!DeviceCheck.Finding(subject: "scores", difference: 1.1, limit: 1).passes)
  }
}
