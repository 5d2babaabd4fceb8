/// Which cases a page shows: the best, the worst and the most uncertain, by their scores.
public enum CaseChoice {
  /// Cases that are shown for the same reason, as indices into the scores.
  public struct Group: Equatable, Sendable {
    /// What they have in common.
    public let title: String
    /// A sentence about them, or why there are none.
    public let note: String?
    /// The cases, the most telling first.
    public let cases: [Int]
  }

  /// Groups in the order of a page; no case stands in two of them.
  /// - Parameters:
  ///   - scores: one per case, larger for more unusual ones; equal ones in the order of the cases.
  ///   - labels: one per case; true is abnormal.
  ///   - threshold: cases with a score of at least this are called abnormal; nil leaves misses, false alarms and uncertain
  ///     cases out.
  ///   - count: how many to show of each at most.
  public static func groups(
    scores: [Double], labels: [Bool], threshold: Double?, count: Int = 4
  ) -> [Group] {
    let rising = scores.indices.sorted { (scores[$0], $0) < (scores[$1], $1) }
    let falling = scores.indices.sorted { (-scores[$0], $0) < (-scores[$1], $1) }
    let limit = threshold ?? 0
    func isCalled(_ index: Int) -> Bool { threshold.map { scores[index] >= $0 } ?? labels[index] }
    let found = falling.filter { labels[$0] && isCalled($0) }
    let cleared = rising.filter { !labels[$0] && !isCalled($0) }
    let missed = rising.filter { labels[$0] && !isCalled($0) }
    let alarms = falling.filter { !labels[$0] && isCalled($0) }
    var shown: Set<Int> = []
    func taken(_ cases: [Int], _ title: String, _ note: String, none: String?) -> [Group] {
      let own = cases.filter { !shown.contains($0) }.prefix(count)
      shown.formUnion(own)
      if cases.isEmpty { return none.map { [Group(title: title, note: $0, cases: [])] } ?? [] }
      return own.isEmpty ? [] : [Group(title: title, note: note, cases: Array(own))]
    }
    func total(_ cases: [Int], _ kind: Bool) -> String { "\(cases.count) of \(labels.count { $0 == kind })" }
    var groups = taken(
      found, "Found with most confidence", "Abnormal, with the highest scores.", none: "No abnormal image was found.")
    guard threshold != nil else {
      return groups + taken(cleared, "Most normal", "Normal, with the lowest scores.", none: nil)
    }
    groups += taken(
      missed, "Worst misses", "Abnormal, with the lowest scores: \(total(missed, true)) lie below the threshold.",
      none: "No abnormal image lies below the threshold.")
    groups += taken(
      alarms, "Worst false alarms",
      "Normal, with the highest scores: \(total(alarms, false)) lie above the threshold.",
      none: "No normal image lies above the threshold.")
    groups += taken(
      scores.indices.sorted { (abs(scores[$0] - limit), $0) < (abs(scores[$1] - limit), $1) }, "Most uncertain",
      "Nearest to the threshold, on either side.", none: nil)
    return groups
      + taken(
        cleared, "Normal with most confidence", "Normal, with the lowest scores.", none: "No normal image was cleared.")
  }
}
