import CTorch

// Operators broadcast as NumPy's do. All throw `TorchError` when shapes, types or devices do not fit.
extension Tensor {
  // MARK: Tensor and tensor

  /// The sum, element by element.
  public static func + (a: Tensor, b: Tensor) throws(TorchError) -> Tensor {
    try make("+") { ct_add(a.raw, b.raw, $0) }
  }
  /// The difference, element by element.
  public static func - (a: Tensor, b: Tensor) throws(TorchError) -> Tensor {
    try make("-") { ct_sub(a.raw, b.raw, $0) }
  }
  /// The product, element by element.
  public static func * (a: Tensor, b: Tensor) throws(TorchError) -> Tensor {
    try make("*") { ct_mul(a.raw, b.raw, $0) }
  }
  /// The quotient, element by element.
  public static func / (a: Tensor, b: Tensor) throws(TorchError) -> Tensor {
    try make("/") { ct_div(a.raw, b.raw, $0) }
  }
  /// The larger of the two, element by element.
  public func maximum(_ b: Tensor) throws(TorchError) -> Tensor { try .make("maximum") { ct_maximum(raw, b.raw, $0) } }
  /// The smaller of the two, element by element.
  public func minimum(_ b: Tensor) throws(TorchError) -> Tensor { try .make("minimum") { ct_minimum(raw, b.raw, $0) } }
  /// Where the elements are equal, as `bool`.
  public func equal(_ b: Tensor) throws(TorchError) -> Tensor { try .make("equal") { ct_eq(raw, b.raw, $0) } }
  /// Where this is greater, as `bool`.
  public func greater(_ b: Tensor) throws(TorchError) -> Tensor { try .make("greater") { ct_gt(raw, b.raw, $0) } }
  /// Where this is greater or equal, as `bool`.
  public func greaterOrEqual(_ b: Tensor) throws(TorchError) -> Tensor {
    try .make("greaterOrEqual") { ct_ge(raw, b.raw, $0) }
  }
  /// Where this is less, as `bool`.
  public func less(_ b: Tensor) throws(TorchError) -> Tensor { try .make("less") { ct_lt(raw, b.raw, $0) } }
  /// Where both hold, as `bool`.
  public func and(_ b: Tensor) throws(TorchError) -> Tensor { try .make("and") { ct_logical_and(raw, b.raw, $0) } }
  /// Where either holds, as `bool`.
  public func or(_ b: Tensor) throws(TorchError) -> Tensor { try .make("or") { ct_logical_or(raw, b.raw, $0) } }
  /// `self + weight · (b − self)`.
  public func lerp(toward b: Tensor, weight: Double) throws(TorchError) -> Tensor {
    try .make("lerp") { ct_lerp(raw, b.raw, weight, $0) }
  }
  /// `self + value · b · c`.
  public func addingProduct(_ b: Tensor, _ c: Tensor, scale value: Double = 1) throws(TorchError) -> Tensor {
    try .make("addingProduct") { ct_addcmul(raw, b.raw, c.raw, value, $0) }
  }

  // MARK: Tensor and number (an integer or `bool` tensor becomes float32)

  /// Adds `b` to every element.
  public static func + (a: Tensor, b: Double) throws(TorchError) -> Tensor {
    try make("+") { ct_add_scalar(a.raw, b, $0) }
  }
  /// Adds `a` to every element.
  public static func + (a: Double, b: Tensor) throws(TorchError) -> Tensor { try b + a }
  /// Subtracts `b` from every element.
  public static func - (a: Tensor, b: Double) throws(TorchError) -> Tensor {
    try make("-") { ct_sub_scalar(a.raw, b, $0) }
  }
  /// Subtracts every element from `a`.
  public static func - (a: Double, b: Tensor) throws(TorchError) -> Tensor { try b * -1 + a }
  /// Multiplies every element by `b`.
  public static func * (a: Tensor, b: Double) throws(TorchError) -> Tensor {
    try make("*") { ct_mul_scalar(a.raw, b, $0) }
  }
  /// Multiplies every element by `a`.
  public static func * (a: Double, b: Tensor) throws(TorchError) -> Tensor { try b * a }
  /// Divides every element by `b`.
  public static func / (a: Tensor, b: Double) throws(TorchError) -> Tensor {
    try make("/") { ct_div_scalar(a.raw, b, $0) }
  }
  /// Divides `a` by every element.
  public static func / (a: Double, b: Tensor) throws(TorchError) -> Tensor { try b.reciprocal() * a }
  /// Changes every element's sign.
  public static prefix func - (a: Tensor) throws(TorchError) -> Tensor { try make("negation") { ct_neg(a.raw, $0) } }
  /// Every element to the power `exponent`.
  public func power(_ exponent: Double) throws(TorchError) -> Tensor {
    try .make("power") { ct_pow_scalar(raw, exponent, $0) }
  }
  /// Where the elements equal `b`, as `bool`.
  public func equal(_ b: Double) throws(TorchError) -> Tensor { try .make("equal") { ct_eq_scalar(raw, b, $0) } }
  /// Where the elements exceed `b`, as `bool`.
  public func greater(_ b: Double) throws(TorchError) -> Tensor { try .make("greater") { ct_gt_scalar(raw, b, $0) } }
  /// Where the elements are below `b`, as `bool`.
  public func less(_ b: Double) throws(TorchError) -> Tensor { try .make("less") { ct_lt_scalar(raw, b, $0) } }
  /// Elements below `low` become `low`, those above `high` become `high`.
  public func clamped(_ low: Double, _ high: Double) throws(TorchError) -> Tensor {
    try .make("clamped") { ct_clamp(raw, low, high, $0) }
  }

