import Torch

extension StructuralSimilarity {
  /// How similar pairs of images are, as a whole and pixel by pixel. Maps are computed when they are asked for.
  struct Comparison {
    /// The terms of one scale.
    struct Scale {
      /// Contrast · structure, (2σ₁₂ + C₂) / (σ₁² + σ₂² + C₂), `[N, C, …]` in −1 ... 1.
      let contrastStructure: Tensor
      /// Local means, `[B, C, …]` and `[K, B, C, …]`.
      let means: (own: Tensor, theirs: Tensor)
      /// C₁.
      let constant: Double

      /// Luminance, (2μ₁μ₂ + C₁) / (μ₁² + μ₂² + C₁), `[N, C, …]` in 0 ... 1 for images in range.
      func luminance() throws(TorchError) -> Tensor {
        let squares = try means.theirs.squared() + means.own.squared()
        return try ((means.theirs * means.own * 2 + constant) / (squares + constant)).reshaped(contrastStructure.shape)
      }

      /// Structural similarity, luminance · contrast · structure, `[N, C, …]`.
      func similarity() throws(TorchError) -> Tensor { try luminance() * contrastStructure }
    }

    /// Multi-scale structural similarity of each pair, `[N]` in 0 ... 1, the mean over channels; 1 for equal images.
    let multiScale: Tensor
    /// Finest first; every side is half of the one before, rounded up.
    let scales: [Scale]
    /// Weights of the scales; their sum is 1.
    let weights: [Double]

    init(scales: [Scale], weights: [Double]) throws(TorchError) {
      (self.scales, self.weights) = (scales, weights)
      multiScale = try Self.multiScale(scales, weights: weights)
    }

    /// The anomaly map, Σ wⱼ · (1 − SSIMⱼ), `[N, H, W]` or `[N, D, H, W]`: 0 where the images agree, up to 2 where one is
    /// the other's negative. The mean over channels; coarse scales are read bilinearly or trilinearly.
    ///
    /// A sum rather than the product of the whole image's similarity: at a pixel, contrast · structure is often negative.
    func map() throws(TorchError) -> Tensor {
      let sides = scales[0].contrastStructure.shape.dropFirst(2)
      var map = try dissimilarity(0)
      for index in scales.indices.dropFirst() {
        let coarse = try dissimilarity(index)
        // Pooling may have added a pixel before odd sides, which enlarging brings back.
        let enlarged = coarse.shape.dropFirst(2).map { $0 << index }
        var full = try coarse.resized(to: enlarged)
        for (axis, (side, extent)) in zip(sides, enlarged).enumerated() where extent > side {
          full = try full.sliced(extent - side..<extent, axis: axis + 2)
        }
        map = try map + full
      }
      return try map.clamped(0, 2).squeezed(1)
    }

    /// One scale's part in the map, `[N, 1, …]`.
    private func dissimilarity(_ index: Int) throws(TorchError) -> Tensor {
      try (1 - scales[index].similarity().mean([1], keepingAxes: true)) * weights[index]
    }

    /// Π mean(contrast · structure)^w over the scales, with the luminance on the last (Wang 2003, eq. 7).
    private static func multiScale(_ scales: [Scale], weights: [Double]) throws(TorchError) -> Tensor {
      var product: Tensor?
      for (index, (scale, weight)) in zip(scales, weights).enumerated() {
        let terms = index == scales.count - 1 ? try scale.similarity() : scale.contrastStructure
        let factor = try Self.power(interiorMean(terms), weight)
        product = if let product { try product * factor } else { factor }
      }
      guard let product else { throw TorchError("structuralSimilarity", "there is no scale") }
      return try product.mean([1])
    }

    /// Means of terms `[N, C, …]` over the windows that lie inside the image, `[N, C]`.
    private static func interiorMean(_ terms: Tensor) throws(TorchError) -> Tensor {
      let margin = StructuralSimilarity.window / 2
      var interior = terms
      for axis in 2..<terms.rank { interior = try interior.sliced(margin..<terms.extent(axis) - margin, axis: axis) }
      return try interior.mean(Array(2..<terms.rank))
    }

    /// `base` to a power below 1, and 0 where it is negative; near 0 the slope, which has no limit, is 0.
    static func power(_ base: Tensor, _ exponent: Double) throws(TorchError) -> Tensor {
      let least = 1e-6
      return try base.clamped(least, .infinity).power(exponent).masked(base.less(least), by: 0)
    }
  }
}
