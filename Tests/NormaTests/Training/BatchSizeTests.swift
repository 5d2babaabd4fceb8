import Foundation
import MedicalImaging
import Testing
import Torch

@testable import Norma

@Suite("Batch sizes by memory")
struct BatchSizeTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  @Test("A size is a number of at least one, or auto")
  func parsing() {
    #expect(BatchSize("auto") == .automatic && BatchSize("12") == .fixed(12))
    #expect(["0", "-3", "many", "", "1.5"].allSatisfy { BatchSize($0) == nil })
  }

  @Test("Memory that was counted at small sizes tells that of a larger one, which is then counted")
  func line() throws {
    let configuration = Self.autoencoder(average: 0.9)
    let memory = try TrainingMemory(of: configuration, on: .cpu)
    #expect(memory.steps.map(\.size) == [2, 4, 8, 16, 32])
    #expect(zip(memory.steps, memory.steps.dropFirst()).allSatisfy { $0.bytes < $1.bytes })
    let counted = try TrainingMemory.step(of: configuration, size: 64, on: .cpu).bytes
    let told = memory.bytes(of: 64) - memory.lasting
    #expect(abs(Double(told - counted)) < 0.05 * Double(counted))
    // Weights, two moments and the average; and fewer without the average.
    let weights = try configuration.makeDetector().network.parameterCount * 4
    #expect(memory.lasting >= 4 * weights && memory.lasting < 5 * weights)
    #expect(try TrainingMemory(of: Self.autoencoder(), on: .cpu, free: 1).lasting < memory.lasting - weights / 2)
    #expect(try TrainingMemory(of: configuration, on: .cpu, free: memory.bytes(of: 4)).steps.map(\.size) == [2, 4])
  }

  private static func autoencoder(average: Double = 0) -> RunConfiguration {
    var settings = AutoencoderConfiguration()
    (settings.imageSize, settings.channels, settings.codeWidth) = (64, [8, 8], 8)
    var configuration = RunConfiguration(detector: DetectorSettings(settings))
    configuration.training.weightAverage = average
    return configuration
  }

  @Test("The choice is the largest power of two that fits into the share that may be used")
  func fitting() throws {
    let memory = try TrainingMemory(of: Self.autoencoder(), on: .cpu)
    func choice(images: Int = 1 << 20, free: Int = .max) throws -> BatchSize.Choice {
      try memory.choice(images: images, free: free, trying: memory.bytes)
    }
    for size in [2, 4, 16, 128] {
      let enough = Self.enough(for: size, by: memory)
      #expect(try choice(free: enough) == .init(size: size, bytes: memory.bytes(of: size), free: enough))
      #expect(try choice(free: enough - 8).size == max(2, size / 2))
    }
    #expect(try choice(images: 16 * 32 - 1).size == 16)
    #expect(try choice(images: 16 * 32).size == 32)
    #expect(try choice(images: 5).size == 2)
  }

  private static func enough(for size: Int, by memory: TrainingMemory) -> Int {
    Int((Double(memory.bytes(of: size)) / BatchSize.usableShare).rounded(.up))
  }

  @Test("A size that was not counted is tried, and halved as long as it takes too much or finds no memory")
  func trying() throws {
    let memory = try TrainingMemory(of: Self.autoencoder(), on: .cpu)
    let free = Self.enough(for: 256, by: memory)
    func sizes(images: Int = 1 << 20, _ found: (Int) throws -> Int) throws -> (tried: [Int], choice: BatchSize.Choice) {
      var tried: [Int] = []
      let choice = try memory.choice(images: images, free: free) { size in
        tried.append(size)
        return try found(size)
      }
      return (tried, choice)
    }
    let expected = try sizes { memory.bytes(of: $0) - 1 }
    #expect(expected.tried == [256])
    #expect(expected.choice == .init(size: 256, bytes: memory.bytes(of: 256) - 1, free: free))
    let large = try sizes { memory.bytes(of: $0) * ($0 > 64 ? 5 : 2) }
    #expect(large.tried == [256, 128, 64])
    #expect(large.choice == .init(size: 64, bytes: 2 * memory.bytes(of: 64), free: free))
    let none = try sizes { _ in try Tensor.zeros([1 << 58]).count }
    #expect(none.tried == [256, 128, 64])
    #expect(none.choice == .init(size: 32, bytes: memory.bytes(of: 32), free: free))
    #expect(try sizes(images: 16 * 32) { _ in 0 }.tried.isEmpty)
    #expect(throws: TorchError.self) { try sizes { _ in throw TorchError("step", "fails") } }
  }

  @Test("What is told of a size that was tried is what its step takes")
  func measured() async throws {
    let configuration = Self.autoencoder()
    let item = DataItem(name: "0", path: try folder.write("0.png", Fixtures.image(0, width: 8, height: 8)))
    let images = try await PreparedImages(
      Array(repeating: item, count: 16 * 64), for: configuration.inputSpecification, memoryLimit: 0)
    let data = TrainingData(training: images, fingerprint: "x")
    let (sized, choice) = try configuration.withBatchSize(.automatic, for: data, device: .cpu, free: 1 << 34)
    let counted = try TrainingMemory.step(of: configuration, size: 64, on: .cpu)
    #expect(sized.training.batchSize == 64 && choice?.size == 64)
    #expect(choice?.bytes == counted.lasting + counted.bytes)
  }

  @Test("A run keeps the size that was found, and a resumed one has it again")
  func stored() async throws {
    let configuration = Fixtures.tinySimSID(epochs: 1)
    let data = TrainingData(
      training: try await Fixtures.phantoms(64, seed: 1, for: configuration, in: folder), fingerprint: "x")
    let (sized, choice) = try configuration.withBatchSize(.automatic, for: data, device: .cpu, free: 1 << 30)
    #expect(choice?.size == 4 && sized.training.batchSize == 4)
    let told = try #require(choice?.description)
    #expect(told.wholeMatch(of: /4 images \(0\.[0-9]{2} of 1\.[0-9]{2} GB that are free\)/) != nil, "\(told)")
    let (fixed, none) = try configuration.withBatchSize(.fixed(32), for: data, device: .cpu)
    #expect(none == nil && fixed.training.batchSize == 32)
    #expect(throws: ConfigurationError.self) { try configuration.withBatchSize(.fixed(1), for: data, device: .cpu) }
    let run = folder.url.appendingPathComponent("run")
    let trainer = try Trainer(fixed, data: data, folder: run, device: .cpu)
    guard case .finished(let file) = try trainer.run() else {
      Issue.record("the run was interrupted")
      return
    }
    #expect(try Checkpoint(contentsOf: file).metadata.configuration.training.batchSize == 32)
    #expect(try Trainer.configuration(in: run).training.batchSize == 32)
  }

  @Test("Methods that take no batch size say so")
  func unused() async throws {
    let yardstick = Fixtures.bandEnergy()
    let data = TrainingData(
      training: try await Fixtures.phantoms(4, seed: 1, for: yardstick, in: folder), fingerprint: "x")
    #expect(throws: BatchSizeError.unused(method: "band-energy", isTrained: false)) {
      try yardstick.withBatchSize(.automatic, for: data, device: .cpu)
    }
    let stages = RunConfiguration(detector: DetectorSettings(.tokenMasking))
    #expect(throws: BatchSizeError.unused(method: "token-masking", isTrained: true)) {
      try stages.withBatchSize(.fixed(8), for: data, device: .cpu)
    }
  }

  /// Takes a megabyte for every image, or as many as it is told, and as long as it is told.
  private final class Slow: AnomalyDetector {
    let network = Module()
    var fitted: [String: Tensor] = [:]
    let stages: [TrainingStage] = []
    let scoreNames = ["nothing"]
    var seconds = 0.0
    let time: (Int) -> Double
    let megabytes: (Int) -> Int
    init(_ megabytes: @escaping (Int) -> Int, _ time: @escaping (Int) -> Double) {
      (self.megabytes, self.time) = (megabytes, time)
    }
    func losses(of update: TrainingUpdate, on batch: Tensor, step: TrainingStep) throws -> Losses {
      throw TorchError("slow", "nothing is trained")
    }
    func didApply(_ update: TrainingUpdate) throws {}
    func fit(_ batches: ((Tensor) throws -> Void) throws -> Void) throws {}
    func scores(_ batch: Tensor, named names: Set<String>, areReferences: ReferenceMatch) throws -> [String: Tensor] {
      seconds += time(batch.extent(0))
      _ = try Tensor.zeros([megabytes(batch.extent(0)) << 18])
      return ["nothing": try .zeros([batch.extent(0)])]
    }
    func explanation(of batch: Tensor) throws -> Explanation { Explanation(maps: [], reconstruction: nil) }
  }

  private func choice(
    images: Int, free: Int, megabytes: @escaping (Int) -> Int = { $0 }, time: @escaping (Int) -> Double
  ) throws -> BatchSize.Choice {
    let detector = Slow(megabytes, time)
    let scorer = Scorer(
      detector, specification: Fixtures.unit(8), calibration: .init(scores: [:], mapRanges: [:]), device: .cpu)
    return try scorer.fastestBatch(images: images, explains: false, free: free) { detector.seconds }
  }

  @Test("Scoring takes the size at which its rate levels off, or what fits, or as many as there are")
  func scoring() throws {
    // A second for every batch and a hundredth for every image: each doubling helps until images outweigh the batch.
    let levelling = { (size: Int) in size <= 16 ? 1.0 : Double(size) / 16 }
    let free = 1 << 34
    #expect(try choice(images: 1000, free: free, time: levelling).size == 16)
    #expect(try choice(images: 10, free: free, time: levelling).size == 8)
    #expect(try choice(images: 1, free: free, time: levelling).size == 1)
    #expect(try choice(images: 1000, free: free) { _ in 1 }.size == 512)
    let narrow = try choice(images: 1000, free: 6 << 20) { _ in 1 }
    #expect(narrow.size == 4 && narrow.bytes >= 4 << 20 && narrow.bytes < 5 << 20)
    // Twice as many images need four times as much, or more than there is: what was found so far is taken.
    let growing = try choice(images: 1000, free: 17 << 20, megabytes: { $0 * $0 }) { _ in 1 }
    #expect(growing.size == 2 && growing.bytes < 5 << 20)
    #expect(try choice(images: 1000, free: free, megabytes: { $0 > 8 ? 1 << 40 : $0 }) { _ in 1 }.size == 8)
  }

  /// Finds no memory for more than two images.
  @Test("A batch that does not fit is told in a sentence that names --batch")
  func outOfMemory() async throws {
    final class Large: AnomalyDetector {
      let network = Module()
      var fitted: [String: Tensor] = [:]
      let stages: [TrainingStage] = []
      let scoreNames = ["nothing"]
      func losses(of update: TrainingUpdate, on batch: Tensor, step: TrainingStep) throws -> Losses {
        throw TorchError("large", "nothing is trained")
      }
      func didApply(_ update: TrainingUpdate) throws {}
      func fit(_ batches: ((Tensor) throws -> Void) throws -> Void) throws {}
      func scores(_ batch: Tensor, named names: Set<String>, areReferences: ReferenceMatch) throws -> [String: Tensor] {
        ["nothing": try .zeros([batch.extent(0) > 2 ? 1 << 58 : batch.extent(0)])]
      }
      func explanation(of batch: Tensor) throws -> Explanation { Explanation(maps: [], reconstruction: nil) }
    }
    let items = try (0..<3).map {
      DataItem(name: "\($0)", path: try folder.write("\($0).png", Fixtures.image($0, width: 8, height: 8)))
    }
    let scorer = Scorer(
      Large(), specification: Fixtures.unit(8), calibration: .init(scores: [:], mapRanges: [:]), device: .cpu)
    let error = BatchSizeError.outOfMemory(size: 3, isTraining: false)
    #expect(throws: error) { try scorer.score(files: items, explains: false) { _ in } }
    #expect(
      error.description == "memory does not suffice for 3 images at once; give a smaller --batch, or --batch auto")
    #expect(try scorer.setBatchSize(.fixed(2), images: 3, explains: false) == nil)
    var scored = 0
    try scorer.score(files: items, explains: false) { _ in scored += 1 }
    #expect(scored == 3)
  }
}
