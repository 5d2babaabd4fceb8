import Foundation
import Testing

@testable import Norma
@testable import Torch

@Suite("Structural similarity")
struct StructuralSimilarityTests {
  private let bytes = StructuralSimilarity(range: 0...255)
  private let signed = StructuralSimilarity(range: -1...1)

  private func compare(
    _ images: Tensor, _ others: Tensor, by similarity: StructuralSimilarity
  ) throws -> StructuralSimilarity.Comparison {
    try similarity.comparison(of: similarity.reference(images), with: others)
  }

  /// Images in −1 ... 1 and noisy copies.
  private func pair(
    _ shape: [Int], seed: UInt64 = 1, dtype: DType = .float64
  ) throws -> (images: Tensor, others: Tensor) {
    let random = try Generator(seed: seed)
    let images = try random.uniform(-1, 1, shape: shape, dtype: dtype)
    let noise = try random.uniform(-1, 1, shape: shape, dtype: dtype)
    return (images, try images.lerp(toward: noise, weight: 0.3))
  }

  // MARK: Published implementations

  @Test(
    "The whole images' similarity is pytorch-msssim's", arguments: SimilarityGolden.allCases,
    [DType.float32, .float64])
  func package(_ golden: SimilarityGolden, _ dtype: DType) throws {
    let values = try golden.values()
    let (images, others) = (try #require(values["images"]).to(dtype), try #require(values["others"]).to(dtype))
    let comparison = try compare(images, others, by: bytes)
    #expect(comparison.scales.count == golden.scales)
    #expect(comparison.multiScale.dtype == dtype)
    let expected = try #require(values["ms_ssim"])
    #expect(comparison.multiScale.shape == expected.shape)
    #expect(try largestDifference(comparison.multiScale, expected) < (dtype == .float64 ? 1e-12 : 1e-5))
  }

  @Test("Each scale's map is scikit-image's, border included", arguments: [SimilarityGolden.small, .volume])
  func scikitImage(_ golden: SimilarityGolden) throws {
    let values = try golden.values()
    let (images, others) = (try #require(values["images"]), try #require(values["others"]))
    for dtype in [DType.float32, .float64] {
      let comparison = try compare(images.to(dtype), others.to(dtype), by: bytes)
      for (index, scale) in comparison.scales.enumerated() {
        let similarity = try scale.similarity().selected(0, axis: 0).selected(0, axis: 0)
        let expected = try #require(values["ssim.\(index)"])
        #expect(similarity.shape == expected.shape)
        #expect(try largestDifference(similarity, expected) < (dtype == .float64 ? 1e-6 : 2e-4))
        var interior = similarity
        for axis in 0..<interior.rank { interior = try interior.sliced(5..<interior.extent(axis) - 5, axis: axis) }
        #expect(try largestDifference(interior.mean(), #require(values["mean.\(index)"])) < 1e-5)
      }
    }
  }

  @Test("Values count from the lower end of their range")
  func range() throws {
    let values = try SimilarityGolden.small.values()
    let (images, others) = (
      try #require(values["images"]).to(.float64), try #require(values["others"]).to(.float64)
    )
    let (first, second) = (
      try compare(images, others, by: bytes), try compare(images / 127.5 - 1, others / 127.5 - 1, by: signed)
    )
    #expect(try largestDifference(first.multiScale, second.multiScale) < 1e-9)
    #expect(try largestDifference(first.map(), second.map()) < 1e-9)
  }

  // MARK: Formulas

  @Test("Terms and similarity are those of the formulas, written out in loops")
  func formulas() throws {
    let (height, width) = (22, 23)
    let (images, others) = try pair([1, 1, height, width])
    let comparison = try compare(images, others, by: signed)
    var plain = (
      x: PlainImage(height: height, width: width, try images.values(as: Double.self).map { $0 + 1 }),
      y: PlainImage(height: height, width: width, try others.values(as: Double.self).map { $0 + 1 })
    )
    #expect(comparison.scales.count == 2 && comparison.weights.reduce(0, +) == 1)
    var product = 1.0
    for (index, scale) in comparison.scales.enumerated() {
      if index > 0 { plain = (plain.x.halved(), plain.y.halved()) }
      let terms = plain.x.terms(with: plain.y, range: 2)
      func interior(_ map: Tensor) throws -> Tensor {
        try map.sliced(5..<plain.x.height - 5, axis: 2).sliced(5..<plain.x.width - 5, axis: 3)
      }
      #expect(
        largestDifference(try interior(scale.luminance()).values(as: Double.self), terms.map(\.luminance)) < 1e-12)
      #expect(
        largestDifference(try interior(scale.contrastStructure).values(as: Double.self), terms.map(\.contrastStructure))
          < 1e-12)
      let last = index == 1
      let values = terms.map { last ? $0.luminance * $0.contrastStructure : $0.contrastStructure }
      let weight = index == 0 ? 0.0448 / (0.0448 + 0.2856) : 0.2856 / (0.0448 + 0.2856)
      product *= pow(values.reduce(0, +) / Double(values.count), weight)
    }
    #expect(abs(try comparison.multiScale.item() - product) < 1e-12)
  }

