import Testing
@testable import Torch

@testable import Norma

@Suite("Transformer over tokens")
struct TokenTransformerTests {
  @Test("Parameters are as many as published")
  func parameterCounts() throws {
    func transformer(_ layers: Int, grid: [Int], context: Int?) throws -> Int {
      var settings = TokenMaskingConfiguration.Transformer()
      (settings.layers, settings.spatialPositions, settings.masksInput) = (layers, false, false)
      return try TokenTransformer(
        settings, codes: 256, contextCodes: context, order: TokenOrder(.raster, extents: grid, seed: 0),
        generator: Generator(seed: 1)
      ).parameterCount
    }
    #expect(try transformer(10, grid: [16, 16], context: nil) == 10_706_945)
    #expect(try transformer(14, grid: [26, 21, 27], context: nil) == 18_618_881)
    #expect(try transformer(14, grid: [26, 21, 27], context: 256) == 33_396_993)
  }

  @Test("The VQ-VAE's parameters are as many as published", arguments: [(2, 1, 8_072_321), (2, 3, 8_080_515)])
  func autoencoderCounts(_ axes: Int, _ channels: Int, _ expected: Int) throws {
    var settings = TokenMaskingConfiguration.Autoencoder()
    settings.codeWidth = 128
    let autoencoder = try VectorQuantisedAutoencoder(
      settings, channels: channels, spatialAxes: axes, generator: Generator(seed: 1))
    #expect(autoencoder.parameterCount == expected)
  }

  @Test("So are those of the three-dimensional one")
  func volumeAutoencoderCount() throws {
    var settings = TokenMaskingConfiguration.Autoencoder()
    settings.codeWidth = 128
    let autoencoder = try VectorQuantisedAutoencoder(
      settings, channels: 1, spatialAxes: 3, generator: Generator(seed: 1))
    #expect(autoencoder.parameterCount == 24_599_681)
  }

  @Test(
    "A token's change reaches the logits of later tokens only",
    arguments: TokenMaskingConfiguration.Transformer.Attention.allCases)
  func causality(_ attention: TokenMaskingConfiguration.Transformer.Attention) throws {
    let transformer = try TokenTransformer.tiny { $0.attention = attention }
    let tokens = try randomTokens(1)
    for place in [0, 3, 14] {
      var values = try tokens.values(as: Int.self)
      values[place] = (values[place] + 5) % 12
      let changed = try Tensor(values, shape: [1, 16])
      let gaps: [Float] = try (transformer.logits(of: tokens) - transformer.logits(of: changed)).abs().maximum([2])
        .values()
      for slot in 0..<16 { #expect(slot <= place ? gaps[slot] == 0 : gaps[slot] > 1e-6, "\(place) \(slot)") }
    }
  }

  @Test("The first token's logits know the begin token alone")
  func firstSlot() throws {
    let transformer = try TokenTransformer.tiny()
    let logits = try transformer.logits(of: randomTokens(2, seed: 1))
    #expect(
      try distance(logits.selected(0, axis: 1).selected(0, axis: 0), logits.selected(0, axis: 1).selected(1, axis: 0))
        == 0)
  }

  @Test("Each token's place in the grid counts, in whatever order it is read", arguments: TokenCurve.allCases)
  func places(_ curve: TokenCurve) throws {
    let with = try TokenTransformer.tiny { $0.order = curve }
    let without = try TokenTransformer.tiny {
      $0.order = curve
      $0.spatialPositions = false
    }
    let tokens = try randomTokens(1)
    #expect(try distance(with.logits(of: tokens), without.logits(of: tokens)) > 1e-3)
  }

  // MARK: Masks

  @Test(
    "With a token of its own, what a masked token was changes no logit",
    arguments: TokenMaskingConfiguration.Transformer.Attention.allCases)
  func isolation(_ attention: TokenMaskingConfiguration.Transformer.Attention) throws {
    let transformer = try TokenTransformer.tiny { $0.attention = attention }
    let (one, other, keep) = try maskedPair()
    #expect(try distance(transformer.logits(of: one, keep: keep), transformer.logits(of: other, keep: keep)) == 0)
  }

