import Torch

/// The loss of §4 and the targets that it takes.
enum MemMCMAELosses {
  /// Mean squared error over hidden patches only (MAE): patches `[R, n, w]`, `hidden` `[R, n]`, 1 where hidden.
  static func hiddenPatches(
    _ prediction: Tensor, _ target: Tensor, hidden: Tensor
  ) throws(TorchError) -> Tensor {
    let errors = try (prediction - target).squared().mean([2])
    return try (errors * hidden).sum() / hidden.sum()
  }

  /// Mean and standard deviation of each patch, `[…, 1]`, by which normalised targets are standardised (sample variance, as
  /// in MAE's code).
  static func moments(of patches: Tensor) throws(TorchError) -> (mean: Tensor, deviation: Tensor) {
    (
      try patches.mean([2], keepingAxes: true),
      try (patches.variance([2], correction: 1, keepingAxes: true) + 1e-6).squareRoot()
    )
  }
}
