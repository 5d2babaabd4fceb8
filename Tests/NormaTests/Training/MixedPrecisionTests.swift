import Evaluation
import Foundation
import MedicalImaging
import Testing

@testable import Norma
@testable import Torch

@Suite("Mixed precision")
struct MixedPrecisionTests {
  private static let native = Device.cpu.hasNativeBFloat16

  /// A run on 16 phantoms without augmentation.
  private func run(_ configuration: RunConfiguration) async throws -> TrainerRun {
    var configuration = configuration
    (configuration.augmentation.translation, configuration.augmentation.scale) = (0, 0)
    let files = try TemporaryFolder()
    let training = try await Fixtures.phantoms(16, seed: 100, for: configuration, in: files)
    return TrainerRun(
      folder: try TemporaryFolder(), data: TrainingData(training: training, fingerprint: "abc"),
      configuration: configuration)
  }

  private static func mixed(_ configuration: RunConfiguration) -> RunConfiguration {
    var mixed = configuration
    mixed.training.precision = .bfloat16
    return mixed
  }

  private static var memMCMAE: RunConfiguration {
    var configuration = RunConfiguration(
      detector: DetectorSettings(MemMCMAEConfiguration.tiny { $0.baseLearningRate = 0.1 }))
    (configuration.training.epochs, configuration.training.batchSize) = (6, 8)
    return configuration
  }

  private static var tokenMasking: RunConfiguration {
    RunConfiguration(
      detector: DetectorSettings(
        TokenMaskingConfiguration.tiny {
          $0.autoencoder.epochs = 6
          $0.autoencoder.learningRate = 3e-3
        }))
  }

  // MARK: What is asked for, and what there is

  @Test("Names are read in any case; auto is what the device has")
  func names() {
    typealias Precision = TrainingConfiguration.Precision
    #expect(Precision(parsing: "float32", for: .cpu) == .float32)
    #expect(Precision(parsing: "BF16", for: .cpu) == .bfloat16)
    #expect(Precision(parsing: "bfloat16", for: .cpu) == .bfloat16)
    #expect(Precision(parsing: "auto", for: .cpu) == (Self.native ? .bfloat16 : .float32))
    #expect(Precision(parsing: "half", for: .cpu) == nil)
  }

  @Test("Without instructions for it bfloat16 gives way to float32, with one sentence")
  func withoutInstructions() throws {
    let precision = MixedPrecision(.bfloat16, on: .cpu, isNative: false)
    #expect(precision.format == .float32)
    #expect(precision.warning == "this processor has no instructions for bfloat16; computing in float32")
    let ones = try Tensor.ones([2, 2])
    #expect(try precision { try ones.matmul(ones).dtype } == .float32)
    #expect(MixedPrecision(.float32, on: .cpu, isNative: false).warning == nil)
    let native = MixedPrecision(.bfloat16, on: .cpu, isNative: true)
    #expect(native.warning == nil)
    #expect(try native { try ones.matmul(ones).dtype } == .bfloat16)
  }

