import Evaluation
import Foundation
import MedicalImaging
import Phantoms
import Testing

@testable import Norma

@Suite("Benchmarks")
struct BenchmarkTests {
  private let images: TemporaryFolder
  private let output: TemporaryFolder

  /// Fourteen normal and ten abnormal training images, four and five test images with masks.
  init() async throws {
    (images, output) = (try TemporaryFolder(), try TemporaryFolder())
    var phantoms = PhantomDataSet()
    (phantoms.trainingNormal, phantoms.trainingAbnormal) = (14, 10)
    (phantoms.testNormal, phantoms.testAbnormal) = (4, 5)
    phantoms.configuration.size = 64
    try await phantoms.write(to: images.url)
  }

  /// Two networks that are trained for two epochs of three batches, and the yardstick.
  private func yaml(_ more: String = "seeds: 2", epochs: Int = 2, path: String? = nil, heldOut: Int = 4) -> String {
    let tiny = "imageSize: 32, channels: [2, 4], kernelSize: 3"
    return """
      datasets:
        - {name: lungs, path: "\(path ?? images.url.path)", set: {data: {validationNormal: \(heldOut), validationAbnormal: 4}}}
      methods:
        - {name: small, method: autoencoder, set: {training: {epochs: \(epochs), batchSize: 4}, detector: {\(tiny), codeWidth: 4}}}
        - {name: smaller, method: autoencoder, seeds: 1, set: {training: {epochs: 1, batchSize: 4}, detector: {\(tiny), codeWidth: 2}}}
        - {name: yardstick, method: band-energy, set: {input: {intensity: unit}, detector: {imageSize: 64, neighbours: 3}}}
      \(more)
      """
  }

  private func benchmark(_ yaml: String, only: [String] = []) throws -> Benchmark {
    try Benchmark(BenchmarkConfiguration(yaml: yaml, source: "test"), output: output.url, only: only)
  }

  private func model(_ folder: String) -> URL { output.url.appendingPathComponent(folder + "/model.safetensors") }

  @Test("Every run is trained, evaluated and kept, and the second call repeats nothing")
  func whole() async throws {
    let benchmark = try benchmark(yaml())
    #expect(benchmark.states().allSatisfy { $0.state == .waiting })
    #expect(try await benchmark.run(device: .cpu) == .finished(elsewhere: []))
    let records = benchmark.records()
    #expect(records.map(\.entry) == ["small", "smaller", "yardstick", "small", "yardstick"])
    #expect(records.map(\.seed) == [1, 1, 1, 2, 2])
    #expect(benchmark.states().allSatisfy { $0.state == .done })
    for record in records {
      let place = output.url.appendingPathComponent(record.key.folder)
      let checkpoint = try Checkpoint(contentsOf: place.appendingPathComponent("model.safetensors"))
      let outcome = try await Trials.evaluate(
        place.appendingPathComponent("model.safetensors"), folder: images.url.path, device: .cpu)
      #expect(record.test?.figures == outcome.test.figures && record.validation?.figures == outcome.validation?.figures)
      let main = try #require(outcome.test.scores[outcome.test.mainScore])
      let cases = try LabelledScores(scores: main, labels: outcome.test.labels)
      #expect(try record.test?.interval == DeLong(cases).interval())
      #expect(record.maps.map(\.figures) == outcome.localisation.maps.map(\.figures) && !record.maps.isEmpty)
      #expect(record.configuration == checkpoint.metadata.configuration && record.failure == nil)
      #expect(record.dataFingerprint == checkpoint.metadata.origin.dataFingerprint && record.trainingImages == 10)
      #expect(record.peakMemory ?? 1 > 0 && record.imagesPerSecond > 0 && !record.hardware.isEmpty)
      let scores = try RunScores.read(.test, in: place)
      let normal = try #require(checkpoint.metadata.calibration.scores[outcome.test.mainScore])
      #expect(scores.rows.map(\.score) == main.map(normal.standardised))
      #expect(scores.rows.map(\.isAbnormal) == outcome.test.labels.map { $0 })
      #expect(scores.rows.map(\.name) == outcome.test.names.map { ContentHash(of: Data($0.utf8)).description })
      #expect(try RunScores.read(.validation, in: place).rows.count == 8)
    }
    // Nothing is read or written any more, so that not even the images are needed.
    let rows = try Data(contentsOf: benchmark.results.url)
    try FileManager.default.removeItem(at: images.url.appendingPathComponent("train"))
    try FileManager.default.removeItem(at: model(records[0].key.folder))
    #expect(try await benchmark.run(device: .cpu) == .finished(elsewhere: []))
    #expect(try Data(contentsOf: benchmark.results.url) == rows)
  }

