import Foundation
import Testing

@testable import Norma
@testable import Torch

@Suite("Losses of SimSID, and which parts they train")
struct SimSIDLossesTests {
  // MARK: Values

  @Test("Reconstruction is the mean squared difference")
  func reconstruction() throws {
    let loss = try SimSIDLosses.reconstruction(Tensor([1, 2, 3, 5] as [Float]), Tensor([1, 0, 0, 1] as [Float]))
    #expect(try loss.item() == (0 + 4 + 9 + 16) / 4)
  }

  @Test("Distillation sums the levels' means")
  func distillation() throws {
    let student = [try Tensor([1, 2] as [Float]), try Tensor([3, 0, 0, 0] as [Float])]
    let teacher = [try Tensor([0, 0] as [Float]), try Tensor([0, 0, 0, 1] as [Float])]
    #expect(try SimSIDLosses.distillation(student, teacher).item() == 5.0 / 2 + 10.0 / 4)
  }

  @Test("The generator's loss is −log σ(z), the discriminator's −log σ(z) − log(1 − σ(z'))")
  func adversarial() throws {
    let (real, fake) = ([2.0, -1], [0.5, -3])
    func softplus(_ x: Double) -> Double { log(1 + exp(x)) }
    let generator = try SimSIDLosses.generator(Tensor(fake)).item()
    #expect(abs(generator - (softplus(-0.5) + softplus(3)) / 2) < 1e-12)
    let discriminator = try SimSIDLosses.discriminator(real: Tensor(real), fake: Tensor(fake)).item()
    let expected = (softplus(-2) + softplus(1)) / 2 + (softplus(0.5) + softplus(-3)) / 2
    #expect(abs(discriminator - expected) < 1e-12)
    let undecided = try SimSIDLosses.discriminator(real: .zeros([3]), fake: .zeros([3])).item()
    #expect(abs(undecided - 2 * log(2)) < 1e-6)
  }

  // MARK: Reach

  /// The parts of the network with gradient after the loss that `body` picks.
  private func partsReached(
    _ configuration: SimSIDConfiguration = .tiny,
    _ body: (SimSIDNetwork, Tensor, SimSIDGenerator.Output) throws -> Tensor
  ) throws -> Set<String> {
    let network = try SimSIDNetwork(configuration, random: Generator(seed: 7))
    let images = try smoothImages(4, side: 32, seed: 8)
    let output = try network.generator(images, mode: .training, runsTeacher: true, random: Generator(seed: 0))
    try body(network, images, output).backward()
    return Set(
      try network.keysWithGradient().map { key in
        let path = key.split(separator: ".").map(String.init)
        return path[0] == "discriminator" ? path[0] : path[1]
      })
  }

  @Test("The student's loss trains encoder, in-painting and student")
  func studentReach() throws {
    let reached = try partsReached { try SimSIDLosses.reconstruction($2.reconstruction, $1) }
    #expect(reached == ["encoder", "inpainting", "student"])
  }

