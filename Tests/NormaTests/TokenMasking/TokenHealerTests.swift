import Foundation
import Testing
import Torch

@testable import Norma

@Suite("Healing of tokens")
struct TokenHealerTests {
  typealias Attention = TokenMaskingConfiguration.Transformer.Attention

  private func heal(
    _ transformer: TokenTransformer, _ tokens: Tensor, _ flags: Tensor, samples: Int, keys: [UInt64],
    context: Tensor? = nil, temperature: Double = 1
  ) throws -> Tensor {
    let healer = TokenHealer(transformer: transformer, temperature: temperature)
    return try withoutGradients {
      let reading = try healer.read(tokens, context: context)
      return try healer.heal(tokens, flags: flags, reading: reading, samples: samples, keys: keys, context: context)
    }
  }

  /// The same by the definition: for every flagged token a full pass over the healed prefix, one sequence at a time.
  private func healedPlainly(
    _ transformer: TokenTransformer, _ tokens: [Int], _ flags: [Bool], sample: Int, key: UInt64
  ) throws -> [Int] {
    var healed = tokens
    for place in tokens.indices where flags[place] {
      let logits: [Double] = try transformer.logits(of: Tensor(healed, shape: [1, tokens.count]))
        .selected(0, axis: 0).selected(place, axis: 0).values(as: Double.self)
      let largest = logits[..<12].max() ?? 0
      let weights = logits[..<12].map { exp($0 - largest) }
      let target = Double(CounterRandom.uniform(key, sample, place)) * weights.reduce(0, +)
      var sum = 0.0
      healed[place] =
        weights.firstIndex { weight in
          sum += weight
          return sum >= target
        } ?? 11
    }
    return healed
  }

  @Test("With a cache tokens are those of full passes", arguments: Attention.allCases)
  func cache(_ attention: Attention) throws {
    let transformer = try TokenTransformer.tiny { $0.attention = attention }
    let tokens = try randomTokens(3)
    let chances: [Float] = try Generator(seed: 4).uniform(shape: [3, 16]).values()
    let flags = chances.map { $0 < 0.3 }
    let keys: [UInt64] = [11, 22, 33]
    let healed = try heal(
      transformer, tokens, Tensor(flags, shape: [3, 16]), samples: 4, keys: keys
    ).values(as: Int.self)
    let values = try tokens.values(as: Int.self)
    for image in 0..<3 {
      let own = image * 16..<(image + 1) * 16
      for sample in 0..<4 {
        let expected = try withoutGradients {
          try healedPlainly(
            transformer, Array(values[own]), Array(flags[own]), sample: sample, key: keys[image])
        }
        let start = (image * 4 + sample) * 16
        #expect(Array(healed[start..<start + 16]) == expected)
      }
    }
  }

  /// With heads of 8 the model is not laid out, with heads of 16 it is, where the processor suits.
  @Test(
    "In long sequences, with flags at both ends and side by side, tokens are those of full passes", arguments: [8, 16])
  func longSequences(_ headWidth: Int) throws {
    let length = 130
    let transformer = try TokenTransformer.tiny(extents: [10, 13], seed: 2) { $0.headWidth = headWidth }
    let tokens = try randomTokens(3, length: length)
    var flags = [Bool](repeating: false, count: 3 * length)
    for place in [0, 1, 2, 30, 63, 64, 65, 129, length + 70, length + 100] { flags[place] = true }
    let keys: [UInt64] = [3, 4, 5]
    let healed = try heal(transformer, tokens, Tensor(flags, shape: [3, length]), samples: 3, keys: keys)
      .values(as: Int.self)
    let values = try tokens.values(as: Int.self)
    for image in 0..<3 {
      let own = image * length..<(image + 1) * length
      for sample in 0..<3 {
        let expected = try withoutGradients {
          try healedPlainly(transformer, Array(values[own]), Array(flags[own]), sample: sample, key: keys[image])
        }
        let start = (image * 3 + sample) * length
        #expect(Array(healed[start..<start + length]) == expected)
      }
    }
  }