  @Test(
    "As many scales as keep every side at the window or above",
    arguments: [(10, 0), (11, 1), (20, 1), (21, 2), (41, 3), (64, 3), (80, 3), (81, 4), (160, 4), (161, 5), (512, 5)])
  func scales(_ side: Int, _ expected: Int) {
    #expect(StructuralSimilarity.weights(sides: [600, side, 700]).count == expected)
  }

  @Test("Of several scales as many are compared as asked for, at most; their weights sum to 1")
  func fewerScales() throws {
    let (images, others) = try pair([1, 1, 45, 48])
    let all = try compare(images, others, by: signed)
    for count in 1...5 {
      let comparison = try compare(images, others, by: StructuralSimilarity(range: -1...1, scales: count))
      #expect(comparison.scales.count == min(count, 3))
      #expect(abs(comparison.weights.reduce(0, +) - 1) < 1e-12)
      let last = comparison.scales.count - 1
      #expect(try largestDifference(comparison.scales[last].similarity(), all.scales[last].similarity()) == 0)
    }
    let single = try compare(images, others, by: StructuralSimilarity(range: -1...1, scales: 1))
    #expect(try largestDifference(single.map(), 1 - all.scales[0].similarity()) < 1e-12)
  }

  @Test("The map is the weighted sum over scales, the coarse one enlarged, and the mean over channels")
  func map() throws {
    let side = 22
    let (images, others) = try pair([1, 2, side, side])
    let comparison = try compare(images, others, by: signed)
    let map = try comparison.map()
    #expect(map.shape == [1, side, side])
    let parts = try zip(comparison.scales, [side, side / 2]).map { scale, side in
      let values = try scale.similarity().values(as: Double.self)
      let mean = (0..<side * side).map { 1 - (values[$0] + values[side * side + $0]) / 2 }
      return PlainImage(height: side, width: side, mean)
    }
    let expected = zip(parts[0].pixels, parts[1].doubled().pixels).map { fine, coarse in
      comparison.weights[0] * fine + comparison.weights[1] * coarse
    }
    #expect(largestDifference(try map.values(as: Double.self), expected) < 1e-12)
  }

  @Test(
    "The map of a spot lies evenly around it, also for odd sides",
    arguments: [[64, 64], [65, 75], [67, 66], [33, 37, 40]])
  func place(_ sides: [Int]) throws {
    // Black, as what pooling adds to odd sides.
    let images = try Tensor.full(-1, shape: [1, 1] + sides, dtype: .float64)
    let block = 1 << (StructuralSimilarity.weights(sides: sides).count - 1)
    var spot = try images.onesLike()
    var centres: [Double] = []
    for (axis, side) in sides.enumerated() {
      // Fills pixels of the coarsest scale, so that every scale sees it evenly.
      let start = side / 2 / block * block - (block - side % block) % block
      centres.append(Double(start) + 1.5)
      var shape = [Int](repeating: 1, count: images.rank)
      shape[axis + 2] = side
      spot = try spot * Tensor((0..<side).map { (start..<start + 4).contains($0) ? 1.0 : 0 }, shape: shape)
    }
    let map = try compare(images, images + spot * 0.5, by: signed).map()
    #expect(map.shape == [1] + sides)
    for (axis, expected) in centres.enumerated() {
      let profile = try map.sum((0...sides.count).filter { $0 != axis + 1 }).values(as: Double.self)
      let centre = zip(profile.indices, profile).reduce(0) { $0 + Double($1.0) * $1.1 } / profile.reduce(0, +)
      #expect(abs(centre - expected) < 1e-6)
    }
  }

  @Test("An image is like itself", arguments: [[1, 1, 64, 64], [2, 3, 45, 64], [1, 2, 22, 23, 21]])
  func same(_ shape: [Int]) throws {
    for (dtype, tolerance) in [(DType.float32, 2e-5), (.float64, 1e-12)] {
      let images = try pair(shape, dtype: dtype).images
      let comparison = try compare(images, images, by: signed)
      #expect(try (comparison.multiScale - 1).abs().maximum().item() < tolerance)
      #expect(try comparison.map().maximum().item() < tolerance && comparison.map().minimum().item() >= 0)
    }
  }

