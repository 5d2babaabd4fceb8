import Testing

@testable import Norma
@testable import Torch

/// What the networks of the baselines do with the batch norms behind their convolutions when a checkpoint is scored.
@Suite("Folded norms of the baselines")
struct FoldedNormTests {
  /// A network with a way through it.
  enum Network: String, CaseIterable, Sendable {
    case autoencoder, memAE, backbone, dcganEncoder, dcganDecoder, residualEncoder, residualDecoder

    func make() throws -> (module: Module, pass: (Mode) throws -> Tensor) {
      let random = try Generator(seed: 4)
      let images = try smoothImages(3, side: 32, seed: 5)
      let codes = try random.normal(shape: [3, 5])
      switch self {
      case .autoencoder:
        let network = try AutoencoderNetwork(.tiny(), extents: [32, 32], generator: random)
        return (network, { try network(images, mode: $0) })
      case .memAE:
        var settings = MemAEConfiguration()
        (settings.imageSize, settings.channels, settings.items) = (32, [4, 6, 8], 5)
        let network = try MemAENetwork(settings, generator: random)
        return (network, { try network(images, mode: $0).reconstructions })
      case .backbone:
        let network = try ResidualNetwork(.tiny(), generator: random)
        return (network, { try network(images, mode: $0)[3] })
      case .dcganEncoder:
        let network = try DCGANEncoder(imageSize: 32, width: 3, outputs: 2, norm: .batch, generator: random)
        return (network, { try network(images, mode: $0).numbers })
      case .dcganDecoder:
        let network = try DCGANDecoder(imageSize: 32, width: 3, inputs: 5, generator: random)
        return (network, { try network(codes, mode: $0) })
      case .residualEncoder:
        let network = try ResidualEncoder(imageSize: 32, width: 3, outputs: 2, norm: .batch, generator: random)
        return (network, { try network(images, mode: $0).numbers })
      case .residualDecoder:
        let network = try ResidualDecoder(imageSize: 32, width: 3, inputs: 5, generator: random)
        return (network, { try network(codes, mode: $0) })
      }
    }

    /// Whether a convolution stands right before the norm with such a key.
    func isFolded(_ key: String) -> Bool {
      switch self {
      case .residualEncoder, .residualDecoder: key.contains("norm2")
      default: true
      }
    }
  }

  @Test(
    "Frozen weights give the same numbers, with every norm behind a convolution folded in", arguments: Network.allCases)
  func folding(_ network: Network) throws {
    let (module, pass) = try network.make()
    let random = try Generator(seed: 6)
    for (key, parameter) in module.namedParameters where key.contains("running") {
      let values = try random.uniform(-0.1, 0.1, shape: parameter.tensor.shape)
      try parameter.assign(key.hasSuffix("Variance") ? values + 1 : values)
    }
    let means = module.namedParameters.filter { $0.key.hasSuffix("runningMean") && network.isFolded($0.key) }
    func shift(by amount: Double) throws {
      for (_, mean) in means { try mean.assign(mean.tensor + amount) }
    }
    let scored = try pass(.evaluation).values() as [Float]
    try shift(by: 0.05)
    #expect(try pass(.evaluation).values() as [Float] != scored)
    try shift(by: -0.05)
    let restored = try pass(.evaluation).values() as [Float]
    #expect(largestDifference(restored, scored) < 1e-5)
    try module.freeze(as: nil)
    #expect(try pass(.evaluation).values() as [Float] == restored)
    try shift(by: 0.05)
    #expect(try pass(.evaluation).values() as [Float] == restored)
  }
}
