import Foundation
import Testing

@testable import Norma
@testable import Torch

/// The networks and values that `Scripts/golden/memmc_mae.py` wrote: `mae` from PyTorch's stock layers, the others from the
/// formulas written out in `Benchmarks/pytorch/memmc_mae.py`.
enum MemMCMAEGolden: String, CaseIterable, Sendable {
  case mae
  case memoryMesh = "memory-mesh"
  case last
  case subset

  func values() throws -> [String: Tensor] {
    let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("Golden/MemMCMAE/\(rawValue).safetensors")
    return Dictionary(
      uniqueKeysWithValues: try SafetensorsFile(contentsOf: file).arrays().map { ($0.name, try $0.tensor()) })
  }

  var configuration: MemMCMAEConfiguration {
    var settings = MemMCMAEConfiguration()
    (settings.imageSize, settings.patchSize) = (32, 8)
    (settings.encoderDepth, settings.encoderWidth, settings.encoderHeads) = (2, 16, 2)
    (settings.decoderDepth, settings.decoderWidth, settings.decoderHeads) = (1, 12, 3)
    switch self {
    case .mae: (settings.decoderDepth, settings.memorySlots, settings.crossAttention) = (2, 0, .none)
    case .memoryMesh: (settings.encoderDepth, settings.decoderDepth, settings.memorySlots) = (3, 2, 6)
    case .last: (settings.memorySlots, settings.crossAttention) = (5, .lastLevel)
    case .subset:
      (settings.encoderDepth, settings.memorySlots, settings.meshedLevels, settings.maskRatio) = (3, 3, 2, 0.5)
    }
    return settings
  }

  /// The network with the golden weights, which must be all of its weights and no others.
  func network(_ values: [String: Tensor]) throws -> MemMCMAENetwork {
    let network = try configuration.network()
    let keys = Set(values.keys.filter { $0.hasPrefix("network.") }.map { String($0.dropFirst(8)) })
    try #require(keys == Set(network.namedParameters.map(\.key)))
    for (key, parameter) in network.namedParameters { try parameter.assign(#require(values["network.\(key)"])) }
    return network
  }
}

@Suite("MemMC-MAE computes what independent programs compute")
struct MemMCMAEParityTests {
  private func mask(_ golden: MemMCMAEGolden, _ values: [String: Tensor]) throws -> PatchMask {
    try PatchMask(noise: #require(values["noise"]), visibleCount: golden.configuration.visiblePatches)
  }

  @Test("Predictions of every patch agree", arguments: MemMCMAEGolden.allCases)
  func predictions(_ golden: MemMCMAEGolden) throws {
    let values = try golden.values()
    let network = try golden.network(values)
    let patches = try network.layout.patches(of: #require(values["image"]))
    let prediction = try network(patches, mask: mask(golden, values))
    #expect(try largestDifference(prediction, #require(values["prediction"])) < 2e-6)
  }

  @Test("The loss and its gradients agree", arguments: MemMCMAEGolden.allCases)
  func gradients(_ golden: MemMCMAEGolden) throws {
    let values = try golden.values()
    let network = try golden.network(values)
    let patches = try network.layout.patches(of: #require(values["image"]))
    let mask = try mask(golden, values)
    let loss = try MemMCMAELosses.hiddenPatches(network(patches, mask: mask), patches, hidden: mask.hidden)
    #expect(try abs(loss.item() - #require(values["loss"]).item()) < 1e-6)
    try loss.backward()
    let keys = values.keys.filter { $0.hasPrefix("gradient.") }
    #expect(keys.count >= 5)
    for key in keys {
      let expected = try #require(values[key])
      let gradient = try #require(try network.parameter(String(key.dropFirst(9))).tensor.gradient)
      let scale = try expected.abs().maximum().item()
      #expect(try largestDifference(gradient, expected) < 1e-5 * max(scale, 0.1), "\(key)")
    }
  }
}
