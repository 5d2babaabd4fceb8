import Foundation
import Testing

@testable import Torch

@Suite("Learning rate schedules")
struct LearningRateScheduleTests {
  private func rates(_ schedule: LearningRateSchedule) -> [Double] {
    (0..<10).map { 0.1 * schedule.factor(at: Double($0)) }
  }

  private func golden(_ name: String) throws -> [Double] { try OperatorGolden()[name]["expected"].values() }

  @Test("Milestones are PyTorch's")
  func multiStep() throws {
    try expectClose(rates(.multiStep(milestones: [3, 6], gamma: 0.2)), golden("multi_step"), within: 1e-12)
  }

  @Test("The cosine is PyTorch's, beyond its period too")
  func cosine() throws {
    try expectClose(rates(.cosine(period: 4, floor: 0.1)), golden("cosine"), within: 1e-12)
    #expect(LearningRateSchedule.cosine(period: 0, floor: 0).factor(at: 0) == 1)
  }

  @Test("The warm-up rises in PyTorch's equal steps, from one step above zero")
  func warmUp() throws {
    let factors = (0..<10).map { LearningRateSchedule.warmUp(epochs: 5, then: .constant).factor(at: Double($0)) }
    try expectClose(factors, (0..<10).map { min(Double($0 + 1) / 6, 1) }, within: 1e-15)
    // PyTorch's starts at a tenth, ours at a sixth; the way from the start to 1 is the same.
    let ways = try golden("linear_warm_up").map { ($0 / 0.1 - 0.1) / 0.9 }
    try expectClose(factors.map { ($0 - 1.0 / 6) / (5.0 / 6) }, ways, within: 1e-12)
  }

  @Test("After the warm-up the other schedule counts from its own start; fractions of epochs are between")
  func combination() {
    let schedule = LearningRateSchedule.warmUp(epochs: 2, then: .cosine(period: 4, floor: 0))
    #expect(abs(schedule.factor(at: 0.5) - 0.5) < 1e-15)
    #expect(schedule.factor(at: 2) == 1)
    #expect(abs(schedule.factor(at: 4) - 0.5) < 1e-15)
    #expect(abs(schedule.factor(at: 3) - (1 + cos(.pi / 4)) / 2) < 1e-15)
    #expect(LearningRateSchedule.constant.factor(at: 7.5) == 1)
  }
}
