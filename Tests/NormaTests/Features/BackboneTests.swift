import Foundation
import Testing

@testable import Norma
@testable import Torch

@Suite("Residual networks as backbones")
struct BackboneTests {
  /// A golden case's network with its weights.
  private func network(_ name: String) throws -> FeatureNetwork {
    let configuration = BackboneConfiguration.tiny {
      $0.stemPooling = name != "unpooled"
      if name == "wide_resnet50_2" { ($0.architecture, $0.weights) = (.wideResNet50, "given") }
    }
    let network = try FeatureNetwork(configuration, background: -1, hasHead: true, seed: 1)
    let backbone = network.namedParameters.filter { $0.key.hasPrefix("backbone.") }
    for (n, (key, parameter)) in backbone.enumerated() {
      let shape = parameter.tensor.shape
      try parameter.assign(Tensor(FeatureGolden.pattern(key, shape, n), shape: shape).to(.float32))
    }
    return network
  }

  @Test(
    "Names, shapes and feature maps are those of PyTorch's own layers under torchvision's names",
    arguments: ["resnet18", "unpooled", "wide_resnet50_2"])
  func parity(_ name: String) throws {
    let network = try network(name)
    let found = network.namedParameters.filter { $0.key.hasPrefix("backbone.") }.map {
      FeatureGolden.Name(
        name: BackboneWeights.torchvisionName(of: String($0.key.dropFirst(9))), shape: $0.parameter.tensor.shape)
    }
    #expect(try found == FeatureGolden.load().names[name])
    let golden = try FeatureGolden.arrays()
    let maps = try network.features(#require(golden["\(name).images"]), depth: 4, mode: .evaluation)
    #expect(maps.count == 4)
    for (level, map) in maps.enumerated() {
      let expected = try #require(golden["\(name).layer\(level + 1)"])
      #expect(map.shape == expected.shape)
      let scale = try expected.abs().maximum().item()
      #expect(try largestDifference(map, expected) < 2e-5 * max(1, scale), "layer \(level + 1), \(scale)")
    }
  }

  @Test("A network of three layers is the first part of one of four")
  func depth() throws {
    let images = try smoothImages(2, side: 32, seed: 1)
    let whole = try ResidualNetwork(.tiny(), generator: Generator(seed: 1))
    let part = try ResidualNetwork(.tiny(), depth: 3, generator: Generator(seed: 1))
    let (all, some) = (try whole(images, mode: .evaluation), try part(images, mode: .evaluation))
    #expect(some.count == 3 && all.count == 4)
    for (a, b) in zip(all, some) { #expect(try a.values() as [Float] == b.values()) }
    #expect(try whole(images, depth: 2, mode: .evaluation).count == 2)
  }

  @Test("The published sizes have the published numbers of weights")
  func parameterCounts() throws {
    var configuration = BackboneConfiguration()
    configuration.weights = "given"
    // 11,689,512 and 68,883,240 with the classifier of a thousand classes.
    let small = try ResidualNetwork(configuration, generator: Generator(seed: 1))
    #expect(small.parameterCount == 11_689_512 - 513_000)
    configuration.architecture = .wideResNet50
    let large = try ResidualNetwork(configuration, generator: Generator(seed: 1))
    #expect(large.parameterCount == 68_883_240 - 2_049_000)
  }

  // MARK: Given weights

  private let narrow = BackboneConfiguration.tiny { $0.width = 1 }
  private static let file = FeatureGolden.folder.appendingPathComponent("resnet18.pth").path

  private func arrays() throws -> [StoredArray] {
    try PyTorchStateDict(contentsOf: URL(fileURLWithPath: Self.file)).arrays
  }

  /// A network for the three channels that the file has.
  private func target(depth: Int = 4) throws -> ResidualNetwork {
    var configuration = narrow
    configuration.weights = Self.file
    return try ResidualNetwork(configuration, depth: depth, generator: Generator(seed: 3))
  }

  @Test("A state dictionary is taken over, whole or as far as the network goes", arguments: [3, 4])
  func loading(_ depth: Int) throws {
    let network = try target(depth: depth)
    try BackboneWeights(contentsOf: Self.file).load(into: network, .resNet18)
    for (n, (key, parameter)) in network.namedParameters.enumerated() {
      let expected = FeatureGolden.pattern(key, parameter.tensor.shape, n)
      #expect(try largestDifference(parameter.tensor.values(as: Double.self), expected) < 1e-6, "\(key)")
    }
  }

  @Test("The same arrays are read from a safetensors file")
  func safetensors() throws {
    let folder = try TemporaryFolder()
    let file = folder.url.appendingPathComponent("resnet18.safetensors")
    try SafetensorsFile.write(arrays(), to: file)
    let (a, b) = (try target(), try target())
    try BackboneWeights(contentsOf: Self.file).load(into: a, .resNet18)
    try BackboneWeights(contentsOf: file.path).load(into: b, .resNet18)
    for (first, second) in zip(a.namedParameters, b.namedParameters) {
      #expect(try first.parameter.tensor.bytes() == second.parameter.tensor.bytes())
    }
  }

  @Test("A file that does not fit is refused in one sentence that names the first key, and changes nothing")
  func mismatches() throws {
    let remedy =
      "; give torchvision's state dictionary of resnet18 as detector.backbone.weights, or set "
      + "detector.backbone.architecture to what the file holds"
    func message(_ change: (inout [StoredArray]) throws -> Void) throws -> String {
      var arrays = try arrays()
      try change(&arrays)
      let network = try target()
      let before = try network.namedParameters.map { try $0.parameter.tensor.bytes() }
      do { try BackboneWeights(path: "w.pth", arrays: arrays).load(into: network, .resNet18) } catch {
        #expect(try network.namedParameters.map { try $0.parameter.tensor.bytes() } == before)
        return "\(error)"
      }
      return "taken"
    }
    #expect(try message { _ in } == "taken")
    #expect(
      try message { $0.removeAll { $0.name.hasPrefix("layer1.1.") } }
        == "w.pth has no entry layer1.1.conv1.weight" + remedy)
    #expect(
      try message { arrays in
        let index = try #require(arrays.firstIndex { $0.name == "layer2.0.conv1.weight" })
        arrays[index] = try StoredArray(name: arrays[index].name, Tensor.zeros([2, 1, 1, 1]))
      } == "in w.pth the entry layer2.0.conv1.weight has the shape [2, 1, 1, 1] instead of [2, 1, 3, 3]" + remedy)
    #expect(
      try message { $0.append(try StoredArray(name: "layer1.2.conv1.weight", Tensor.zeros([1]))) }
        == "w.pth has the entry layer1.2.conv1.weight, for which the network has no place" + remedy)
  }

  @Test("A file of weights that is not there is named with the key to check")
  func missingFile() {
    let error = #expect(throws: BackboneWeightsError.self) { try BackboneWeights(contentsOf: "/nowhere/w.pth") }
    #expect(
      error?.description
        == "the weights /nowhere/w.pth do not exist; check detector.backbone.weights, which is the path of a file of yours"
    )
  }

  @Test("Given weights are as wide as published")
  func validation() {
    var configuration = BackboneConfiguration()
    (configuration.width, configuration.weights) = (16, "resnet18.pth")
    let error = #expect(throws: ConfigurationError.self) { try configuration.validate() }
    #expect(
      error?.description
        == "configuration key 'detector.backbone.width' is 16; it may be 64 while detector.backbone.weights are given")
  }

  // MARK: Runs

  @Test(
    "With given weights nothing is trained, and the checkpoint needs the file no more",
    arguments: [FeatureMethod.padim, .patchCore])
  func givenWeights(_ method: FeatureMethod) async throws {
    let (folder, files) = (try TemporaryFolder(), try TemporaryFolder())
    var backbone = BackboneConfiguration()
    backbone.weights = folder.url.appendingPathComponent("resnet18.safetensors").path
    let made = try ResidualNetwork(backbone, depth: 3, generator: Generator(seed: 9))
    let arrays = try made.namedParameters.map {
      try StoredArray(name: BackboneWeights.torchvisionName(of: $0.key), $0.parameter.tensor)
    }
    try SafetensorsFile.write(arrays, to: URL(fileURLWithPath: backbone.weights))
    let configuration = method.run(backbone)
    let images = try await Fixtures.phantoms(4, seed: 1, for: configuration, in: files)
    let run = TrainerRun(
      folder: folder, data: TrainingData(training: images, fingerprint: "few"), configuration: configuration)
    try run.run()
    try FileManager.default.removeItem(atPath: backbone.weights)
    let checkpoint = try run.model
    #expect(checkpoint.metadata.origin.checkpointRule == "fitted, not trained")
    let detector = try checkpoint.makeDetector()
    for (key, parameter) in made.namedParameters {
      #expect(
        try detector.network.parameter("backbone." + key).tensor.bytes() == parameter.tensor.bytes(), "\(key)")
    }
    #expect(try Scorer(checkpoint: checkpoint, device: .cpu).rawScores(of: images).values.allSatisfy { $0.count == 4 })
    #expect(throws: BackboneWeightsError.self) { try run.run() }
  }
}
