import CTorch

/// How resizing and sampling read between pixels.
public enum Interpolation: String, Codable, CaseIterable, Sendable {
  /// The nearest pixel.
  case nearest
  /// Bilinear or trilinear.
  case linear
  /// Bicubic; 2-D only.
  case cubic
}

// All throw `TorchError` when shapes, types, groups or strides do not fit.
extension Tensor {
  /// Convolution over the last `stride.count` axes (1 to 3).
  /// - Parameters:
  ///   - weight: `[out, in / groups, kernel…]`, or `[in, out / groups, kernel…]` when `transposed`.
  ///   - outputPadding: rows added to one side of a transposed convolution's result.
  public func convolved(
    with weight: Tensor, bias: Tensor? = nil, stride: [Int], padding: [Int], dilation: [Int]? = nil, groups: Int = 1,
    transposed: Bool = false, outputPadding: [Int]? = nil
  ) throws(TorchError) -> Tensor {
    let none = [Int](repeating: 0, count: stride.count)
    return try withInts(stride) { stride throws(TorchError) in
      try withInts(padding) { padding throws(TorchError) in
        try withInts(dilation ?? none.map { $0 + 1 }) { dilation throws(TorchError) in
          try withInts(outputPadding ?? none) { extra throws(TorchError) in
            try .make("convolution") {
              ct_convolution(
                raw, weight.raw, bias?.raw, stride, padding, dilation, transposed, extra, Int64(groups), $0)
            }
          }
        }
      }
    }
  }

  /// `ReLU(convolution + added)`; in one pass over the result where no gradient is recorded and libtorch's convolution is
  /// not the faster one.
  /// - Parameter added: maps of the result's shape; nil adds nothing.
  public func convolvedReLU(
    with weight: Tensor, bias: Tensor? = nil, adding added: Tensor? = nil, stride: [Int], padding: [Int]
  ) throws(TorchError) -> Tensor {
    try withInts(stride) { stride throws(TorchError) in
      try withInts(padding) { padding throws(TorchError) in
        try withInts([Int](repeating: 1, count: stride.count)) { dilation throws(TorchError) in
          try .make("convolution") {
            ct_convolution_relu(raw, weight.raw, bias?.raw, added?.raw, stride, padding, dilation, $0)
          }
        }
      }
    }
  }

  /// `x · weightᵀ + bias` over the last axis; weight is `[out, in]`.
  public func linear(_ weight: Tensor, bias: Tensor? = nil) throws(TorchError) -> Tensor {
    try .make("linear") { ct_linear(raw, weight.raw, bias?.raw, $0) }
  }

  /// `gelu(x · weightᵀ + bias)` over the last axis, exact; in one pass where no gradient is recorded.
  public func linearGELU(_ weight: Tensor, bias: Tensor? = nil) throws(TorchError) -> Tensor {
    try .make("linear") { ct_linear_gelu(raw, weight.raw, bias?.raw, $0) }
  }

  /// Batch norm over channel axis 1. With `training` the batch's statistics are used, and the running ones, when given,
  /// are updated in place; otherwise the running ones are used.
  /// - Throws: `TorchError` in training with one value per channel, or when the number of channels does not fit.
  func batchNormalised(
    weight: Tensor?, bias: Tensor?, runningMean: Tensor?, runningVariance: Tensor?, training: Bool, momentum: Double,
    epsilon: Double
  ) throws(TorchError) -> Tensor {
    try .make("batchNorm") {
      ct_batch_norm(
        raw, weight?.raw, bias?.raw, runningMean?.raw, runningVariance?.raw, training, momentum, epsilon, $0)
    }
  }

  /// `ReLU(norm + added)` of maps `[N, C, …]` by the batch's own statistics, which the running ones follow.
  /// - Throws: as `batchNormalised`.
  func batchNormalisedReLU(
    adding added: Tensor?, weight: Tensor, bias: Tensor, runningMean: Tensor, runningVariance: Tensor, momentum: Double,
    epsilon: Double
  ) throws(TorchError) -> Tensor {
    try .make("batchNorm") {
      ct_batch_norm_relu(
        raw, added?.raw, weight.raw, bias.raw, runningMean.raw, runningVariance.raw, momentum, epsilon, $0)
    }
  }

  /// Instance norm: every channel of every sample by its own mean and (population) variance.
  public func instanceNormalised(
    weight: Tensor? = nil, bias: Tensor? = nil, epsilon: Double = 1e-5
  ) throws(TorchError) -> Tensor {
    try .make("instanceNorm") { ct_instance_norm(raw, weight?.raw, bias?.raw, epsilon, $0) }
  }

  /// Layer norm over the last axes, whose extents `shape` names.
  public func layerNormalised(
    _ shape: [Int], weight: Tensor? = nil, bias: Tensor? = nil, epsilon: Double = 1e-5
  ) throws(TorchError) -> Tensor {
    try withInts(shape) { shape throws(TorchError) in
      try .make("layerNorm") { ct_layer_norm(raw, shape, weight?.raw, bias?.raw, epsilon, $0) }
    }
  }

  /// Group norm over channel axis 1.
  public func groupNormalised(
    groups: Int, weight: Tensor? = nil, bias: Tensor? = nil, epsilon: Double = 1e-5
  ) throws(TorchError) -> Tensor {
    try .make("groupNorm") { ct_group_norm(raw, Int64(groups), weight?.raw, bias?.raw, epsilon, $0) }
  }

