import CTorch

/// The weights of a causal transformer, laid out for reading sequences of tokens and for drawing some of their tokens anew, a
/// few slots at a time: one call instead of thousands of operators.
///
/// Pre-norm blocks, `x ← x + A(norm x)` with exact attention and `x ← x + F(norm x)` with a GELU between two layers; slot j
/// holds token j − 1, slot 0 the token that begins a sequence, and slot j predicts token j. In float32, on processors with
/// AVX-512. Weights that change afterwards are not followed.
public final class SequenceModel {
  /// What reading sequences gives.
  public struct Reading {
    /// Of every token, `[B, L, K + 1]`.
    public let logits: Tensor
    fileprivate let memory: Tensor
  }

  private let raw: ct_sequence_model

  /// Lays weights out; nil where the processor, the widths (heads and vectors must be multiples of 16) or mixed precision do
  /// not allow it.
  /// - Parameters:
  ///   - tokens: vectors of tokens, `[K + 1 or more, width]`, code K being the one that begins a sequence.
  ///   - places: vectors of slots, `[L, width]`.
  ///   - blocks: of each, weight and bias of a norm, projections to queries, keys and values and back, weight and bias of a
  ///     norm, of a layer and of another.
  ///   - norm: weight and bias of the last norm.
  ///   - head: weight, `[K + 1, width]`, and bias of the logits.
  public init?(
    tokens: Tensor, places: Tensor, blocks: [[Tensor]], norm: [Tensor], head: [Tensor], heads: Int,
    normEpsilon: Double
  ) throws(TorchError) {
    var raw: ct_sequence_model?
    try withTensors([tokens, places] + blocks.flatMap(\.self) + norm + head) { weights throws(TorchError) in
      try TorchError.check("sequences", ct_sequence_model_make(weights, Int64(heads), normEpsilon, &raw))
    }
    guard let raw else { return nil }
    self.raw = raw
  }

  deinit { ct_sequence_model_release(raw) }

  /// Reads sequences `[B, L]`, int64.
  /// - Throws: `TorchError` when a token has no vector, or there are more than slots.
  public func read(_ tokens: Tensor) throws(TorchError) -> Reading {
    var memory: ct_tensor?
    let logits = try Tensor.make("sequences") { ct_read_sequences(raw, tokens.raw, $0, &memory) }
    guard let memory else { throw TorchError("sequences", "were read, and not remembered") }
    return Reading(logits: logits, memory: Tensor(adopting: memory))
  }

  /// Draws the flagged tokens of sequences anew, from left to right, each given those before it.
  /// - Parameters:
  ///   - tokens: `[B, L]`, int64, codes.
  ///   - flags: `[B, L]`, `bool`.
  ///   - reading: of these tokens.
  ///   - chances: numbers in 0 ..< 1, `[B, samples, L]`: a token is the code where the running sum of probabilities passes its own.
  ///   - temperature: of probabilities; 0 takes the likeliest code.
  /// - Returns: `[B, samples, L]`.
  /// - Throws: `TorchError` when shapes do not fit.
  public func redrawing(
    _ tokens: Tensor, where flags: Tensor, reading: Reading, chances: Tensor, temperature: Double
  ) throws(TorchError) -> Tensor {
    try .make("sequences") {
      ct_redraw_tokens(
        raw, tokens.raw, flags.raw, reading.logits.raw, reading.memory.raw, chances.raw, temperature, $0)
    }
  }
}