  @Test(
    "Logits with a cache are those of a full pass, in chunks of any size", arguments: Attention.allCases, [1, 3, 7])
  func chunks(_ attention: Attention, _ size: Int) throws {
    let transformer = try TokenTransformer.tiny(contextCodes: 12) { $0.attention = attention }
    let tokens = try randomTokens(2)
    try withoutGradients {
      let context = try transformer.contextVectors(randomTokens(2, seed: 9))
      let full = try transformer.pass(over: tokens, context: context)
      let prefix = try transformer.pass(over: tokens.sliced(0..<1, axis: 1), context: context).attention
      var caches = try prefix.map { pass -> AttentionCache in
        if let state = pass.state { return .linear(try state.repeated(3)) }
        return try .exact(keys: pass.keys, values: pass.values, slots: 1, repeats: 3, capacity: 16)
      }
      let repeated = try tokens.repeatingEach(3, axis: 0)
      for start in stride(from: 1, to: 16, by: size) {
        let end = min(start + size, 16)
        // Slot j holds token j − 1.
        let logits = try transformer.nextLogits(
          holding: repeated.sliced(start - 1..<end - 1, axis: 1), after: start, caches: &caches, context: context)
        let expected = try full.logits.selected(end - 1, axis: 1).repeatingEach(3, axis: 0)
        #expect(try distance(logits, expected) < 1e-5 * 20)
      }
    }
  }

  @Test("Without flags nothing changes; with all flagged, samples are drawn from the model alone", arguments: [8, 16])
  func extremes(_ headWidth: Int) throws {
    let transformer = try TokenTransformer.tiny { $0.headWidth = headWidth }
    let tokens = try randomTokens(2)
    let none = try heal(transformer, tokens, Tensor.zeros([2, 16]).greater(0), samples: 2, keys: [1, 2])
    #expect(try none.values(as: Int.self) == tokens.repeatingEach(2, axis: 0).values(as: Int.self))
    let all = try Tensor.ones([2, 16]).greater(0)
    let drawn = try heal(transformer, tokens, all, samples: 2, keys: [1, 1])
    let others = try heal(transformer, randomTokens(2, seed: 77), all, samples: 2, keys: [1, 1])
    #expect(try drawn.values(as: Int.self) == others.values(as: Int.self))
    #expect(try drawn.selected(0, axis: 0).values(as: Int.self) == drawn.selected(1, axis: 0).values(as: Int.self))
  }

  @Test("An image heals alike alone, among others, and in another order", arguments: [8, 16])
  func batches(_ headWidth: Int) throws {
    let transformer = try TokenTransformer.tiny { $0.headWidth = headWidth }
    let tokens = try randomTokens(3)
    let flags = try Generator(seed: 8).uniform(shape: [3, 16]).less(0.4)
    let together = try heal(transformer, tokens, flags, samples: 3, keys: [7, 8, 9])
    for row in 0..<3 {
      let range = row..<row + 1
      let alone = try heal(
        transformer, tokens.sliced(range, axis: 0), flags.sliced(range, axis: 0), samples: 3, keys: [UInt64(7 + row)])
      #expect(try alone.values(as: Int.self) == together.sliced(range, axis: 0).values(as: Int.self))
    }
    let turned = try heal(transformer, tokens.flipped([0]), flags.flipped([0]), samples: 3, keys: [9, 8, 7])
    #expect(try turned.flipped([0]).values(as: Int.self) == together.values(as: Int.self))
  }

  @Test("Samples follow the model's probabilities", arguments: [8, 16])
  func distribution(_ headWidth: Int) throws {
    let transformer = try TokenTransformer.tiny(seed: 6) { $0.headWidth = headWidth }
    let tokens = try randomTokens(1)
    var flags = [Bool](repeating: false, count: 16)
    flags[4] = true
    let healed = try heal(transformer, tokens, Tensor(flags, shape: [1, 16]), samples: 4000, keys: [5])
    let drawn = try healed.selected(0, axis: 0).selected(4, axis: 1).values(as: Int.self)
    let logits: [Double] = try transformer.logits(of: tokens).selected(0, axis: 0).selected(4, axis: 0)
      .sliced(0..<12, axis: 0).softmax(axis: 0).values(as: Double.self)
    for code in 0..<12 {
      let share = Double(drawn.count { $0 == code }) / 4000
      #expect(abs(share - logits[code]) < 4 * (logits[code] * (1 - logits[code]) / 4000).squareRoot() + 1e-3)
    }
  }

  @Test("At temperature 0 the likeliest code is taken", arguments: [8, 16])
  func greedy(_ headWidth: Int) throws {
    let transformer = try TokenTransformer.tiny { $0.headWidth = headWidth }
    let tokens = try randomTokens(1)
    var flags = [Bool](repeating: false, count: 16)
    flags[3] = true
    let healed = try heal(transformer, tokens, Tensor(flags, shape: [1, 16]), samples: 2, keys: [1], temperature: 0)
    let best = try transformer.logits(of: tokens).selected(0, axis: 0).selected(3, axis: 0).sliced(0..<12, axis: 0)
      .indexOfMaximum(axis: 0).item()
    #expect(try healed.selected(0, axis: 0).selected(3, axis: 1).values(as: Int.self) == [Int(best), Int(best)])
  }
}
