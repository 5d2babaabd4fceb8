import Foundation
import Testing

@testable import Norma
@testable import Torch

extension AutoencoderConfiguration {
  /// A network of 32 × 32 pixels that builds and runs in no time.
  static func tiny(_ change: (inout AutoencoderConfiguration) -> Void = { _ in }) -> AutoencoderConfiguration {
    var tiny = AutoencoderConfiguration()
    (tiny.imageSize, tiny.channels, tiny.kernelSize, tiny.codeWidth) = (32, [4, 8], 3, 12)
    change(&tiny)
    return tiny
  }
}

/// The networks and values that `Scripts/golden/autoencoder.py` wrote, from PyTorch's own layers.
enum AutoencoderGolden: String, CaseIterable, Sendable {
  case images
  case volumes

  func values() throws -> [String: Tensor] {
    let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("Golden/Autoencoder/\(rawValue).safetensors")
    return Dictionary(
      uniqueKeysWithValues: try SafetensorsFile(contentsOf: file).arrays().map { ($0.name, try $0.tensor()) })
  }

  var configuration: AutoencoderConfiguration {
    .tiny {
      switch self {
      case .images: ($0.channels, $0.kernelSize, $0.codeWidth) = ([4, 8, 16], 5, 6)
      case .volumes:
        ($0.channels, $0.kernelSize, $0.codeWidth) = ([4, 16], 3, 5)
        ($0.normalisation, $0.loss) = (.none, .absolute)
      }
    }
  }

