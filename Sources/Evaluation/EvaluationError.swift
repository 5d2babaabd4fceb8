/// What can be wrong with labels, scores and trials; each case describes itself in one sentence with the remedy.
public enum EvaluationError: Error, Equatable, Sendable, CustomStringConvertible {
  /// There is nothing to evaluate.
  case noScores
  /// Scores, labels and (where given) names must be equally many.
  case countsDiffer(scores: Int, labels: Int, names: Int?)
  /// A score is NaN or infinite; `index` counts from 0, `name` is there where names were given.
  case scoreNotFinite(index: Int, name: String?)
  /// The figure needs normal and abnormal cases (or abnormal ones), and `missing` does not occur.
  case oneClassOnly(missing: Class, figure: String)
  /// A threshold is NaN.
  case thresholdNotANumber
  /// An anomaly map and its mask must have equally many pixels; `index` counts from 0.
  case mapAndMaskDiffer(index: Int, mapPixels: Int, maskPixels: Int)
  /// A value of an anomaly map is NaN or infinite; `index` counts from 0.
  case mapNotFinite(index: Int)
  /// Anomaly maps and masks must be equally many.
  case mapsAndMasksDiffer(maps: Int, masks: Int)
  /// There is no trial to summarise.
  case noTrials
  /// Trials can be summarised only when all have the same operating points; `trial` counts from 0.
  case operatingPointsDiffer(trial: Int, expected: [String], found: [String])

  /// The two classes of a case.
  public enum Class: String, Codable, Sendable {
    /// Label false.
    case normal
    /// Label true.
    case abnormal
  }

  /// One sentence that names what is wrong and what to do.
  public var description: String {
    switch self {
    case .noScores:
      "There are no scores to evaluate; give at least one score with its label."
    case .countsDiffer(let scores, let labels, let names):
      "There are \(scores) scores, \(labels) labels\(names.map { " and \($0) names" } ?? ""); give one of each per case."
    case .scoreNotFinite(let index, let name):
      "The score at index \(index)\(name.map { " (\($0))" } ?? "") is not a finite number; leave the case out or score it again."
    case .oneClassOnly(let missing, let figure):
      "\(figure) is not defined without \(missing.rawValue) cases; add \(missing.rawValue) cases to the evaluation."
    case .thresholdNotANumber:
      "The threshold is not a number; give a number, cases with a score of at least it are called abnormal."
    case .mapAndMaskDiffer(let index, let mapPixels, let maskPixels):
      "The anomaly map at index \(index) has \(mapPixels) pixels and its mask \(maskPixels); give both the same size."
    case .mapNotFinite(let index):
      "The anomaly map at index \(index) has a value that is not a finite number; leave the image out or score it again."
    case .mapsAndMasksDiffer(let maps, let masks):
      "There are \(maps) anomaly maps and \(masks) masks; give one mask per map."
    case .noTrials:
      "There are no trials to summarise; give the figures of at least one."
    case .operatingPointsDiffer(let trial, let expected, let found):
      """
      The trial at index \(trial) has the operating points \(list(found)) and the first one \(list(expected)); \
      evaluate every trial with the same rules.
      """
    }
  }

  private func list(_ names: [String]) -> String {
    names.isEmpty ? "(none)" : names.map { "“\($0)”" }.joined(separator: ", ")
  }
}
