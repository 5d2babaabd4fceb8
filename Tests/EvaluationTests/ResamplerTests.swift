import Testing

@testable import Evaluation

@Suite("Resamples on several processors")
struct ResamplerTests {
  @Test("The values are those of drawing one resample after the other, however many are drawn at a time")
  func parts() throws {
    let scores: [Double] = [5, 3, 3, 4, 2, 1, 3, 6, 2, 2]
    let cases = try LabelledScores(scores: scores, labels: scores.indices.map { $0 % 3 == 0 })
    let figures: [SweepFigure] = [.auroc, .rate("precision", at: 5.5) { $0.precision }]
    var serial = StratifiedResampler(cases, seed: 9)
    let expected = (0..<50).map { _ in
      serial.draw()
      return figures.map { $0.value(serial.sweep) }
    }
    serial.draw()
    #expect(Set(expected.map { $0[0] }).count > 10 && expected.contains { $0[1] == nil })
    for parts in [1, 2, 3, 50, 90] {
      var resampler = StratifiedResampler(cases, seed: 9)
      let found = resampler.values(of: figures, resamples: 50, parts: parts)
      #expect(found == figures.indices.map { figure in expected.map { $0[figure] } })
      resampler.draw()  // the next number is the next one of the sequence
      #expect(resampler.sweep == serial.sweep)
    }
  }
}