  // MARK: Batches

  @Test("K counterparts in one batch are K comparisons", arguments: [[2, 2, 45, 48], [2, 1, 21, 22, 23]])
  func counterparts(_ shape: [Int]) throws {
    let images = try pair(shape, dtype: .float32).images
    let others = try (2..<5).map { try pair(shape, seed: $0, dtype: .float32).others }
    let reference = try signed.reference(images)
    let together = try signed.comparison(of: reference, with: .concatenated(others, axis: 0))
    #expect(together.multiScale.shape == [6])
    let apart = try others.map { try compare(images, $0, by: signed) }
    #expect(
      try largestDifference(together.multiScale, .concatenated(apart.map(\.multiScale), axis: 0)) < 1e-6)
    #expect(try largestDifference(together.map(), .concatenated(apart.map { try $0.map() }, axis: 0)) < 1e-5)
    for (index, scale) in together.scales.enumerated() {
      let luminances = try apart.map { try $0.scales[index].luminance() }
      #expect(try largestDifference(scale.luminance(), .concatenated(luminances, axis: 0)) < 1e-5)
      #expect(scale.contrastStructure.shape == (try scale.luminance().shape))
    }
  }

  @Test("Mixed precision changes nothing")
  func mixedPrecision() throws {
    let (images, others) = try pair([1, 1, 45, 48], dtype: .float32)
    let expected = try compare(images, others, by: signed)
    let mixed = try withAutocast(.bfloat16, on: .cpu) { try compare(images, others, by: signed) }
    #expect(mixed.multiScale.dtype == .float32)
    #expect(try mixed.multiScale.values() == expected.multiScale.values() as [Float])
  }

  // MARK: Gradients

  @Test("Gradients are finite differences", arguments: [[1, 2, 22, 23], [1, 1, 11, 12, 21]])
  func gradients(_ shape: [Int]) throws {
    let (images, others) = try pair(shape)
    let reference = try signed.reference(images)
    let weights = try Generator(seed: 9).normal(shape: [1] + shape[2...], dtype: .float64)
    func objective(_ others: Tensor) throws -> Tensor {
      let comparison = try signed.comparison(of: reference, with: others)
      return try comparison.multiScale.sum() + (comparison.map() * weights).sum()
    }
    let leaf = try others.requiringGradient()
    let gradient = try objective(leaf).gradients(of: [leaf])[0].values(as: Double.self)
    let values = try others.values(as: Double.self)
    let step = 1e-6
    for element in stride(from: 0, to: values.count, by: values.count / 40) {
      func shifted(by amount: Double) throws -> Double {
        var moved = values
        moved[element] += amount
        return try objective(Tensor(moved, shape: shape)).item()
      }
      #expect(abs(try shifted(by: step) - shifted(by: -step) - 2 * step * gradient[element]) < 2 * step * 1e-6)
    }
  }

  @Test("Images of opposite structure have similarity 0, and finite gradients")
  func opposite() throws {
    let images = try pair([2, 1, 64, 64]).images
    let others = try (-images).requiringGradient()
    let comparison = try compare(images, others, by: signed)
    #expect(try comparison.multiScale.values(as: Double.self) == [0, 0])
    let gradient = try (comparison.multiScale.sum() + comparison.map().mean()).gradients(of: [others])[0]
    #expect(try gradient.isFinite().allTrue())
    #expect(try comparison.map().maximum().item() <= 2)
  }

  @Test("Powers below 1 are 0 where the base is negative or as good as 0, with slope 0")
  func powers() throws {
    let base = try Tensor([-0.5, 0, 1e-30, 0.25]).requiringGradient()
    let powers = try StructuralSimilarity.Comparison.power(base, 0.5)
    #expect(try powers.values(as: Double.self) == [0, 0, 0, 0.5])
    #expect(try powers.gradients(of: [base])[0].values(as: Double.self) == [0, 0, 0, 1])
  }

  @Test("What is not a number stays so")
  func notANumber() throws {
    let images = try pair([1, 1, 21, 21]).images
    let similarity = try compare(images, images * .nan, by: signed).multiScale.item()
    #expect(similarity.isNaN)
  }

  // MARK: Mistakes

  @Test(
    "Images that cannot be compared are named",
    arguments: [
      ([1, 64, 64], [1, 64, 64], "images of shape [1, 64, 64] are not [N, C, H, W] or [N, C, D, H, W]"),
      (
        [1, 1, 64, 10], [1, 1, 64, 10], "images of shape [1, 1, 64, 10] have a side below the 11 pixels of the window"
      ),
      (
        [2, 1, 16, 16], [3, 1, 16, 16],
        "images of shape [3, 1, 16, 16] do not pair off with [2, 1, 16, 16]; "
          + "the first extent may be a multiple, all others the same"
      ),
      (
        [1, 1, 16, 16], [1, 1, 16, 17],
        "images of shape [1, 1, 16, 17] do not pair off with [1, 1, 16, 16]; "
          + "the first extent may be a multiple, all others the same"
      ),
    ])
  func mistakes(_ images: [Int], _ others: [Int], _ expected: String) throws {
    let error = #expect(throws: TorchError.self) { try compare(.zeros(images), .zeros(others), by: signed) }
    #expect(error?.description == "structuralSimilarity: " + expected)
  }
}

