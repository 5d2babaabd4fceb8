import Evaluation
import Foundation
import Norma
import Reporting

/// The columns of a benchmark's tables.
struct BenchmarkColumn: Sendable {
  /// Which values are better.
  enum Better: Sendable {
    case higher
    case lower
  }

  let heading: String
  /// What stands in the CSV's headings.
  let key: String
  let better: Better
  let statistic: @Sendable (BenchmarkEntry) -> TrialStatistic?
  var text: @Sendable (TrialStatistic) -> String = { FigureFormat.rate($0) }

  static let auroc = BenchmarkColumn(heading: "AUROC", key: "auroc", better: .higher) { $0.auroc }

  /// What does not depend on a threshold, and what does on the one that was learnt without labels.
  static let scores = [
    BenchmarkColumn(heading: "AP", key: "averagePrecision", better: .higher) {
      $0.statistic { $0.test?.main?.averagePrecision }
    },
    BenchmarkColumn(heading: "F1", key: "f1", better: .higher) { $0.calibrated(\.f1) },
    BenchmarkColumn(heading: "Accuracy", key: "accuracy", better: .higher) { $0.calibrated(\.accuracy) },
  ]

  /// What the default map finds.
  static let maps = [
    BenchmarkColumn(heading: "Pixel AP", key: "pixelAveragePrecision", better: .higher) {
      $0.statistic { $0.maps.first?.figures.averagePrecision }
    },
    BenchmarkColumn(heading: "AUPRO", key: "aupro", better: .higher) { $0.statistic { $0.maps.first?.figures.aupro } },
  ]

  /// What it costs.
  static let costs = [
    BenchmarkColumn(heading: "Training, min", key: "minutes", better: .lower, statistic: { $0.minutes }) {
      decimals($0, 1)
    },
    BenchmarkColumn(
      heading: "Images/s", key: "imagesPerSecond", better: .higher, statistic: { $0.statistic { $0.imagesPerSecond } }
    ) { decimals(TrialStatistic(mean: $0.mean), 0) },
  ]

  private static func decimals(_ statistic: TrialStatistic, _ count: Int) -> String {
    let texts = [statistic.mean, statistic.standardDeviation].compactMap { $0 }.map {
      String(format: "%.\(count)f", $0)
    }
    return texts.joined(separator: " ± ")
  }
}

extension BenchmarkSection {
  private var hasMaps: Bool { entries.contains { $0.records.contains { !$0.maps.isEmpty } } }

  /// Every method and ensemble, the best of each column standing out.
  func table() -> FigureTable {
    let figures = BenchmarkColumn.scores + (hasMaps ? BenchmarkColumn.maps : []) + BenchmarkColumn.costs
    let best = best
    let rows = entries.map { entry -> [String] in
      [entry.name, FigureFormat.rate(entry.auroc), Self.interval(entry.interval)]
        + figures.map { column in
          let text = column.statistic(entry).map(column.text) ?? "–"
          return column.key == "minutes" && !entry.hasProcessorTime ? "\(text) (clock)" : text
        } + [
          "\(entry.records.count)", entry.name == best?.name ? "best" : Self.p(best.flatMap { entry.p(against: $0) }),
        ]
    }
    let columns: [BenchmarkColumn?] = [nil, .auroc, nil] + figures.map { $0 }
    return FigureTable(
      columns: ["Method", "AUROC", "95 % interval"] + figures.map(\.heading) + ["Trials", "p"], rows: rows,
      emphasised: Self.best(of: columns, among: entries))
  }

  /// The switches of a method beside the whole of it.
  func table(of whole: BenchmarkEntry?, switches: [BenchmarkEntry]) -> FigureTable {
    let figures = BenchmarkColumn.scores + (hasMaps ? BenchmarkColumn.maps : [])
    let lines = (whole.map { [BenchmarkEntry(name: "whole method", records: $0.records)] } ?? []) + switches
    let rows = lines.enumerated().map { index, entry -> [String] in
      let isWhole = index == 0 && whole != nil
      return [entry.name, FigureFormat.rate(entry.auroc), isWhole ? "" : Self.difference(of: entry, to: whole)]
        + [isWhole ? "" : Self.p(whole.flatMap { entry.p(against: $0) })]
        + figures.map { column in column.statistic(entry).map(column.text) ?? "–" } + ["\(entry.records.count)"]
    }
    let columns: [BenchmarkColumn?] = [nil, .auroc, nil, nil] + figures.map { $0 }
    return FigureTable(
      columns: ["Switch", "AUROC", "Difference", "p"] + figures.map(\.heading) + ["Trials"], rows: rows,
      emphasised: Self.best(of: columns, among: lines))
  }

  /// The cells with the best mean of their column.
  private static func best(
    of columns: [BenchmarkColumn?], among entries: [BenchmarkEntry]
  ) -> Set<FigureTable.Cell> {
    var cells: Set<FigureTable.Cell> = []
    for (place, column) in columns.enumerated() {
      guard let column, entries.count > 1 else { continue }
      if column.key == "minutes", !entries.allSatisfy(\.hasProcessorTime) { continue }  // other clocks
      let means = entries.map { column.statistic($0)?.mean }
      let known = means.compactMap { $0 }
      guard let best = column.better == .higher ? known.max() : known.min() else { continue }
      for (row, mean) in means.enumerated() where mean == best { cells.insert(.init(row: row, column: place)) }
    }
    return cells
  }

  private static func interval(_ interval: ClosedRange<Double>?) -> String {
    interval.map { "\(FigureFormat.rate($0.lowerBound))–\(FigureFormat.rate($0.upperBound))" } ?? "–"
  }

  private static func p(_ value: Double?) -> String {
    value.map { $0 < 0.001 ? "< 0.001" : String(format: "%.3f", $0) } ?? "–"
  }

  /// The difference of the means, with its sign.
  private static func difference(of entry: BenchmarkEntry, to whole: BenchmarkEntry?) -> String {
    guard let own = entry.auroc?.mean, let other = whole?.auroc?.mean else { return "–" }
    return (own < other ? "−" : "+") + FigureFormat.rate(abs(own - other))
  }
}
