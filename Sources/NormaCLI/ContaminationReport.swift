import Evaluation
import Foundation
import Norma
import Reporting

/// A sweep over contaminations as CSV, as Markdown, as JSON and as a plot.
struct ContaminationReport {
  /// The files' name, without extension.
  static let name = "contamination"

  /// Candidate by candidate, contaminations ascending, seeds ascending.
  let runs: [ContaminationSweep.Run]

  /// Writes `contamination.csv`, `.md` and `.svg` into a folder.
  func write(to folder: URL) throws {
    for (suffix, text) in [("csv", try csv()), ("md", try markdown()), ("svg", try svg())] {
      let file = folder.appendingPathComponent("\(Self.name).\(suffix)")
      do { try Data(text.utf8).write(to: file, options: .atomic) } catch {
        throw OutputError(path: file.path, reason: error.localizedDescription)
      }
    }
  }

  // MARK: Every figure

  private static let columns = [
    "configuration", "method", "contamination", "seed", "score", "map", "isDefault", "auroc", "averagePrecision",
    "pixelAUROC", "pixelAveragePrecision", "aupro", "dice", "trainingImages", "abnormalTrainingImages", "testNormal",
    "testAbnormal", "seconds",
  ]

  /// One row per run and score, then per run and map; a row has the columns that apply to it.
  private var rows: [[String: Any]] {
    runs.flatMap { run -> [[String: Any]] in
      let (outcome, configuration) = (run.outcome, run.outcome.metadata.configuration)
      let common: [String: Any] = [
        "configuration": run.candidate, "method": configuration.detector.method.rawValue,
        "contamination": run.contamination, "seed": configuration.seed, "trainingImages": run.trainingImages,
        "abnormalTrainingImages": run.abnormalTrainingImages, "testNormal": outcome.test.labels.count { !$0 },
        "testAbnormal": outcome.test.labels.count { $0 }, "seconds": outcome.metadata.origin.seconds,
      ]
      let scores = outcome.test.figures.sorted { $0.key < $1.key }.map { name, figures -> [String: Any] in
        [
          "score": name, "isDefault": name == outcome.test.mainScore, "auroc": figures.auroc,
          "averagePrecision": figures.averagePrecision,
        ]
      }
      let maps = outcome.localisation.maps.enumerated().map { index, map -> [String: Any] in
        [
          "map": map.name, "isDefault": index == 0, "pixelAUROC": map.figures.auroc,
          "pixelAveragePrecision": map.figures.averagePrecision, "aupro": map.figures.aupro, "dice": map.figures.dice,
        ]
      }
      return (scores + maps).map { $0.merging(common) { own, _ in own } }
    }
  }

  /// The rows with a header; numbers read back exactly.
  func csv() throws -> String {
    rows.reduce(into: CommaSeparatedValues.line(Self.columns)) { text, row in
      text += CommaSeparatedValues.line(
        Self.columns.map { column in
          switch row[column] {
          case let flag as Bool: flag ? "1" : "0"
          case let value?: "\(value)"
          case nil: ""
          }
        })
    }
  }

  /// The rows as JSON, one object per line.
  func printJSON() throws {
    for row in rows { try NormaCLI.printJSON(row) }
  }

  // MARK: Means over seeds

  /// The runs of one candidate at one contamination.
  private struct Level {
    let candidate: String
    let contamination: Double
    let runs: [ContaminationSweep.Run]

    /// Figures of the default score.
    func scores() throws -> TrialSummary {
      try TrialSummary(runs.compactMap { $0.outcome.test.figures[$0.outcome.test.mainScore] })
    }

    /// Figures of the default map; nil where a run has none.
    func maps() throws -> LocalisationSummary? {
      let figures = runs.compactMap(\.outcome.localisation.maps.first?.figures)
      return figures.count == runs.count ? try LocalisationSummary(figures) : nil
    }

    /// A number of images, or the range that it has over the runs.
    func images(_ count: (ContaminationSweep.Run) -> Int) -> String {
      let counts = runs.map(count)
      let (least, most) = (counts.min() ?? 0, counts.max() ?? 0)
      return least == most ? "\(least)" : "\(least)–\(most)"
    }
  }

  /// In the order of the runs.
  private var levels: [Level] {
    var levels: [Level] = []
    for run in runs {
      if let last = levels.last, last.candidate == run.candidate, last.contamination == run.contamination {
        levels[levels.count - 1] = Level(
          candidate: last.candidate, contamination: last.contamination, runs: last.runs + [run])
      } else {
        levels.append(Level(candidate: run.candidate, contamination: run.contamination, runs: [run]))
      }
    }
    return levels
  }

