import CTorch

// Views share memory with their source. Axes count from 0; negative ones from the end. All throw `TorchError` when axes,
// extents or indices do not fit.
extension Tensor {
  /// The same elements in another shape; one extent may be −1 and is worked out.
  public func reshaped(_ shape: [Int]) throws(TorchError) -> Tensor {
    try withInts(shape) { shape throws(TorchError) in try .make("reshaped") { ct_reshape(raw, shape, $0) } }
  }

  /// The axes in another order.
  public func permuted(_ axes: [Int]) throws(TorchError) -> Tensor {
    try withInts(axes) { axes throws(TorchError) in try .make("permuted") { ct_permute(raw, axes, $0) } }
  }

  /// Two axes exchanged.
  public func transposed(_ axis: Int, _ other: Int) throws(TorchError) -> Tensor {
    try .make("transposed") { ct_transpose(raw, Int64(axis), Int64(other), $0) }
  }

  /// An axis of extent 1 put in.
  public func unsqueezed(_ axis: Int) throws(TorchError) -> Tensor {
    try .make("unsqueezed") { ct_unsqueeze(raw, Int64(axis), $0) }
  }

  /// An axis of extent 1 taken out; any other extent stays.
  public func squeezed(_ axis: Int) throws(TorchError) -> Tensor {
    try .make("squeezed") { ct_squeeze(raw, Int64(axis), $0) }
  }

  /// Axes of extent 1 repeated to `shape` without copying.
  public func expanded(_ shape: [Int]) throws(TorchError) -> Tensor {
    try withInts(shape) { shape throws(TorchError) in try .make("expanded") { ct_expand(raw, shape, $0) } }
  }

  /// The whole repeated along each axis.
  public func tiled(_ repeats: [Int]) throws(TorchError) -> Tensor {
    try withInts(repeats) { repeats throws(TorchError) in try .make("tiled") { ct_tile(raw, repeats, $0) } }
  }

  /// Each slice along `axis` repeated `repeats` times in place.
  public func repeatingEach(_ repeats: Int, axis: Int) throws(TorchError) -> Tensor {
    try .make("repeatingEach") { ct_repeat_interleave(raw, Int64(repeats), Int64(axis), $0) }
  }

  /// The order along `axes` reversed.
  public func flipped(_ axes: [Int]) throws(TorchError) -> Tensor {
    try withInts(axes) { axes throws(TorchError) in try .make("flipped") { ct_flip(raw, axes, $0) } }
  }

  /// Elements shifted along `axis`, those that leave coming back at the other end.
  public func rolled(by shift: Int, axis: Int) throws(TorchError) -> Tensor {
    try withInts([shift]) { shifts throws(TorchError) in
      try withInts([axis]) { axes throws(TorchError) in try .make("rolled") { ct_roll(raw, shifts, axes, $0) } }
    }
  }

  /// The part `range` along `axis`; what lies beyond the extent is left out, negative bounds count from the end.
  public func sliced(_ range: Range<Int>, axis: Int, step: Int = 1) throws(TorchError) -> Tensor {
    try .make("sliced") {
      ct_slice(raw, Int64(axis), Int64(range.lowerBound), Int64(range.upperBound), Int64(step), $0)
    }
  }

  /// One slice along `axis`, without that axis.
  public func selected(_ index: Int, axis: Int) throws(TorchError) -> Tensor {
    try .make("selected") { ct_select(raw, Int64(axis), Int64(index), $0) }
  }

  /// All slices along `axis`, each without that axis. Their gradients come together in one piece of memory.
  public func unbound(axis: Int) throws(TorchError) -> [Tensor] {
    var slices = [ct_tensor?](repeating: nil, count: extent(axis))
    let count = slices.count
    try TorchError.check("unbound", ct_unbind(raw, Int64(axis), &slices, count))
    return slices.compactMap { $0.map(Tensor.init(adopting:)) }
  }

  /// The slices along `axis` that `indices` (`[n]`, int64) names, in that order.
  public func selecting(_ indices: Tensor, axis: Int) throws(TorchError) -> Tensor {
    try .make("selecting") { ct_index_select(raw, Int64(axis), indices.raw, $0) }
  }

