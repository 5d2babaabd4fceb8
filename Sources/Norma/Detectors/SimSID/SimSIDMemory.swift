import Torch

/// How the similarities of a memory read become weights (§3.2, "Gumbel shrinkage", and its alternatives).
struct MemoryShrinkage: Equatable {
  let kind: SimSIDConfiguration.Shrinkage
  let activeItems: Int
  let isStrict: Bool
  let hardThreshold: Double

  init(_ configuration: SimSIDConfiguration) {
    kind = configuration.shrinkage
    activeItems = configuration.activeItems
    isStrict = configuration.strictThreshold
    hardThreshold = configuration.hardThreshold
  }

  /// Turns dot products `[…, M]` into weights of the M items, which sum to 1 unless nothing survives.
  func weights(_ similarities: Tensor) throws(TorchError) -> Tensor {
    switch kind {
    case .none: return try similarities.softmax(axis: -1)
    case .hard: return try Self.unitSum(Self.survivors(of: similarities, above: hardThreshold))
    case .topItems:
      let soft = try similarities.softmax(axis: -1)
      let kept = try withoutGradients { () throws(TorchError) in try Self.unitSum(largest(of: soft)) - soft }
      return try soft + kept  // forward the sparse weights, backward the gradient of the softmax
    }
  }

  /// The softmax weights of the largest items, zero elsewhere: strictly above the k-th, or exactly k of them by index.
  private func largest(of soft: Tensor) throws(TorchError) -> Tensor {
    let (values, indices) = try soft.top(activeItems, axis: -1)
    guard isStrict else { return try soft.zerosLike().scattering(values, at: indices, axis: -1) }
    let threshold = try values.sliced(activeItems - 1..<activeItems, axis: -1)
    let excess = try soft - threshold
    return try soft * excess.relu() / (excess.abs() + 1e-12)
  }

  /// Hard shrinkage that gradients pass, `s · ReLU(s − λ) / (|s − λ| + 1e-12)` (MemAE, arXiv 1904.02639, eq. 7).
  static func survivors(of similarities: Tensor, above threshold: Double) throws(TorchError) -> Tensor {
    let excess = try similarities - threshold
    return try similarities * excess.relu() / (excess.abs() + 1e-12)
  }

  /// Weights of the last axis divided by their sum; zero where none survived.
  static func unitSum(_ weights: Tensor) throws(TorchError) -> Tensor {
    try weights / weights.norm(1, [-1], keepingAxes: true).clamped(1e-12, .infinity)
  }
}

/// Space-aware memory (§3.2, eq. 1): blocks of M items, one block per location, read as one batched product.
///
/// Key `items`, `[blocks, M, C]`; learned, or, as a queue (SQUID), the latest training features, with key `pointer`.
final class SpaceAwareMemory: Module {
  private let items: Parameter
  private let pointer: Parameter?
  private let shrinkage: MemoryShrinkage
  private var pending: Tensor?

  /// - Parameter isShared: one block that serves all locations (Table II, "w/o space-aware memory").
  init(
    blocks: Int, slots: Int, width: Int, isShared: Bool, isQueue: Bool = false, shrinkage: MemoryShrinkage,
    generator: Generator
  ) throws {
    let start = try Initialisation.uniform([isShared ? 1 : blocks, slots, width], fanIn: width, generator)
    items = try Parameter(start, isTrainable: !isQueue)
    pointer = isQueue ? try Parameter(.zeros([1], dtype: .int64), isTrainable: false) : nil
    self.shrinkage = shrinkage
  }

  override var parts: [Part] { [.tensor("items", items)] + (pointer.map { [.tensor("pointer", $0)] } ?? []) }

  /// Reads with features `[B, blocks, C]`: the same shape, each feature replaced by its mixture of items.
  func callAsFunction(_ features: Tensor) throws(TorchError) -> Tensor {
    let memory = items.factor
    let isShared = memory.extent(0) == 1
    let queries = try isShared ? features.reshaped([1, -1, features.extent(2)]) : features.transposed(0, 1)
    if pointer != nil { pending = try queries.detached().to(items.tensor.dtype) }
    // Which items survive is decided in float32, also in mixed precision, whose product has ties.
    let weights = try shrinkage.weights(queries.matmul(memory.transposed(1, 2)).to(items.tensor.dtype))
    let read = try weights.matmul(memory)
    return try isShared ? read.reshaped(features.shape) : read.transposed(0, 1)
  }

