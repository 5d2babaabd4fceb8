import Foundation
import Testing

@testable import Torch

@Suite("Losses")
struct LossTests {
  @Test("Squared, absolute and smooth differences are means over the elements")
  func differences() throws {
    let (a, b) = (try Tensor([1.0, 2, 5]), try Tensor([1.0, 4, 4.5]))
    try expectClose(a.meanSquaredError(to: b), [(0 + 4 + 0.25) / 3])
    try expectClose(a.meanAbsoluteError(to: b), [2.5 / 3])
    try expectClose(a.smoothL1(to: b), [(0 + 1.5 + 0.125) / 3])
    try expectClose(a.smoothL1(to: b, beta: 4), [(0 + 0.5 + 0.03125) / 3])
    #expect(try a.meanSquaredError(to: b).shape == [])
  }

  @Test("Binary cross entropy is −t log σ(x) − (1 − t) log(1 − σ(x)) and does not overflow")
  func binaryCrossEntropy() throws {
    let (logits, targets) = (try Tensor([0.0, 2, -1000]), try Tensor([0.5, 1, 0.25]))
    try expectClose(logits.binaryCrossEntropy(logitsAgainst: targets), [(log(2) + log(1 + exp(-2)) + 250) / 3])
  }

  @Test("Cross entropy is the mean of −log softmax; smoothing mixes in the uniform; class −100 is left out")
  func crossEntropy() throws {
    let logits = try Tensor([log(1.0), log(3), log(2), log(2)], shape: [2, 2])
    try expectClose(logits.crossEntropy(classes: Tensor([1, 0])), [(-log(0.75) - log(0.5)) / 2])
    try expectClose(logits.crossEntropy(classes: Tensor([1, -100])), [-log(0.75)])
    let smoothed = 0.9 * -log(0.75) + 0.1 * (-log(0.75) - log(0.25)) / 2
    try expectClose(logits.crossEntropy(classes: Tensor([1, -100]), labelSmoothing: 0.1), [smoothed])
  }
}