  /// `out[i][j] = self[i][indices[i][j]]` along `axis`.
  public func gathering(_ indices: Tensor, axis: Int) throws(TorchError) -> Tensor {
    try .make("gathering") { ct_gather(raw, Int64(axis), indices.raw, $0) }
  }

  /// A copy with `out[i][indices[i][j]] = source[i][j]` along `axis`.
  public func scattering(_ source: Tensor, at indices: Tensor, axis: Int) throws(TorchError) -> Tensor {
    try .make("scattering") { ct_scatter(raw, Int64(axis), indices.raw, source.raw, $0) }
  }

  /// A copy with `source[i][j]` added to `out[i][indices[i][j]]` along `axis`.
  public func scatterAdding(_ source: Tensor, at indices: Tensor, axis: Int) throws(TorchError) -> Tensor {
    try .make("scatterAdding") { ct_scatter_add(raw, Int64(axis), indices.raw, source.raw, $0) }
  }

  /// A copy that holds `value` where `mask` (`bool`, broadcast) is true.
  public func masked(_ mask: Tensor, by value: Double) throws(TorchError) -> Tensor {
    try .make("masked") { ct_masked_fill(raw, mask.raw, value, $0) }
  }

  /// The elements where `mask` is true, `[n]`.
  public func selecting(where mask: Tensor) throws(TorchError) -> Tensor {
    try .make("selecting") { ct_masked_select(raw, mask.raw, $0) }
  }

  /// `self` where `condition` holds, `other` elsewhere.
  public func replacing(with other: Tensor, where condition: Tensor) throws(TorchError) -> Tensor {
    try .make("replacing") { ct_where(condition.raw, other.raw, raw, $0) }
  }

  /// Tensors joined along an axis that they have.
  public static func concatenated(_ tensors: [Tensor], axis: Int) throws(TorchError) -> Tensor {
    try withTensors(tensors) { list throws(TorchError) in
      try make("concatenated") { ct_concatenate(list, Int64(axis), $0) }
    }
  }

  /// Tensors of one shape joined along a new axis.
  public static func stacked(_ tensors: [Tensor], axis: Int = 0) throws(TorchError) -> Tensor {
    try withTensors(tensors) { list throws(TorchError) in try make("stacked") { ct_stack(list, Int64(axis), $0) } }
  }

  /// Windows of an image as columns (im2col): `[N, C, H, W]` to `[N, C · kh · kw, positions]`, zeros outside.
  public func unfolded(kernel: [Int], stride: [Int] = [1, 1], padding: [Int] = [0, 0]) throws(TorchError) -> Tensor {
    try withInts(kernel) { kernel throws(TorchError) in
      try withInts(stride) { stride throws(TorchError) in
        try withInts(padding) { padding throws(TorchError) in
          try .make("unfolded") { ct_unfold(raw, kernel, stride, padding, $0) }
        }
      }
    }
  }

  /// Sliding windows along one axis, as a view with a last axis of extent `size`.
  public func windows(size: Int, step: Int, axis: Int) throws(TorchError) -> Tensor {
    try .make("windows") { ct_windows(raw, Int64(axis), Int64(size), Int64(step), $0) }
  }

  /// How `padded` fills the border.
  public enum Padding: Sendable {
    /// A fixed value.
    case constant(Double)
    /// The mirror image, the edge itself not repeated.
    case reflect
    /// The edge repeated.
    case replicate
    /// The opposite side.
    case circular
  }

  /// A border around the last axes; `amounts` lists before and after for the last axis first, as in PyTorch.
  public func padded(_ amounts: [Int], with padding: Padding = .constant(0)) throws(TorchError) -> Tensor {
    let (mode, value): (String, Double) =
      switch padding {
      case .constant(let value): ("constant", value)
      case .reflect: ("reflect", 0)
      case .replicate: ("replicate", 0)
      case .circular: ("circular", 0)
      }
    return try withInts(amounts) { amounts throws(TorchError) in
      try .make("padded") { ct_pad(raw, amounts, mode, value, $0) }
    }
  }
}
