import Evaluation
import Testing

@testable import Reporting

@Suite("Figures as text")
struct FigureTests {
  @Test("Rates have three decimals, deviations too, and what is not defined is a dash")
  func rates() throws {
    #expect(FigureFormat.rate(0.91234) == "0.912" && FigureFormat.rate(1) == "1.000")
    #expect(FigureFormat.rate(TrialStatistic(mean: 0.912, standardDeviation: 0.0081, trials: 5)) == "0.912 ± 0.008")
    #expect(FigureFormat.rate(try TrialStatistic([0.5])) == "0.500")
    #expect(FigureFormat.rate(nil as Double?) == "–" && FigureFormat.rate(nil as TrialStatistic?) == "–")
    #expect(FigureFormat.rate(.nan) == "–")
  }

  @Test(
    "Scores have four significant digits",
    arguments: [
      (0, "0"), (2.41234, "2.412"), (-0.0123456, "−0.01235"), (1234.56, "1235"), (99999, "99999"),
      (1.5e9, "1.500e+09"), (-2.5e-7, "−2.500e−07"), (.infinity, "∞"), (-.infinity, "−∞"), (.nan, "–"),
    ] as [(Double, String)])
  func numbers(_ value: Double, _ text: String) {
    #expect(FigureFormat.number(value) == text)
  }

  @Test("A threshold and its deviation share their decimals")
  func thresholds() throws {
    #expect(FigureFormat.number(TrialStatistic(mean: 3.3, standardDeviation: 0, trials: 2)) == "3.300 ± 0.000")
    #expect(FigureFormat.number(TrialStatistic(mean: 12.345, standardDeviation: 0.1, trials: 2)) == "12.35 ± 0.10")
    #expect(FigureFormat.number(try TrialStatistic([0, 0])) == "0 ± 0")
  }

  @Test("Durations", arguments: [(4.2, "4.2 s"), (59.96, "1 min 00 s"), (200, "3 min 20 s"), (3725, "1 h 02 min")])
  func durations(_ seconds: Double, _ text: String) {
    #expect(FigureFormat.duration(.seconds(seconds)) == text)
  }

  @Test("Markdown tables hold every figure and survive pipes, tags and line breaks")
  func markdown() throws {
    let cases = try LabelledScores(scores: [1, 2, 3, 4], labels: [false, true, false, true])
    let trials = [try ClassificationFigures(cases), try ClassificationFigures(cases)]
    let methods = [MethodFigures(name: "a|b\n<i>", summary: try TrialSummary(trials))]
    #expect(
      FigureTable.figures(of: methods).markdown == """
        | Score | AUROC | Average precision | Trials |
        | :-- | --: | --: | --: |
        | a\\|b &lt;i&gt; | 0.750 ± 0.000 | 0.833 ± 0.000 | 2 |

        """)
    let lines = FigureTable.operatingPoints(of: methods).markdown.split(separator: "\n")
    #expect(lines[1] == "| :-- | :-- | --: | --: | --: | --: | --: | --: | --: | --: |")
    #expect(
      lines[2] == """
        | a\\|b &lt;i&gt; | best accuracy | 4.000 ± 0.000 | 0.750 ± 0.000 | 0.750 ± 0.000 | 0.667 ± 0.000 | \
        0.500 ± 0.000 | 1.000 ± 0.000 | 1.000 ± 0.000 | 0.577 ± 0.000 |
        """)
  }

  @Test("Default scores and maps are called so in every table, by what they are and not by their names")
  func defaults() throws {
    let cases = try LabelledScores(scores: [1, 2, 3, 4], labels: [false, true, false, true])
    let scores = try [true, false].map {
      MethodFigures(name: "s", summary: try TrialSummary([ClassificationFigures(cases)]), isDefault: $0)
    }
    #expect(FigureTable.figures(of: scores).rows.map(\.[0]) == ["s (default)", "s"])
    #expect(FigureTable.operatingPoints(of: scores).rows.map(\.[0]) == ["s (default)", "s (default)", "s", "s"])
    let mask = GroundTruthMask(width: 2, height: 1, pixels: [true, false])
    let maps = try [false, true].map {
      MapFigures(
        name: "m", summary: try LocalisationSummary([PixelFigures(maps: [[1, 0]], masks: [mask])]), isDefault: $0)
    }
    #expect(FigureTable.localisation(of: maps).rows.map(\.[0]) == ["m", "m (default)"])
  }

  @Test("Maps have a table of their own")
  func localisation() throws {
    let mask = GroundTruthMask(width: 5, height: 1, pixels: [true, false, true, false, false])
    let trials = try [[4, 3, 2, 1, 0], [4, 0, 3, 2, 1]].map { try PixelFigures(maps: [$0], masks: [mask]) }
    #expect(
      FigureTable.localisation(of: [MapFigures(name: "a|b", summary: try LocalisationSummary(trials))]).markdown == """
        | Map | Pixel AUROC | Pixel average precision | AUPRO | Best Dice | Trials |
        | :-- | --: | --: | --: | --: | --: |
        | a\\|b | 0.917 ± 0.118 | 0.917 ± 0.118 | 0.750 ± 0.354 | 0.900 ± 0.141 | 2 |

        """)
  }

  @Test("Figures with intervals, and how often chance makes a difference")
  func estimates() {
    let known = Estimate(name: "AUROC", value: 0.91234, interval: ConfidenceInterval(lower: 0.88, upper: 0.94))
    #expect(FigureFormat.rate(known) == "0.912 (0.880 to 0.940)")
    #expect(FigureFormat.rate(Estimate(name: "AUROC", value: 1, reason: "r")) == "1.000")
    #expect(FigureFormat.rate(Estimate(name: "AUROC", value: nil, reason: "r")) == "–")
    #expect([0.0004, 0.04, 1].map(FigureFormat.probability) == ["< 0.001", "0.040", "1.000"])
    #expect(FigureFormat.probability(nil) == "–")
  }
}
