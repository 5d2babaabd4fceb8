import Foundation

/// How the learning rate changes from epoch to epoch, as a factor on its start.
public enum LearningRateSchedule: Equatable, Sendable {
  /// No change.
  case constant
  /// Half a cosine from 1 to `floor` over `period` epochs; beyond them it rises again, as PyTorch's does.
  case cosine(period: Int, floor: Double)
  /// Multiplied by `gamma` at each milestone.
  case multiStep(milestones: [Int], gamma: Double)
  /// From 1 down to `floor` over `epochs`, iteration by iteration.
  case exponential(epochs: Int, floor: Double)
  /// A rise in equal steps over the first `epochs`, then the other schedule, counted from there.
  indirect case warmUp(epochs: Int, then: LearningRateSchedule)

  /// Whether the factor changes from iteration to iteration; otherwise it is that of the epoch's start.
  public var changesWithinEpochs: Bool {
    switch self {
    case .exponential: true
    case .constant, .cosine, .multiStep: false
    case .warmUp(_, let then): then.changesWithinEpochs
    }
  }

  /// The factor in `epoch`, which counts from 0 and may be fractional.
  public func factor(at epoch: Double) -> Double {
    switch self {
    case .constant: 1
    case .cosine(let period, let floor):
      floor + (1 - floor) * (1 + cos(.pi * epoch / Double(max(period, 1)))) / 2
    case .multiStep(let milestones, let gamma):
      pow(gamma, Double(milestones.count { Double($0) <= epoch }))
    case .exponential(let epochs, let floor): pow(floor, epoch / Double(max(epochs, 1)))
    case .warmUp(let epochs, let then):
      epoch < Double(epochs) ? (epoch + 1) / Double(epochs + 1) : then.factor(at: epoch - Double(epochs))
    }
  }
}