  @Test("An interrupted benchmark goes on with the run that it was in")
  func interruption() async throws {
    let benchmark = try benchmark(yaml("seeds: 1"))
    var asked = 0
    // Before the first run and after each of its six iterations: in the second epoch.
    let ending = try await benchmark.run(
      device: .cpu,
      isInterrupted: {
        asked += 1
        return asked == 6
      })
    #expect(ending == .interrupted(done: 0, total: 3))
    #expect(benchmark.states().map(\.state) == [.begun, .waiting, .waiting])
    #expect(try await benchmark.run(device: .cpu) == .finished(elsewhere: []))
    let log = try String(
      contentsOf: output.url.appendingPathComponent("lungs/small/contamination-0.0/seed-1/log.jsonl"), encoding: .utf8)
    #expect(log.components(separatedBy: "\"event\":\"epoch\"").count == 3)
    #expect(log.components(separatedBy: "\"event\":\"start\"").count == 3)
  }

  @Test("Detectors that are trained already are taken over as they are, and only where they are the same")
  func adoption() async throws {
    let benchmark = try benchmark(yaml("seeds: 1"), only: ["small"])
    let run = benchmark.runs[0]
    let folder = output.url.appendingPathComponent(run.key.folder)
    let data = try await TrainingData(folder: images.url.path, configuration: run.configuration)
    _ = try Trainer(run.configuration, data: data, folder: folder, device: .cpu).run()
    #expect(benchmark.states().map(\.state) == [.trained])
    let before = try Data(contentsOf: model(run.key.folder))
    #expect(try await benchmark.run(device: .cpu) == .finished(elsewhere: []))
    #expect(try Data(contentsOf: model(run.key.folder)) == before)
    #expect(benchmark.records()[0].peakMemory == nil && benchmark.records()[0].epochs == 2)

    // Another configuration of the same name is no such run: the row is not taken, and the detector is left alone.
    let other = try self.benchmark(yaml("seeds: 1", epochs: 3), only: ["small"])
    #expect(other.states().map(\.state) == [.trained])
    _ = try await other.run(device: .cpu)
    let reason = TrainingError.otherConfiguration(path: folder.path).description
    #expect(other.states().map(\.state) == [.failed(reason: reason)])
    #expect(try Data(contentsOf: model(run.key.folder)) == before)
    // Nor is one of other images.
    try FileManager.default.removeItem(at: benchmark.results.url)
    for index in 0..<6 {
      try images.write("train/NORMAL/phantom-0000\(index).png", Fixtures.image(index, width: 64, height: 64))
    }
    _ = try await benchmark.run(device: .cpu)
    #expect(benchmark.records().map(\.failure) == [TrainingError.otherData(path: folder.path).description])
  }

