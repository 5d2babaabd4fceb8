import Foundation
import Testing

@testable import Norma
@testable import Torch

/// What `Scripts/golden/features.py` wrote.
struct FeatureGolden: Decodable {
  struct Name: Decodable, Equatable {
    let name: String
    let shape: [Int]
    init(name: String, shape: [Int]) { (self.name, self.shape) = (name, shape) }
    init(from decoder: any Decoder) throws {
      var values = try decoder.unkeyedContainer()
      (name, shape) = (try values.decode(String.self), try values.decode([Int].self))
    }
  }
  struct Shrinkage: Decodable {
    let rows: Int
    let values: [Double]
    let expected: Double
  }
  struct Width: Decodable {
    let count: Int
    let error: Double
    let expected: Int
  }
  let names: [String: [Name]]
  let shrinkage: [Shrinkage]
  let widths: [Width]

  static var folder: URL {
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("Golden/Features")
  }

  static func load() throws -> FeatureGolden {
    try JSONDecoder().decode(
      FeatureGolden.self, from: Data(contentsOf: folder.appendingPathComponent("golden.json")))
  }

  static func arrays() throws -> [String: Tensor] {
    let file = try SafetensorsFile(contentsOf: folder.appendingPathComponent("backbones.safetensors"))
    return Dictionary(uniqueKeysWithValues: try file.arrays().map { ($0.name, try $0.tensor()) })
  }

  /// The values of the `n`-th tensor of a golden network.
  static func pattern(_ name: String, _ shape: [Int], _ n: Int) -> [Double] {
    let count = shape.reduce(1, *)
    return (0..<count).map { i in
      let wave = sin(12.9898 * Double(i) + 78.233 * Double(n))
      if shape.count == 4 { return wave * (2 / Double(shape[0] * shape[2] * shape[3])).squareRoot() }
      if name.hasSuffix("runningVariance") { return 1 + 0.3 * wave }
      return name.hasSuffix("weight") ? 1 + 0.2 * wave : 0.1 * wave
    }
  }
}

extension BackboneConfiguration {
  /// A narrow ResNet-18.
  static func tiny(_ change: (inout BackboneConfiguration) -> Void = { _ in }) -> BackboneConfiguration {
    var tiny = BackboneConfiguration()
    tiny.width = 4
    change(&tiny)
    return tiny
  }
}

/// The three methods with a narrow backbone at 32 × 32.
enum FeatureMethod: CaseIterable, Sendable {
  case cutPaste, padim, patchCore

  func run(
    _ backbone: BackboneConfiguration = .tiny(), side: Int = 32, epochs: Int = 1
  ) -> RunConfiguration {
    let settings: any DetectorConfiguration
    switch self {
    case .cutPaste:
      var own = CutPasteConfiguration()
      (own.imageSize, own.backbone) = (side, backbone)
      settings = own
    case .padim:
      var own = PaDiMConfiguration()
      (own.imageSize, own.backbone, own.channels, own.smoothing) = (side, backbone, 10, 0)
      settings = own
    case .patchCore:
      var own = PatchCoreConfiguration()
      (own.imageSize, own.backbone, own.bankShare, own.smoothing) = (side, backbone, 0.2, 0)
      settings = own
    }
    var run = RunConfiguration(detector: DetectorSettings(settings))
    (run.training.epochs, run.training.batchSize) = (epochs, 8)
    return run
  }
}
