import Evaluation
import Foundation
import Norma
import Reporting

extension EvaluationResults {
  /// The tables for a terminal.
  func text() throws -> String {
    let (scores, maps) = (try scores(), try maps())
    let defaults = scores.filter(\.isDefault)
    var parts = [
      FigureTable.figures(of: scores).markdown, FigureTable.operatingPoints(of: defaults).markdown,
      uncertainty.markdown,
    ]
    parts += trials.filter { !$0.isYardstick }.compactMap { trial in
      guard let auroc = trial.figures.estimate("AUROC"), let interval = auroc.interval else { return nil }
      return String(
        format: "%@: AUROC %@, %@ to %@ with a confidence of %.0f %% over other test images (DeLong).",
        detectors.count == 1 ? "Seed \(trial.outcome.metadata.configuration.seed)" : trial.name,
        FigureFormat.rate(auroc.value), FigureFormat.rate(interval.lower), FigureFormat.rate(interval.upper),
        100 * interval.level)
    }
    if !maps.isEmpty { parts += ["Localisation:", FigureTable.localisation(of: maps).markdown] }
    if let lesionTable { parts += ["\(lesionTable.caption ?? ""):", lesionTable.markdown] }
    for table in subgroupTables { parts += ["\(table.caption ?? ""):", table.markdown] }
    if let comparisonTable { parts += ["Comparisons:", comparisonTable.markdown] }
    parts.append(
      "Test images: \(main.test.labels.count { !$0 }) normal, \(main.test.labels.count { $0 }) abnormal. "
        + "Weights: \(main.metadata.origin.checkpointRule). Threshold: \(main.metadata.calibration.thresholdSource).")
    return parts.joined(separator: "\n\n")
  }
}
