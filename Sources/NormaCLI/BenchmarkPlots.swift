import Evaluation
import Foundation
import Norma
import Reporting

/// The plots of a benchmark.
struct BenchmarkPlots {
  let sections: [BenchmarkSection]

  /// Paths below the benchmark's folder, and SVG: AUROC, AUROC against training time, AUROC over contaminations where there are
  /// several, and what switches change.
  func files() -> [(String, String)] {
    sections.flatMap { section in
      let level = levels(of: section.dataSet).count > 1 ? "-\(section.contamination)" : ""
      func file(_ name: String, _ svg: String) -> (String, String) {
        ("\(section.dataSet)/\(name)\(level).svg", PlotStyle.standalone(svg))
      }
      return [file("auroc", auroc(section).svg), file("time", time(section).svg)]
        + section.ablations.compactMap { method, whole, switches in
          differences(of: switches, to: whole, method, in: section).map { file("switches-\(method)", $0.svg) }
        }
    } + contaminations()
  }

  private func levels(of dataSet: String) -> [BenchmarkSection] { sections.filter { $0.dataSet == dataSet } }

  /// A dot per seed, the mean, and the interval; best at the top.
  func auroc(_ section: BenchmarkSection) -> DotPlot {
    let entries = section.entries.filter { $0.auroc != nil }.sorted {
      ($0.auroc?.mean ?? 0) > ($1.auroc?.mean ?? 0)
    }
    return DotPlot(
      title: "\(section.dataSet): AUROC, seeds, mean and 95 % interval", label: "AUROC",
      rows: entries.map { .init(name: $0.name, values: $0.aurocs, interval: $0.interval) },
      reference: entries.contains { $0.aurocs.contains { $0 < 0.55 } } ? (0.5, "chance") : nil)
  }

  /// What methods reach against what their training takes.
  func time(_ section: BenchmarkSection) -> LabelledPoints {
    LabelledPoints(
      title: "\(section.dataSet): AUROC against training time",
      x: .init(
        label: "Training, minutes" + (section.entries.allSatisfy(\.hasProcessorTime) ? " of the processor" : "")),
      y: .init(label: "AUROC"),
      points: section.entries.compactMap { entry in
        guard let auroc = entry.auroc, let minutes = entry.minutes else { return nil }
        return .init(name: entry.name, x: minutes.mean, y: auroc.mean)
      })
  }

  /// What switches change in AUROC, trial by trial of the same seed; nil without the whole method.
  func differences(
    of switches: [BenchmarkEntry], to whole: BenchmarkEntry?, _ method: String, in section: BenchmarkSection
  ) -> DotPlot? {
    guard let whole else { return nil }
    let base = Dictionary(whole.records.map { ($0.seed, $0.test?.main?.auroc) }) { first, _ in first }
    let rows = switches.map { entry in
      DotPlot.Row(
        name: entry.name,
        values: entry.records.compactMap { record in
          guard let own = record.test?.main?.auroc, let other = base[record.seed] ?? nil else { return nil }
          return own - other
        })
    }
    return DotPlot(
      title: "\(section.dataSet): switches of \(method)",
      label: "AUROC, difference to the whole method of the same seed",
      rows: rows, reference: (0, "the whole method"))
  }

  /// AUROC over contaminations, for each data set that has several.
  private func contaminations() -> [(String, String)] {
    let sets = sections.map(\.dataSet).reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
    return sets.filter { levels(of: $0).count > 1 }.map { set in
      ("\(set)/contamination.svg", PlotStyle.standalone(contamination(of: set).svg))
    }
  }

  /// Mean AUROC of every entry over contaminations, with the standard deviation as a band.
  func contamination(of dataSet: String) -> LinePlot {
    let levels = levels(of: dataSet)
    let names = levels.flatMap(\.entries).map(\.name).reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
    let series = names.map { name in
      let found = levels.compactMap { section in
        section.entries.first { $0.name == name }?.auroc.map { (level: section.contamination, statistic: $0) }
      }
      let spreads = found.compactMap(\.statistic.standardDeviation)
      return LinePlot.Series(
        name: name, points: found.map { .init(x: $0.level, y: $0.statistic.mean) },
        spreads: spreads.count == found.count ? spreads : [], marksPoints: true)
    }
    return LinePlot(
      title: dataSet, x: .init(label: "Share of abnormal training images"), y: .init(label: "AUROC, mean ± sd"),
      series: series)
  }
}