/// What Scripts/golden/similarity.py wrote.
enum SimilarityGolden: String, CaseIterable, Sendable {
  case small, even, odd, volume

  /// How many scales its sides allow.
  var scales: Int {
    switch self {
    case .small: 3
    case .even, .odd: 5
    case .volume: 2
    }
  }

  /// The case's tensors by role.
  func values() throws -> [String: Tensor] {
    let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("Golden/Similarity/golden.safetensors")
    var values: [String: Tensor] = [:]
    for array in try SafetensorsFile(contentsOf: file).arrays() where array.name.hasPrefix(rawValue + ".") {
      values[String(array.name.dropFirst(rawValue.count + 1))] = try array.tensor()
    }
    return values
  }
}

/// An image by rows, and the formulas of Wang 2003 in loops.
private struct PlainImage {
  let height: Int
  let width: Int
  let pixels: [Double]

  init(height: Int, width: Int, _ pixels: [Double]) { (self.height, self.width, self.pixels) = (height, width, pixels) }

  /// Luminance and contrast · structure of every window that lies inside, by rows.
  func terms(with other: PlainImage, range: Double) -> [(luminance: Double, contrastStructure: Double)] {
    let taps = (-5...5).map { exp(-Double($0 * $0) / 4.5) }
    let total = taps.reduce(0, +)
    let (c1, c2) = (pow(0.01 * range, 2), pow(0.03 * range, 2))
    var terms: [(luminance: Double, contrastStructure: Double)] = []
    for top in 0...height - 11 {
      for left in 0...width - 11 {
        var (meanX, meanY) = (0.0, 0.0)
        var window: [(weight: Double, x: Double, y: Double)] = []
        for row in 0..<11 {
          for column in 0..<11 {
            let index = (top + row) * width + left + column
            let weight = taps[row] * taps[column] / (total * total)
            window.append((weight, pixels[index], other.pixels[index]))
            meanX += weight * pixels[index]
            meanY += weight * other.pixels[index]
          }
        }
        var (varianceX, varianceY, covariance) = (0.0, 0.0, 0.0)
        for (weight, x, y) in window {
          varianceX += weight * (x - meanX) * (x - meanX)
          varianceY += weight * (y - meanY) * (y - meanY)
          covariance += weight * (x - meanX) * (y - meanY)
        }
        terms.append(
          (
            (2 * meanX * meanY + c1) / (meanX * meanX + meanY * meanY + c1),
            (2 * covariance + c2) / (varianceX + varianceY + c2)
          ))
      }
    }
    return terms
  }

  /// Means of 2 × 2 pixels, after a row or column of zeros before an odd side.
  func halved() -> PlainImage {
    let (rows, columns) = ((height + 1) / 2, (width + 1) / 2)
    var halved = [Double](repeating: 0, count: rows * columns)
    for row in 0..<height {
      for column in 0..<width {
        halved[(row + height % 2) / 2 * columns + (column + width % 2) / 2] += pixels[row * width + column] / 4
      }
    }
    return PlainImage(height: rows, width: columns, halved)
  }

  /// Twice as large, read bilinearly; pixel centres at half integers.
  func doubled() -> PlainImage {
    func neighbours(_ position: Int, _ count: Int) -> [(index: Int, weight: Double)] {
      let (near, far) = (position / 2, position / 2 + (position % 2 == 0 ? -1 : 1))
      return [(near, 0.75), (min(max(far, 0), count - 1), 0.25)]
    }
    var doubled: [Double] = []
    for row in 0..<2 * height {
      for column in 0..<2 * width {
        var value = 0.0
        for y in neighbours(row, height) {
          for x in neighbours(column, width) { value += y.weight * x.weight * pixels[y.index * width + x.index] }
        }
        doubled.append(value)
      }
    }
    return PlainImage(height: 2 * height, width: 2 * width, doubled)
  }
}
