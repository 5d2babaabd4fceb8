import Testing

@testable import Norma
@testable import Torch

@Suite("CutPaste as a detector")
struct CutPasteDetectorTests {
  private func fitted() throws -> CutPasteDetector {
    let detector = try #require(FeatureMethod.cutPaste.run().makeDetector() as? CutPasteDetector)
    try withoutGradients { try detector.fit { try $0(smoothImages(12, side: 32, seed: 1)) } }
    return detector
  }

  @Test("The stage is momentum SGD along a cosine, and moves every weight")
  func stage() throws {
    let detector = try FeatureMethod.cutPaste.run(epochs: 10).makeDetector()
    let update = try #require(detector.stages.first?.updates.first)
    #expect(update.options as? MomentumSGDOptions == MomentumSGDOptions(learningRate: 0.03, weightDecay: 3e-5))
    #expect(update.schedule == .cosine(period: 10, floor: 0))
    let losses = try detector.losses(
      of: update, on: smoothImages(8, side: 32, seed: 1),
      step: TrainingStep(due: ["pretext"], random: Generator(seed: 1)))
    #expect(losses.parts.map(\.name) == ["pretext", "accuracy"])
    try losses.total.backward()
    let trainable = detector.network.namedParameters.filter(\.parameter.isTrainable).map(\.key)
    #expect(try detector.network.keysWithGradient() == Set(trainable))
  }

  @Test("The score is the distance of the pooled embedding, or the chance of a patch; GradCAM is that of its gradient")
  func scoresAndMaps() throws {
    let detector = try fitted()
    let images = try smoothImages(3, side: 32, seed: 2)
    let network = try #require(detector.network as? FeatureNetwork)
    let map = try withoutGradients { try network.features(images, depth: 4, mode: .evaluation)[3] }.detached()
    let density = try #require(GaussianDensity(detector.fitted, prefix: "embeddings"))
    let scores = try detector.scores(images, areReferences: false)
    let leaf = try map.requiringGradient()
    let distances = try density.distances(of: leaf.mean([2, 3]).unsqueezed(1), areReferences: false)
    #expect(try largestDifference(#require(scores["mahalanobis"]), distances) < 1e-4)
    try distances.squared().sum().backward()
    let weights = try #require(try leaf.gradient).mean([2, 3], keepingAxes: true)
    let cam = try detector.gradCAM(map)
    let expected = try (map * weights).sum([1]).relu()
    let scale = try expected.abs().maximum().item()
    #expect(try largestDifference(cam, expected) < 1e-3 * max(1, scale))
    let chances = try withoutGradients { try network.logits(map, mode: .evaluation).softmax(axis: 1) }
    let pasted = try chances.sliced(1..<3, axis: 1).sum([1])
    #expect(try largestDifference(#require(scores["pastedProbability"]), pasted) < 1e-6)
    let explanation = try detector.explanation(of: images)
    #expect(explanation.maps.map(\.name) == ["gradCAM", "local"])
    #expect(explanation.maps.allSatisfy { $0.values.shape == [3, 32, 32] })
  }

  @Test("A task other than its own is refused")
  func validation() {
    let error = #expect(throws: ConfigurationError.self) {
      try Preset.cutPasteLaptop64.configuration(overrides: ["detector.backbone.pretext=none"])
    }
    #expect(
      error?.description
        == "configuration key 'detector.backbone.pretext' is none; it may be cutpaste, as the method is that task")
  }
}
