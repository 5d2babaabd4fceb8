import Foundation
import Testing
import Torch

@testable import Norma

@Suite("Decoding and maps")
struct TokenMapsTests {
  private func network(
    _ change: (inout TokenMaskingConfiguration) -> Void = { _ in }
  ) throws -> (TokenMaskingNetwork, TokenMaskingConfiguration) {
    let configuration = TokenMaskingConfiguration.tiny(change)
    return (try TokenMaskingNetwork(configuration, seed: 1), configuration)
  }

  private func decode(
    _ network: TokenMaskingNetwork, _ configuration: TokenMaskingConfiguration, _ sequences: Tensor, _ decodings: Int
  ) throws -> Tensor {
    var parts: [Tensor] = []
    let decoder = DropoutDecoder(network: network, settings: configuration.autoencoder, decodings: decodings)
    try withoutGradients { try decoder.decode(sequences, key: 3) { parts.append($0) } }
    return try .concatenated(parts, axis: 0)
  }

  @Test("Without dropout all decodings are the plain one")
  func noDropout() throws {
    let (network, configuration) = try network { $0.autoencoder.decoderDropout = 0 }
    let sequences = try randomTokens(3)
    let images = try decode(network, configuration, sequences, 2)
    let plain = try network.autoencoder.decoded(network.vectors(of: sequences)).reshaped([3, 256])
    #expect(try distance(images, plain.repeatingEach(2, axis: 0)) < 1e-6)
  }

  @Test("The mean over many dropped channels tends to the plain image: the last layer is linear")
  func mean() throws {
    let (network, configuration) = try network()
    let sequences = try randomTokens(1)
    let images = try decode(network, configuration, sequences, 4000)
    let plain = try network.autoencoder.decoded(network.vectors(of: sequences)).reshaped([256])
    let spread = try images.variance([0]).squareRoot().maximum().item()
    #expect(spread > 0)
    #expect(try distance(images.mean([0]), plain) < 4 * spread / 4000.0.squareRoot())
  }

  @Test("Equal sequences are decoded once but dropped apart; the same key gives the same images, alone or among others")
  func sharing() throws {
    let (network, configuration) = try network()
    let one = try randomTokens(1)
    let twice = try decode(network, configuration, one.repeatingEach(2, axis: 0), 3)
    #expect(try distance(twice.sliced(0..<3, axis: 0), decode(network, configuration, one, 3)) < 1e-6)
    #expect(try distance(twice.sliced(0..<3, axis: 0), twice.sliced(3..<6, axis: 0)) > 1e-4)
  }

  @Test("Dropout inside residual units decodes every sample in full")
  func innerDropout() throws {
    let (network, configuration) = try network { $0.autoencoder.dropsInUnits = true }
    let images = try decode(network, configuration, randomTokens(2), 4)
    #expect(images.shape == [8, 256])
    #expect(try images.sliced(0..<4, axis: 0).variance([0]).maximum().item() > 0)
  }

  // MARK: Maps

  private func maker(
    _ network: TokenMaskingNetwork, _ configuration: TokenMaskingConfiguration, memory: Int = 64
  ) throws -> TokenMaps {
    var detection = configuration.detection
    detection.memoryLimit = memory
    return try TokenMaps(
      decoder: DropoutDecoder(network: network, settings: configuration.autoencoder, decodings: 3), settings: detection,
      sides: configuration.inputExtents, range: 0...1, device: .cpu)
  }

  @Test("Maps are empty without flags, and confined to the neighbourhood of flagged tokens with them")
  func validity() throws {
    let (network, configuration) = try network { $0.imageSize = 64 }
    let maker = try maker(network, configuration)
    var flags = [Bool](repeating: false, count: 2 * 256)
    flags[256 + 5 * 16 + 6] = true
    let valid = try maker.validPixels(Tensor(flags, shape: [2, 16, 16])).reshaped([2, 64, 64]).to(.float32)
    #expect(try valid.selected(0, axis: 0).sum().item() == 0)
    let own = try valid.selected(1, axis: 0)
    // A token of 4×4 pixels grows to a disc about 5 tokens wide.
    let width = try own.selected(22, axis: 0).sum().item()
    #expect(width >= 16 && width <= 24)
    #expect(try own.sliced(20..<24, axis: 0).sliced(24..<28, axis: 1).sum().item() == 16)
    #expect(try own.sliced(40..<64, axis: 0).sum().item() == 0)
  }

  @Test("Maps are formulas of the decoded samples, pixel by pixel")
  func formulas() throws {
    let (network, configuration) = try network { $0.detection.smoothing = 0 }
    let maker = try maker(network, configuration)
    let sequences = try randomTokens(4)
    let image = try Generator(seed: 2).uniform(shape: [256])
    let valid = try Generator(seed: 3).uniform(shape: [256]).less(0.5)
    let maps = try withoutGradients { try maker.maps(of: image, valid: valid, healed: sequences, key: 3) }
    let samples = try decode(network, configuration, sequences, 3).clamped(0, 1)
    let columns: [Double] = try samples.transposed(0, 1).contiguous().values(as: Double.self)
    let (x, inside) = (try image.values(as: Double.self), try valid.values(as: Bool.self))
    let (density, residual): ([Float], [Float]) = (try maps.density.values(), try maps.residual.values())
    let (zScore, healed): ([Float], [Float]) = (try maps.zScore.values(), try maps.healed.values())
    for pixel in stride(from: 0, to: 256, by: 5) {
      let y = Array(columns[pixel * 12..<(pixel + 1) * 12])
      let mean = y.reduce(0, +) / 12
      let squares = y.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
      #expect(abs(Double(healed[pixel]) - mean) < 1e-5)
      guard inside[pixel] else {
        #expect(density[pixel] == 0 && residual[pixel] == 0 && zScore[pixel] == 0)
        continue
      }
      let h = 1.06 * (squares / 12).squareRoot() * pow(12, -0.2) + configuration.detection.bandwidthFloor
      let p = y.reduce(0) { $0 + exp(-(x[pixel] - $1) * (x[pixel] - $1) / (2 * h * h)) } / 12
      #expect(abs(Double(density[pixel]) + log(p + 1e-12)) < 1e-3)
      #expect(abs(Double(residual[pixel]) - abs(x[pixel] - mean)) < 1e-5)
      let z = abs(x[pixel] - mean) / ((squares / 11).squareRoot() + 0.01)
      #expect(abs(Double(zScore[pixel]) - z) < 1e-3 * (1 + z))
    }
  }

