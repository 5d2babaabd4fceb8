import Torch

/// What MemAE is trained by beside the reconstruction's squared error (§3.4).
enum MemAELosses {
  /// Mean entropy of the addressing, −Σ ŵ · log ŵ (eq. 9), a tensor without axes: 0 where one item is read, log N where all
  /// are read alike.
  /// - Parameter weights: `[R, N]`, rows that sum to 1.
  static func entropy(of weights: Tensor) throws(TorchError) -> Tensor {
    try -(weights * (weights + 1e-12).log()).sum([-1]).mean()
  }

  /// How many items a position reads on average, a tensor without axes, for the log.
  static func activeItems(of weights: Tensor) throws(TorchError) -> Tensor {
    try weights.detached().greater(0).to(.float32).sum([-1]).mean()
  }
}