  @Test("With its code kept, a masked token still reaches its own slot, and no other")
  func leak() throws {
    let transformer = try TokenTransformer.tiny { $0.masksInput = false }
    let (one, other, keep) = try maskedPair()
    let gaps: [Float] = try (transformer.logits(of: one, keep: keep) - transformer.logits(of: other, keep: keep))
      .abs().maximum([2]).values()
    for slot in 0..<16 { #expect(slot == 6 ? gaps[slot] > 1e-4 : gaps[slot] < 1e-5, "\(slot)") }
  }

  /// Sequences that differ in token 5, which is masked.
  private func maskedPair() throws -> (Tensor, Tensor, Tensor) {
    var values = try randomTokens(1).values(as: Int.self)
    let one = try Tensor(values, shape: [1, 16])
    values[5] = (values[5] + 3) % 12
    var keep = [Float](repeating: 1, count: 16)
    keep[5] = 0
    return (one, try Tensor(values, shape: [1, 16]), try Tensor(keep, shape: [1, 16]))
  }

  @Test("Excluded keys take no part in exact attention: the softmax over the others, in float64")
  func exclusion() throws {
    let generator = try Generator(seed: 9)
    let (q, k, v) = (
      try generator.normal(shape: [2, 3, 6, 5], dtype: .float64),
      try generator.normal(shape: [2, 3, 6, 5], dtype: .float64),
      try generator.normal(shape: [2, 3, 6, 5], dtype: .float64)
    )
    let keep = try Tensor([Float(1), 0, 1, 1, 0, 1, 1, 1, 0, 0, 1, 1], shape: [2, 6])
    let found = try q.attention(keys: k, values: v, keep: keep, causal: true)
    let places = try Tensor.arange(0, 6)
    let causal = try places.reshaped([6, 1]).greaterOrEqual(places.reshaped([1, 6]))
    let allowed = try causal.and(keep.reshaped([2, 1, 1, 6]).greater(0))
    let scores = try (q.matmul(k.transposed(2, 3)) / 5.0.squareRoot()).masked(allowed.not(), by: -.infinity)
    #expect(try distance(found, scores.softmax(axis: 3).matmul(v)) < 1e-9)
  }

  @Test(
    "Masked cross entropy is that of the kept tokens; with all kept the plain one; with none zero, without gradient")
  func maskedCrossEntropy() throws {
    let logits = try Generator(seed: 1).normal(shape: [2, 5, 7]).requiringGradient()
    let tokens = try randomTokens(2, length: 5, codes: 6)
    let plain = try TokenMaskingLosses.crossEntropy(logits, of: tokens, weights: nil).item()
    let losses: [Float] = try TokenMaskingLosses.negativeLogLikelihoods(logits, of: tokens).values()
    #expect(abs(plain - Double(losses.reduce(0, +) / 10)) < 1e-6)
    #expect(abs(try TokenMaskingLosses.crossEntropy(logits, of: tokens, weights: .ones([2, 5])).item() - plain) < 1e-6)
    let kept: [Float] = [1, 0, 1, 1, 0, 0, 0, 1, 0, 0]
    let subset = zip(losses, kept).filter { $0.1 > 0 }.map(\.0)
    let masked = try TokenMaskingLosses.crossEntropy(logits, of: tokens, weights: Tensor(kept, shape: [2, 5]))
    #expect(abs(try masked.item() - Double(subset.reduce(0, +) / 4)) < 1e-6)
    let none = try TokenMaskingLosses.crossEntropy(logits, of: tokens, weights: .zeros([2, 5]))
    try none.backward()
    #expect(try none.item() == 0)
    let gradient = try logits.gradient
    #expect(try #require(gradient).abs().maximum().item() == 0)
  }

  // MARK: Paired images

  @Test("A paired image's tokens are seen by all slots, and their places count")
  func context() throws {
    let transformer = try TokenTransformer.tiny(contextCodes: 12)
    let tokens = try randomTokens(1)
    var values = try randomTokens(1, seed: 8).values(as: Int.self)
    func logits(_ context: [Int]) throws -> Tensor {
      try transformer.logits(of: tokens, context: transformer.contextVectors(Tensor(context, shape: [1, 16])))
    }
    let before = try logits(values)
    values.swapAt(2, 9)
    let gaps: [Float] = try (logits(values) - before).abs().maximum([2]).values()
    #expect(gaps.allSatisfy { $0 > 1e-7 })
  }

  @Test("One batch of sequences is learnt")
  func overfitting() throws {
    let transformer = try TokenTransformer.tiny()
    let tokens = try randomTokens(4)
    let optimiser = try Adam(transformer, AdamOptions(learningRate: 3e-3))
    var losses: [Double] = []
    for _ in 0..<200 {
      let loss = try TokenMaskingLosses.crossEntropy(transformer.logits(of: tokens), of: tokens, weights: nil)
      try loss.backward()
      try optimiser.step()
      losses.append(try loss.item())
    }
    #expect(losses[199] < 0.3 && losses[0] > 2)
  }
}
