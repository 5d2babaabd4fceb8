import Foundation
import MedicalImaging
import Phantoms
import Testing
import Torch

@testable import Norma

/// A folder of its own for one test, removed with the last reference to it.
final class TemporaryFolder {
  let url = FileManager.default.temporaryDirectory.appendingPathComponent("norma-\(UUID().uuidString)")

  init() throws { try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true) }

  deinit { try? FileManager.default.removeItem(at: url) }

  /// Writes a file, with the folders that lead to it, and gives its path.
  @discardableResult
  func write(_ name: String, _ content: Data) throws -> String {
    let file = url.appendingPathComponent(name)
    try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try content.write(to: file)
    return file.path
  }

  /// Writes an image as PNG and gives its path.
  @discardableResult
  func write(_ name: String, _ image: Image2D, bitsPerSample: Int = 8) throws -> String {
    try write(name, PNG.encode(image, bitsPerSample: bitsPerSample))
  }

  /// Names of all files and folders directly below, hidden ones included, sorted.
  func contents(of folder: String = "") throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: url.appendingPathComponent(folder).path).sorted()
  }
}

/// Small inputs that several suites share.
enum Fixtures {
  /// An image whose pixels follow from their position and a seed.
  static func image(_ seed: Int, width: Int = 32, height: Int = 32) -> Image2D {
    var random = SeededGenerator(seed: UInt64(seed))
    let samples = (0..<width * height).map { _ in Float(random.index(below: 256)) }
    return Image2D(width: width, height: height, samples: samples, range: 0...255)
  }

  static func unit(_ size: Int) -> InputSpecification {
    var intensity = InputConfiguration()
    intensity.intensity = .unit
    return InputSpecification(size: size, intensity: intensity)
  }

  /// Phantoms prepared for a configuration, written to files and read from them.
  /// - Parameter abnormal: how many of them, at the end, have lesions.
  static func phantoms(
    _ count: Int, abnormal: Int = 0, seed: UInt64, for configuration: RunConfiguration, in folder: TemporaryFolder
  ) async throws -> PreparedImages {
    var settings = ChestPhantom.Configuration()
    settings.size = 64
    settings.lesionContrast = 5
    let phantom = try ChestPhantom(configuration: settings)
    var items: [DataItem] = []
    for index in 0..<count {
      let isAbnormal = index >= count - abnormal
      let made = phantom.image(seed: seed + UInt64(index), lesion: isAbnormal ? .foreignObject : nil)
      let name = "\(seed)-\(index).png"
      items.append(
        DataItem(name: name, path: try folder.write(name, made.image), label: isAbnormal ? .abnormal : .normal))
    }
    return try await PreparedImages(items, for: configuration.inputSpecification)
  }

  /// The smallest SimSID that trains: 32×32, 2×2 patches, width 2, 8 slots, batches of 4.
  static func tinySimSID(epochs: Int = 2) -> RunConfiguration {
    var settings = SimSIDConfiguration()
    settings.imageSize = 32
    settings.patchGrid = 2
    settings.width = 2
    settings.slots = 8
    settings.learningRate = 1e-3
    settings.finalLearningRate = 1e-4
    var configuration = RunConfiguration(detector: DetectorSettings(settings))
    configuration.training.epochs = epochs
    configuration.training.batchSize = 4
    return configuration
  }

  /// The yardstick at 64×64.
  static func bandEnergy() -> RunConfiguration {
    var settings = BandEnergyConfiguration()
    settings.imageSize = 64
    settings.neighbours = 3
    var configuration = RunConfiguration(detector: DetectorSettings(settings))
    configuration.input.intensity = .unit
    return configuration
  }
}

/// What Scripts/golden/norma.py wrote.
struct NormaGolden: Decodable {
  struct Resizing: Decodable {
    let width: Int
    let height: Int
    let size: Int
    let samples: [Float]
    let expected: [Float]
  }
  struct Energies: Decodable {
    let side: Int
    let grid: Int
    let sigmas: [Double]
    let samples: [Float]
    let expected: [Float]
  }
  let resizing: [Resizing]
  let energies: Energies

  static func load() throws -> NormaGolden {
    let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("Golden/Norma/golden.json")
    return try JSONDecoder().decode(NormaGolden.self, from: Data(contentsOf: file))
  }
}

extension Adam {
  /// Adam as an update's options say, which must be Adam's.
  convenience init(_ module: Module, _ options: any OptimiserOptions) throws {
    try self.init(module, #require(options as? AdamOptions))
  }
}

/// The largest absolute difference of two lists; infinity where their lengths differ.
func largestDifference<Value: BinaryFloatingPoint>(_ a: [Value], _ b: [Value]) -> Value {
  a.count == b.count ? zip(a, b).reduce(0) { max($0, abs($1.0 - $1.1)) } : .infinity
}
