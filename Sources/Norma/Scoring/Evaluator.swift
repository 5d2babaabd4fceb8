public import Evaluation

/// Figures of a detector on labelled images, for every score that it gives.
public struct Evaluator: Sendable {
  /// What came out.
  public struct Result: Sendable {
    /// The default score's name.
    public let mainScore: String
    /// Raw scores by name, in the images' order.
    public let scores: [String: [Double]]
    /// Whether each image is abnormal.
    public let labels: [Bool]
    /// The images' names.
    public let names: [String]
    /// Figures by score name.
    public let figures: [String: ClassificationFigures]
    /// The calibrated threshold of each score.
    public let thresholds: [String: Double]
    /// What a manifest tells of each image, by the names of its columns; empty dictionaries where there is none.
    public var attributes: [[String: String]] = []

    /// The cases of one score.
    /// - Throws: `EvaluationError.scoreNotFinite`, naming the image.
    public func cases(_ score: String) throws(EvaluationError) -> LabelledScores {
      try LabelledScores(scores: scores[score] ?? [], labels: labels, names: names)
    }
  }

  /// The name of the operating point at the threshold learned from normal images.
  public static let calibratedRule = "calibrated on normal images"

  /// Scores labelled images and computes all figures.
  /// - Throws: `EvaluationError` when a class is missing or a score is no number.
  public static func evaluate(_ scorer: Scorer, on images: PreparedImages) throws -> Result {
    guard let labels = images.abnormalities else {
      throw EvaluationError.oneClassOnly(missing: .abnormal, figure: "AUROC")
    }
    let scores = try scorer.rawScores(of: images)
    let names = images.items.map(\.name)
    let thresholds = scorer.calibration.scores.mapValues(\.threshold)
    var figures: [String: ClassificationFigures] = [:]
    for (name, values) in scores {
      let cases = try LabelledScores(scores: values, labels: labels, names: names)
      figures[name] = try ClassificationFigures(
        cases, fixedThreshold: thresholds[name], fixedRule: Self.calibratedRule)
    }
    return Result(
      mainScore: scorer.detector.scoreNames[0], scores: scores, labels: labels, names: names, figures: figures,
      thresholds: thresholds, attributes: images.items.map(\.attributes))
  }
}
