import Foundation
import MedicalImaging
import Torch

@testable import Norma

/// A method for volumes that is as small as one can be: a 3×3×3 convolution that predicts the first channel from all of them.
///
/// The score is the mean squared error, the map the squared error, the reconstruction the prediction.
final class ConvolutionDetector: AnomalyDetector {
  let convolution: Convolution
  let network: Module
  let scoreNames = ["error"]

  init(channels: Int, seed: Int = 1) throws {
    convolution = try Convolution(
      inputChannels: channels, outputChannels: 1, kernelSize: 3, padding: 1, spatialAxes: 3,
      generator: Generator(seed: UInt64(seed)))
    network = convolution
  }

  var update: TrainingUpdate {
    TrainingUpdate(
      name: "convolution", module: network, options: AdamOptions(learningRate: 0.05), schedule: .constant, interval: 1)
  }
  var stages: [TrainingStage] { [TrainingStage(name: "convolution", updates: [update])] }

  func losses(of update: TrainingUpdate, on batch: Tensor, step: TrainingStep) throws -> Losses {
    let loss = try errors(batch).map.mean()
    return Losses(total: loss, parts: [("error", loss)])
  }

  func fit(_ batches: ((Tensor) throws -> Void) throws -> Void) throws { try batches { _ in } }

  func scoringBatchSize(on device: Device) -> Int { 3 }

  func scores(_ batch: Tensor, named names: Set<String>, areReferences: ReferenceMatch) throws -> [String: Tensor] {
    ["error": try errors(batch).map.mean([1, 2, 3])]
  }

  func explanation(of batch: Tensor) throws -> Explanation {
    let (map, prediction) = try errors(batch)
    let coarse = try map.unsqueezed(1).averagePooled(to: map.shape.dropFirst().map { $0 / 2 }).squeezed(1)
    return Explanation(maps: [("error", map), ("coarse", coarse)], reconstruction: prediction)
  }

  private func errors(_ batch: Tensor) throws -> (map: Tensor, prediction: Tensor) {
    let prediction = try convolution(batch)
    return (try (prediction - batch.sliced(0..<1, axis: 1)).squared().squeezed(1), prediction)
  }
}

extension Fixtures {
  /// A smooth volume of 0 ... 10 that follows from a seed, with an affine of its own.
  static func volume(_ seed: Int, extents: [Int] = [4, 6, 8]) -> Volume3D {
    var random = SeededGenerator(seed: UInt64(seed))
    let phases = (0..<3).map { _ in Float(random.index(below: 100)) / 16 }
    let (depth, height, width) = (extents[0], extents[1], extents[2])
    let samples = (0..<depth * height * width).map { index -> Float in
      let (x, y, z) = (index % width, index / width % height, index / (width * height))
      let waves = sin(Float(x) / 2 + phases[0]) + cos(Float(y) / 2 + phases[1]) + sin(Float(z) / 2 + phases[2])
      return (waves + 3) / 6 * 10
    }
    let affine = Affine3D(
      x: SIMD3(2, 0, 0), y: SIMD3(0, 2, 0), z: SIMD3(0, 0, 4), origin: SIMD3(Double(seed), 10, 20))
    return Volume3D(width: width, height: height, depth: depth, samples: samples, affine: affine)
  }

  /// What a network for volumes takes: 0 ... 10 becomes 0 ... 1.
  static func volumes(_ extents: [Int] = [4, 6, 8], channels: Int = 1) -> InputSpecification {
    var intensity = InputConfiguration()
    (intensity.intensity, intensity.window, intensity.pairedWindow) = (.unit, [0, 10], [-10, 10])
    return InputSpecification(extents: extents, channels: channels, intensity: intensity)
  }
}

extension TemporaryFolder {
  /// Writes a volume as NIfTI and gives its path.
  @discardableResult
  func write(_ name: String, _ volume: Volume3D, as sample: NIfTI.Sample = .float32) throws -> String {
    let file = url.appendingPathComponent(name)
    try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try NIfTI.write(volume, to: file.path, as: sample)
    return file.path
  }
}
