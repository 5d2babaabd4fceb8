/// Mean and spread of one figure over trials.
public struct TrialStatistic: Codable, Equatable, Sendable {
  /// The arithmetic mean.
  public let mean: Double
  /// The sample standard deviation, with n − 1; nil for one trial, which has no spread.
  public let standardDeviation: Double?
  /// How many trials, n.
  public let trials: Int

  /// Creates a statistic that was computed before.
  public init(mean: Double, standardDeviation: Double? = nil, trials: Int = 1) {
    self.mean = mean
    self.standardDeviation = standardDeviation
    self.trials = trials
  }

  /// Mean and sample standard deviation, √(Σ (x − mean)² / (n − 1)).
  /// - Throws: `EvaluationError.noTrials` when `values` is empty.
  public init(_ values: [Double]) throws(EvaluationError) {
    guard !values.isEmpty else { throw .noTrials }
    let mean = values.reduce(0, +) / Double(values.count)
    let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    self.init(
      mean: mean, standardDeviation: values.count < 2 ? nil : (squares / Double(values.count - 1)).squareRoot(),
      trials: values.count)
  }

  /// The statistic where every trial has a finite value; nil otherwise, rather than the mean of a part.
  init?(everyOf values: [Double?]) {
    let known = values.compactMap { $0 }.filter(\.isFinite)
    guard known.count == values.count, let statistic = try? TrialStatistic(known) else { return nil }
    self = statistic
  }
}

/// Every figure as mean and standard deviation over repeated trials (seeds).
public struct TrialSummary: Codable, Equatable, Sendable {
  /// One operating point over the trials. A statistic is nil where a trial's figure is not defined.
  public struct Point: Codable, Equatable, Sendable {
    /// How the threshold was chosen in each trial.
    public let rule: String
    /// The thresholds; nil also where one is infinite.
    public let threshold: TrialStatistic?
    /// Share of right calls.
    public let accuracy: TrialStatistic?
    /// 2 TP / (2 TP + FP + FN).
    public let f1: TrialStatistic?
    /// TP / (TP + FN).
    public let sensitivity: TrialStatistic?
    /// TN / (TN + FP).
    public let specificity: TrialStatistic?
    /// TP / (TP + FP).
    public let precision: TrialStatistic?
    /// (sensitivity + specificity) / 2.
    public let balancedAccuracy: TrialStatistic?
    /// Matthews' correlation.
    public let matthewsCorrelation: TrialStatistic?

    init(_ points: [OperatingPoint], rule: String) {
      self.rule = rule
      threshold = TrialStatistic(everyOf: points.map(\.threshold))
      accuracy = TrialStatistic(everyOf: points.map(\.accuracy))
      f1 = TrialStatistic(everyOf: points.map(\.f1))
      sensitivity = TrialStatistic(everyOf: points.map(\.sensitivity))
      specificity = TrialStatistic(everyOf: points.map(\.specificity))
      precision = TrialStatistic(everyOf: points.map(\.precision))
      balancedAccuracy = TrialStatistic(everyOf: points.map(\.balancedAccuracy))
      matthewsCorrelation = TrialStatistic(everyOf: points.map(\.matthewsCorrelation))
    }
  }

  /// Area under the ROC curve.
  public let auroc: TrialStatistic
  /// Average precision.
  public let averagePrecision: TrialStatistic
  /// The operating points, in the order of the trials'.
  public let operatingPoints: [Point]

  /// How many trials were summarised.
  public var trials: Int { auroc.trials }

  /// Summarises trials.
  /// - Parameter trials: the figures of each; all with the same operating points in the same order.
  /// - Throws: `EvaluationError.noTrials` or `.operatingPointsDiffer`.
  public init(_ trials: [ClassificationFigures]) throws(EvaluationError) {
    guard let first = trials.first else { throw .noTrials }
    let rules = first.operatingPoints.map(\.rule)
    for (index, trial) in trials.enumerated() where trial.operatingPoints.map(\.rule) != rules {
      throw .operatingPointsDiffer(trial: index, expected: rules, found: trial.operatingPoints.map(\.rule))
    }
    auroc = try TrialStatistic(trials.map(\.auroc))
    averagePrecision = try TrialStatistic(trials.map(\.averagePrecision))
    operatingPoints = rules.enumerated().map { index, rule in
      Point(trials.map { $0.operatingPoints[index] }, rule: rule)
    }
  }

  /// The operating point of a rule, by its name; nil where there is none.
  public func operatingPoint(_ rule: String) -> Point? {
    operatingPoints.first { $0.rule == rule }
  }
}
