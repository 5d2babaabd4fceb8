import Foundation
import Testing

@testable import Torch

/// Each test runs in a process of its own, so that tensors of other tests do not count.
@Suite("Memory")
struct MemoryTests {
  @Test("Tensors are counted while they live, and not after")
  func liveTensors() async {
    await #expect(processExitsWith: .success) {
      let start = Runtime.liveTensors
      var held: [Tensor] = try (0..<10).map { try .full(Double($0), shape: [2]) }
      #expect(Runtime.liveTensors == start + 10)
      let copies = held
      #expect(Runtime.liveTensors == start + 10)
      _ = try held[0] + held[1]
      _ = try? held[0] + Tensor.ones([3])
      _ = try held[0].top(1, axis: 0)
      #expect(Runtime.liveTensors == start + 10)
      held = []
      #expect(copies.count == 10)
      #expect(Runtime.liveTensors == start + 10)
      withExtendedLifetime(copies) {}
    }
  }

  @Test("A thousand training steps keep no tensor and no memory")
  func trainingSteps() async {
    await #expect(processExitsWith: .success) {
      let before = Runtime.liveTensors
      try MemoryTests.train()
      #expect(Runtime.liveTensors == before)
    }
  }

  /// Trains a small network with everything that a training loop uses: one leaked activation per step, 128 KiB, would
  /// add 120 MiB between the looks at the memory; 16 MiB are left to the allocator.
  private static func train() throws {
    let generator = try Generator(seed: 1)
    let convolution = try Convolution(
      inputChannels: 1, outputChannels: 8, kernelSize: 3, padding: 1, generator: generator)
    let norm = try BatchNorm(channels: 8)
    let head = try Linear(inputs: 8, outputs: 3, generator: generator)
    let adam = Adam()
    for (name, module) in [("convolution", convolution), ("norm", norm), ("head", head)] as [(String, Module)] {
      try adam.addGroup(
        module.namedParameters.filter(\.parameter.isTrainable).map { ("\(name).\($0.key)", $0.parameter) },
        AdamOptions(learningRate: 0.01))
    }
    let average = try WeightAverage(norm, decay: 0.9)
    var afterWarmUp = (tensors: 0, memory: 0)
    for step in 0..<1000 {
      let images = try generator.normal(shape: [4, 1, 32, 32])
      let features = try norm(convolution(images), mode: .training).relu().dropout(0.1, generator: generator)
      let loss = try head(features.mean([2, 3])).crossEntropy(classes: generator.integers(in: 0..<3, shape: [4]))
      try loss.backward()
      _ = try adam.clipGradients(toNorm: 1)
      try adam.step()
      try average.update()
      _ = try withAutocast(.bfloat16, on: .cpu) { try withoutGradients { try convolution(images) } }
      _ = try? images + Tensor.ones([5])
      if step == 40 { afterWarmUp = (Runtime.liveTensors, residentMemory() ?? 0) }
    }
    #expect(Runtime.liveTensors <= afterWarmUp.tensors)
    if let memory = residentMemory() { #expect(memory - afterWarmUp.memory < 16 << 20) }
  }

  /// Bytes of this process that are in memory and belong to no file; nil where the system has no /proc.
  private static func residentMemory() -> Int? {
    guard let text = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8) else { return nil }
    let pages = text.split(separator: " ").compactMap { Int($0) }
    return pages.count > 2 ? (pages[1] - pages[2]) * 4096 : nil
  }
}