  /// Names of the candidates in order.
  private var candidates: [String] {
    runs.map(\.candidate).reduce(into: []) { names, name in if !names.contains(name) { names.append(name) } }
  }

  /// The table of default scores and default maps, and what it stands on.
  func markdown() throws -> String {
    let levels = levels
    let maps = try levels.map { try $0.maps() }
    let hasMaps = maps.contains { $0 != nil }
    let table = FigureTable(
      columns: ["Configuration", "Contamination", "AUROC", "Average precision"]
        + (hasMaps ? ["Pixel AUROC", "Pixel average precision", "AUPRO", "Best Dice"] : [])
        + ["Training images", "Abnormal ones", "Trials"],
      rows: try zip(levels, maps).map { level, map in
        let scores = try level.scores()
        let pixels = [map?.auroc, map?.averagePrecision, map?.aupro, map?.dice].map { FigureFormat.rate($0) }
        return [
          level.candidate, "\(level.contamination)", FigureFormat.rate(scores.auroc),
          FigureFormat.rate(scores.averagePrecision),
        ] + (hasMaps ? pixels : [])
          + [
            level.images(\.trainingImages), level.images(\.abnormalTrainingImages), "\(level.runs.count)",
          ]
      })
    return table.markdown + "\n" + notes(hasMaps: hasMaps).joined(separator: "\n")
  }

  /// What the figures are of.
  private func notes(hasMaps: Bool) -> [String] {
    let first = runs[0].outcome
    let defaults = candidates.compactMap { name in
      runs.first { $0.candidate == name }.map { run -> String in
        let map = run.outcome.localisation.maps.first.map { ", map `\($0.name)`" } ?? ""
        return "- \(name): score `\(run.outcome.test.mainScore)`\(map); "
          + "weights: \(run.outcome.metadata.origin.checkpointRule)."
      }
    }
    let trials = levels.map(\.runs.count).max() ?? 0
    return [
      "Contamination is the share of training images that are abnormal. "
        + (trials > 1 ? "Mean ± standard deviation over \(trials) seeds." : "One seed.")
        + (hasMaps ? " Best Dice looks at the masks, so it is an upper bound." : ""), "",
    ] + defaults + [
      "- Test images: \(first.test.labels.count { !$0 }) normal, \(first.test.labels.count { $0 }) abnormal.",
      "- Norma \(first.metadata.version); \(first.metadata.origin.hardware).", "",
    ]
  }

  // MARK: The plot

  /// Image AUROC over contamination, and beside it what the default maps find, where there are masks.
  func svg() throws -> String {
    var plots = [try plot("Images", "AUROC", chance: 0.5) { try $0.scores().auroc }]
    if try levels.contains(where: { try $0.maps() != nil }) {
      plots.append(try plot("Pixels", "Average precision") { try $0.maps()?.averagePrecision })
      plots.append(try plot("Pixels, best threshold", "Dice") { try $0.maps()?.dice })
    }
    return PlotStyle.standalone(LinePlot.svg(plots))
  }

  /// One figure with a line for each candidate. Both axes follow the data, in tenths and within 0 ... 1.
  private func plot(
    _ title: String, _ name: String, chance: Double? = nil, figure: (Level) throws -> TrialStatistic?
  ) throws -> LinePlot {
    let highest = levels.map(\.contamination).max() ?? 0
    let right = highest > 0 ? highest : 1
    var values: [Double] = chance.map { [$0 - 0.01, 1] } ?? [0, 0.1]
    var series = try candidates.map { candidate in
      let found = try levels.filter { $0.candidate == candidate }.compactMap { level in
        try figure(level).map { (contamination: level.contamination, statistic: $0) }
      }
      let spreads = found.compactMap(\.statistic.standardDeviation)
      let line = LinePlot.Series(
        name: candidate, points: found.map { .init(x: $0.contamination, y: $0.statistic.mean) },
        spreads: spreads.count == found.count ? spreads : [], marksPoints: true)
      values += zip(found, spreads).flatMap { [$0.statistic.mean - $1, $0.statistic.mean + $1] }
      values += found.map(\.statistic.mean)
      return line
    }
    if let chance {
      let points = [LinePlot.Point(x: 0, y: chance), .init(x: right, y: chance)]
      series.append(.init(name: "chance", points: points, isReference: true))
    }
    let lower = max(0, ((values.min() ?? 0) * 10).rounded(.down) / 10)
    let upper = min(1, ((values.max() ?? 1) * 10).rounded(.up) / 10)
    return LinePlot(
      title: title, x: .init(label: "Share of abnormal training images", range: 0...right),
      y: .init(label: series.contains { !$0.spreads.isEmpty } ? "\(name), mean ± sd" : name, range: lower...upper),
      series: series)
  }
}
