import Foundation
import Testing

@testable import Norma
@testable import Torch

/// The networks and values that `Scripts/golden/simsid.py` wrote.
enum SimSIDGolden: String, CaseIterable, Sendable {
  case matrixGrid2 = "matrix-grid2"
  case queueGrid2 = "queue-grid2"
  case matrixGrid4 = "matrix-grid4"
  case queueGrid4 = "queue-grid4"
  case matrixPerPatch = "matrix-per-patch"

  var folder: URL {
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("Golden/SimSID/\(rawValue)")
  }
  var model: URL { folder.appendingPathComponent("model.pth") }
  var discriminator: URL { folder.appendingPathComponent("discriminator.pth") }

  var isQueue: Bool { self == .queueGrid2 || self == .queueGrid4 }

  /// k of the shrinkage, which no file holds.
  var activeItems: Int {
    switch self {
    case .matrixGrid2, .queueGrid4: 5
    case .queueGrid2, .matrixGrid4: 3
    case .matrixPerPatch: 4
    }
  }

  var options: SimSIDImport.Options {
    var options = SimSIDImport.Options()
    options.inpaintMemory = isQueue ? .queue : .matrix
    options.activeItems = activeItems
    return options
  }

  func checkpoint() throws -> Checkpoint {
    try SimSIDImport.checkpoint(model: model, discriminator: discriminator, options: options)
  }

  func detector() throws -> SimSIDDetector { try #require(try checkpoint().makeDetector() as? SimSIDDetector) }

  func network() throws -> SimSIDNetwork { try #require(try detector().network as? SimSIDNetwork) }

  func values() throws -> [String: Tensor] {
    let file = try SafetensorsFile(contentsOf: folder.appendingPathComponent("golden.safetensors"))
    return Dictionary(uniqueKeysWithValues: try file.arrays().map { ($0.name, try $0.tensor()) })
  }

  /// Both files, to be changed before they are imported.
  func weights() throws -> (model: [StoredArray], discriminator: [StoredArray]) {
    (try PyTorchStateDict(contentsOf: model).arrays, try PyTorchStateDict(contentsOf: discriminator).arrays)
  }
}

extension SimSIDOfficialWeights {
  /// Files that lie nowhere.
  init(model: [StoredArray], discriminator: [StoredArray]) {
    self.init(
      model: SimSIDOfficialFile(path: "/data/model.pth", arrays: model),
      discriminator: SimSIDOfficialFile(path: "/data/discriminator.pth", arrays: discriminator))
  }
}

/// The largest absolute difference of two tensors of as many elements.
func largestDifference(_ a: Tensor, _ b: Tensor) throws -> Double {
  let (a, b) = (try a.detached().to(.float64).reshaped([-1]), try b.detached().to(.float64).reshaped([-1]))
  try #require(a.shape == b.shape)
  return try (a - b).abs().maximum().item()
}

extension Module {
  /// The parameter under a key.
  func parameter(_ key: String) throws -> Parameter {
    try #require(namedParameters.first { $0.key == key }?.parameter, "no \(key)")
  }

  /// Keys of trainable tensors whose gradient is there and not zero.
  func keysWithGradient() throws -> Set<String> {
    var keys: Set<String> = []
    for (key, parameter) in namedParameters where parameter.isTrainable {
      if let gradient = try parameter.tensor.gradient, try gradient.abs().maximum().item() > 0 { keys.insert(key) }
    }
    return keys
  }
}

extension SimSIDConfiguration {
  /// A network of 32 × 32 pixels that builds and runs in no time.
  static var tiny: SimSIDConfiguration {
    var tiny = SimSIDConfiguration()
    tiny.imageSize = 32
    tiny.patchGrid = 2
    tiny.width = 2
    tiny.slots = 8
    return tiny
  }

  /// `tiny` with changes.
  static func tiny(_ change: (inout SimSIDConfiguration) -> Void) -> SimSIDConfiguration {
    var configuration = tiny
    change(&configuration)
    return configuration
  }
}

/// Smooth images `[count, 1, side, side]` in −1 ... 1.
func smoothImages(_ count: Int, side: Int, seed: UInt64) throws -> Tensor {
  try Generator(seed: seed).uniform(-1, 1, shape: [count, 1, side / 8, side / 8]).resized(to: [side, side])
}
