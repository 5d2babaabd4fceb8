import Torch

/// Multi-scale structural similarity (Wang, Simoncelli, Bovik 2003) of images `[N, C, H, W]` or volumes `[N, C, D, H, W]`.
///
/// Local means, variances and covariances are taken under a Gaussian window of 11 pixels along each axis. The scales are 2
/// apart by average pooling (a zero before and after odd sides). Of the five published scales as many are used as keep
/// every side at 11 pixels or more, and their weights are divided by their sum: 5 from a side of 161 pixels on, 4 from 81,
/// 3 from 41, 2 from 21, 1 from 11.
///
/// Every term has a value at every pixel, with the image mirrored at its border, edge pixels included. The similarity of
/// whole images is the mean over the windows that lie inside, as published.
///
/// Computed in float32, or in float64 for images of that type, also under mixed precision: variances are small differences
/// of large numbers. Gradients flow to both sides.
struct StructuralSimilarity {
  /// Extent of the window along each axis, in pixels.
  static let window = 11
  /// Standard deviation of the window, in pixels.
  static let sigma = 1.5
  /// Weights of the scales, finest first (Wang 2003, section 3.2).
  static let publishedWeights = [0.0448, 0.2856, 0.3001, 0.2363, 0.1333]

  /// The values that images may have. They count from its lower end: luminance compares means by their ratio, which says
  /// nothing where black is −1 and grey 0.
  let range: ClosedRange<Double>
  /// C₁ = (0.01 · range)², which steadies the luminance.
  let luminanceConstant: Double
  /// C₂ = (0.03 · range)², which steadies contrast and structure.
  let contrastConstant: Double
  /// Scales that are compared at most, finest first.
  let scales: Int

  /// - Parameters:
  ///   - range: the values that images may have, not a single one.
  ///   - scales: at most so many of the five are compared; 1: structural similarity of the images as they are (Wang 2004).
  init(range: ClosedRange<Double>, scales: Int = Self.publishedWeights.count) {
    precondition(range.lowerBound < range.upperBound, "a range of values has two ends")
    precondition(scales > 0, "images are compared at one scale or more")
    let extent = range.upperBound - range.lowerBound
    self.scales = scales
    (self.range, luminanceConstant, contrastConstant) = (range, 1e-4 * extent * extent, 9e-4 * extent * extent)
  }

  /// Weights of the scales that images with these sides have, finest first; their sum is 1.
  /// - Returns: none when a side is shorter than the window.
  static func weights(sides: [Int]) -> [Double] {
    var used: [Double] = []
    var shortest = sides.min() ?? 0
    for weight in publishedWeights where shortest >= window {
      used.append(weight)
      shortest = (shortest + 1) / 2
    }
    let total = used.reduce(0, +)
    return used.map { $0 / total }
  }

  /// Images with their local statistics, to be compared with any number of others.
  struct Reference {
    /// The images at one scale.
    struct Scale {
      /// `[B, C, …]`, counted from the range's lower end.
      let images: Tensor
      /// Local means, shaped like `images`.
      let mean: Tensor
      /// Local variances, shaped like `images`.
      let variance: Tensor
      /// The window.
      let filter: GaussianFilter
    }

    /// `[B, C, H, W]` or `[B, C, D, H, W]`.
    let shape: [Int]
    /// Weights of the scales, finest first.
    let weights: [Double]
    /// Finest first.
    let scales: [Scale]
  }

