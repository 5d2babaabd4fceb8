import Foundation

/// How the learning rate changes from epoch to epoch, as a factor on its start.
public enum LearningRateSchedule: Equatable, Sendable {
  /// No change.
  case constant
  /// Half a cosine from 1 to `floor` over `period` epochs; beyond them it rises again, as PyTorch's does.
  case cosine(period: Int, floor: Double)
  /// Multiplied by `gamma` at each milestone.
  case multiStep(milestones: [Int], gamma: Double)
  /// A rise in equal steps over the first `epochs`, then the other schedule, counted from there.
  indirect case warmUp(epochs: Int, then: LearningRateSchedule)

  /// The factor in `epoch`, which counts from 0 and may be fractional.
  public func factor(at epoch: Double) -> Double {
    switch self {
    case .constant: 1
    case .cosine(let period, let floor):
      floor + (1 - floor) * (1 + cos(.pi * epoch / Double(max(period, 1)))) / 2
    case .multiStep(let milestones, let gamma):
      pow(gamma, Double(milestones.count { Double($0) <= epoch }))
    case .warmUp(let epochs, let then):
      epoch < Double(epochs) ? (epoch + 1) / Double(epochs + 1) : then.factor(at: epoch - Double(epochs))
    }
  }
}
