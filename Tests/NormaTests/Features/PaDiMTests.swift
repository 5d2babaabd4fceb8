import Testing

@testable import Norma
@testable import Torch

@Suite("PaDiM")
struct PaDiMTests {
  private let run = FeatureMethod.padim.run(.tiny { $0.pretext = .none })

  @Test("The map begins with the Mahalanobis distance of the first position's drawn channels")
  func firstPosition() throws {
    let detector = try run.makeDetector()
    let normal = try smoothImages(16, side: 32, seed: 1)
    try withoutGradients {
      try detector.fit { body in
        try body(normal.sliced(0..<9, axis: 0))
        try body(normal.sliced(9..<16, axis: 0))
      }
    }
    let channels = try #require(detector.fitted["channels"]).values(as: Int.self)
    #expect(channels.count == 10 && Set(channels).count == 10 && channels == channels.sorted())
    #expect(channels.allSatisfy { (0..<28).contains($0) })
    let network = try #require(detector.network as? FeatureNetwork)
    func corner(_ images: Tensor) throws -> Tensor {
      let maps = try withoutGradients { try network.features(images, depth: 3, mode: .evaluation) }
      #expect(maps.map { $0.extent(3) } == [8, 4, 2])
      let all = try Tensor.concatenated(
        maps.map { try $0.selected(0, axis: 2).selected(0, axis: 2) }, axis: 1)
      return try all.selecting(Tensor(channels), axis: 1).to(.float64)
    }
    let (samples, query) = (try corner(normal), try smoothImages(2, side: 32, seed: 2))
    let centred = try samples - samples.mean([0])
    var covariance = try (centred.transposed(0, 1).matmul(centred) / 15).values(as: Double.self)
    for index in 0..<10 { covariance[index * 11] += 0.01 }
    let factor = try Tensor(covariance, shape: [10, 10]).cholesky()
    let differences = try (corner(query) - samples.mean([0])).transposed(0, 1)
    let expected = try factor.triangularSolve(differences).squared().sum([0]).squareRoot().values(as: Double.self)
    let map = try #require(try detector.explanation(of: query).maps.first)
    #expect(map.name == "mahalanobis" && map.values.shape == [2, 32, 32])
    let found = try map.values.selected(0, axis: 1).selected(0, axis: 1).values(as: Double.self)
    #expect(largestDifference(found, expected) < 1e-2 * (1 + (expected.max() ?? 0)))
    let scores = try detector.scores(query, areReferences: false)
    #expect(
      try largestDifference(#require(scores["largestDistance"]), map.values.maximum([1, 2])) < 1e-5)
    #expect(try largestDifference(#require(scores["meanDistance"]), map.values.mean([1, 2])) < 1e-5)
  }

  @Test("A coarse layer's feature stands at all positions that it covers")
  func coveredPositions() throws {
    var run = run
    var settings = try #require(run.detector.settings as? PaDiMConfiguration)
    settings.channels = 28
    run.detector = DetectorSettings(settings)
    let detector = try run.makeDetector()
    let normal = try smoothImages(5, side: 32, seed: 1)
    try withoutGradients { try detector.fit { try $0(normal) } }
    let mean = try #require(detector.fitted["positions.mean"]).reshaped([8, 8, 28])
    let coarse = try mean.sliced(12..<28, axis: 2)
    let first = try coarse.sliced(0..<4, axis: 0).sliced(0..<4, axis: 1).reshaped([16, 16])
    #expect(try largestDifference(first, first.sliced(0..<1, axis: 0).expanded([16, 16])) < 1e-6)
    #expect(try largestDifference(coarse.selected(0, axis: 0).selected(0, axis: 0), first.selected(0, axis: 0)) < 1e-6)
    #expect(
      try coarse.selected(0, axis: 0).selected(0, axis: 0).bytes()
        != coarse.selected(0, axis: 0).selected(7, axis: 0).bytes())
  }

  @Test("The seed draws the channels, and they travel with the Gaussians")
  func seeds() throws {
    var other = run
    other.seed = 2
    func channels(_ run: RunConfiguration, taking fitted: [String: Tensor]? = nil) throws -> [Int] {
      let detector = try run.makeDetector()
      try withoutGradients { try detector.fit { try $0(smoothImages(4, side: 32, seed: 1)) } }
      if let fitted { detector.fitted = fitted }
      return try #require(detector.fitted["channels"]).values(as: Int.self)
    }
    let first = try channels(run)
    #expect(try channels(run) == first && channels(other) != first)
    let detector = try run.makeDetector()
    try withoutGradients { try detector.fit { try $0(smoothImages(4, side: 32, seed: 1)) } }
    #expect(try channels(other, taking: detector.fitted) == first)
  }

  @Test("More channels than there are, and no fit at all, are told")
  func errors() throws {
    let error = #expect(throws: ConfigurationError.self) {
      try Preset.padimLaptop64.configuration(overrides: ["detector.channels=113"])
    }
    #expect(
      error?.description
        == "configuration key 'detector.channels' is 113; it may be 1 to 112, as many as the backbone's three layers have"
    )
    for method in FeatureMethod.allCases {
      let detector = try method.run().makeDetector()
      let found = #expect(throws: TorchError.self) {
        try detector.scores(.zeros([1, 1, 32, 32]), areReferences: false)
      }
      #expect(found?.reason == "the detector has not been fitted to normal images")
      #expect(detector.fitted.isEmpty)
    }
  }
}
