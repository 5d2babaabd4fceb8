/// Anomaly scores with the truth about each case, validated once: equally many of each, none missing, every score finite.
///
/// Higher scores mean more abnormal. One score per image, usually; `PixelFigures` is for the pixels of anomaly maps.
public struct LabelledScores: Equatable, Sendable {
  /// Anomaly scores, finite, any range.
  public let scores: [Double]
  /// The truth: true is abnormal.
  public let labels: [Bool]
  /// What each case is called; nil where nobody told.
  public let names: [String]?
  /// How many labels are true.
  public let abnormalCount: Int

  /// How many cases there are; at least 1.
  public var count: Int { scores.count }
  /// How many labels are false.
  public var normalCount: Int { count - abnormalCount }

  /// Pairs scores with labels.
  /// - Parameters:
  ///   - scores: one per case; higher is more abnormal.
  ///   - labels: one per case; true is abnormal.
  ///   - names: one per case, used in messages; or nil.
  /// - Throws: `EvaluationError` when there are no scores, the counts differ or a score is NaN or infinite.
  public init(scores: [Double], labels: [Bool], names: [String]? = nil) throws(EvaluationError) {
    guard scores.count == labels.count, names == nil || names?.count == scores.count else {
      throw .countsDiffer(scores: scores.count, labels: labels.count, names: names?.count)
    }
    guard !scores.isEmpty else { throw .noScores }
    if let index = scores.firstIndex(where: { !$0.isFinite }) {
      throw .scoreNotFinite(index: index, name: names?[index])
    }
    self.scores = scores
    self.labels = labels
    self.names = names
    abnormalCount = labels.count { $0 }
  }

  /// The scores of one class, in the order of the cases.
  public func scores(abnormal: Bool) -> [Double] {
    zip(scores, labels).filter { $0.1 == abnormal }.map(\.0)
  }

  func requireAbnormal(for figure: String) throws(EvaluationError) {
    if abnormalCount == 0 { throw .oneClassOnly(missing: .abnormal, figure: figure) }
  }

  func requireBothClasses(for figure: String) throws(EvaluationError) {
    try requireAbnormal(for: figure)
    if normalCount == 0 { throw .oneClassOnly(missing: .normal, figure: figure) }
  }
}