  @Test("Little memory gives the same maps, part by part")
  func memory() throws {
    let (network, configuration) = try network { $0.imageSize = 256 }
    let sequences = try randomTokens(10, length: 64 * 64)
    let image = try Generator(seed: 2).uniform(shape: [65536])
    let valid = try image.onesLike().greater(0)
    let maps = try [1, 64].map { memory in
      try withoutGradients {
        try maker(network, configuration, memory: memory).maps(of: image, valid: valid, healed: sequences, key: 3)
      }
    }
    #expect(try distance(maps[0].density, maps[1].density) < 1e-5)
    #expect(try distance(maps[0].healed, maps[1].healed) < 1e-6)
  }

  // MARK: Suspected tokens

  @Test(
    "A block of unusual pixels falls on its token, for every order, in two and three dimensions",
    arguments: TokenCurve.allCases)
  func blocks(_ curve: TokenCurve) throws {
    for (sides, cell) in [([12, 20], 4), ([8, 12, 4], 4)] {
      let grid = sides.map { $0 / cell }
      let order = TokenOrder(curve, extents: grid, seed: 5)
      let suspects = SuspectedTokens(settings: TokenMaskingConfiguration.Rounds())
      for token in 0..<grid.reduce(1, *) {
        var marks = [Float](repeating: 0, count: grid.reduce(1, *))
        marks[token] = 9
        let map = try Tensor(marks, shape: [1, 1] + grid).resized(to: sides, .nearest).squeezed(1)
        let (found, capped) = try suspects.tokens(suspects.suspicion(of: map, cell: cell), threshold: 5)
        #expect(capped == 0)
        let sequence = try order.sequences(of: found.to(.int64)).values(as: Int.self)
        #expect(sequence.indices.filter { sequence[$0] == 1 } == [order.places[token]])
      }
    }
  }

  @Test("A token is suspected from a share of its pixels on")
  func share() throws {
    var settings = TokenMaskingConfiguration.Rounds()
    settings.cellShare = 0.25
    let suspects = SuspectedTokens(settings: settings)
    for marked in 0...16 {
      let pixels = (0..<16).map { Float($0 < marked ? 7 : 1) }
      let suspicion = try suspects.suspicion(of: Tensor(pixels, shape: [1, 4, 4]), cell: 4)
      #expect(try suspects.tokens(suspicion, threshold: 5).suspected.anyTrue() == (marked >= 4))
    }
  }

  @Test("Where too much is suspected, the worst is masked; neighbours are masked when asked for")
  func capAndDilation() throws {
    var settings = TokenMaskingConfiguration.Rounds()
    settings.cap = 0.25
    let suspicion = try Tensor([Float(9), 8, 7, 6, 1, 1, 1, 10], shape: [1, 2, 4])
    let (worst, capped) = try SuspectedTokens(settings: settings).tokens(suspicion, threshold: 5)
    #expect(capped == 1)
    #expect(try worst.values(as: Bool.self) == [true, false, false, false, false, false, false, true])
    (settings.cap, settings.dilates) = (1, true)
    let single = try Tensor([Float(0), 0, 0, 0, 9, 0, 0, 0], shape: [1, 2, 4])
    let wide = try SuspectedTokens(settings: settings).tokens(single, threshold: 5).suspected
    #expect(try wide.values(as: Bool.self) == [true, true, false, false, true, true, false, false])
  }

  @Test("Change is one minus intersection over union")
  func change() throws {
    let a = try Tensor([true, true, false, false], shape: [1, 4])
    let b = try Tensor([true, false, true, false], shape: [1, 4])
    #expect(abs(try SuspectedTokens.change(from: a, to: b) - 2.0 / 3) < 1e-9)
    #expect(try SuspectedTokens.change(from: a, to: a) == 0)
    #expect(try SuspectedTokens.change(from: .zeros([1, 4]).greater(0), to: .zeros([1, 4]).greater(0)) == 0)
  }

  @Test("The robust threshold is median plus deviations of all pixels; constants have none")
  func threshold() throws {
    let values = try Generator(seed: 1).normal(mean: 10, standardDeviation: 1.5, shape: [20_000])
    var histogram = MapHistogram()
    try histogram.add(values.sliced(0..<5_000, axis: 0))
    try histogram.add(values.sliced(5_000..<20_000, axis: 0))
    let threshold = try #require(histogram.robustThreshold(deviations: 4))
    #expect(abs(threshold - 16) < 0.15)
    var constant = MapHistogram()
    try constant.add(Tensor.full(3, shape: [100]))
    #expect(constant.robustThreshold(deviations: 4) == nil)
    #expect(MapHistogram().robustThreshold(deviations: 4) == nil)
  }
}
