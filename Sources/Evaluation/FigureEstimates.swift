/// Every figure of one score on labelled cases with what is known of its uncertainty: what text, JSON and page of
/// `norma evaluate` show.
///
/// AUROC has DeLong's interval; accuracy, sensitivity, specificity and precision at the given threshold have Wilson's;
/// everything else has the stratified bootstrap's. In what is read off at a target (sensitivity at a given specificity and
/// the reverse) the threshold is chosen anew in each resample.
public struct FigureEstimates: Codable, Equatable, Sendable {
  /// The figures in the order of a table.
  public let estimates: [Estimate]
  /// The counts at the threshold that was given; nil where none was.
  public let operatingPoint: OperatingPoint?
  /// The operating points at the targets, specificities first; they look at the labels.
  public let targets: [OperatingPoint]
  /// How often cases are abnormal among those of about the same probability; nil without probabilities.
  public let calibration: CalibrationCurve?

  /// Computes all figures.
  /// - Parameters:
  ///   - cases: scores with labels; both classes must occur.
  ///   - operatingPoint: a threshold chosen without these labels, with its counts on them; or nil.
  ///   - specificities: targets, 0 ... 1, at which the highest sensitivity is told.
  ///   - sensitivities: targets, 0 ... 1, at which the highest specificity is told.
  ///   - probabilities: the same cases' calibrated scores, 0 ... 1, for Brier score and calibration; or nil.
  ///   - bootstrap: how to draw; nil leaves its intervals out. Its level, or 0.95, is that of all intervals.
  /// - Throws: `EvaluationError.oneClassOnly`, `.targetNotAShare`, `.scoreNotAProbability`, `.countsDiffer`,
  ///   `.levelNotAShare`, `.countTooSmall`. Too few cases for an interval are its reason, not an error.
  public init(
    _ cases: LabelledScores, operatingPoint: OperatingPoint? = nil, specificities: [Double] = [],
    sensitivities: [Double] = [], probabilities: [Double]? = nil, bootstrap: Bootstrap? = Bootstrap()
  ) throws(EvaluationError) {
    let level = bootstrap?.level ?? 0.95
    let area = try auroc(cases)
    let precision = try averagePrecision(cases)
    self.operatingPoint = operatingPoint
    var (targets, resampled) = ([OperatingPoint](), [(SweepFigure.averagePrecision, Double?.some(precision))])
    for target in specificities {
      let point = try OperatingPoint.highestSensitivity(atSpecificity: target, on: cases)
      targets.append(point)
      resampled.append((.sensitivity(atSpecificity: target), point.sensitivity))
    }
    for target in sensitivities {
      let point = try OperatingPoint.highestSpecificity(atSensitivity: target, on: cases)
      targets.append(point)
      resampled.append((.specificity(atSensitivity: target), point.specificity))
    }
    self.targets = targets
    var shares: [Estimate] = []
    if let operatingPoint {
      let (matrix, threshold) = (operatingPoint.confusion, operatingPoint.threshold)
      shares = [
        ("accuracy", matrix.truePositives + matrix.trueNegatives, matrix.count),
        ("sensitivity", matrix.truePositives, matrix.truePositives + matrix.falseNegatives),
        ("specificity", matrix.trueNegatives, matrix.trueNegatives + matrix.falsePositives),
        ("precision", matrix.truePositives, matrix.truePositives + matrix.falsePositives),
      ].map { name, right, all in
        Estimate(name, value: { all == 0 ? nil : Double(right) / Double(all) }) { () throws(EvaluationError) in
          try ConfidenceInterval(share: right, of: all, level: level)
        }
      }
      resampled += [
        (.rate("balanced accuracy", at: threshold) { $0.balancedAccuracy }, matrix.balancedAccuracy),
        (.rate("F1", at: threshold) { $0.f1 }, matrix.f1),
        (.rate("Matthews correlation", at: threshold) { $0.matthewsCorrelation }, matrix.matthewsCorrelation),
      ]
    }
    let drawn = try Self.estimates(resampled, on: cases, bootstrap: bootstrap)
    let ranking = Estimate("AUROC", value: { area }) { () throws(EvaluationError) in
      try DeLong(cases).interval(level: level)
    }
    let calibrated = try probabilities.map { (values) throws(EvaluationError) in
      try LabelledScores(scores: values, labels: cases.labels, names: cases.names)
    }
    var reliability: [Estimate] = []
    if let calibrated {
      let curve = try CalibrationCurve(calibrated)
      reliability = try Self.estimates([(.brier, try brierScore(calibrated))], on: calibrated, bootstrap: bootstrap)
      reliability.append(
        Estimate(
          name: "expected calibration error", value: curve.expectedError, reason: "It is told without an interval."))
      calibration = curve
    } else {
      calibration = nil
    }
    let pointless = 1 + targets.count
    estimates = [ranking] + drawn.prefix(pointless) + shares + drawn.dropFirst(pointless) + reliability
  }

  /// The estimate of this name; nil where there is none.
  public func estimate(_ name: String) -> Estimate? { estimates.first { $0.name == name } }

  private static func estimates(
    _ figures: [(figure: SweepFigure, value: Double?)], on cases: LabelledScores, bootstrap: Bootstrap?
  ) throws(EvaluationError) -> [Estimate] {
    guard let bootstrap else {
      let reason = EvaluationError.noResamples.description
      return figures.map { Estimate(name: $0.figure.name, value: $0.value, reason: reason) }
    }
    do throws(EvaluationError) {
      let intervals = try bootstrap.intervals(of: figures.map(\.figure), on: cases)
      return zip(figures, intervals).map { figure, interval in
        let reason: String? =
          interval != nil
          ? nil
          : figure.value == nil
            ? "Its denominator is zero here." : "It is the same in all resamples, or not defined in enough of them."
        return Estimate(name: figure.figure.name, value: figure.value, interval: interval, reason: reason)
      }
    } catch .tooFewCases(let kind, let found, let needed, let figure) {
      let reason = EvaluationError.tooFewCases(kind, found: found, needed: needed, figure: figure).description
      return figures.map { Estimate(name: $0.figure.name, value: $0.value, reason: reason) }
    }
  }
}

extension SweepFigure {
  /// The Brier score of probabilities, see `brierScore(_:)`: the sum over the thresholds of the squares that the cases there
  /// contribute.
  static let brier = SweepFigure("Brier score") { sweep in
    var (sum, hits, alarms) = (0.0, 0, 0)
    for (index, probability) in sweep.thresholds.enumerated() {
      sum += Double(sweep.truePositives[index] - hits) * (1 - probability) * (1 - probability)
      sum += Double(sweep.falsePositives[index] - alarms) * probability * probability
      (hits, alarms) = (sweep.truePositives[index], sweep.falsePositives[index])
    }
    let count = sweep.normalCount + sweep.abnormalCount
    return count == 0 ? nil : sum / Double(count)
  }
}