  // MARK: One by one

  /// Absolute values.
  public func abs() throws(TorchError) -> Tensor { try .make("abs") { ct_abs(raw, $0) } }
  /// Exponentials.
  public func exp() throws(TorchError) -> Tensor { try .make("exp") { ct_exp(raw, $0) } }
  /// Natural logarithms.
  public func log() throws(TorchError) -> Tensor { try .make("log") { ct_log(raw, $0) } }
  /// Natural logarithms of one plus the element, exact near zero.
  public func log1p() throws(TorchError) -> Tensor { try .make("log1p") { ct_log1p(raw, $0) } }
  /// Square roots.
  public func squareRoot() throws(TorchError) -> Tensor { try .make("squareRoot") { ct_sqrt(raw, $0) } }
  /// One over the square root.
  public func reciprocalSquareRoot() throws(TorchError) -> Tensor {
    try .make("reciprocalSquareRoot") { ct_rsqrt(raw, $0) }
  }
  /// Squares.
  public func squared() throws(TorchError) -> Tensor { try .make("squared") { ct_square(raw, $0) } }
  /// One over the element.
  public func reciprocal() throws(TorchError) -> Tensor { try .make("reciprocal") { ct_reciprocal(raw, $0) } }
  /// Sines.
  public func sin() throws(TorchError) -> Tensor { try .make("sin") { ct_sin(raw, $0) } }
  /// Cosines.
  public func cos() throws(TorchError) -> Tensor { try .make("cos") { ct_cos(raw, $0) } }
  /// The next integer below.
  public func floor() throws(TorchError) -> Tensor { try .make("floor") { ct_floor(raw, $0) } }
  /// The nearest integer, ties to even.
  public func rounded() throws(TorchError) -> Tensor { try .make("rounded") { ct_round(raw, $0) } }
  /// −1, 0 or 1.
  public func sign() throws(TorchError) -> Tensor { try .make("sign") { ct_sign(raw, $0) } }
  /// The Gauss error function.
  public func erf() throws(TorchError) -> Tensor { try .make("erf") { ct_erf(raw, $0) } }
  /// Where the elements are finite, as `bool`.
  public func isFinite() throws(TorchError) -> Tensor { try .make("isFinite") { ct_isfinite(raw, $0) } }
  /// Where the elements are zero or false, as `bool`.
  public func not() throws(TorchError) -> Tensor { try .make("not") { ct_logical_not(raw, $0) } }

  // MARK: Activations

  /// `max(0, x)`; a tensor that is not needed afterwards lends its memory.
  public consuming func relu() throws(TorchError) -> Tensor {
    let reuses = isSoleCopy()
    let source = self
    return try .make("relu") { reuses ? ct_relu_reusing(source.raw, $0) : ct_relu(source.raw, $0) }
  }
  /// `x` where positive, `slope · x` elsewhere; a tensor that is not needed afterwards lends its memory.
  public consuming func leakyReLU(slope: Double = 0.01) throws(TorchError) -> Tensor {
    let reuses = slope > 0 && isSoleCopy()
    let source = self
    return try .make("leakyReLU") {
      reuses ? ct_leaky_relu_reusing(source.raw, slope, $0) : ct_leaky_relu(source.raw, slope, $0)
    }
  }
  /// `x · Φ(x)`, exact, or by the tanh formula.
  public func gelu(tanhApproximation: Bool = false) throws(TorchError) -> Tensor {
    try .make("gelu") { ct_gelu(raw, tanhApproximation, $0) }
  }
  /// `x` where positive, `alpha · (eˣ − 1)` elsewhere.
  public func elu(alpha: Double = 1) throws(TorchError) -> Tensor { try .make("elu") { ct_elu(raw, alpha, $0) } }
  /// `x · σ(x)`.
  public func silu() throws(TorchError) -> Tensor { try .make("silu") { ct_silu(raw, $0) } }
  /// The logistic function.
  public func sigmoid() throws(TorchError) -> Tensor { try .make("sigmoid") { ct_sigmoid(raw, $0) } }
  /// The logarithm of the logistic function, exact for large negative input.
  public func logSigmoid() throws(TorchError) -> Tensor { try .make("logSigmoid") { ct_log_sigmoid(raw, $0) } }
  /// `log(1 + eˣ)`.
  public func softplus() throws(TorchError) -> Tensor { try .make("softplus") { ct_softplus(raw, $0) } }
  /// Hyperbolic tangents.
  public func tanh() throws(TorchError) -> Tensor { try .make("tanh") { ct_tanh(raw, $0) } }

  // MARK: Products

  /// The matrix product over the last two axes, batched over the others.
  public func matmul(_ b: Tensor) throws(TorchError) -> Tensor { try .make("matmul") { ct_matmul(raw, b.raw, $0) } }

  /// `input + self · b` for batches of matrices: `[B, n, m] · [B, m, p]`.
  public func batchedProduct(_ b: Tensor, addedTo input: Tensor) throws(TorchError) -> Tensor {
    try .make("batchedProduct") { ct_baddbmm(input.raw, raw, b.raw, $0) }
  }

  /// Einstein summation, `einsum("gbc,gmc->gbm", f, m)`.
  public static func einsum(_ equation: String, _ operands: Tensor...) throws(TorchError) -> Tensor {
    try withTensors(operands) { list throws(TorchError) in try make("einsum") { ct_einsum(equation, list, $0) } }
  }
}
