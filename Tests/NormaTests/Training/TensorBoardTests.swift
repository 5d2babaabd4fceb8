import Foundation
import MedicalImaging
import Testing
import Torch

@testable import Norma

@Suite("Event files for TensorBoard")
struct TensorBoardTests {
  @Test("Checksums of the vectors in RFC 3720, and of the usual check text")
  func checksums() {
    let vectors: [(Data, UInt32)] = [
      (Data(repeating: 0, count: 32), 0x8A91_36AA), (Data(repeating: 0xFF, count: 32), 0x62A8_AB43),
      (Data(0..<32), 0x46DD_794E), (Data((0..<32).reversed()), 0x113F_DB5C), (Data("123456789".utf8), 0xE306_9283),
      (Data(), 0),
    ]
    for (bytes, checksum) in vectors { #expect(CRC32C.checksum(bytes) == checksum) }
    // Turned by 15 bits, the constant added, by hand: 0x8A9136AA becomes 0x6D551522 and 0x0FD7FFFA.
    #expect(CRC32C.masked(Data(repeating: 0, count: 32)) == 0x6D55_1522 &+ 0xA282_EAD8)
  }

  @Test("Events are, byte for byte, what TensorBoard's own messages and writer give")
  func golden() throws {
    let folder = try TemporaryFolder()
    let file = try EventFile(creating: folder.url.appendingPathComponent("events"), wallTime: 1000)
    let events: [Event] = [
      Event(wallTime: 1001.5, step: 1, content: .scalars([("loss/student", 0.25), ("zero", 0)])),
      Event(
        wallTime: 1002.25, step: 300,
        content: .scalars([("größe", -1e30), (String(repeating: "x", count: 150), 3.14159)])),
      Event(wallTime: 1003, step: 2, content: .picture(tag: "input", png: Data(0..<200), width: 7, height: 3)),
      Event(wallTime: 1004, step: 3, content: .resumed),
    ]
    for event in events { try file.append(event) }
    let golden = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("Golden/TensorBoard/events.bin")
    #expect(try Data(contentsOf: file.url) == Data(contentsOf: golden))
  }

  @Test("A file that is there is not written over, and a folder that cannot be made is named")
  func refusals() throws {
    let folder = try TemporaryFolder()
    let place = folder.url.appendingPathComponent("events")
    _ = try EventFile(creating: place, wallTime: 1)
    #expect(throws: TrainingError.self) { try EventFile(creating: place, wallTime: 1) }
    let log = TensorBoardLog(in: place.appendingPathComponent("below a file"))
    do {
      try log.begin(after: 0)
      Issue.record("no error")
    } catch { #expect("\(error)".hasPrefix("\(place.path)/below a file cannot be written: ")) }
  }

  // MARK: What a training tells

  /// Tags, steps and kinds (`s` scalar, `p` picture, `r` resumed) of a folder's event files, in the order of their names.
  private func told(in folder: URL) throws -> [[(kind: String, tag: String, step: Int, value: Float)]] {
    try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted().map { name in
      var rest = try Data(contentsOf: folder.appendingPathComponent(name))
      var found: [(String, String, Int, Float)] = []
      while !rest.isEmpty {
        let length = Int(rest.prefix(8).enumerated().reduce(UInt64(0)) { $0 | UInt64($1.element) << (8 * $1.offset) })
        let bytes = Data(rest.dropFirst(12).prefix(length))
        #expect(EventFile.framed(bytes) == rest.prefix(length + 16))
        rest = Data(rest.dropFirst(length + 16))
        let event = Fields(bytes)
        let step = Int(event.numbers[2] ?? 0)
        if event.parts[7] != nil { found.append(("r", "", step, 0)) }
        for summary in event.parts[5] ?? [] {
          for value in Fields(summary).parts[1] ?? [] {
            let value = Fields(value)
            let tag = String(decoding: value.parts[1]?.first ?? Data(), as: UTF8.self)
            let number = Float(bitPattern: UInt32(truncatingIfNeeded: value.numbers[2] ?? 0))
            found.append((value.parts[4] == nil ? "s" : "p", tag, step, number))
          }
        }
      }
      return found
    }
  }

  /// A message read back, by the rules of the format's description.
  private struct Fields {
    var numbers: [Int: UInt64] = [:]
    var parts: [Int: [Data]] = [:]

    init(_ data: Data) {
      var place = data.startIndex
      func variable() -> UInt64 {
        var (value, shift) = (UInt64(0), UInt64(0))
        while true {
          let byte = data[place]
          place += 1
          value |= UInt64(byte & 0x7F) << shift
          shift += 7
          if byte < 0x80 { return value }
        }
      }
      func fixed(_ count: Int) -> UInt64 {
        defer { place += count }
        return (0..<count).reduce(0) { $0 | UInt64(data[place + $1]) << (8 * UInt64($1)) }
      }
      while place < data.endIndex {
        let key = variable()
        let field = Int(key >> 3)
        switch key & 7 {
        case 0: numbers[field] = variable()
        case 1: numbers[field] = fixed(8)
        case 5: numbers[field] = fixed(4)
        default:
          let count = Int(variable())
          parts[field, default: []].append(Data(data[place..<place + count]))
          place += count
        }
      }
    }
  }

  private func trainer(
    _ run: TrainerRun, events: URL, stopsAfter stops: Int? = nil
  ) throws -> Trainer {
    var iterations = 0
    return try Trainer(
      run.configuration, data: run.data, folder: run.folder.url, device: .cpu, watchesTest: run.watchesTest,
      tensorBoard: events,
      isInterrupted: {
        iterations += 1
        return iterations == stops
      })
  }

  private func run(epochs: Int) async throws -> TrainerRun {
    var configuration = RunConfiguration(detector: DetectorSettings(AutoencoderConfiguration.tiny()))
    (configuration.training.epochs, configuration.training.batchSize) = (epochs, 4)
    configuration.training.checkpointInterval = 2
    let files = try TemporaryFolder()
    let training = try await Fixtures.phantoms(8, seed: 1, for: configuration, in: files)
    let test = try await Fixtures.phantoms(6, abnormal: 3, seed: 50, for: configuration, in: files)
    return TrainerRun(
      folder: try TemporaryFolder(), data: TrainingData(training: training, test: test, fingerprint: "a"),
      configuration: configuration, watchesTest: true)
  }

  @Test("Every epoch has its figures, as in the log; pictures come with the checkpoints and at the end")
  func training() async throws {
    let run = try await run(epochs: 3)
    let events = run.folder.url.appendingPathComponent("events/deep")
    _ = try trainer(run, events: events).run()
    let files = try told(in: events)
    try #require(files.count == 1)
    let scalars = files[0].filter { $0.kind == "s" }
    let tags = [
      "auroc/test/reconstructionError", "auroc/test/topPercent", "imagesPerSecond", "learningRate/autoencoder",
      "loss/reconstruction",
    ]
    #expect(Set(scalars.map(\.tag)) == Set(tags))
    for tag in tags { #expect(scalars.filter { $0.tag == tag }.map(\.step) == [1, 2, 3], "\(tag)") }
    let losses = try run.losses().compactMap { $0["reconstruction"].map { Float($0) } }
    #expect(scalars.filter { $0.tag == "loss/reconstruction" }.map(\.value) == losses)
    let pictures = files[0].filter { $0.kind == "p" }.map { "\($0.step) \($0.tag)" }
    #expect(pictures == [2, 3].flatMap { ["\($0) input", "\($0) reconstruction", "\($0) map/reconstructionError"] })
  }

  @Test("Event files change nothing in the weights, and none are written unless asked for")
  func sameWeights() async throws {
    let run = try await run(epochs: 2)
    let other = TrainerRun(folder: try TemporaryFolder(), data: run.data, configuration: run.configuration)
    _ = try trainer(run, events: run.folder.url.appendingPathComponent("events")).run()
    try other.run()
    #expect(try run.model.arrays == other.model.arrays)
    #expect(try !other.folder.contents().contains("events"))
  }

  @Test("A run that is resumed goes on in a second file, which voids the epochs that come again")
  func resuming() async throws {
    let run = try await run(epochs: 3)
    let events = run.folder.url.appendingPathComponent("events")
    guard case .interrupted = try trainer(run, events: events, stopsAfter: 5).run() else {
      Issue.record("it was not interrupted")
      return
    }
    let second = try trainer(run, events: events)
    try second.resume()
    _ = try second.run()
    let files = try told(in: events)
    try #require(files.count == 2)
    func steps(_ file: Int) -> [Int] { files[file].filter { $0.tag == "loss/reconstruction" }.map(\.step) }
    #expect(steps(0) == [1, 2] && steps(1) == [3])
    #expect(files[1].first.map { "\($0.kind) \($0.step)" } == "r 3")
    let losses = files.flatMap { $0 }.filter { $0.tag == "loss/reconstruction" }.map(\.value)
    #expect(try losses == run.losses().compactMap { $0["reconstruction"].map { Float($0) } })
  }
}
