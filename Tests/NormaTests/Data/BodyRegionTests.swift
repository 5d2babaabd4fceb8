import Foundation
import MedicalImaging
import Phantoms
import Testing
import Torch

@testable import Norma

@Suite("The box around the body")
struct BodyRegionTests {
  @Test("The threshold is scikit-image's threshold_li", arguments: 0..<4)
  func threshold(_ index: Int) throws {
    let golden = try PreprocessingGolden.load().thresholds[index]
    let found = try #require(BodyRegion.threshold(of: golden.values))
    #expect(abs(found - golden.expected) <= 1e-4 * max(1, abs(golden.expected)))
    // What counts is which values lie above it.
    #expect(golden.values.count { $0 > found } == golden.values.count { $0 > golden.expected })
  }

  @Test("Values that are all equal have no threshold, and all of the image is body")
  func constant() throws {
    #expect(BodyRegion.threshold(of: [3, 3, 3]) == nil && BodyRegion.threshold(of: []) == nil)
    let box = try BodyRegion.box(in: [Float](repeating: 2, count: 60), on: ImageGrid(extents: [3, 4, 5]))
    #expect(box == [0..<3, 0..<4, 0..<5])
  }

  /// Air with noise, an ellipsoid of tissue, in it a bladder 40 times as bright, and beside it a bright marker.
  private func body(_ extents: [Int], middle: [Double], radii: [Double]) -> [Float] {
    var random = SeededGenerator(seed: 7)
    let strides = extents.indices.map { extents[($0 + 1)...].reduce(1, *) }
    return (0..<extents.reduce(1, *)).map { sample in
      let place = extents.indices.map { Double(sample / strides[$0] % extents[$0]) + 0.5 }
      func distance(_ scale: Double) -> Double {
        zip(place, zip(middle, radii)).reduce(0) { $0 + pow(($1.0 - $1.1.0) / ($1.1.1 * scale), 2) }
      }
      let noise = Float(random.index(below: 100)) / 2000
      if distance(0.2) < 1 { return 40 + noise }
      if distance(1) < 1 { return 1 + noise }
      return place.allSatisfy { $0 < 3 } ? 60 : noise
    }
  }

  @Test(
    "The box holds the body and little else: not the air, not a marker beside it, and not the bright organ alone",
    arguments: [
      ([40, 60], [22.0, 33.0], [12.0, 20.0]), ([24, 30, 36], [12.0, 15.0, 20.0], [9.0, 8.0, 11.0]),
      ([200, 300], [120.0, 140.0], [61.0, 90.0]),
    ])
  func ellipsoids(_ extents: [Int], _ middle: [Double], _ radii: [Double]) throws {
    let box = try BodyRegion.box(in: body(extents, middle: middle, radii: radii), on: ImageGrid(extents: extents))
    for (axis, range) in box.enumerated() {
      let block = Double(max(1, (extents[axis] + 63) / 64))
      let (lower, upper) = (middle[axis] - radii[axis], middle[axis] + radii[axis])
      #expect(abs(Double(range.lowerBound) - lower) <= 2 * block && abs(Double(range.upperBound) - upper) <= 2 * block)
    }
  }

  @Test("A body becomes one size wherever it lies and however much air is around it")
  func scale() throws {
    let input = Fixtures.input { ($0.crop, $0.window) = (.body, [0, 1.5]) }
    let specification = InputSpecification(extents: [32, 32], intensity: input)
    func seen(_ extents: [Int], _ middle: [Double]) throws -> [Float] {
      let samples = body(extents, middle: middle, radii: [20, 26])
      return try specification.prepared(
        Image2D(width: extents[1], height: extents[0], samples: samples, range: 0...1))
    }
    let (near, far) = (try seen([60, 60], [30, 30]), try seen([60, 64], [35, 34]))
    let difference = zip(near, far).reduce(0) { $0 + abs($1.0 - $1.1) } / 1024
    #expect(difference < 0.04)
    #expect(near.count { $0 > 0.3 } > 700)  // an ellipse fills 78 % of its box
  }

  @Test("The body of PET phantoms is what their CT shows to be no air")
  func phantoms() throws {
    let phantom = try PETPhantom()
    for seed in UInt64(0)..<2 {
      let made = phantom.makeCase(seed: seed)
      let extents = [made.depth, made.height, made.width]
      let box = try BodyRegion.box(in: made.uptake, on: ImageGrid(extents: extents))
      let strides = [made.height * made.width, made.width, 1]
      let tissue = made.density.indices.filter { made.density[$0] > -300 }
      for axis in 0..<3 {
        let places = tissue.map { $0 / strides[axis] % extents[axis] }
        let (lowest, highest) = (try #require(places.min()), try #require(places.max()) + 1)
        #expect(abs(box[axis].lowerBound - lowest) <= 2 && abs(box[axis].upperBound - highest) <= 2)
      }
    }
  }
}
