import Testing

@testable import Reporting

@Suite("Which cases a page shows")
struct CaseChoiceTests {
  @Test("The surest, the worst and the most uncertain, each once")
  func groups() {
    //           0  1  2  3   4  5  6  7  8
    let scores = [9.0, 8, 1, 2, 7, 5.5, 0, 4, 3]
    let labels = [true, true, true, true, false, false, false, false, false]
    let groups = CaseChoice.groups(scores: scores, labels: labels, threshold: 5, count: 2)
    #expect(
      groups.map(\.title) == [
        "Found with most confidence", "Worst misses", "Worst false alarms", "Most uncertain",
        "Normal with most confidence",
      ])
    #expect(groups.map(\.cases) == [[0, 1], [2, 3], [4, 5], [7, 8], [6]])
    #expect(groups[1].note == "Abnormal, with the lowest scores: 2 of 4 lie below the threshold.")
    #expect(groups[2].note == "Normal, with the highest scores: 2 of 5 lie above the threshold.")
    let all = groups.flatMap(\.cases)
    #expect(Set(all).count == all.count)
  }

  @Test("A score at the threshold is called abnormal; empty groups say why")
  func empty() {
    let groups = CaseChoice.groups(scores: [5, 1], labels: [true, false], threshold: 5)
    #expect(groups[0].cases == [0])
    #expect(groups[1] == .init(title: "Worst misses", note: "No abnormal image lies below the threshold.", cases: []))
    #expect(groups[2].cases.isEmpty && groups[2].note == "No normal image lies above the threshold.")
    let reversed = CaseChoice.groups(scores: [1, 5], labels: [true, false], threshold: 5)
    #expect(reversed[0] == .init(title: "Found with most confidence", note: "No abnormal image was found.", cases: []))
    #expect(reversed.map(\.cases) == [[], [0], [1], []])
  }
}
