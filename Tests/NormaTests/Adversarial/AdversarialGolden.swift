import Foundation
import Testing

@testable import Norma
@testable import Torch

/// The networks and values that `Scripts/golden/adversarial.py` wrote, from PyTorch's functions.
struct AdversarialGolden {
  let values: [String: Tensor]

  init(_ name: String) throws {
    let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("Golden/Adversarial/\(name).safetensors")
    values = Dictionary(
      uniqueKeysWithValues: try SafetensorsFile(contentsOf: file).arrays().map { ($0.name, try $0.tensor()) })
  }

  subscript(key: String) -> Tensor { get throws { try #require(values[key], "no \(key)") } }

  /// Puts the golden weights into a network, which must have them and no others.
  func load(into network: Module) throws {
    let keys = Set(values.keys.filter { $0.hasPrefix("network.") }.map { String($0.dropFirst(8)) })
    try #require(keys == Set(network.namedParameters.map(\.key)))
    for (key, parameter) in network.namedParameters { try parameter.assign(self["network.\(key)"]) }
  }
}

/// Runs iterations of one stage of a detector on one batch, as the trainer does.
/// - Returns: the losses' parts of each iteration.
@discardableResult
func train(
  _ detector: any AnomalyDetector, stage: Int = 0, on images: Tensor, iterations: Int, seed: UInt64 = 5
) throws -> [[String: Double]] {
  let runner = try StageRunner(detector.stages[stage], of: detector, precision: MixedPrecision(.float32, on: .cpu))
  let random = try Generator(seed: seed)
  return try (0..<iterations).map { iteration in
    let step = TrainingStep(due: runner.due(in: iteration), random: random, iteration: iteration)
    let parts = try runner.run(step, on: images)
    return Dictionary(uniqueKeysWithValues: try parts.map { ($0.name, try $0.value.item()) })
  }
}

extension Module {
  /// All numbers by key.
  func numbers() throws -> [String: [Float]] {
    Dictionary(uniqueKeysWithValues: try namedParameters.map { ($0.key, try $0.parameter.tensor.detached().values()) })
  }
}

/// Keys whose numbers are no longer the same bits.
func changedKeys(_ before: [String: [Float]], _ after: [String: [Float]]) -> Set<String> {
  Set(before.keys.filter { before[$0] != after[$0] })
}

/// Images with a checkerboard of black and white squares in the middle.
func withDefect(_ images: Tensor) throws -> Tensor {
  let side = images.extent(2)
  var (mask, pattern) = ([Float](repeating: 0, count: side * side), [Float](repeating: 0, count: side * side))
  for row in side / 4..<side * 3 / 4 {
    for column in side / 4..<side * 3 / 4 {
      mask[row * side + column] = 1
      pattern[row * side + column] = (row / 2 + column / 2) % 2 == 0 ? 1 : -1
    }
  }
  let (hole, squares) = (try Tensor(mask, shape: [1, 1, side, side]), try Tensor(pattern, shape: [1, 1, side, side]))
  return try images * (1 - hole) + squares
}
