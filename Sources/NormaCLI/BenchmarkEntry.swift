import Evaluation
import Foundation
import Norma
import Reporting

/// One line of a benchmark's table: the trials of a method, an ensemble or a switch, on one data set at one contamination.
struct BenchmarkEntry {
  /// What tables and plots call it.
  let name: String
  /// Finished runs, one per seed.
  let records: [RunRecord]

  /// Mean and deviation of a figure; nil unless all trials have it.
  func statistic(_ figure: (RunRecord) -> Double?) -> TrialStatistic? {
    let values = values(figure)
    return values.count == records.count ? try? TrialStatistic(values) : nil
  }

  private func values(_ figure: (RunRecord) -> Double?) -> [Double] { records.compactMap(figure).filter(\.isFinite) }

  /// AUROC of each trial.
  var aurocs: [Double] { values { $0.test?.main?.auroc } }
  /// AUROC over trials.
  var auroc: TrialStatistic? { statistic { $0.test?.main?.auroc } }

  /// The 95 % interval of one trial's AUROC, its ends averaged over the trials; nil unless all have one.
  var interval: ClosedRange<Double>? {
    let intervals = records.compactMap { $0.test?.interval }
    guard intervals.count == records.count, !intervals.isEmpty else { return nil }
    let count = Double(intervals.count)
    return intervals.map(\.lower).reduce(0, +) / count...intervals.map(\.upper).reduce(0, +) / count
  }

  /// A figure at the threshold that was learnt from normal images.
  func calibrated(_ figure: (OperatingPoint) -> Double?) -> TrialStatistic? {
    statistic { $0.test?.main?.operatingPoint(Evaluator.calibratedRule).flatMap(figure) }
  }

  /// Whether the processor's time was counted in all trials.
  var hasProcessorTime: Bool { records.allSatisfy { $0.processorSeconds != nil } }

  /// Minutes of training: of the processor where they were counted, else by the clock.
  var minutes: TrialStatistic? {
    hasProcessorTime ? statistic { $0.processorSeconds.map { $0 / 60 } } : statistic { $0.seconds / 60 }
  }

  /// How often chance alone makes AUROCs differ as much (Welch's t-test); nil where there are too few trials or no spread.
  func p(against other: BenchmarkEntry) -> Double? { try? WelchTest(aurocs, other.aurocs).p }
}

/// The entries of one data set at one contamination.
struct BenchmarkSection {
  let dataSet: String
  let contamination: Double
  /// Methods and ensembles, in the file's order.
  let entries: [BenchmarkEntry]
  /// Per method with switches its name, the whole method where it is done, and the switches.
  let ablations: [(method: String, whole: BenchmarkEntry?, switches: [BenchmarkEntry])]

  /// The entry with the highest mean AUROC.
  var best: BenchmarkEntry? {
    entries.filter { $0.auroc != nil }.max { ($0.auroc?.mean ?? 0) < ($1.auroc?.mean ?? 0) }
  }

  /// Sorts finished rows into sections, in the order of the rows.
  static func sections(of records: [RunRecord]) -> [BenchmarkSection] {
    let finished = records.filter { $0.test != nil }
    var places: [(dataSet: String, contamination: Double)] = []
    for record in finished where !places.contains(where: { $0 == (record.dataSet, record.contamination) }) {
      places.append((record.dataSet, record.contamination))
    }
    // Data sets in their order, the levels of each ascending.
    let sets = places.map(\.dataSet).reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
    return sets.flatMap { set in
      places.filter { $0.dataSet == set }.sorted { $0.contamination < $1.contamination }.map { place in
        section(finished.filter { $0.dataSet == set && $0.contamination == place.contamination }, at: place)
      }
    }
  }

  private static func section(
    _ records: [RunRecord], at place: (dataSet: String, contamination: Double)
  ) -> BenchmarkSection {
    func grouped(_ records: [RunRecord], by name: (RunRecord) -> String?) -> [BenchmarkEntry] {
      var names: [String] = []
      for case let name? in records.map(name) where !names.contains(name) { names.append(name) }
      return names.map { found in
        BenchmarkEntry(name: found, records: records.filter { name($0) == found }.sorted { $0.seed < $1.seed })
      }
    }
    let entries = grouped(records.filter { $0.ablation == nil }) { $0.entry }
    let switched = records.filter { $0.ablation != nil }
    let methods = grouped(switched) { $0.entry }.map(\.name)
    return BenchmarkSection(
      dataSet: place.dataSet, contamination: place.contamination, entries: entries,
      ablations: methods.map { method in
        (
          method: method, whole: entries.first { $0.name == method },
          switches: grouped(switched.filter { $0.entry == method }) { $0.ablation }
        )
      })
  }
}