  /// Computes what comparisons with `images` share.
  /// - Parameter images: `[B, C, H, W]` or `[B, C, D, H, W]`, in `range`.
  /// - Throws: `TorchError` when the axes are others, or a side is shorter than the window.
  func reference(_ images: Tensor) throws(TorchError) -> Reference {
    let shape = images.shape
    guard [4, 5].contains(shape.count) else {
      throw TorchError("structuralSimilarity", "images of shape \(shape) are not [N, C, H, W] or [N, C, D, H, W]")
    }
    let weights = usedWeights(sides: Array(shape[2...]))
    guard !weights.isEmpty else {
      throw TorchError(
        "structuralSimilarity", "images of shape \(shape) have a side below the \(Self.window) pixels of the window")
    }
    let dtype = images.dtype == .float64 ? DType.float64 : .float32
    let scales = try withoutAutocast(on: images.device) { () throws(TorchError) in
      var finer = try counted(images, as: dtype)
      var scales: [Reference.Scale] = []
      for index in weights.indices {
        if index > 0 { finer = try halved(finer) }
        let filter = try GaussianFilter(
          sigma: Self.sigma, sides: Array(finer.shape[2...]), dtype: dtype, on: images.device)
        let filtered = try filter(.stacked([finer, finer.squared()]))
        let mean = try filtered.selected(0, axis: 0)
        scales.append(
          Reference.Scale(
            images: finer, mean: mean, variance: try filtered.selected(1, axis: 0) - mean.squared(), filter: filter))
      }
      return scales
    }
    return Reference(shape: shape, weights: weights, scales: scales)
  }

  /// Compares each image of `reference` with each of its K counterparts.
  /// - Parameter others: `[K · B, C, …]` in `range`: first the counterparts of all B images, then B further ones, and so on.
  /// - Throws: `TorchError` when the shapes do not fit.
  func comparison(of reference: Reference, with others: Tensor) throws(TorchError) -> Comparison {
    let (shape, expected) = (others.shape, reference.shape)
    guard shape.dropFirst() == expected.dropFirst(), shape[0] > 0, shape[0].isMultiple(of: expected[0]) else {
      throw TorchError(
        "structuralSimilarity",
        "images of shape \(shape) do not pair off with \(expected); the first extent may be a multiple, all others the same"
      )
    }
    let scales = try withoutAutocast(on: others.device) { () throws(TorchError) in
      var scales: [Comparison.Scale] = []
      var finer = try counted(others, as: reference.scales[0].images.dtype)
      for (index, own) in reference.scales.enumerated() {
        if index > 0 { finer = try halved(finer) }
        // [K, B, C, …] against [B, C, …], so that nothing of the reference is repeated in memory.
        let theirs = try finer.reshaped([shape[0] / expected[0]] + own.images.shape)
        let filtered = try own.filter(.stacked([theirs, theirs.squared(), theirs * own.images]))
        let mean = try filtered.selected(0, axis: 0)
        let variances = try filtered.selected(1, axis: 0) - mean.squared() + own.variance
        let covariance = try filtered.selected(2, axis: 0) - mean * own.mean
        let contrastStructure = try (covariance * 2 + contrastConstant) / (variances + contrastConstant)
        scales.append(
          Comparison.Scale(
            contrastStructure: try contrastStructure.reshaped(finer.shape), means: (own.mean, mean),
            constant: luminanceConstant))
      }
      return scales
    }
    return try Comparison(scales: scales, weights: reference.weights)
  }

  /// Weights of the scales that are compared; their sum is 1.
  private func usedWeights(sides: [Int]) -> [Double] {
    let all = Self.weights(sides: sides)
    guard all.count > scales else { return all }
    let total = all.prefix(scales).reduce(0, +)
    return all.prefix(scales).map { $0 / total }
  }

  /// Values from the range's lower end on.
  private func counted(_ images: Tensor, as dtype: DType) throws(TorchError) -> Tensor {
    let images = images.dtype == dtype ? images : try images.to(dtype)
    return range.lowerBound == 0 ? images : try images - range.lowerBound
  }

  /// The next scale of `[N, C, …]`.
  private func halved(_ images: Tensor) throws(TorchError) -> Tensor {
    let sides = images.shape.dropFirst(2)
    return try images.pooled(.average, kernel: sides.map { _ in 2 }, padding: sides.map { $0 % 2 })
  }
}
