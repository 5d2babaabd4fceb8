import Foundation
import Testing

@testable import Norma
@testable import Torch

/// What `Scripts/golden/token_masking.py` and `token_masking_figures.py` wrote.
enum TokenMaskingGolden {
  static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("Golden/TokenMasking")

  static func values(_ name: String) throws -> (tensors: [String: Tensor], configuration: Configuration?) {
    let file = try SafetensorsFile(contentsOf: folder.appendingPathComponent("\(name).safetensors"))
    let configuration = try file.metadata["configuration"].map {
      let decoder = JSONDecoder()
      decoder.keyDecodingStrategy = .convertFromSnakeCase
      return try decoder.decode(Configuration.self, from: Data($0.utf8))
    }
    return (
      Dictionary(uniqueKeysWithValues: try file.arrays().map { ($0.name, try $0.tensor()) }), configuration
    )
  }

  /// The reference's settings, of the VQ-VAE or the transformer.
  struct Configuration: Decodable {
    var dimensions, channels, levels, units, codeWidth: Int?
    var codes, width: Int
    var grid: [Int]?
    var layers, heads, headWidth, contextCodes: Int?
    var masksInput, spatialPositions: Bool?
    var decay: Double?
  }

  struct Figures: Decodable {
    struct Bandwidth: Decodable {
      let samples: [Double]
      let bandwidth: Double
      let fellBack: Bool
      let tolerance: Double
    }
    struct Curve: Decodable {
      let extents: [Int]
      let cells: [Int]
    }
    let bandwidths: [String: Bandwidth]
    let curves: [Curve]

    static func load() throws -> Figures {
      try JSONDecoder().decode(Figures.self, from: Data(contentsOf: folder.appendingPathComponent("figures.json")))
    }
  }