  /// The rows of this table, `[entries, width]`, that `indices` (int64, any shape) names.
  public func embedding(_ indices: Tensor) throws(TorchError) -> Tensor {
    try .make("embedding") { ct_embedding(raw, indices.raw, $0) }
  }

  /// Scaled dot-product attention, `softmax(q · kᵀ · scale + mask) · v`, through a fused kernel.
  /// - Parameters: queries (self) `[…, n, d]`, keys `[…, m, d]`, values `[…, m, e]`; the mask is `bool` (true attends)
  ///   or added. In place of a mask: `causal`, the queries are the last places and see the keys up to their own; `keep`,
  ///   `[B, m]` beside queries `[B, h, n, d]`, is zero at keys that nobody is to see (unless a query sees no other). `scale` is
  ///   1/√d by default.
  public func attention(
    keys: Tensor, values: Tensor, mask: Tensor? = nil, keep: Tensor? = nil, causal: Bool = false, scale: Double? = nil
  ) throws(TorchError) -> Tensor {
    try .make("attention") {
      ct_attention(raw, keys.raw, values.raw, mask?.raw, keep?.raw, causal, scale ?? .nan, $0)
    }
  }

  /// The kinds of pooling.
  public enum Pooling: Sendable {
    /// The largest value of each window.
    case maximum
    /// The mean of each window, padding included.
    case average
  }

  /// Pooling over the last two or three axes.
  public func pooled(
    _ pooling: Pooling, kernel: [Int], stride: [Int]? = nil, padding: [Int]? = nil
  ) throws(TorchError) -> Tensor {
    try withInts(kernel) { kernelList throws(TorchError) in
      try withInts(stride ?? kernel) { stride throws(TorchError) in
        try withInts(padding ?? kernel.map { _ in 0 }) { padding throws(TorchError) in
          switch pooling {
          case .maximum: try .make("maxPool") { ct_max_pool(raw, kernelList, stride, padding, $0) }
          case .average: try .make("averagePool") { ct_average_pool(raw, kernelList, stride, padding, $0) }
          }
        }
      }
    }
  }

  /// The mean over an even division of the last two or three axes into `size` cells.
  public func averagePooled(to size: [Int]) throws(TorchError) -> Tensor {
    try withInts(size) { size throws(TorchError) in
      try .make("averagePool") { ct_adaptive_average_pool(raw, size, $0) }
    }
  }

  /// Resizes the last two or three axes to `size`; pixel centres at half integers (`align_corners` false).
  /// - Parameter antialias: widens the filter when shrinking, as Pillow does; 2-D linear and cubic only.
  public func resized(
    to size: [Int], _ interpolation: Interpolation = .linear, antialias: Bool = false
  ) throws(TorchError) -> Tensor {
    try withInts(size) { size throws(TorchError) in
      try .make("resize") { ct_interpolate(raw, size, interpolation.rawValue, antialias, $0) }
    }
  }

  /// Sampling positions of affine maps `[N, 2, 3]` for output `[N, C, H, W]`: `[N, H, W, 2]`, in −1 ... 1.
  public static func affineGrid(_ maps: Tensor, size: [Int]) throws(TorchError) -> Tensor {
    try withInts(size) { size throws(TorchError) in try make("affineGrid") { ct_affine_grid(maps.raw, size, $0) } }
  }

  /// What `sampled` reads outside the image.
  public enum Outside: String, Sendable {
    /// Zero.
    case zeros
    /// The nearest edge pixel.
    case border
    /// The mirror image.
    case reflection
  }

  /// The image read at `grid`, `[N, H, W, 2]` of (x, y) in −1 ... 1 (or `[N, D, H, W, 3]`).
  public func sampled(
    at grid: Tensor, _ interpolation: Interpolation = .linear, outside: Outside = .zeros
  ) throws(TorchError) -> Tensor {
    try .make("sample") { ct_grid_sample(raw, grid.raw, interpolation.rawValue, outside.rawValue, $0) }
  }

  /// Zeroes each channel of `[N, C, …]` as a whole with `probability` and scales the rest, so that the expectation stays.
  /// - Throws: `TorchError` when `probability` is not in 0 ..< 1.
  public func channelDropout(_ probability: Double, generator: Generator) throws(TorchError) -> Tensor {
    guard (0..<1).contains(probability) else {
      throw TorchError("dropout", "the probability \(probability) is not in 0 ..< 1")
    }
    guard probability > 0 else { return self }
    let channels = shape.prefix(2) + shape.dropFirst(2).map { _ in 1 }
    let kept = try generator.bernoulli(1 - probability, shape: Array(channels), dtype: dtype)
    return try self * kept / (1 - probability)
  }

  /// Zeroes each element with `probability` and scales the rest, so that the expectation stays.
  /// - Throws: `TorchError` when `probability` is not in 0 ..< 1.
  public func dropout(_ probability: Double, generator: Generator) throws(TorchError) -> Tensor {
    guard (0..<1).contains(probability) else {
      throw TorchError("dropout", "the probability \(probability) is not in 0 ..< 1")
    }
    guard probability > 0 else { return self }
    let kept = try generator.bernoulli(1 - probability, shape: shape, dtype: dtype)
    return try self * kept / (1 - probability)
  }
}