  @Test("A run that fails is a row with its reason, the others go on, and it is tried again")
  func failure() async throws {
    let yaml = yaml("seeds: 1\ncontamination: [0, 1]")
    let benchmark = try benchmark(yaml, only: ["smaller"])
    #expect(try await benchmark.run(device: .cpu) == .finished(elsewhere: []))
    let records = benchmark.records()
    #expect(
      records.map(\.key.folder) == ["lungs/smaller/contamination-0.0/seed-1", "lungs/smaller/contamination-1.0/seed-1"])
    #expect(records[0].failure == nil && records[0].test != nil)
    #expect(records[1].failure?.contains("asks for 10 abnormal among 10 training images, but train has 6") == true)
    #expect(records[1].test == nil)
    for index in 0..<4 {
      try images.write("train/ABNORMAL/more-\(index).png", Fixtures.image(index, width: 64, height: 64))
    }
    // The abnormal images that were set aside are others now, so that the first run's images would be: its row stands.
    #expect(try await benchmark.run(device: .cpu) == .finished(elsewhere: []))
    #expect(benchmark.records().map(\.failure) == [nil, nil])
  }

  @Test("What another process works on is left to it")
  func elsewhere() async throws {
    let benchmark = try benchmark(yaml("seeds: 1"), only: ["small", "smaller"])
    let key = benchmark.runs[0].key
    let lock = try RunLock(in: output.url.appendingPathComponent(key.folder))
    #expect(try await benchmark.run(device: .cpu) == .finished(elsewhere: [key]))
    let process = ProcessInfo.processInfo.processIdentifier
    #expect(benchmark.states().map(\.state) == [.elsewhere(process: process), .done])
    withExtendedLifetime(lock) {}
  }

  @Test("A run that another process finishes meanwhile is not done twice")
  func meanwhile() async throws {
    let benchmark = try benchmark(yaml("seeds: 1"), only: ["small", "smaller"])
    let other = try self.benchmark(yaml("seeds: 1"), only: ["smaller"])
    let folder = output.url.appendingPathComponent("lungs/smaller/contamination-0.0/seed-1")
    #expect(try await other.run(device: .cpu) == .finished(elsewhere: []))
    let row = try #require(benchmark.results.records().values.first)
    try FileManager.default.removeItem(at: benchmark.results.url)
    // The row comes in when the first run is under way: the second is not evaluated again.
    var isWritten = false
    _ = try await benchmark.run(
      device: .cpu,
      progress: { _ in
        guard !isWritten else { return }
        isWritten = true
        try? benchmark.results.append(row)
      })
    let lines = try String(contentsOf: benchmark.results.url, encoding: .utf8).split(separator: "\n")
    #expect(lines.count == 2 && benchmark.records().count == 2)
    #expect(FileManager.default.fileExists(atPath: folder.path))
  }

  @Test("Switches have folders and rows of their own; all of them are those that fit and change something")
  func switches() async throws {
    let sim = """
      datasets: [{name: lungs, path: "\(images.url.path)", set: {data: {validationNormal: 4}}}]
      methods:
        - name: sim
          preset: simsid-demo
          set: {training: {epochs: 1, batchSize: 4}, detector: {width: 2, slots: 8, activeItems: 3, skips: false}}
      """
    let all = try benchmark(sim + "\nablations: {sim: all}")
    let names = all.runs.compactMap(\.key.ablation)
    #expect(all.leftOut.contains { $0 == ("sim", "no-skips") } && !names.contains("no-skips"))
    #expect(names.count + all.leftOut.count == SimSIDConfiguration.ablations.count)
    #expect(all.runs.first { $0.key.ablation == "half-abnormal" }?.key.contamination == 0.5)
    #expect(throws: ConfigurationError.self) { try benchmark(sim + "\nablations: {sim: [grid-8]}") }

    let some = try benchmark(sim + "\nablations: {sim: [no-inpainting]}\nseeds: 2")
    #expect(some.runs.map(\.key.ablation) == [nil, nil, "no-inpainting", "no-inpainting"])
    let one = try benchmark(sim + "\nablations: {sim: [no-inpainting]}")
    #expect(try await one.run(device: .cpu) == .finished(elsewhere: []))
    let records = one.records()
    #expect(records.map(\.ablation) == [nil, "no-inpainting"] && records.compactMap(\.failure).isEmpty)
    let settings = records.compactMap { $0.configuration?.detector.settings as? SimSIDConfiguration }
    #expect(settings.map(\.inpainting) == [.full, .off])
    #expect(
      FileManager.default.fileExists(
        atPath: model("lungs/sim/ablations/no-inpainting/contamination-0.0/seed-1").path))
  }

  @Test("An ensemble is chosen by validation images and fused under every seed; others are fused as they are")
  func ensembles() async throws {
    // Ensembles take their scale from 20 normal validation images or more.
    let more = try TemporaryFolder()
    var phantoms = PhantomDataSet()
    (phantoms.trainingNormal, phantoms.trainingAbnormal, phantoms.testNormal, phantoms.testAbnormal) = (30, 4, 4, 5)
    phantoms.configuration.size = 64
    try await phantoms.write(to: more.url)
    let yaml = yaml(
      """
      seeds: 2
      ensembles:
        - {name: both, members: [small, yardstick], fusion: maximum, seeds: 1}
        - {name: best, members: [small, yardstick], fusion: [mean, rank], choose: validation}
      """, path: more.url.path, heldOut: 20)
    let benchmark = try benchmark(yaml)
    #expect(try await benchmark.run(device: .cpu) == .finished(elsewhere: []))
    let records = benchmark.records().suffix(3)
    #expect(records.map(\.entry) == ["both", "best", "best"] && records.map(\.seed) == [1, 1, 2])
    #expect(records.compactMap(\.failure).isEmpty)
    #expect(records.first?.fusion == .init(members: ["small", "yardstick"], fusion: "maximum"))
    let best = try #require(records.last?.fusion)
    #expect(best.members == ["small", "yardstick"] && best.combinations == 2)
    // The figure that decided is what the fused detectors have on their validation images.
    let own = records.suffix(2).compactMap { $0.validation?.main?.auroc }
    #expect(own.count == 2)
    #expect(abs((best.validationAUROC ?? 0) - own.reduce(0, +) / 2) < 1e-9)
    let rows = try Data(contentsOf: benchmark.results.url)
    _ = try await benchmark.run(device: .cpu)
    #expect(try Data(contentsOf: benchmark.results.url) == rows)

    // A member that is trained anew with other settings makes its ensembles old, of that seed alone.
    let other = try self.benchmark(yaml.replacing("epochs: 2,", with: "epochs: 1,"))
    #expect(other.records().map(\.entry) == ["smaller", "yardstick", "yardstick"])
    for seed in [1, 2] {
      try FileManager.default.removeItem(
        at: output.url.appendingPathComponent("lungs/small/contamination-0.0/seed-\(seed)"))
    }
    #expect(try await other.run(device: .cpu) == .finished(elsewhere: []))
    #expect(other.states().allSatisfy { $0.state == .done })
    let fused = other.records().suffix(3)
    #expect(fused.compactMap(\.failure).isEmpty && fused.map(\.seed) == [1, 1, 2])
    for record in fused {
      let settings = try #require(record.configuration?.detector.settings as? EnsembleConfiguration)
      #expect(settings.members.first?.configuration.training.epochs == 1)
      let outcome = try await Trials.evaluate(model(record.key.folder), folder: more.url.path, device: .cpu)
      #expect(record.test?.figures == outcome.test.figures)
    }
    // An ensemble that another process fuses is left to it; nor is a row of another fusion what is asked for.
    let another = try self.benchmark(
      yaml.replacing("epochs: 2,", with: "epochs: 1,").replacing("maximum", with: "mean"))
    #expect(another.records().suffix(2).map(\.entry) == ["best", "best"])
    let both = try #require(fused.first).key
    let lock = try RunLock(in: output.url.appendingPathComponent(both.folder))
    #expect(try await another.run(device: .cpu) == .finished(elsewhere: [both]))
    withExtendedLifetime(lock) {}
  }

  @Test("Names that are none, and unknown presets of what is worked on, are told before anything is done")
  func refusals() throws {
    #expect(
      throws: ConfigurationError.unknownName(
        kind: "method or ensemble of this benchmark", name: "large", known: ["small", "smaller", "yardstick"])
    ) { try benchmark(yaml(), only: ["large"]) }
    let unknown = "datasets: [{name: a, path: x}]\nmethods: [{name: new, preset: newer}, {preset: band-energy}]\n"
    let error = #expect(throws: ConfigurationError.self) { try benchmark(unknown) }
    #expect(error?.description.hasPrefix("there is no preset 'newer'; choose one of ") == true)
    #expect(try benchmark(unknown, only: ["band-energy"]).runs.map(\.key.entry) == ["band-energy"])
  }
}
