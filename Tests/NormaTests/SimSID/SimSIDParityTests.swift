import Testing

@testable import Norma
@testable import Torch

@Suite("SimSID computes what the authors' code computes")
struct SimSIDParityTests {
  @Test("Student and teacher reconstruct alike", arguments: SimSIDGolden.allCases)
  func reconstructions(_ golden: SimSIDGolden) throws {
    let (network, values) = (try golden.network(), try golden.values())
    let output = try network.generator(
      #require(values["images"]), mode: .evaluation, runsTeacher: true, random: Generator(seed: 0))
    #expect(try largestDifference(output.reconstruction, #require(values["reconstruction"])) < 1e-4)
    let teacher = try #require(output.teacher)
    #expect(try largestDifference(teacher.image, #require(values["teacher_reconstruction"])) < 1e-4)
  }

  @Test("The discriminator gives the same logits in both forms", arguments: SimSIDGolden.allCases)
  func logits(_ golden: SimSIDGolden) throws {
    let (network, values) = (try golden.network(), try golden.values())
    for (form, mode) in [("running", Mode.evaluation), ("per_image", .perSample)] {
      for name in ["images", "reconstruction"] {
        let logits = try network.discriminator(#require(values[name]), mode: mode).logits
        let expected = try #require(values["discriminator.\(form).\(name)"])
        #expect(try largestDifference(logits, expected) < 1e-4, "\(form), \(name)")
      }
    }
  }

  @Test("Two iterations of training give the same losses and queues", arguments: SimSIDGolden.allCases)
  func training(_ golden: SimSIDGolden) throws {
    let (detector, values) = (try golden.detector(), try golden.values())
    let images = try #require(values["images"])
    let updates = detector.stages[0].updates
    let optimisers = try updates.map { try Adam($0.module, $0.options) }
    let step = TrainingStep(due: ["discriminator", "generator"], random: try Generator(seed: 0))
    for iteration in 0..<2 {
      var found: [String: Double] = [:]
      for (update, optimiser) in zip(updates, optimisers) {
        let losses = try detector.losses(of: update, on: images, step: step)
        for (name, value) in losses.parts { found[name] = try value.item() }
        try optimiser.clearGradients()
        try losses.total.backward()
        try optimiser.step()
        try detector.didApply(update)
      }
      for name in ["student", "teacher", "distillation", "generator", "discriminator"] {
        let expected = try #require(values["training.\(iteration).\(name)"]).item()
        let loss = try #require(found[name])
        #expect(abs(loss - expected) < 5e-4 * max(1, abs(expected)), "\(name) of iteration \(iteration)")
      }
    }
    guard golden.isQueue else { return }
    let queue = try detector.network.parameter("generator.inpainting.memory.items").tensor
    #expect(try largestDifference(queue, #require(values["queue.after"])) < 5e-4)
    let pointer = try detector.network.parameter("generator.inpainting.memory.pointer").tensor
    #expect(try pointer.item() == 4, "two batches of two images were written")
  }

  @Test("The published score is minus the logit of the reconstruction", arguments: SimSIDGolden.allCases)
  func score(_ golden: SimSIDGolden) throws {
    let (detector, values) = (try golden.detector(), try golden.values())
    #expect(detector.scoreNames[0] == "reconstructionLogit")
    let scores = try detector.scores(#require(values["images"]), areReferences: false)
    let expected = try -#require(values["discriminator.per_image.reconstruction"])
    #expect(try largestDifference(#require(scores["reconstructionLogit"]), expected) < 1e-4)
  }
}
