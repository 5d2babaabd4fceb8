import Testing

@testable import Norma
@testable import Torch

@Suite("Gaussians of normal features")
struct GaussianDensityTests {
  /// Features `[n, P, d]` that differ in scale and are correlated.
  private func features(_ count: Int, positions: Int = 2, width: Int = 3, seed: UInt64 = 1) throws -> Tensor {
    let generator = try Generator(seed: seed)
    let mix = try generator.normal(shape: [width, width], dtype: .float64)
    return try generator.normal(shape: [count, positions, width], dtype: .float64).matmul(mix) + 5
  }

  private func density(_ features: Tensor, ridge: Double, shrinkage: Double = 0) throws -> GaussianDensity {
    var tally = GaussianTally()
    try tally.add(features)
    return try tally.density(ridge: ridge, shrinkage: shrinkage)
  }

  /// Mahalanobis distance of `x` from the samples' mean by plain sums and Gauss's elimination.
  private func expected(_ x: [Double], _ samples: [[Double]], ridge: Double, shrinkage: Double = 0) -> Double {
    let (n, d) = (Double(samples.count), x.count)
    let mean = (0..<d).map { axis in samples.reduce(0) { $0 + $1[axis] } / n }
    var rows = (0..<d).map { i in
      (0..<d).map { j in samples.reduce(0) { $0 + ($1[i] - mean[i]) * ($1[j] - mean[j]) } / (n - 1) }
    }
    let trace = (0..<d).reduce(0) { $0 + rows[$1][$1] }
    for i in 0..<d {
      for j in 0..<d { rows[i][j] *= 1 - shrinkage }
      rows[i][i] += shrinkage * trace / Double(d) + ridge
      rows[i].append(x[i] - mean[i])
    }
    for pivot in 0..<d {
      for row in 0..<d where row != pivot {
        let factor = rows[row][pivot] / rows[pivot][pivot]
        for column in 0...d { rows[row][column] -= factor * rows[pivot][column] }
      }
    }
    return (0..<d).reduce(0) { $0 + (x[$1] - mean[$1]) * rows[$1][d] / rows[$1][$1] }.squareRoot()
  }

  private func rows(_ features: Tensor, position: Int) throws -> [[Double]] {
    try features.selected(position, axis: 1).unbound(axis: 0).map { try $0.values(as: Double.self) }
  }

  @Test("The corners of a square have the covariance 4/3, and distances count in its root")
  func byHand() throws {
    let corners = try Tensor([Float(0), 0, 2, 0, 0, 2, 2, 2], shape: [4, 1, 2])
    let found = try density(corners, ridge: 0).distances(
      of: Tensor([Float(3), 1, 1, 1, 2, 2], shape: [3, 1, 2]), areReferences: false)
    let root = (4.0 / 3).squareRoot()
    #expect(largestDifference(try found.values(as: Double.self), [2 / root, 0, 2.squareRoot() / root]) < 1e-6)
    let raised = try density(corners, ridge: 8.0 / 3).distances(
      of: Tensor([Float(3), 1], shape: [1, 1, 2]), areReferences: false)
    #expect(try abs(raised.item() - 1) < 1e-6)
  }

  @Test("Distances are those of plain sums, position by position", arguments: [(0.0, 0.0), (0.5, 0.0), (0.0, 0.3)])
  func plainSums(_ ridge: Double, _ shrinkage: Double) throws {
    let (normal, others) = (try features(12), try features(4, seed: 2))
    let found = try density(normal, ridge: ridge, shrinkage: shrinkage).distances(
      of: others.to(.float32), areReferences: false)
    #expect(found.shape == [4, 2])
    for position in 0..<2 {
      let samples = try rows(normal, position: position)
      for (index, x) in try rows(others, position: position).enumerated() {
        let distance = try found.selected(index, axis: 0).selected(position, axis: 0).item()
        let plain = expected(x, samples, ridge: ridge, shrinkage: shrinkage)
        #expect(abs(distance - plain) < 1e-4 * (1 + plain))
      }
    }
  }

  @Test("A reference's distance is that from the Gaussian of all others")
  func leavingOneOut() throws {
    let normal = try features(9)
    let found = try density(normal, ridge: 0).distances(of: normal.to(.float32), areReferences: true)
    for position in 0..<2 {
      let samples = try rows(normal, position: position)
      for index in 0..<9 {
        var others = samples
        let own = others.remove(at: index)
        let distance = try found.selected(index, axis: 0).selected(position, axis: 0).item()
        let plain = expected(own, others, ridge: 0)
        #expect(abs(distance - plain) < 1e-3 * (1 + plain))
      }
    }
  }

  @Test("Batches give what all give at once, and a checkpoint the same bits")
  func batches() throws {
    let normal = try features(11)
    var tally = GaussianTally()
    for part in [0..<4, 4..<5, 5..<11] { try tally.add(normal.sliced(part, axis: 0)) }
    let (whole, parts) = (try density(normal, ridge: 0.01), try tally.density(ridge: 0.01))
    #expect(try largestDifference(whole.mean, parts.mean) < 1e-6)
    #expect(try largestDifference(whole.whitening, parts.whitening) < 1e-4)
    let restored = try #require(GaussianDensity(parts.state(prefix: "a"), prefix: "a"))
    let query = try features(3, seed: 4).to(.float32)
    for areReferences in [false, true] {
      #expect(
        try restored.distances(of: query, areReferences: areReferences).bytes()
          == parts.distances(of: query, areReferences: areReferences).bytes())
    }
    #expect(GaussianDensity(parts.state(prefix: "a"), prefix: "b") == nil)
  }

  @Test("The direction is half the gradient of the squared distance")
  func direction() throws {
    let density = try density(features(10, positions: 1), ridge: 0.1)
    let leaf = try features(2, positions: 1, seed: 5).to(.float32).requiringGradient()
    try density.distances(of: leaf, areReferences: false).squared().sum().backward()
    let gradient = try #require(try leaf.gradient)
    #expect(try largestDifference(density.direction(of: leaf.detached()) * 2, gradient) < 1e-4)
  }

  @Test("Shrinkage is scikit-learn's of Ledoit and Wolf")
  func shrinkage() throws {
    for golden in try FeatureGolden.load().shrinkage {
      let samples = try Tensor(golden.values, shape: [golden.rows, golden.values.count / golden.rows])
      #expect(try abs(GaussianTally.ledoitWolfShrinkage(of: samples) - golden.expected) < 1e-9)
    }
  }

  @Test("Too few images are refused, and channels that never change do no harm")
  func degenerate() throws {
    let error = #expect(throws: TorchError.self) { try density(features(2), ridge: 0.1) }
    #expect(error?.reason == "2 normal images are too few to learn from; it takes 3 or more")
    let still = try Tensor.concatenated([features(5), .zeros([5, 2, 1], dtype: .float64)], axis: 2)
    #expect(
      try density(still, ridge: 0).distances(of: still.to(.float32), areReferences: true).isFinite().allTrue())
  }
}
