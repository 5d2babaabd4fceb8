import Evaluation
import Norma
import Reporting

/// The tables that text and page share.
extension EvaluationResults {
  /// Figures of every score, the default one first, then the yardstick's.
  func scores() throws -> [MethodFigures] {
    try methods.flatMap { method -> [MethodFigures] in
      let first = method.outcomes[0].test
      let main = first.mainScore
      if method.isYardstick {
        let figures = method.outcomes.compactMap { $0.test.figures[$0.test.mainScore] }
        return [MethodFigures(name: method.name, summary: try TrialSummary(figures))]
      }
      return try ([main] + first.figures.keys.filter { $0 != main }.sorted()).map { name in
        MethodFigures(
          name: prefix(method) + name,
          summary: try TrialSummary(method.outcomes.compactMap { $0.test.figures[name] }), isDefault: name == main)
      }
    }
  }

  /// Figures of every map, the default one first, then the yardstick's; empty where the test images have no masks.
  func maps() throws -> [MapFigures] {
    try methods.flatMap { method -> [MapFigures] in
      let names = method.outcomes[0].localisation.maps.map(\.name)
      return try (method.isYardstick ? Array(names.prefix(1)) : names).map { name in
        MapFigures(
          name: method.isYardstick ? method.name : prefix(method) + name,
          summary: try LocalisationSummary(
            method.outcomes.compactMap { $0.localisation.maps.first { $0.name == name }?.figures }),
          isDefault: !method.isYardstick && name == names.first)
      }
    }
  }

  private func prefix(_ method: Method) -> String { detectors.count == 1 ? "" : "\(method.name): " }

  /// A row per figure of the default scores, a column per trial.
  var uncertainty: FigureTable {
    FigureTable(
      columns: ["Figure"] + trials.map(\.name),
      rows: (trials.first?.figures.estimates ?? []).map { estimate in
        [estimate.name.prefix(1).uppercased() + estimate.name.dropFirst()]
          + trials.map { FigureFormat.rate($0.figures.estimate(estimate.name)) }
      }, caption: "Default scores with 95 % intervals")
  }

  /// Sensitivity per lesion of the first trial's default maps, at the false positives per image that `FROC.score` looks at.
  var lesionTable: FigureTable? {
    let rows = methods.compactMap { method -> [String]? in
      guard let map = method.outcomes[0].localisation.lesions.first else { return nil }
      let seed = method.outcomes[0].metadata.configuration.seed
      let name = method.outcomes.count == 1 ? method.name : "\(method.name), seed \(seed)"
      return [method.isYardstick ? name : "\(name): \(map.name)", "\(map.curve.lesionCount)"]
        + map.curve.sensitivities.map { FigureFormat.rate($0) } + [FigureFormat.rate(map.curve.score)]
    }
    guard !rows.isEmpty else { return nil }
    return FigureTable(
      columns: ["Map", "Lesions"] + FROC.ratesOfScore.map { "\($0.formatted()) FP" } + ["Mean"], rows: rows,
      caption: "Share of lesions found at false positives per image (FROC)")
  }

  /// One table per method and attribute.
  var subgroupTables: [FigureTable] {
    subgroups.map { trial, subgroup in
      let names = subgroup.all.figures.map(\.name)
      let notes = subgroup.groups.contains { $0.figure("AUROC")?.value == nil } ? ["Note"] : []
      return FigureTable(
        columns: [subgroup.attribute, "Normal", "Abnormal"] + names.map { $0.prefix(1).uppercased() + $0.dropFirst() }
          + notes,
        rows: ([subgroup.all] + subgroup.groups).map { group in
          let missing = group.normalCount == 0 ? "no normal images" : "no abnormal images"
          return [group.name, "\(group.normalCount)", "\(group.abnormalCount)"]
            + names.map { FigureFormat.rate(group.figure($0)) }
            + (notes.isEmpty ? [] : [group.figure("AUROC")?.value == nil ? missing : ""])
        }, caption: "By \(subgroup.attribute): \(trial)")
    }
  }

  /// A row per test; nil where there is nothing to compare.
  var comparisonTable: FigureTable? {
    guard !comparisons.isEmpty else { return nil }
    return FigureTable(
      columns: ["Compared", "With", "Test", "AUROC difference", "Statistic", "p"],
      rows: comparisons.map { test in
        [
          test.first, test.second, test.test + (test.reason.map { ": \($0)" } ?? ""),
          FigureFormat.rate(test.difference), FigureFormat.rate(test.statistic), FigureFormat.probability(test.p),
        ]
      }, textColumns: 3)
  }
}
