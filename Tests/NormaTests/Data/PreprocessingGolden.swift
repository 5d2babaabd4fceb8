import Foundation
import MedicalImaging

@testable import Norma

/// What Scripts/golden/preprocessing.py wrote.
struct PreprocessingGolden: Decodable {
  struct Percentile: Decodable {
    let values: [Float]
    let percents: [Double]
    let expected: [Float]
  }
  struct Padding: Decodable {
    let extents: [Int]
    let network: [Int]
    let samples: [Float]
    let expected: [Float]
  }
  struct Placing: Decodable {
    let extents: [Int]
    let spacing: [Double]
    let target: [Double]
    let network: [Int]
    let samples: [Float]
    let expected: [Float]
    let map: [Float]
    let back: [Float]
  }
  struct Equalisation: Decodable {
    let extents: [Int]
    let tiles: Int
    let clipLimit: Double
    let levels: [Float]
    let expected: [Float]
  }
  struct Threshold: Decodable {
    let values: [Float]
    let expected: Float
  }
  let percentiles: [Percentile]
  let padding: [Padding]
  let placing: [Placing]
  let equalisation: [Equalisation]
  let thresholds: [Threshold]

  static func load() throws -> PreprocessingGolden {
    let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("Golden/Preprocessing/golden.json")
    return try JSONDecoder().decode(PreprocessingGolden.self, from: Data(contentsOf: file))
  }
}

extension Fixtures {
  /// 0 ... 1 over 0 ... 1, and what `change` makes of that.
  static func input(_ change: (inout InputConfiguration) -> Void) -> InputConfiguration {
    var input = InputConfiguration()
    (input.intensity, input.window) = (.unit, [0, 1])
    change(&input)
    return input
  }

  /// A volume along the patient's axes.
  static func volume(_ samples: [Float], extents: [Int], spacing: [Double]) -> Volume3D {
    Volume3D(
      width: extents[2], height: extents[1], depth: extents[0], samples: samples,
      affine: Affine3D(spacing: SIMD3(spacing[2], spacing[1], spacing[0])))
  }
}
