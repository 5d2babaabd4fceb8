import Evaluation
import Foundation
import Norma
import Reporting
import Torch

/// The page of one evaluation.
struct EvaluationPage {
  let results: EvaluationResults

  private var first: Trials.Outcome { results.main }
  private var mainScore: String { first.test.mainScore }

  /// Draws the page and writes it.
  /// - Throws: `ReportingError`, or what reading and scoring the shown cases throws.
  func write(to file: URL, data: String, device: Device, showsNames: Bool) async throws {
    var report = try figures()
    report.plots = try plots()
    report.learningCurves = learningCurves()
    let cases = try await CasePictures.cases(of: first, data: data, device: device)
    report.caseGroups = cases.groups
    report.mapLegend = cases.legend
    report.showsNames = showsNames
    try ReportPage(report).write(to: file)
  }

  /// Everything but plots and pictures.
  func figures() throws -> Report {
    let configuration = first.metadata.configuration
    let detectors = results.detectors
    var report = Report(
      title: "Anomaly detection with \(detectors.map(\.name).joined(separator: ", "))",
      subtitle: "\(first.test.labels.count { !$0 }) normal and \(first.test.labels.count { $0 }) abnormal test images, "
        + "\(results.trials.count { !$0.isYardstick } == 1 ? "one trial" : "\(results.trials.count { !$0.isYardstick }) trials"), "
        + "trained on \(first.metadata.origin.trainingImages) images.\(whose)")
    let scores = try results.scores()
    report.headlines = headlines(scores[0].summary)
    report.figures = [results.uncertainty, FigureTable.figures(of: scores)]
    report.figures[1].caption = "All scores"
    let shown = scores.filter { $0.isDefault || $0.name == Yardstick.name }  // JSON has them all
    var points = FigureTable.operatingPoints(of: shown)
    points.caption = "Single thresholds"
    if !points.rows.isEmpty { report.figures.append(points) }
    let maps = try results.maps()
    if !maps.isEmpty {
      report.localisation = [FigureTable.localisation(of: maps)] + (results.lesionTable.map { [$0] } ?? [])
    }
    report.confusion = results.trials[0].figures.operatingPoint.map { Report.Confusion($0) }
    report.subgroups = results.subgroupTables
    report.comparisons = results.comparisonTable.map { [$0] } ?? []
    report.record = record()
    report.configuration = try ConfigurationFile.yaml(configuration)
    return report
  }

  /// With several trials, which of them the parts are of that show one; with several detectors, which one they are of.
  private var whose: String {
    guard results.trials.count(where: { !$0.isYardstick }) > 1 else { return "" }
    let ofTrial = " Calls and cases are those of \(results.trials[0].name)"
    return results.detectors.count == 1
      ? ofTrial + "." : ofTrial + "; the figures at the top, and how it was made, those of \(results.methods[0].name)."
  }

  /// With one trial its figures and intervals; with several their mean and deviation.
  private func headlines(_ summary: TrialSummary) -> [Report.Headline] {
    let threshold = "threshold without labels of anomalies"
    let point = summary.operatingPoint(Evaluator.calibratedRule)
    if results.methods[0].outcomes.count > 1 {
      let known: [(String, TrialStatistic?, [String])] = [
        ("AUROC", summary.auroc, ["score: \(mainScore)"]), ("Average precision", summary.averagePrecision, []),
        ("Sensitivity", point?.sensitivity, [threshold]), ("Specificity", point?.specificity, [threshold]),
      ]
      return known.compactMap { name, value, notes in value.map { .init(name: name, statistic: $0, notes: notes) } }
    }
    let figures = results.trials[0].figures
    let known: [(String, String, [String])] = [
      ("AUROC", "AUROC", ["score: \(mainScore)"]), ("Average precision", "average precision", []),
      ("Sensitivity", "sensitivity", [threshold]), ("Specificity", "specificity", [threshold]),
    ]
    return known.compactMap { name, figure, notes in
      figures.estimate(figure).map { .init(name: name, estimate: $0, notes: notes) }
    }
  }

  // MARK: Plots