  @Test("An operator that bfloat16 lacks is done again in float32; other failures stay failures")
  func retrying() throws {
    let precision = MixedPrecision(.bfloat16, on: .cpu, isNative: true)
    var (attempts, restored) = (0, 0)
    #expect(throws: TorchError("add", "shapes do not fit")) {
      try precision.retrying {
        throw TorchError("add", "shapes do not fit")
      } restore: {
        restored += 1
      }
    }
    #expect(precision.format == .bfloat16 && restored == 0)
    func work() throws -> DType {
      attempts += 1
      let product = try precision { try Tensor.ones([2, 2]).matmul(.ones([2, 2])) }
      if product.dtype == .bfloat16 { throw TorchError("cholesky", "not implemented for 'BFloat16'") }
      return product.dtype
    }
    #expect(try precision.retrying(work) { restored += 1 } == .float32)
    #expect(attempts == 2 && restored == 1)
    #expect(precision.warning == "there is no 'cholesky' in bfloat16 on cpu; computing in float32")
    #expect(try precision.retrying(work) == .float32)
    #expect(attempts == 3)
    let error = TorchError("cholesky", "not implemented for 'BFloat16'")
    #expect(throws: error) { try precision.retrying { throw error } }
  }

  /// Learns a number by a product, and cannot do so in bfloat16.
  private final class Stubborn: AnomalyDetector {
    let network: Module
    private let linear: Linear
    var fitted: [String: Tensor] = [:]
    let scoresInMixedPrecision = true
    let scoreNames = ["none"]
    var drawn: [[Double]] = []
    init() throws {
      linear = try Linear(inputs: 4, outputs: 1, generator: Generator(seed: 1))
      network = linear
    }
    var stages: [TrainingStage] {
      [
        TrainingStage(
          name: "only",
          updates: [
            TrainingUpdate(
              name: "linear", module: linear, options: AdamOptions(learningRate: 0.1), schedule: .constant, interval: 1)
          ])
      ]
    }
    func losses(of update: TrainingUpdate, on batch: Tensor, step: TrainingStep) throws -> Losses {
      let noise = try step.random.normal(shape: [4, 4])
      drawn.append(try noise.values(as: Double.self))
      let output = try linear(noise)
      if output.dtype == .bfloat16 { throw TorchError("cholesky", "not implemented for 'BFloat16'") }
      let loss = try output.squared().mean()
      return Losses(total: loss, parts: [("loss", loss)])
    }
    func didApply(_ update: TrainingUpdate) throws {}
    func fit(_ batches: ((Tensor) throws -> Void) throws -> Void) throws {}
    func scores(_ batch: Tensor, named names: Set<String>, areReferences: ReferenceMatch) throws -> [String: Tensor] {
      let score = try linear(batch.reshaped([batch.extent(0), 4]))
      if score.dtype == .bfloat16 { throw TorchError("cholesky", "not implemented for 'BFloat16'") }
      return ["none": try score.squeezed(1)]
    }
    func explanation(of batch: Tensor) throws -> Explanation { Explanation(maps: [], reconstruction: nil) }
  }

  @Test("A training that bfloat16 stops goes on with the random numbers and weights of a run in float32")
  func fallbackInTraining() throws {
    func weights(_ precision: MixedPrecision) throws -> (values: [Double], detector: Stubborn) {
      let detector = try Stubborn()
      let runner = try StageRunner(detector.stages[0], of: detector, precision: precision)
      let random = try Generator(seed: 4)
      for _ in 0..<3 { _ = try runner.run(TrainingStep(due: ["linear"], random: random), on: .zeros([1])) }
      return (
        try detector.network.namedParameters.flatMap { try $0.parameter.tensor.values(as: Double.self) }, detector
      )
    }
    let mixed = MixedPrecision(.bfloat16, on: .cpu, isNative: true)
    let (found, expected) = (try weights(mixed), try weights(MixedPrecision(.float32, on: .cpu)))
    #expect(found.values == expected.values)
    #expect(found.detector.drawn == [expected.detector.drawn[0]] + expected.detector.drawn)
    #expect(mixed.format == .float32 && mixed.warning != nil)
  }

  // MARK: Training

  @Test(
    "In bfloat16 training goes as in float32", .enabled(if: native), arguments: ["student", "reconstruction", "pixels"])
  func training(_ name: String) async throws {
    let configuration =
      switch name {
      case "student": Fixtures.tinySimSID(epochs: 6)
      case "reconstruction": Self.memMCMAE
      default: Self.tokenMasking
      }
    let (single, mixed) = (try await run(configuration), try await run(Self.mixed(configuration)))
    let again = try await run(Self.mixed(configuration))
    for run in [single, mixed, again] { try run.run() }
    let losses = try [single, mixed].map { try $0.losses().compactMap { $0[name] } }
    let start = losses[0][0] - losses[0][5]
    #expect(start > 0.01 * losses[0][0])
    // The same fall to a tenth: a step is off by some per cent of itself, in random directions.
    for (a, b) in zip(losses[0], losses[1]) { #expect(abs(a - b) < 0.1 * start + 0.01 * a) }
    #expect(losses[0] != losses[1])
    let (first, second) = (try mixed.model.arrays, try again.model.arrays)
    #expect(first.filter { second[$0.key] != $0.value }.keys.sorted() == [])
    #expect(first.filter { $0.value.dtype == .bfloat16 }.keys.sorted() == [])
    #expect(try mixed.model.metadata.origin.precision == "bfloat16")
    #expect(try single.model.metadata.origin.precision == "float32")
    #expect(try mixed.events("start").first?["precision"] as? String == "bfloat16")
    #expect(try mixed.events("warning").isEmpty)
  }

  // MARK: Scoring

  /// Methods, small, and how far a score may move, in its standard deviations over the images.
  private static func methods() throws -> [RunConfiguration] {
    var autoencoder = RunConfiguration(detector: DetectorSettings(AutoencoderConfiguration.tiny()))
    (autoencoder.training.epochs, autoencoder.training.batchSize) = (4, 8)
    return [Fixtures.tinySimSID(epochs: 4), memMCMAE, tokenMasking, autoencoder]
  }

  @Test("Scores in bfloat16 rank images as those in float32 do", .enabled(if: native), arguments: 0..<4)
  func scoring(_ index: Int) async throws {
    let run = try await run(Self.methods()[index])
    try run.run()
    let files = try TemporaryFolder()
    let images = try await Fixtures.phantoms(120, abnormal: 60, seed: 900, for: run.configuration, in: files)
    let labels = try #require(images.abnormalities)
    let checkpoint = try run.model
    let single = try Scorer(checkpoint: checkpoint, device: .cpu)
    let mixed = try Scorer(checkpoint: checkpoint, device: .cpu, precision: .bfloat16)
    let (expected, found) = (try single.rawScores(of: images), try mixed.rawScores(of: images))
    #expect(single.warning == nil)
    guard mixed.detector.scoresInMixedPrecision else {
      #expect(found == expected)
      #expect(
        mixed.warning == "bfloat16 may change the scores of this method; computing in float32")
      return
    }
    #expect(mixed.warning == nil)
    #expect(expected.keys == found.keys)
    let main = single.detector.scoreNames[0]
    let (a, b) = (try #require(expected[main]), try #require(found[main]))
    #expect(a != b)
    let areas = try [a, b].map { try auroc(LabelledScores(scores: $0, labels: labels)) }
    #expect(abs(areas[0] - areas[1]) <= 0.002)
    let mean = a.reduce(0, +) / Double(a.count)
    let deviation = (a.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(a.count)).squareRoot()
    #expect(largestDifference(a, b) < 0.1 * deviation)
    var (maps, largest) = ([Float](), Float(0))
    try single.score(images.prefix(4), explains: true) { maps += $0.maps[0].map.values }
    try mixed.score(images.prefix(4), explains: true) { result in
      largest = max(
        largest, largestDifference(result.maps[0].map.values, Array(maps.prefix(result.maps[0].map.values.count))))
      maps.removeFirst(result.maps[0].map.values.count)
    }
    #expect(largest > 0 && largest.isFinite)
  }

  @Test("Frozen weights change no bit of the scores in float32")
  func freezing() async throws {
    let run = try await run(Fixtures.tinySimSID(epochs: 2))
    try run.run()
    let checkpoint = try run.model
    let detector = try checkpoint.makeDetector()
    let batch = try smoothImages(3, side: 32, seed: 4)
    let free = try withoutGradients {
      try detector.scores(batch, areReferences: false).mapValues { try $0.values(as: Double.self) }
    }
    try detector.network.freeze(as: nil)
    let frozen = try withoutGradients {
      try detector.scores(batch, areReferences: false).mapValues { try $0.values(as: Double.self) }
    }
    #expect(free == frozen)
  }

  @Test("A scorer without the operators scores in float32, and says so")
  func fallbackInScoring() async throws {
    let detector = try Stubborn()
    let specification = Fixtures.unit(2)
    let precision = MixedPrecision(.bfloat16, on: .cpu, isNative: true)
    let scorer = Scorer(
      detector, specification: specification, calibration: Calibration(scores: [:], mapRanges: [:]), device: .cpu,
      precision: precision)
    let files = try TemporaryFolder()
    let items = try (0..<3).map { index in
      let name = "\(index).png"
      return DataItem(
        name: name, path: try files.write(name, Fixtures.image(index, width: 2, height: 2)), label: .normal)
    }
    let images = try await PreparedImages(items, for: specification)
    let found = try scorer.rawScores(of: images)
    let plain = Scorer(
      try Stubborn(), specification: specification, calibration: Calibration(scores: [:], mapRanges: [:]), device: .cpu)
    #expect(try found == plain.rawScores(of: images))
    #expect(scorer.warning == "there is no 'cholesky' in bfloat16 on cpu; computing in float32")
  }

  @Test("Other steps of scoring stay in float32: bands of energy, Gaussian filters, nearest codes")
  func statistics() throws {
    let images = try smoothImages(2, side: 32, seed: 3)
    let energies = try BandEnergies(sigmas: [1, 2], side: 32, grid: 4, keepsRest: true)
    let filter = try GaussianFilter(sigma: 2, sides: [32, 32], dtype: .float32, on: .cpu)
    let quantiser = try VectorQuantiser(
      codes: 64, width: 4, commitment: 0.25, parity: false, generator: Generator(seed: 1))
    let vectors = try Generator(seed: 2).normal(shape: [8, 4, 6, 6])
    func results() throws -> [[Double]] {
      try [
        energies(images).values(as: Double.self), filter(images).values(as: Double.self),
        quantiser(vectors, update: nil).codes.values(as: Double.self),
      ]
    }
    #expect(try withAutocast(.bfloat16, on: .cpu) { try results() } == results())
  }
}
