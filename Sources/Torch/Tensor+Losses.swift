import CTorch

// Each is the mean over all elements (over samples for the cross entropy), a tensor without axes. All throw `TorchError`
// when shapes or classes do not fit.
extension Tensor {
  /// Mean squared difference.
  public func meanSquaredError(to target: Tensor) throws(TorchError) -> Tensor {
    try .make("meanSquaredError") { ct_mse_loss(raw, target.raw, $0) }
  }

  /// Mean absolute difference.
  public func meanAbsoluteError(to target: Tensor) throws(TorchError) -> Tensor {
    try .make("meanAbsoluteError") { ct_l1_loss(raw, target.raw, $0) }
  }

  /// Quadratic within `beta` of the target, linear beyond.
  public func smoothL1(to target: Tensor, beta: Double = 1) throws(TorchError) -> Tensor {
    try .make("smoothL1") { ct_smooth_l1_loss(raw, target.raw, beta, $0) }
  }

  /// Binary cross entropy of logits (self) against targets in 0 ... 1.
  public func binaryCrossEntropy(logitsAgainst target: Tensor) throws(TorchError) -> Tensor {
    try .make("binaryCrossEntropy") { ct_bce_with_logits(raw, target.raw, $0) }
  }

  /// Cross entropy of logits (self), `[N, K, …]`, against classes `[N, …]`, int64; class −100 is ignored.
  public func crossEntropy(classes: Tensor, labelSmoothing: Double = 0) throws(TorchError) -> Tensor {
    try .make("crossEntropy") { ct_cross_entropy(raw, classes.raw, labelSmoothing, $0) }
  }
}
