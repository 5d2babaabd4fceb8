import Torch

/// A codebook that follows the encoder by exponential moving averages (§2.2).
///
/// Keys `codes`, `[K, E]`; `counts`, `[K]` (N); `sums`, `[K, E]` (m). None is trained by gradient.
final class VectorQuantiser: Module {
  /// What `parity` keeps of the authors' code: codes start as normal numbers, dead ones stay dead.
  private let parity: Bool
  private let commitment: Double
  private let codes: Parameter
  private let counts: Parameter
  private let sums: Parameter
  private static let epsilon = 1e-5
  /// Codes with less than this share of the mean count are dead.
  private static let deadShare = 0.01

  init(codes count: Int, width: Int, commitment: Double, parity: Bool, generator: Generator) throws(TorchError) {
    (self.parity, self.commitment) = (parity, commitment)
    codes = try Parameter(generator.normal(shape: [count, width]), isTrainable: false)
    counts = try Parameter(.zeros([count]), isTrainable: false)
    sums = try Parameter(codes.tensor, isTrainable: false)
  }

  override var parts: [Part] { [.tensor("codes", codes), .tensor("counts", counts), .tensor("sums", sums)] }

  /// How a training step moves the codebook.
  struct Update {
    /// The share of the averages that a step keeps, γ.
    let decay: Double
    /// Whether dead codes start again here: once an epoch.
    let restartsDeadCodes: Bool
    /// Draws the vectors that codes start from.
    let random: Generator
  }

  /// What quantising gives.
  struct Output {
    /// Code of every cell, `[B, grid…]`, int64.
    let codes: Tensor
    /// The codes' vectors, `[B, E, grid…]`, gradient passed straight through to the encoder's output.
    let quantised: Tensor
    /// β · mean squared distance of the encoder's output to its codes; the gradient moves the encoder.
    let commitment: Tensor
    /// exp of the entropy of the codes of the batch: how many are in use, as if evenly.
    let perplexity: Tensor
  }

  /// Replaces every vector of `[B, E, grid…]` by its nearest code.
  /// - Parameter update: moves the codebook after this batch was quantised with what it was before; nil in evaluation.
  func callAsFunction(_ latents: Tensor, update: Update?) throws(TorchError) -> Output {
    let grid = Array(latents.shape.dropFirst(2))
    let (batch, width) = (latents.extent(0), latents.extent(1))
    let lastAxis = latents.rank - 1
    let inner = try latents.to(.float32).permuted([0] + Array(2...lastAxis) + [1])
    let vectors = try inner.detached().reshaped([-1, width])
    if let update, !parity { try start(from: vectors, update) }
    let indices = try nearest(to: vectors)
    let chosen = try codes.tensor.selecting(indices, axis: 0).reshaped([batch] + grid + [width])
    let loss = try inner.meanSquaredError(to: chosen) * commitment
    let quantised = try inner + (chosen - inner).detached()
    let perGroup = try Tensor.zeros(counts.tensor.shape, on: latents.device)
      .scatterAdding(indices.onesLike().to(.float32), at: indices, axis: 0)
    if let update { try follow(vectors, indices, perGroup, decay: update.decay) }
    let share = try perGroup / Double(indices.count)
    let entropy = try -(share * (share + 1e-10).log()).sum()
    return Output(
      codes: try indices.reshaped([batch] + grid),
      quantised: try quantised.permuted([0, lastAxis] + Array(1..<lastAxis)), commitment: loss,
      perplexity: try entropy.exp())
  }

  /// The vectors of codes `[B, grid…]`, `[B, E, grid…]`.
  func vectors(of indices: Tensor) throws(TorchError) -> Tensor {
    let found = try codes.tensor.selecting(indices.reshaped([-1]), axis: 0)
    let inner = try found.reshaped(indices.shape + [-1])
    return try inner.permuted([0, indices.rank] + Array(1..<indices.rank))
  }

  /// argmin over k of |z|² − 2 z·e_k + |e_k|², for rows `[N, E]`; |z|² is the same for all k.
  private func nearest(to vectors: Tensor) throws(TorchError) -> Tensor {
    let lengths = try codes.tensor.squared().sum([1])
    let products = try withoutAutocast(on: vectors.device) { () throws(TorchError) in try vectors.linear(codes.tensor) }
    return try (lengths - products * 2).indexOfMinimum(axis: 1)
  }

  /// N ← γN + (1 − γ)c; m ← γm + (1 − γ)s; e ← m / Ñ with Ñ = (N + ε)/(ΣN + Kε) · ΣN.
  private func follow(_ vectors: Tensor, _ indices: Tensor, _ found: Tensor, decay: Double) throws(TorchError) {
    let spread = try indices.unsqueezed(1).expanded(vectors.shape)
    let added = try Tensor.zeros(sums.tensor.shape, on: vectors.device).scatterAdding(vectors, at: spread, axis: 0)
    try counts.assign(counts.tensor * decay + found * (1 - decay))
    try sums.assign(sums.tensor * decay + added * (1 - decay))
    let total = try counts.tensor.sum()
    let size = Double(counts.tensor.count)
    let smoothed = try (counts.tensor + Self.epsilon) / (total + size * Self.epsilon) * total
    try codes.assign(sums.tensor / smoothed.unsqueezed(1))
  }

  /// Puts codes that nothing was counted for on randomly drawn vectors of the batch: all at the very start, later the dead.
  private func start(from vectors: Tensor, _ update: Update) throws(TorchError) {
    let isNew = try counts.tensor.sum().item() == 0
    guard isNew || update.restartsDeadCodes else { return }
    let mean = try counts.tensor.mean().item()
    let dead = try isNew ? counts.tensor.onesLike().greater(0) : counts.tensor.less(mean * Self.deadShare)
    let drawn = try vectors.selecting(
      update.random.integers(in: 0..<vectors.extent(0), shape: [counts.tensor.count]), axis: 0)
    let rows = try dead.unsqueezed(1)
    try codes.assign(codes.tensor.replacing(with: drawn, where: rows))
    try sums.assign(sums.tensor.replacing(with: drawn * (isNew ? 1 : mean), where: rows))
    try counts.assign(counts.tensor.masked(dead, by: isNew ? 1 : mean))
  }
}
