import Foundation
import Testing

@testable import Norma
@testable import Torch

@Suite("Import of official SimSID and SQUID weights")
struct SimSIDImportTests {
  @Test("Names and shapes give the configuration", arguments: SimSIDGolden.allCases)
  func configuration(_ golden: SimSIDGolden) throws {
    let checkpoint = try golden.checkpoint()
    var expected = SimSIDConfiguration.tiny
    expected.activeItems = golden.activeItems
    expected.scoring = .reconstructionLogit
    expected.discriminatorChannels = 64
    if golden.isQueue { expected.inpaintMemory = .queue }
    if golden.rawValue.hasSuffix("grid4") { expected.patchGrid = 4 }
    if golden == .matrixPerPatch {
      expected.slots = 6
      expected.decoderMemories = [.perPatch, .perPatch]
    }
    if !golden.rawValue.hasSuffix("grid2") {
      expected.imageSize = 64
      expected.discriminatorChannels = 128
    }
    #expect(checkpoint.metadata.configuration.detector == DetectorSettings(expected))
    #expect(checkpoint.metadata.configuration.input.intensity == .symmetric)
    #expect(checkpoint.metadata.origin.imported == ["model.pth", "discriminator.pth"])
    #expect(checkpoint.metadata.calibration.scores.isEmpty)
  }

  @Test("The legacy and the zip format are both among the golden files")
  func formats() throws {
    #expect(try Data(contentsOf: SimSIDGolden.matrixGrid2.model).first == 0x80)
    #expect(try Data(contentsOf: SimSIDGolden.queueGrid2.model).prefix(2) == Data("PK".utf8))
  }

  @Test("An imported checkpoint survives its file")
  func roundTrip() throws {
    let checkpoint = try SimSIDGolden.matrixGrid2.checkpoint()
    let file = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID().uuidString).safetensors")
    defer { try? FileManager.default.removeItem(at: file) }
    try checkpoint.write(to: file)
    let read = try Checkpoint(contentsOf: file)
    #expect(read.metadata == checkpoint.metadata)
    let (ours, theirs) = (try checkpoint.makeDetector(), try read.makeDetector())
    for ((key, a), (_, b)) in zip(ours.network.namedParameters, theirs.network.namedParameters) {
      #expect(try largestDifference(a.tensor, b.tensor) == 0, "\(key)")
    }
  }

  @Test("Without teacher there is no distillation, without decoder memories there are none")
  func partsMissing() throws {
    var (model, discriminator) = try SimSIDGolden.matrixGrid4.weights()
    discriminator.removeAll { $0.name.hasSuffix("num_batches_tracked") }
    model.removeAll { $0.name.hasPrefix("teacher_") || $0.name.hasPrefix("memory_blocks.1.") }
    let weights = SimSIDOfficialWeights(model: model, discriminator: discriminator)
    let checkpoint = try SimSIDImport.checkpoint(weights, options: SimSIDGolden.matrixGrid4.options)
    guard let settings = checkpoint.metadata.configuration.detector.settings as? SimSIDConfiguration else { return }
    #expect(settings.distillation == false)
    #expect(settings.decoderMemories == [.windows, .none])
    _ = try checkpoint.makeDetector()
  }

  // MARK: SQUID

  /// The files of a case as SQUID's program would have written them, reordered by plain loops.
  private func squid(_ golden: SimSIDGolden, sides: [Int]) throws -> SimSIDOfficialWeights {
    var (model, discriminator) = try golden.weights()
    model.removeAll { $0.name.hasPrefix("inpaint_block.conv.") }
    for index in model.indices where model[index].name.hasPrefix("memory_blocks.") {
      let parts = model[index].name.split(separator: ".")
      let level = try #require(Int(parts[1]))
      let (rows, width) = (model[index].shape[0], model[index].shape[1])
      let cells = sides[level] * sides[level]
      let channels = width / cells
      let values = try model[index].tensor().values()
      var moved = values
      for row in 0..<rows {
        for channel in 0..<channels {
          for cell in 0..<cells {
            moved[row * width + cell * channels + channel] = values[row * width + channel * cells + cell]
          }
        }
      }
      let name = "memory_blocks.\(3 - level).memory.\(parts[3]).memMatrix"
      model[index] = try StoredArray(name: name, Tensor(moved, shape: [rows, width]))
    }
    return SimSIDOfficialWeights(model: model, discriminator: discriminator)
  }

  @Test("SQUID's memories are found and put into our order")
  func squidMemories() throws {
    // Windows of patch maps of 2·h and 4·h pixels, halved; per patch they are whole.
    let layouts: [(SimSIDGolden, [Int])] = [
      (.matrixGrid4, [1, 2]), (.queueGrid2, [1, 2]), (.matrixPerPatch, [4, 8]),
    ]
    for (golden, sides) in layouts {
      var options = golden.options
      options.output = .tanh
      let weights = try squid(golden, sides: sides)
      #expect(weights.areSQUID)
      let detector = try SimSIDImport.checkpoint(weights, options: options).makeDetector()
      for (key, parameter) in try golden.detector().network.namedParameters {
        #expect(try largestDifference(detector.network.parameter(key).tensor, parameter.tensor) == 0, "\(key)")
      }
    }
  }

  @Test("Without decoder memories the discriminator tells SQUID from SimSID")
  func squidDiscriminator() throws {
    for (channels, isSQUID) in [(128, true), (256, false)] {
      let last = try StoredArray(name: "conv_model.11.weight", .zeros([channels, 128, 1, 1]))
      #expect(SimSIDOfficialWeights(model: [], discriminator: [last]).areSQUID == isSQUID)
      let unused = try StoredArray(name: "inpaint_block.conv.weight", .zeros([1]))
      #expect(!SimSIDOfficialWeights(model: [unused], discriminator: [last]).areSQUID)
    }
  }

  @Test("SQUID's networks default to sigmoid, unit range and queue")
  func squidDefaults() throws {
    let checkpoint = try SimSIDImport.checkpoint(squid(.queueGrid2, sides: [1, 2]), options: .init())
    guard let settings = checkpoint.metadata.configuration.detector.settings as? SimSIDConfiguration else { return }
    #expect(settings.output == .sigmoid)
    #expect(settings.inpaintMemory == .queue)
    #expect(settings.activeItems == 5)
    #expect(checkpoint.metadata.configuration.input.intensity == .unit)
  }
}
