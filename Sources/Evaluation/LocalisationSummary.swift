/// The figures of one anomaly map as mean and standard deviation over repeated trials (seeds).
public struct LocalisationSummary: Codable, Equatable, Sendable {
  /// Area under the ROC curve of all pixels.
  public let auroc: TrialStatistic
  /// Average precision of all pixels.
  public let averagePrecision: TrialStatistic
  /// Area under the per-region overlap up to `PixelFigures.integrationLimit`.
  public let aupro: TrialStatistic
  /// The highest Dice over all thresholds, in each trial its own: an upper bound.
  public let dice: TrialStatistic

  /// How many trials were summarised.
  public var trials: Int { auroc.trials }

  /// Summarises trials.
  /// - Throws: `EvaluationError.noTrials`.
  public init(_ trials: [PixelFigures]) throws(EvaluationError) {
    auroc = try TrialStatistic(trials.map(\.auroc))
    averagePrecision = try TrialStatistic(trials.map(\.averagePrecision))
    aupro = try TrialStatistic(trials.map(\.aupro))
    dice = try TrialStatistic(trials.map(\.dice))
  }
}
