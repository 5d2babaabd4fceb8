import Torch

/// Gaussians of normal features, one per position: an image is as unusual as it is far from them (Mahalanobis).
struct GaussianDensity {
  /// Means, `[P, d]`.
  let mean: Tensor
  /// W of each position, `[P, d, d]`, lower triangular, with `Wᵀ · W = Σ⁻¹`.
  let whitening: Tensor
  /// How many samples it was fitted to, and the share of Σ that is their covariance, `[2]`.
  private let samples: Tensor

  /// Takes up what `state` gave, under the same prefix.
  init?(_ state: [String: Tensor], prefix: String) {
    guard let mean = state[prefix + ".mean"], let whitening = state[prefix + ".whitening"],
      let samples = state[prefix + ".samples"]
    else { return nil }
    (self.mean, self.whitening, self.samples) = (mean, whitening, samples)
  }

  fileprivate init(mean: Tensor, whitening: Tensor, count: Int, covarianceShare: Double) throws(TorchError) {
    (self.mean, self.whitening) = (mean, whitening)
    samples = try Tensor([Float(count), Float(covarianceShare)])
  }

  /// What a checkpoint keeps.
  func state(prefix: String) -> [String: Tensor] {
    [prefix + ".mean": mean, prefix + ".whitening": whitening, prefix + ".samples": samples]
  }

  /// Mahalanobis distances `[B, P]` of features `[B, P, d]`.
  /// - Parameter areReferences: the features are among those that it was fitted to: each is compared with the Gaussian of the
  ///   others. That follows from its own distance (Sherman and Morrison), exactly but for what is added to the covariance.
  func distances(of features: Tensor, areReferences: Bool) throws(TorchError) -> Tensor {
    let squares = try whitening.matmul((features - mean).permuted([1, 2, 0])).squared().sum([1]).transposed(0, 1)
    guard areReferences else { return try squares.squareRoot() }
    let numbers = try samples.values(as: Double.self)
    let (n, share) = (numbers[0], numbers[1])
    guard n >= 3 else { return try squares.squareRoot() }
    // Σ without the sample is k · Σ − w · c · cᵀ, where c is the sample's difference from the mean.
    let (k, w) = ((n - 1) / (n - 2), share * n / ((n - 1) * (n - 2)))
    let scaled = try squares / k
    let others = try scaled / (1 - scaled * w).clamped(1e-6, .infinity)
    return try others.squareRoot() * (n / (n - 1))
  }

  /// `Σ⁻¹ · (x − μ)` of features `[B, P, d]`, shaped like them: half the gradient of the squared distance.
  func direction(of features: Tensor) throws(TorchError) -> Tensor {
    let whitened = try whitening.matmul((features - mean).permuted([1, 2, 0]))
    return try whitening.transposed(1, 2).matmul(whitened).permuted([2, 0, 1])
  }
}

/// Sums over the features of normal images, batch by batch, in double precision on the processor: twice `8 · P · d²` bytes while
/// it counts.
struct GaussianTally {
  private var count = 0
  private var device = Device.cpu
  /// What every feature is taken relative to, so that sums of squares lose nothing: the mean of the first batch.
  private var origin: Tensor?
  private var sum: Tensor?
  private var products: Tensor?
  /// Positions whose covariance is inverted at once.
  private static let block = 64

  /// Adds features of a batch, `[n, P, d]`.
  mutating func add(_ features: Tensor) throws(TorchError) {
    device = features.device
    let values = try features.detached().to(.cpu).to(.float64)
    let origin = if let origin { origin } else { try values.mean([0]) }
    let centred = try (values - origin).transposed(0, 1)
    self.origin = origin
    sum = if let sum { try sum + centred.sum([1]) } else { try centred.sum([1]) }
    let transposed = try centred.transposed(1, 2)
    products =
      if let products { try transposed.batchedProduct(centred, addedTo: products) } else {
        try transposed.matmul(centred)
      }
    count += features.extent(0)
  }

  /// The Gaussians with `Σ = (1 − shrinkage) · S + (shrinkage · tr S / d + ridge) · I`, where S is the sample covariance.
  /// - Throws: `TorchError` when there are fewer than three samples, or a covariance has no inverse.
  func density(ridge: Double, shrinkage: Double = 0) throws(TorchError) -> GaussianDensity {
    guard let origin, let sum, let products, count >= 3 else {
      throw TorchError("Gaussian", "\(count) normal images are too few to learn from; it takes 3 or more")
    }
    let (positions, width, n) = (products.extent(0), products.extent(1), Double(count))
    let diagonal = try Tensor.arange(0, Double(width), dtype: .float64)
    let identity = try diagonal.unsqueezed(0).equal(diagonal.unsqueezed(1)).to(.float64)
    let mean = try sum / n
    var whitenings: [Tensor] = []
    for start in stride(from: 0, to: positions, by: Self.block) {
      let part = start..<min(start + Self.block, positions)
      let centre = try mean.sliced(part, axis: 0)
      let outer = try centre.unsqueezed(2) * centre.unsqueezed(1)
      let covariance = try (products.sliced(part, axis: 0) - outer * n) / (n - 1)
      let variance = try (covariance * identity).sum([1, 2], keepingAxes: true) / Double(width)
      // Far below what float32 holds of the features; it matters to channels that never change.
      let least = try variance * (shrinkage + 1e-9) + ridge + 1e-12
      let factor = try (covariance * (1 - shrinkage) + identity * least).cholesky()
      whitenings.append(try factor.triangularSolve(identity.expanded(factor.shape)).to(.float32))
    }
    return try GaussianDensity(
      mean: (origin + mean).to(.float32).to(device), whitening: .concatenated(whitenings, axis: 0).to(device),
      count: count, covarianceShare: 1 - shrinkage)
  }

  /// The shrinkage that comes closest to the true covariance (Ledoit & Wolf 2004, lemma 3.2 to 3.4), of samples `[n, d]`.
  static func ledoitWolfShrinkage(of samples: Tensor) throws(TorchError) -> Double {
    let values = try samples.detached().to(.cpu).to(.float64)
    let (n, d) = (Double(values.extent(0)), Double(values.extent(1)))
    let centred = try values - values.mean([0])
    let covariance = try centred.transposed(0, 1).matmul(centred) / n
    let squares = try covariance.squared().sum().item()
    let variance = try centred.squared().mean().item()
    let dispersion = squares - d * variance * variance
    let fourth = try centred.squared().sum([1]).squared().mean().item()
    guard dispersion > 0 else { return 1 }
    return min(1, max(0, (fourth - squares) / n / dispersion))
  }
}
