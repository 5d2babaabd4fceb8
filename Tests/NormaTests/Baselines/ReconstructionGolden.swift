import Foundation
import Testing

@testable import Norma
@testable import Torch

/// What Scripts/golden/reconstruction.py wrote: networks of PyTorch's own layers.
enum ReconstructionGolden: String, CaseIterable, Sendable {
  case memae, vae, unet

  /// The case's tensors by key.
  func values() throws -> [String: Tensor] {
    let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("Golden/Reconstruction/\(rawValue).safetensors")
    return Dictionary(
      uniqueKeysWithValues: try SafetensorsFile(contentsOf: file).arrays().map { ($0.name, try $0.tensor()) })
  }
}

extension Module {
  /// Takes up the golden weights, which must be all of this network's weights and no others.
  func takeUp(_ values: [String: Tensor]) throws {
    let keys = Set(values.keys.filter { $0.hasPrefix("network.") }.map { String($0.dropFirst(8)) })
    try #require(keys == Set(namedParameters.map(\.key)))
    for (key, parameter) in namedParameters { try parameter.assign(#require(values["network.\(key)"])) }
  }

  /// Compares the gradients of a golden loss with the golden ones.
  func expectGradients(of loss: Tensor, _ values: [String: Tensor]) throws {
    #expect(try abs(loss.item() - #require(values["loss"]).item()) < 1e-6)
    try loss.backward()
    for (key, parameter) in namedParameters where parameter.isTrainable {
      let expected = try #require(values["gradient.\(key)"])
      let gap = try largestDifference(#require(try parameter.tensor.gradient), expected)
      // Sums in another order, as with several threads, differ in the last bits of float32.
      let scale = try expected.abs().maximum().item()
      #expect(gap < 5e-5 * max(scale, 0.1), "\(key) \(gap) of \(scale)")
    }
  }
}

extension AnomalyDetector {
  /// Trains the only stage on one batch for some steps and returns the losses.
  @discardableResult
  func train(on images: Tensor, steps: Int, learningRate: Double = 3e-3) throws -> [Double] {
    let update = try #require(stages.first?.updates.first)
    let optimiser = try Adam(update.module, AdamOptions(learningRate: learningRate))
    let step = TrainingStep(due: [update.name], random: try Generator(seed: 5))
    return try (0..<steps).map { _ in
      let losses = try losses(of: update, on: images, step: step)
      try losses.total.backward()
      try optimiser.step()
      return try losses.total.item()
    }
  }
}

/// Smooth images, `[count, 1, side, side]`, with a bright square of a quarter of the side on each.
func defects(_ count: Int, side: Int, seed: UInt64) throws -> (images: Tensor, square: Range<Int>) {
  let square = side / 2..<side / 2 + side / 4
  let inside = (0..<side).map { square.contains($0) ? 1.0 : 0 }
  let (rows, columns) = (
    try Tensor(inside, shape: [side, 1]).to(.float32), try Tensor(inside, shape: [1, side]).to(.float32)
  )
  let mask = try rows * columns
  let normal = try smoothImages(count, side: side, seed: seed) * 0.3
  return (try normal * (1 - mask) + mask, square)
}
