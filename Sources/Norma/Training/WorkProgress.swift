import Foundation

/// What long work tells while it runs.
public struct WorkProgress: Sendable {
  /// What is being done, for example `training`.
  public var activity: String
  /// Units done.
  public var done: Int
  /// Units in all.
  public var total: Int
  /// What a unit is, for example `epochs`.
  public var unit: String
  /// Images per second, where it applies.
  public var imagesPerSecond: Double?
  /// Seconds that remain at the present rate.
  public var secondsLeft: Double?
  /// The latest figures by name.
  public var figures: [(name: String, value: Double)] = []

  /// Creates a message.
  public init(_ activity: String, done: Int, total: Int, unit: String) {
    (self.activity, self.done, self.total, self.unit) = (activity, done, total, unit)
  }
}

/// Receives progress.
public typealias ProgressHandler = (WorkProgress) -> Void
