import Testing

@testable import NormaCLI
@testable import Norma

@Suite("norma check")
struct CheckTests {
  @Test("The processor agrees with itself, line by line, and the folder of the runs is gone")
  func agreement() throws {
    let run = try Program.run("check", "--method", "autoencoder", "--device", "cpu", "--json")
    #expect(run.status == 0, "\(run.errors)")
    let objects = try run.objects()
    #expect(objects.compactMap { $0["subject"] as? String } == ["losses", "scores", "maps", "repeats"])
    #expect(objects.allSatisfy { $0["agrees"] as? Bool == true && $0["method"] as? String == "autoencoder" })
  }

  @Test("A method that there is not is named")
  func unknownMethod() throws {
    let run = try Program.run("check", "--method", "simsad", "--device", "cpu")
    #expect(run.status == 64)
    #expect(run.errors.hasPrefix("norma: there is no method 'simsad'"))
  }

  @Test("Every method has a configuration that trains each of its stages", arguments: DetectionMethod.trainable)
  func configurations(method: DetectionMethod) throws {
    let configuration = try CheckCommand.configuration(of: method)
    #expect(configuration.detector.method == method)
    #expect(configuration.data.validationNormal == 0)
    let stages = try configuration.makeDetector().stages
    #expect(stages.allSatisfy { ($0.epochs ?? configuration.training.epochs) == 1 })
  }
}
