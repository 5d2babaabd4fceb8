import CTorch

// No axes means all of them. `keepingAxes` leaves each reduced axis in place with extent 1. All throw `TorchError` when an
// axis does not exist, a type does not fit (no mean of integers) or there is nothing to choose from.
extension Tensor {
  /// Sums.
  public func sum(_ axes: [Int] = [], keepingAxes keep: Bool = false) throws(TorchError) -> Tensor {
    try withInts(axes) { axes throws(TorchError) in try .make("sum") { ct_sum(raw, axes, keep, $0) } }
  }

  /// Means.
  public func mean(_ axes: [Int] = [], keepingAxes keep: Bool = false) throws(TorchError) -> Tensor {
    try withInts(axes) { axes throws(TorchError) in try .make("mean") { ct_mean(raw, axes, keep, $0) } }
  }

  /// Variances; `correction` 0 divides by n (population), 1 by n − 1 (sample).
  public func variance(
    _ axes: [Int] = [], correction: Int = 0, keepingAxes keep: Bool = false
  ) throws(TorchError) -> Tensor {
    try withInts(axes) { axes throws(TorchError) in
      try .make("variance") { ct_variance(raw, axes, Int64(correction), keep, $0) }
    }
  }

  /// Largest values.
  public func maximum(_ axes: [Int] = [], keepingAxes keep: Bool = false) throws(TorchError) -> Tensor {
    try withInts(axes) { axes throws(TorchError) in try .make("maximum") { ct_amax(raw, axes, keep, $0) } }
  }

  /// Smallest values.
  public func minimum(_ axes: [Int] = [], keepingAxes keep: Bool = false) throws(TorchError) -> Tensor {
    try withInts(axes) { axes throws(TorchError) in try .make("minimum") { ct_amin(raw, axes, keep, $0) } }
  }

  /// `(Σ |x|ᵖ)^(1/p)`.
  public func norm(_ p: Double = 2, _ axes: [Int] = [], keepingAxes keep: Bool = false) throws(TorchError) -> Tensor {
    try withInts(axes) { axes throws(TorchError) in try .make("norm") { ct_norm(raw, p, axes, keep, $0) } }
  }

  /// `log Σ eˣ`, without overflow.
  public func logSumExp(_ axes: [Int] = [], keepingAxes keep: Bool = false) throws(TorchError) -> Tensor {
    try withInts(axes) { axes throws(TorchError) in try .make("logSumExp") { ct_logsumexp(raw, axes, keep, $0) } }
  }

  /// Where the largest value along `axis` is, int64.
  public func indexOfMaximum(axis: Int) throws(TorchError) -> Tensor {
    try .make("indexOfMaximum") { ct_argmax(raw, Int64(axis), false, $0) }
  }

  /// Where the smallest value along `axis` is, int64.
  public func indexOfMinimum(axis: Int) throws(TorchError) -> Tensor {
    try .make("indexOfMinimum") { ct_argmin(raw, Int64(axis), false, $0) }
  }

  /// Whether every element is true or not zero.
  public func allTrue() throws(TorchError) -> Bool { try Tensor.make("allTrue") { ct_all(raw, $0) }.item() != 0 }

  /// Whether some element is true or not zero.
  public func anyTrue() throws(TorchError) -> Bool { try Tensor.make("anyTrue") { ct_any(raw, $0) }.item() != 0 }

  /// Running sums along `axis`.
  public func cumulativeSum(axis: Int) throws(TorchError) -> Tensor {
    try .make("cumulativeSum") { ct_cumsum(raw, Int64(axis), $0) }
  }

  /// `eˣ / Σ eˣ` along `axis`.
  public func softmax(axis: Int) throws(TorchError) -> Tensor {
    try .make("softmax") { ct_softmax(raw, Int64(axis), $0) }
  }

  /// The logarithm of `softmax`, exact where that underflows.
  public func logSoftmax(axis: Int) throws(TorchError) -> Tensor {
    try .make("logSoftmax") { ct_log_softmax(raw, Int64(axis), $0) }
  }

  /// The `k` largest (or smallest) values along `axis`, in order, and where they stood.
  public func top(_ k: Int, axis: Int, largest: Bool = true) throws(TorchError) -> (values: Tensor, indices: Tensor) {
    try Tensor.pair("top") { ct_topk(raw, Int64(k), Int64(axis), largest, $0, $1) }
  }

  /// The values along `axis` in order (ties keep theirs) and where they stood.
  public func sorted(axis: Int, descending: Bool = false) throws(TorchError) -> (values: Tensor, indices: Tensor) {
    try Tensor.pair("sorted") { ct_sort(raw, Int64(axis), descending, $0, $1) }
  }

  /// The `k`-th smallest value along `axis`, `k` from 1.
  public func kthSmallest(_ k: Int, axis: Int, keepingAxis keep: Bool = false) throws(TorchError) -> Tensor {
    try .make("kthSmallest") { ct_kthvalue(raw, Int64(k), Int64(axis), keep, $0) }
  }

  /// The `q`-quantile of all elements, linear between neighbours; `q` in 0 ... 1.
  public func quantile(_ q: Double) throws(TorchError) -> Tensor { try .make("quantile") { ct_quantile(raw, q, $0) } }

  /// Distances between the rows of `[…, n, d]` and of `b`, `[…, m, d]`: `[…, n, m]`.
  public func pairwiseDistances(to b: Tensor, p: Double = 2) throws(TorchError) -> Tensor {
    try .make("pairwiseDistances") { ct_cdist(raw, b.raw, p, $0) }
  }

  /// Real and imaginary part of the orthonormal discrete Fourier transform over `axes`.
  public func spectrum(_ axes: [Int]) throws(TorchError) -> (real: Tensor, imaginary: Tensor) {
    try withInts(axes) { axes throws(TorchError) in
      try Tensor.pair("spectrum") { ct_spectrum(raw, axes, $0, $1) }
    }
  }

  /// The lower Cholesky factor of a symmetric positive definite matrix.
  public func cholesky() throws(TorchError) -> Tensor { try .make("cholesky") { ct_cholesky(raw, $0) } }

  /// Eigenvalues, ascending, and eigenvectors, in columns, of a symmetric matrix.
  public func symmetricEigen() throws(TorchError) -> (values: Tensor, vectors: Tensor) {
    try Tensor.pair("symmetricEigen") { ct_eigh(raw, $0, $1) }
  }

  /// The solution X of `self · X = b` for a triangular matrix.
  public func triangularSolve(_ b: Tensor, upper: Bool = false) throws(TorchError) -> Tensor {
    try .make("triangularSolve") { ct_solve_triangular(raw, b.raw, upper, $0) }
  }

  /// Runs a C function that makes two tensors.
  private static func pair(
    _ operation: String, _ body: (UnsafeMutablePointer<ct_tensor?>, UnsafeMutablePointer<ct_tensor?>) -> ct_status
  ) throws(TorchError) -> (Tensor, Tensor) {
    var first: ct_tensor?
    var second: ct_tensor?
    try TorchError.check(operation, body(&first, &second))
    guard let first, let second else { throw TorchError(operation, "made no tensors") }
    return (Tensor(adopting: first), Tensor(adopting: second))
  }
}
