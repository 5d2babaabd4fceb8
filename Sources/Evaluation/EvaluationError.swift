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
  /// A target for sensitivity or specificity does not lie in 0 ... 1.
  case targetNotAShare(Double)
  /// A score that should be a probability does not lie in 0 ... 1; `index` counts from 0.
  case scoreNotAProbability(Double, index: Int, name: String?)
  /// The uncertainty of a figure needs more cases of this class.
  case tooFewCases(Class, found: Int, needed: Int, figure: String)
  /// Two scores can be compared only on the same cases with the same labels; `index` counts from 0.
  case casesDiffer(index: Int, name: String?)
  /// A confidence level does not lie between 0 and 1.
  case levelNotAShare(Double)
  /// A number of bins, resamples or the like is below what makes sense.
  case countTooSmall(String, found: Int, needed: Int)
  /// An interval that follows from resamples was not asked for.
  case noResamples
  /// The limits between bands must be finite and rise.
  case limitsNotRising([Double])
  /// Cases and values of an attribute must be equally many.
  case attributeCountDiffers(attribute: String, values: Int, cases: Int)
  /// An anomaly map and its mask must have equally many pixels; `index` counts from 0.
  case mapAndMaskDiffer(index: Int, mapPixels: Int, maskPixels: Int, name: String? = nil)
  /// A value of an anomaly map is NaN or infinite; `index` counts from 0, `name` is there where names were given.
  case mapNotFinite(index: Int, name: String? = nil)
  /// Anomaly maps and masks must be equally many.
  case mapsAndMasksDiffer(maps: Int, masks: Int)
  /// There is no trial to summarise.
  case noTrials
  /// A test needs more trials of a method; `trials` names them.
  case tooFewTrials(trials: String, found: Int)
  /// All trials of either method are equal, so that nothing tells how large a difference chance makes.
  case trialsWithoutSpread
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
      "The score at index \(index)\(inBrackets(name)) is not a finite number; leave the case out or score it again."
    case .oneClassOnly(let missing, let figure):
      "\(figure) is not defined without \(missing.rawValue) cases; add \(missing.rawValue) cases to the evaluation."
    case .thresholdNotANumber:
      "The threshold is not a number; give a number, cases with a score of at least it are called abnormal."
    case .targetNotAShare(let target):
      "The target \(target) is not a share; give a sensitivity or specificity from 0 to 1."
    case .scoreNotAProbability(let score, let index, let name):
      """
      The score at index \(index)\(inBrackets(name)) is \(score), which is not a probability; give calibrated scores \
      from 0 to 1.
      """
    case .tooFewCases(let kind, let found, let needed, let figure):
      """
      \(figure) needs at least \(needed) \(kind.rawValue) cases and there \(found == 1 ? "is" : "are") \(found); add \
      \(kind.rawValue) cases to the evaluation.
      """
    case .casesDiffer(let index, let name):
      """
      The case at index \(index)\(inBrackets(name)) is not the same for both scores; score the same cases in the same \
      order.
      """
    case .levelNotAShare(let level):
      "The confidence level \(level) is not between 0 and 1; give, for example, 0.95."
    case .countTooSmall(let what, let found, let needed):
      "\(found) is too small a number of \(what); give at least \(needed)."
    case .noResamples: "No resamples were asked for."
    case .limitsNotRising(let limits):
      """
      The limits \(limits.map { "\($0)" }.joined(separator: ", ")) do not rise from each to the next; give each once, \
      in order.
      """
    case .attributeCountDiffers(let attribute, let values, let cases):
      "There are \(values) values of “\(attribute)” for \(cases) cases; give one per case, or none where it is not known."
    case .mapAndMaskDiffer(let index, let mapPixels, let maskPixels, let name):
      """
      The anomaly map at index \(index)\(inBrackets(name)) has \(mapPixels) pixels and its mask \(maskPixels); give \
      both the same size.
      """
    case .mapNotFinite(let index, let name):
      """
      The anomaly map at index \(index)\(inBrackets(name)) has a value that is not a finite number; leave the image out \
      or score it again.
      """
    case .mapsAndMasksDiffer(let maps, let masks):
      "There are \(maps) anomaly maps and \(masks) masks; give one mask per map."
    case .noTrials:
      "There are no trials to summarise; give the figures of at least one."
    case .tooFewTrials(let trials, let found):
      "The test needs at least 2 trials of each method and there \(found == 1 ? "is" : "are") \(found) of \(trials); run more."
    case .trialsWithoutSpread:
      "All trials of each method are equal, so a difference cannot be tested; run trials with other seeds."
    case .operatingPointsDiffer(let trial, let expected, let found):
      """
      The trial at index \(trial) has the operating points \(list(found)) and the first one \(list(expected)); \
      evaluate every trial with the same rules.
      """
    }
  }

  private func inBrackets(_ name: String?) -> String { name.map { " (\($0))" } ?? "" }

  private func list(_ names: [String]) -> String {
    names.isEmpty ? "(none)" : names.map { "“\($0)”" }.joined(separator: ", ")
  }
}