  @Test("The teacher's loss trains the teacher, and the encoder as far as the gradient is not stopped")
  func teacherReach() throws {
    for (stop, expected) in [
      (SimSIDConfiguration.TeacherStopGradient.bottleneckAndSkips, ["teacher"] as Set),
      (.skips, ["teacher", "encoder"]),
      (.none, ["teacher", "encoder"]),
    ] {
      let reached = try partsReached(.tiny { $0.teacherStopGradient = stop }) {
        try SimSIDLosses.reconstruction(#require($2.teacher).image, $1)
      }
      #expect(reached == expected, "\(stop)")
    }
  }

  @Test("Stopping the skips alone leaves the encoder another gradient than stopping nothing")
  func stopVariants() throws {
    var gradients: [Tensor] = []
    for stop in [SimSIDConfiguration.TeacherStopGradient.skips, .none] {
      let network = try SimSIDNetwork(.tiny { $0.teacherStopGradient = stop }, random: Generator(seed: 7))
      let images = try smoothImages(4, side: 32, seed: 8)
      let output = try network.generator(images, mode: .training, runsTeacher: true, random: Generator(seed: 0))
      try SimSIDLosses.reconstruction(#require(output.teacher).image, images).backward()
      gradients.append(
        try #require(try network.parameter("generator.encoder.down.1.convolution3.weight").tensor.gradient))
    }
    #expect(try largestDifference(gradients[0], gradients[1]) > 1e-6)
  }

  @Test("Distillation trains both decoders")
  func distillationReach() throws {
    let reached = try partsReached { try SimSIDLosses.distillation($2.studentFeatures, #require($2.teacher).features) }
    #expect(reached == ["encoder", "inpainting", "student", "teacher"])
  }

  @Test("The adversarial loss trains everything but the teacher; the discriminator only when it is not frozen")
  func adversarialReach() throws {
    let open = try partsReached { network, _, output in
      try SimSIDLosses.generator(network.discriminator(output.reconstruction, mode: .training).logits)
    }
    #expect(open == ["encoder", "inpainting", "student", "discriminator"])
    let frozen = try partsReached { network, _, output in
      try network.discriminator.frozen {
        try SimSIDLosses.generator(network.discriminator(output.reconstruction, mode: .training).logits)
      }
    }
    #expect(frozen == ["encoder", "inpainting", "student"])
  }

  @Test("Each update trains its own weights; every one of the generator's gets gradient")
  func updates() throws {
    let detector = try SimSIDDetector(.tiny, seed: 7, epochs: 1)
    let images = try smoothImages(8, side: 32, seed: 8)
    let step = TrainingStep(due: ["discriminator", "generator"], random: try Generator(seed: 0))
    for update in detector.stages[0].updates {
      try detector.network.clearGradients()
      try detector.losses(of: update, on: images, step: step).total.backward()
      let keys = try detector.network.keysWithGradient()
      #expect(keys.allSatisfy { $0.hasPrefix(update.name + ".") })
      for memory in ["inpainting.memory.items", "student.memories.0.items", "student.memories.1.items"] {
        #expect(keys.contains("generator." + memory) == (update.name == "generator"))
      }
      let all = Set(update.module.namedParameters.filter(\.parameter.isTrainable).map { "\(update.name).\($0.key)" })
      #expect(all.subtracting(keys).allSatisfy { isBiasBeforeNorm($0) || isInputBias($0) }, "\(all.subtracting(keys))")
    }
  }

  /// A bias that a batch norm takes out again has no gradient but rounding.
  private func isBiasBeforeNorm(_ key: String) -> Bool {
    key.hasSuffix(".bias") && (key.contains("convolution") || key.contains("expand."))
  }

  /// A key's bias shifts all scores of a softmax alike: no gradient but rounding.
  private func isInputBias(_ key: String) -> Bool { key.hasSuffix("inputProjection.bias") }

  @Test("Where only the discriminator moves, nothing of the generator is recorded")
  func criticOnly() throws {
    let detector = try SimSIDDetector(.tiny, seed: 7, epochs: 1)
    let images = try smoothImages(4, side: 32, seed: 8)
    let step = TrainingStep(due: ["discriminator"], random: try Generator(seed: 0))
    let teacherMean = try detector.network.parameter("generator.teacher.up.0.norm1.runningMean").tensor.copy()
    let losses = try detector.losses(of: detector.stages[0].updates[0], on: images, step: step)
    try losses.total.backward()
    #expect(try detector.network.keysWithGradient().allSatisfy { $0.hasPrefix("discriminator.") })
    let after = try detector.network.parameter("generator.teacher.up.0.norm1.runningMean").tensor
    #expect(try largestDifference(after, teacherMean) == 0, "the teacher did not run")
    let student = try detector.network.parameter("generator.student.up.0.norm1.runningMean").tensor
    #expect(try student.abs().maximum().item() > 0, "the student ran in training mode")
  }

  @Test("The generator's update needs the discriminator's before it")
  func order() throws {
    let detector = try SimSIDDetector(.tiny, seed: 7, epochs: 1)
    let step = TrainingStep(due: ["generator"], random: try Generator(seed: 0))
    let error = #expect(throws: TorchError.self) {
      _ = try detector.losses(of: detector.stages[0].updates[1], on: smoothImages(2, side: 32, seed: 8), step: step)
    }
    #expect(error?.description == "generator: its update must follow the discriminator's")
  }

  @Test("A lost adversarial signal and a student with one image for all are told; a sound run is not")
  func warnings() throws {
    let detector = try SimSIDDetector(.tiny { _ in }, seed: 1, epochs: 1)
    #expect(detector.warnings(about: ["discriminator": 0.4, "reconstructionSpread": 0.02]).isEmpty)
    #expect(detector.warnings(about: ["discriminator": 1.38, "reconstructionSpread": 0.02]).count == 1)
    #expect(detector.warnings(about: ["discriminator": 0.4, "reconstructionSpread": 1e-6]).count == 1)
  }
}