  /// Writes the features of the last read over the oldest items of a queue; does nothing for learned items.
  /// - Throws: `TorchError` when the batch has more features than the queue has items.
  func enqueuePending() throws(TorchError) {
    guard let pointer, let pending else { return }
    let (slots, rows) = (items.tensor.extent(1), pending.extent(1))
    guard rows <= slots else {
      throw TorchError(
        "memory queue", "a batch of \(rows) features does not fit a queue of \(slots) items; raise detector.slots")
    }
    let start = Int(try pointer.tensor.item())
    let positions = try Tensor((0..<rows).map { (start + $0) % slots }, on: pending.device)
    try items.overwrite(at: positions, axis: 1, with: pending)
    try pointer.assign(Tensor([(start + rows) % slots]))
    self.pending = nil
  }
}

/// A memory after a decoder level (§3.2, hierarchical memory).
final class DecoderMemory: Module {
  private let memory: SpaceAwareMemory
  private let reduction: BlockReduction?
  private let layout: SimSIDConfiguration.DecoderMemory
  private let patches: Int
  private let windowsPerSide: Int
  private let retention: Double

  /// - Parameters: the feature map that it serves has `channels` channels and sides of `side`.
  init(
    _ layout: SimSIDConfiguration.DecoderMemory, channels: Int, side: Int, _ configuration: SimSIDConfiguration,
    generator: Generator
  ) throws {
    self.layout = layout
    patches = configuration.patches
    windowsPerSide = layout == .windows ? Int(Double(configuration.decoderWindows).squareRoot()) : 1
    retention = configuration.decoderRetention
    let blocks = layout == .windows ? configuration.decoderWindows : patches
    let width = channels * (side / windowsPerSide) * (side / windowsPerSide)
    let reduced = configuration.decoderReducedWidth
    reduction =
      reduced > 0 ? try BlockReduction(blocks: blocks, width: width, reduced: reduced, generator: generator) : nil
    memory = try SpaceAwareMemory(
      blocks: blocks, slots: configuration.slots, width: reduced > 0 ? reduced : width,
      isShared: !configuration.spaceAware,
      shrinkage: MemoryShrinkage(configuration), generator: generator)
  }

  override var parts: [Part] { memory.parts + (reduction?.parts ?? []) }

  /// `[B · G, C, s, s]` in and out.
  func callAsFunction(_ features: Tensor, mode: Mode, random: Generator) throws(TorchError) -> Tensor {
    let shape = features.shape
    let (n, side) = (windowsPerSide, shape[2] / windowsPerSide)
    let read: Tensor
    if layout == .windows {
      let windows = try features.reshaped([shape[0], shape[1], n, side, n, side]).permuted([0, 2, 4, 1, 3, 5])
      let rows = try readRows(windows.reshaped([shape[0], n * n, -1]))
      // With channels last in memory, like the features.
      read = try rows.reshaped([shape[0], n, n, shape[1], side, side]).permuted([0, 1, 4, 2, 5, 3])
        .reshaped([shape[0], shape[2], shape[3], shape[1]]).permuted([0, 3, 1, 2])
    } else {
      read = try readRows(features.reshaped([-1, patches, shape[1] * side * side])).reshaped(shape)
    }
    return try MaskedShortcut.mix(read, with: features, retention: retention, mode: mode, random: random)
  }

  /// Reads with `[B, blocks, width]`, by way of the reduced width where there is one.
  private func readRows(_ rows: Tensor) throws(TorchError) -> Tensor {
    guard let reduction else { return try memory(rows) }
    return try reduction.up(memory(reduction.down(rows)))
  }
}

/// Linear maps without bias around a memory, one pair per block. Keys `down`, `[blocks, reduced, width]`, and `up`,
/// `[blocks, width, reduced]`.
final class BlockReduction: Module {
  private let downward: Parameter
  private let upward: Parameter

  init(blocks: Int, width: Int, reduced: Int, generator: Generator) throws {
    downward = try Parameter(Initialisation.uniform([blocks, reduced, width], fanIn: width, generator))
    upward = try Parameter(Initialisation.uniform([blocks, width, reduced], fanIn: reduced, generator))
  }

  override var parts: [Part] { [.tensor("down", downward), .tensor("up", upward)] }

  /// `[B, blocks, width]` to `[B, blocks, reduced]`.
  func down(_ rows: Tensor) throws(TorchError) -> Tensor { try .einsum("bkw,krw->bkr", rows, downward.factor) }

  /// `[B, blocks, reduced]` to `[B, blocks, width]`.
  func up(_ rows: Tensor) throws(TorchError) -> Tensor { try .einsum("bkr,kwr->bkw", rows, upward.factor) }
}

/// The masked shortcut of SQUID (training only): each cell keeps the new value with probability ρ, else the old one.
enum MaskedShortcut {
  static func mix(
    _ new: Tensor, with old: Tensor, retention: Double, mode: Mode, random: Generator
  ) throws(TorchError) -> Tensor {
    guard mode == .training, retention < 1 else { return new }
    let shape = new.shape
    let kept = try random.bernoulli(retention, shape: [shape[0], 1, shape[2], shape[3]])
    return try new * kept + old * (1 - kept)
  }
}