  /// ROC and precision-recall with bands, scores with thresholds, calibration, and lesions found, of the default scores.
  private func plots() throws -> [Report.Plot] {
    let shown = results.trials.filter { !$0.isYardstick } + results.trials.filter(\.isYardstick).prefix(1)
    let named = try shown.map { trial in
      (name: trial.name, cases: try trial.outcome.test.cases(trial.outcome.test.mainScore))
    }
    // Bands of many trials would hide each other.
    let banded = shown.count <= 3 ? results.options.bootstrap : nil
    let bands = try named.map { trial -> (roc: CurveBand?, precisionRecall: CurveBand?) in
      guard let banded, min(trial.cases.normalCount, trial.cases.abnormalCount) >= 2 else { return (nil, nil) }
      return (try banded.rocBand(on: trial.cases), try banded.precisionRecallBand(on: trial.cases))
    }
    var plots: [Report.Plot] = [
      .lines(.roc(try named.map { ($0.name, try ROCCurve($0.cases)) }, bands: bands.map(\.roc))),
      .lines(
        .precisionRecall(
          try named.map { ($0.name, try PrecisionRecallCurve($0.cases)) }, bands: bands.map(\.precisionRecall))),
    ]
    let points = first.test.figures[mainScore]?.operatingPoints ?? []
    plots.append(
      .histogram(
        Histogram(title: "Scores, \(named[0].name)", label: mainScore, cases: named[0].cases, thresholds: points)))
    let calibrated = shown.compactMap { trial in trial.figures.calibration.map { (trial.name, $0) } }
    if !calibrated.isEmpty { plots.append(.lines(.calibration(calibrated))) }
    let lesions = shown.compactMap { trial in trial.outcome.localisation.lesions.first.map { (trial.name, $0.curve) } }
    if !lesions.isEmpty { plots.append(.lines(.froc(lesions))) }
    return plots
  }

  /// Losses and AUROC per epoch: shown, never used to choose unless the record says so.
  private func learningCurves() -> [LinePlot] {
    let own = results.trials.filter { !$0.isYardstick }
    var aurocs: [LinePlot.Series] = []
    var losses: [(method: String, title: String, series: [LinePlot.Series])] = []
    for trial in own {
      let shown = [trial.outcome.test.mainScore, "reconstructionLogit"]
      for curve in trial.outcome.curves where shown.contains(curve.score) {
        aurocs.append(
          .init(
            name: "\(curve.set), \(curve.score), \(trial.name)",
            points: curve.points.map { .init(x: Double($0.epoch), y: $0.value) },
            marksPoints: curve.points.count == 1))  // a single point is no line
      }
      for curve in trial.outcome.losses {
        let title = "\(curve.stage), \(curve.loss)"
        let line = LinePlot.Series(
          name: results.detectors.count == 1 ? "seed \(trial.outcome.metadata.configuration.seed)" : trial.name,
          points: curve.points.map { .init(x: Double($0.epoch), y: $0.value) },
          marksPoints: curve.points.count == 1)  // a single point is no line
        if let index = losses.firstIndex(where: { ($0.method, $0.title) == (trial.method, title) }) {
          losses[index].series.append(line)
        } else {
          losses.append((trial.method, title, [line]))
        }
      }
    }
    let figures = LinePlot(
      title: "AUROC per epoch", x: .init(label: "Epoch", isWhole: true), y: .init(label: "AUROC", range: 0...1),
      series: aurocs)
    return (aurocs.isEmpty ? [] : [figures])
      + losses.map {
        LinePlot(title: $0.title, x: .init(label: "Epoch", isWhole: true), y: .init(label: "Loss"), series: $0.series)
      }
  }

  // MARK: The record

  private func record() -> Report.Record {
    let origin = first.metadata.origin
    let own = results.methods[0].outcomes
    let seconds = own.map(\.metadata.origin.seconds).reduce(0, +) / Double(own.count)
    let resamples = results.options.bootstrap.map { "\($0.resamples) resamples, seed \($0.seed)" } ?? "none"
    return Report.Record(
      version: first.metadata.version, date: Date().formatted(.iso8601.year().month().day()),
      seeds: own.map { UInt64($0.metadata.configuration.seed) }, dataFingerprint: origin.dataFingerprint,
      hardware: origin.hardware, duration: .seconds(seconds), checkpointRule: origin.checkpointRule,
      more: [
        ("Epochs", "\(origin.epochs)"), ("Threshold", first.metadata.calibration.thresholdSource),
        ("Contamination", "\(origin.contamination)"),
        ("Scoring", String(format: "%.0f images per second", first.imagesPerSecond)), ("Bootstrap", resamples),
      ])
  }
}