  /// Copies golden weights into a module; each golden name must find its place, and every tensor be filled.
  static func fill(_ module: Module, _ values: [String: Tensor], _ renamed: (String) -> [String]) throws {
    for (key, parameter) in module.namedParameters {
      let parts = try renamed(key).map { try #require(values["network.\($0)"], "\(key) ← \($0)") }
      try parameter.assign(parts.count == 1 ? parts[0] : .concatenated(parts, axis: 0))
    }
  }

  static func autoencoder(_ name: String) throws -> (VectorQuantisedAutoencoder, [String: Tensor], Configuration) {
    let (values, configuration) = try values(name)
    let golden = try #require(configuration)
    var settings = TokenMaskingConfiguration.Autoencoder()
    (settings.levels, settings.width, settings.residualUnits) = try (
      #require(golden.levels), golden.width, #require(golden.units)
    )
    (settings.codes, settings.codeWidth, settings.decoderDropout) = (golden.codes, try #require(golden.codeWidth), 0.25)
    settings.parity = true
    let autoencoder = try VectorQuantisedAutoencoder(
      settings, channels: #require(golden.channels), spatialAxes: #require(golden.dimensions),
      generator: Generator(seed: 1))
    try fill(autoencoder, values) { key in
      [key.replacingOccurrences(of: "spatial", with: "conv1").replacingOccurrences(of: "pointwise", with: "conv2")]
    }
    return (autoencoder, values, golden)
  }

  static func transformer(_ name: String) throws -> (TokenTransformer, [String: Tensor]) {
    let (values, configuration) = try values("transformer-\(name)")
    let golden = try #require(configuration)
    var settings = TokenMaskingConfiguration.Transformer()
    (settings.width, settings.layers) = (golden.width, try #require(golden.layers))
    (settings.heads, settings.headWidth) = try (#require(golden.heads), #require(golden.headWidth))
    (settings.masksInput, settings.spatialPositions) = try (
      #require(golden.masksInput), #require(golden.spatialPositions)
    )
    let cells = try #require(values["order"]).values(as: Int.self)
    let transformer = try TokenTransformer(
      settings, codes: golden.codes, contextCodes: golden.contextCodes == 0 ? nil : golden.contextCodes,
      order: TokenOrder(cells: cells, extents: #require(golden.grid)), generator: Generator(seed: 1))
    try fill(transformer, values, renamed)
    return (transformer, values)
  }

  /// The reference's names of a tensor; stacked projections are several.
  private static func renamed(_ key: String) -> [String] {
    var name = key
    for (ours, theirs) in [
      ("contextTokens", "context_embedding"), ("tokens", "token_embedding"), ("contextAttention", "cross_attention"),
      ("contextFeedForward.layers.0", "cross_feed_forward.expand"),
      ("contextFeedForward.layers.1", "cross_feed_forward.contract"), ("feedForward.layers.0", "feed_forward.expand"),
      ("feedForward.layers.1", "feed_forward.contract"), ("outputProjection", "output"), ("query.", "queries."),
    ] { name = name.replacingOccurrences(of: ours, with: theirs) }
    let several = name.contains("inputProjection") ? ["queries", "keys", "values"] : ["keys", "values"]
    guard name.contains("inputProjection") || name.contains("keysValues") else { return [name] }
    return several.map {
      name.replacingOccurrences(of: "inputProjection", with: $0).replacingOccurrences(of: "keysValues", with: $0)
    }
  }
}

@Suite("Token masking computes what independent programs compute")
struct TokenMaskingParityTests {
  @Test(
    "VQ-VAE: latents, codes, reconstruction, losses and a step of the codebook", arguments: ["vqvae-2d", "vqvae-3d"])
  func autoencoder(_ name: String) throws {
    let (autoencoder, values, golden) = try TokenMaskingGolden.autoencoder(name)
    func value(_ key: String) throws -> Tensor { try #require(values[key], "\(key)") }
    let image = try value("image")
    let latents = try autoencoder.encoded(image)
    #expect(try distance(latents, value("latents")) < 1e-5)
    let coded = try autoencoder.quantiser(latents, update: nil)
    #expect(try coded.codes.values(as: Int.self) == value("indices").values(as: Int.self))
    #expect(try distance(coded.quantised, value("quantised")) < 1e-5)
    let decoded = try autoencoder.decoded(coded.quantised)
    #expect(try distance(decoded, value("reconstruction")) < 1e-5)
    let squared = try TokenMaskingLosses.pixels(decoded, image, .squared)
    let spectral = try TokenMaskingLosses.spectrum(decoded, image)
    #expect(abs(try squared.item() - value("loss.squared").item()) < 1e-6)
    #expect(
      abs(try TokenMaskingLosses.pixels(decoded, image, .absolute).item() - value("loss.absolute").item()) < 1e-6)
    #expect(abs(try spectral.item() - value("loss.spectral").item()) < 1e-6)
    #expect(abs(try coded.commitment.item() - value("loss.commitment").item()) < 1e-6)
    try (squared + spectral + coded.commitment).backward()
    for (key, parameter) in autoencoder.namedParameters {
      let theirs = key.replacingOccurrences(of: "spatial", with: "conv1")
        .replacingOccurrences(of: "pointwise", with: "conv2")
      guard let expected = values["gradient.\(theirs)"] else { continue }
      let gradient = try parameter.tensor.gradient
      #expect(try distance(#require(gradient), expected) < 1e-5, "\(key)")
    }
    let kept = try value("channels")
    let features = try autoencoder.decoderTrunk(coded.quantised.sliced(0..<1, axis: 0))
    let mask = try kept.reshaped(kept.shape + features.shape.dropFirst(2).map { _ in 1 }) / 0.75
    #expect(try distance(autoencoder.decoderEnd(features * mask), value("decodings")) < 1e-5)
    _ = try autoencoder.quantiser(
      latents.detached(),
      update: VectorQuantiser.Update(
        decay: #require(golden.decay), restartsDeadCodes: false, random: Generator(seed: 1)))
    for (key, parameter) in autoencoder.quantiser.namedParameters {
      #expect(try distance(parameter.tensor, value("after.\(key)")) < 1e-4, "\(key)")
    }
  }

  static let transformers = ["plain", "spatial", "context"]

  @Test("Transformer: logits, masked logits, losses, gradients and likelihoods", arguments: transformers)
  func transformer(_ name: String) throws {
    let (transformer, values) = try TokenMaskingGolden.transformer(name)
    func value(_ key: String) throws -> Tensor { try #require(values[key], "\(key)") }
    let (tokens, keep) = (try value("tokens"), try value("keep"))
    let context = try values["context"].map { try transformer.contextVectors($0) }
    let plain = try transformer.logits(of: tokens, context: context)
    #expect(try distance(plain, value("logits")) < 1e-5)
    #expect(
      abs(try TokenMaskingLosses.crossEntropy(plain, of: tokens, weights: nil).item() - value("loss").item()) < 1e-5)
    let likelihoods = try (-TokenMaskingLosses.negativeLogLikelihoods(plain, of: tokens)).exp()
    #expect(try distance(likelihoods, value("likelihoods")) < 1e-5)
    let masked = try transformer.logits(of: tokens, keep: keep, context: context)
    #expect(try distance(masked, value("logits.masked")) < 1e-5)
    let loss = try TokenMaskingLosses.crossEntropy(masked, of: tokens, weights: keep)
    #expect(abs(try loss.item() - value("loss.masked").item()) < 1e-5)
    try loss.backward()
    var compared = 0
    for (ours, theirs) in [
      ("tokens.weight", "token_embedding.weight"), ("positions.weight", "positions.weight"),
      ("axes.1.weight", "axes.1.weight"), ("head.bias", "head.bias"),
      ("blocks.0.norm2.weight", "blocks.0.norm2.weight"),
      ("blocks.1.feedForward.layers.1.bias", "blocks.1.feed_forward.contract.bias"),
      ("contextTokens.weight", "context_embedding.weight"),
    ] {
      guard let expected = values["gradient.\(theirs)"] else { continue }
      let parameter = try #require(transformer.namedParameters.first { $0.key == ours }?.parameter)
      let gradient = try parameter.tensor.gradient
      #expect(try distance(#require(gradient), expected) < 1e-5, "\(ours)")
      compared += 1
    }
    #expect(compared >= 5)
  }

  @Test("Healing from given random numbers gives the same tokens", arguments: transformers)
  func healing(_ name: String) throws {
    let (transformer, values) = try TokenMaskingGolden.transformer(name)
    let (tokens, expected) = (try #require(values["tokens"]).sliced(0..<1, axis: 0), try #require(values["healed"]))
    let flags = try #require(values["flags"]).greater(0.5).unsqueezed(0)
    let uniforms: [Float] = try #require(values["uniforms"]).values()
    var healer = TokenHealer(transformer: transformer, temperature: 1)
    healer.chance = { _, sample, place in uniforms[sample * 12 + place] }
    let healed = try withoutGradients {
      let context = try values["context"].map { try transformer.contextVectors($0).sliced(0..<1, axis: 0) }
      let reading = try healer.read(tokens, context: context)
      return try healer.heal(tokens, flags: flags, reading: reading, samples: 3, keys: [1], context: context)
    }
    #expect(try healed.values(as: Int.self) == expected.values(as: Int.self))
  }

  @Test("Linear attention, with and without excluded keys")
  func linearAttention() throws {
    let (values, _) = try TokenMaskingGolden.values("attention")
    func value(_ key: String) throws -> Tensor { try #require(values[key], "\(key)").to(.float32) }
    let features = try RandomFeatures(projection: value("projection"), floors: .none)
    for (keep, name) in [(nil, "output"), (try value("keep"), "output.masked")] as [(Tensor?, String)] {
      let found = try features(
        queries: value("queries"), keys: value("keys"), values: value("values"), keep: keep, state: nil)
      #expect(try distance(found.output, value(name)) < 1e-4, "\(name)")
    }
  }

  @Test(
    "Densities per voxel are scikit-learn's, for both rules of the bandwidth",
    arguments: [("added", 0.025), ("atLeast", 0.05)])
  func density(_ name: String, _ floor: Double) throws {
    let (values, _) = try TokenMaskingGolden.values("density")
    func value(_ key: String) throws -> Tensor { try #require(values[key], "\(key)").reshaped([64]) }
    let samples = try #require(values["samples"]).clamped(0, 1).reshaped([64, 12]).transposed(0, 1).contiguous()
    let density = KernelDensity(rule: try #require(.init(rawValue: name)), floor: floor)
    #expect(try distance(density.bandwidths(of: samples), value("bandwidth.\(name)")) < 1e-9)
    #expect(try distance(density.logDensity(of: value("values"), among: samples), value("logDensity.\(name)")) < 1e-6)
    #expect(try distance(density.surprise(of: value("values"), among: samples), value("score.\(name)")) < 1e-6)
    let single = try density.surprise(of: value("values").to(.float32), among: samples.to(.float32))
    #expect(try distance(single, value("score.\(name)")) < 1e-3)
  }

  @Test("Improved Sheather–Jones bandwidths")
  func bandwidths() throws {
    for (name, expected) in try TokenMaskingGolden.Figures.load().bandwidths {
      let found = ImprovedSheatherJones.bandwidth(expected.samples)
      #expect((found == nil) == expected.fellBack, "\(name)")
      guard let found, !expected.fellBack else { continue }
      #expect(abs(found / expected.bandwidth - 1) <= expected.tolerance + 1e-6, "\(name) \(found)")
    }
  }

  @Test("Hilbert curves")
  func curves() throws {
    for curve in try TokenMaskingGolden.Figures.load().curves {
      #expect(TokenOrder(.gilbert, extents: curve.extents, seed: 0).cells == curve.cells, "\(curve.extents)")
    }
  }
}