  /// The network with the golden weights, which must be all of its weights and no others.
  func network(_ values: [String: Tensor]) throws -> AutoencoderNetwork {
    let extents = Array(try #require(values["images"]).shape.dropFirst(2))
    let network = try AutoencoderNetwork(configuration, extents: extents, generator: Generator(seed: 1))
    let keys = Set(values.keys.filter { $0.hasPrefix("network.") }.map { String($0.dropFirst(8)) })
    try #require(keys == Set(network.namedParameters.map(\.key)))
    for (key, parameter) in network.namedParameters { try parameter.assign(#require(values["network.\(key)"])) }
    return network
  }
}

@Suite("The plain autoencoder")
struct AutoencoderNetworkTests {
  @Test(
    "Reconstructions agree with PyTorch's own layers, in training and in evaluation",
    arguments: AutoencoderGolden.allCases)
  func reconstructions(_ golden: AutoencoderGolden) throws {
    let values = try golden.values()
    let network = try golden.network(values)
    let images = try #require(values["images"])
    #expect(try largestDifference(network(images, mode: .evaluation), #require(values["evaluation"])) < 5e-6)
    #expect(try largestDifference(network(images, mode: .training), #require(values["training"])) < 5e-6)
    let after = values.keys.filter { $0.hasPrefix("after.") }
    #expect(after.isEmpty == (golden == .volumes))
    for key in after {
      let found = try network.parameter(String(key.dropFirst(6))).tensor
      #expect(try largestDifference(found, #require(values[key])) < 1e-6, "\(key)")
    }
  }

  @Test("The loss and the gradients of all weights agree with PyTorch's", arguments: AutoencoderGolden.allCases)
  func gradients(_ golden: AutoencoderGolden) throws {
    let values = try golden.values()
    let network = try golden.network(values)
    let images = try #require(values["images"])
    let loss = try AutoencoderLosses.reconstruction(
      network(images, mode: .training), images, golden.configuration.loss)
    #expect(try abs(loss.item() - #require(values["loss"]).item()) < 1e-6)
    try loss.backward()
    for (key, parameter) in network.namedParameters where parameter.isTrainable {
      let expected = try #require(values["gradient.\(key)"])
      let gradient = try #require(try parameter.tensor.gradient)
      let scale = try expected.abs().maximum().item()
      // Sums in another order, as with several threads, differ in the last bits of float32.
      let gap = try largestDifference(gradient, expected)
      #expect(gap < 5e-5 * max(scale, 0.1), "\(key) \(gap) of \(scale)")
    }
  }

  @Test(
    "Keys are stable names, and every weight gets gradient", arguments: AutoencoderConfiguration.Normalisation.allCases)
  func keys(_ normalisation: AutoencoderConfiguration.Normalisation) throws {
    let network = try AutoencoderNetwork(
      .tiny { $0.normalisation = normalisation }, extents: [32, 32], generator: Generator(seed: 1))
    let norm = ["weight", "bias", "runningMean", "runningVariance"].map { "norm.\($0)" }
    let block = ["convolution.weight"] + (normalisation == .batch ? norm : ["convolution.bias"])
    func keys(_ module: String, _ names: [String]) -> [String] { names.map { "\(module).\($0)" } }
    let affine = ["weight", "bias"]
    #expect(
      network.namedParameters.map(\.key)
        == keys("encoder.0", block) + keys("encoder.1", block) + keys("squeeze", affine) + keys("code", affine)
        + keys("spread", affine) + keys("expand", block) + keys("decoder.0", block) + keys("decoder.1", block)
        + keys("output", affine))
    let images = try smoothImages(4, side: 32, seed: 1)
    try AutoencoderLosses.reconstruction(network(images, mode: .training), images, .squared).backward()
    #expect(
      try network.keysWithGradient()
        == Set(network.namedParameters.filter(\.parameter.isTrainable).map(\.key)))
  }

  @Test("Images and volumes go through codes of one width")
  func codes() throws {
    for extents in [[32, 32], [16, 8, 12]] {
      let network = try AutoencoderNetwork(.tiny(), extents: extents, generator: Generator(seed: 1))
      let images = try Generator(seed: 2).uniform(-1, 1, shape: [3, 1] + extents)
      let codes = try network.encoded(images, mode: .evaluation)
      #expect(codes.shape == [3, 12])
      #expect(try network.decoded(codes, mode: .evaluation).shape == images.shape)
    }
  }

  @Test("The error is the square or the absolute value of the difference, the loss its mean")
  func losses() throws {
    let random = try Generator(seed: 3)
    let (a, b) = (try random.normal(shape: [2, 1, 4, 3]), try random.normal(shape: [2, 1, 4, 3]))
    let differences = zip(try a.values(as: Double.self), try b.values(as: Double.self)).map { $0 - $1 }
    for measure in [AutoencoderConfiguration.Measure.squared, .absolute] {
      let expected = differences.map { measure == .squared ? $0 * $0 : abs($0) }
      let errors = try AutoencoderLosses.errors(of: a, b, measure)
      #expect(errors.shape == a.shape)
      #expect(largestDifference(try errors.values(as: Double.self), expected) < 1e-6)
      let loss = try AutoencoderLosses.reconstruction(a, b, measure).item()
      #expect(abs(loss - expected.reduce(0, +) / 24) < 1e-6)
    }
  }

  @Test("The structural error is 1 − SSIM of scikit-image at every pixel, its loss the mean")
  func structuralError() throws {
    let values = try SimilarityGolden.small.values()
    func first(_ key: String) throws -> Tensor {
      try #require(values[key]).sliced(0..<1, axis: 0).sliced(0..<1, axis: 1).to(.float64)
    }
    let (images, others) = (try first("images"), try first("others"))
    let expected = try 1 - #require(values["ssim.0"]).to(.float64)
    let errors = try AutoencoderLosses.errors(of: others, images, .ssim, range: 0...255)
    #expect(errors.shape == [1, 1, 64, 64])
    #expect(try largestDifference(errors, expected) < 1e-6)
    let loss = try AutoencoderLosses.reconstruction(others, images, .ssim, range: 0...255).item()
    #expect(abs(try expected.mean().item() - loss) < 1e-7)
    // The same pixels in −1 ... 1, as networks see them.
    let scaled = try AutoencoderLosses.errors(of: others / 127.5 - 1, images / 127.5 - 1, .ssim)
    #expect(try largestDifference(scaled, expected) < 1e-6)
  }

  @Test("The structural error of flat windows is that of their luminance alone")
  func structuralErrorByHand() throws {
    // 0.2 and 0.6 of the way from black to white: SSIM is (2 · 0.2 · 0.6 + 1e-4) / (0.04 + 0.36 + 1e-4).
    let shape = [1, 1, 16, 16]
    let dark = try Tensor.full(-0.6, shape: shape, dtype: .float64)
    let bright = try Tensor.full(0.2, shape: shape, dtype: .float64)
    let errors = try AutoencoderLosses.errors(of: bright, dark, .ssim)
    #expect(try largestDifference(errors, .full(1 - 0.2401 / 0.4001, shape: shape, dtype: .float64)) < 1e-9)
  }

  @Test("Impossible settings are named")
  func validation() {
    func message(_ change: (inout AutoencoderConfiguration) -> Void) -> String {
      var configuration = AutoencoderConfiguration()
      change(&configuration)
      do { try configuration.validate() } catch { return "\(error)" }
      return "valid"
    }
    #expect(message { _ in } == "valid")
    #expect(
      message { $0.channels = [] }
        == "configuration key 'detector.channels' is []; it may be 1 to 10 numbers of 1 or more")
    #expect(
      message { $0.imageSize = 72 }
        == "configuration key 'detector.imageSize' is 72; it may be at least 16 and a multiple of 16, as 4 channels halve it "
        + "as often")
    #expect(
      message { $0.kernelSize = 4 } == "configuration key 'detector.kernelSize' is 4; it may be an odd number from 3")
    #expect(
      message { $0.finalLearningRate = 0.1 }
        == "configuration key 'detector.finalLearningRate' is 0.1; it may be 0 to learningRate (0.001)")
    #expect(
      message { $0.smoothing = -1 } == "configuration key 'detector.smoothing' is -1.0; it may be 0 (none) to imageSize"
    )
  }
}
