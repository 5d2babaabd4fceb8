import Evaluation
import Foundation
import MedicalImaging
import Norma
import Reporting
import Torch

/// The yardstick, fitted to the same images as the detectors that it stands beside.
enum Yardstick {
  /// What it is called in tables.
  static let name = "yardstick: band energy"

  static func outcomes(
    like outcomes: [Trials.Outcome], data: String, device: Device, progress: @escaping ProgressHandler
  ) async throws -> [Trials.Outcome] {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("norma-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    var found: [Trials.Outcome] = []
    for (index, outcome) in outcomes.enumerated() {
      var configuration = try Preset.bandEnergy.configuration()
      configuration.seed = outcome.metadata.configuration.seed
      configuration.data = outcome.metadata.configuration.data
      let input = outcome.metadata.configuration.input
      if input.views == .slices {
        let own = configuration.input
        configuration.input = input
        (configuration.input.intensity, configuration.input.deviations) = (own.intensity, own.deviations)
        (configuration.input.aspect, configuration.input.spacing) = (own.aspect, [])  // its side is another
      }
      let ending = try await Trials.run(
        configuration, seeds: [configuration.seed], folder: data, output: folder.appendingPathComponent("\(index)"),
        device: device, progress: progress)
      if case .finished(let results) = ending { found += results }
    }
    return found
  }
}

/// One evaluation as text, as JSON and as a page.
struct EvaluationPage {
  let outcomes: [Trials.Outcome]
  let yardstick: [Trials.Outcome]

  private var main: String { outcomes[0].test.mainScore }
  private var first: Trials.Outcome { outcomes[0] }

  /// Figures of every score, the default one first, then the yardstick's.
  private func methods() throws -> [MethodFigures] {
    let names = [main] + outcomes[0].test.figures.keys.filter { $0 != main }.sorted()
    let own = try names.map { name in
      MethodFigures(
        name: name == main ? "\(name) (default)" : name,
        summary: try TrialSummary(outcomes.compactMap { $0.test.figures[name] }))
    }
    let theirs = yardstick.compactMap { $0.test.figures[$0.test.mainScore] }
    return own
      + (theirs.isEmpty ? [] : [MethodFigures(name: Yardstick.name, summary: try TrialSummary(theirs))])
  }

  /// Figures of every map, the default one first, then the yardstick's; empty where the test images have no masks.
  private func maps() throws -> [MapFigures] {
    let names = first.localisation.maps.map(\.name)
    let own = try names.map { name in
      MapFigures(
        name: name == names.first ? "\(name) (default)" : name,
        summary: try LocalisationSummary(
          outcomes.compactMap { $0.localisation.maps.first { $0.name == name }?.figures }))
    }
    let theirs = yardstick.compactMap(\.localisation.maps.first?.figures)
    return own
      + (theirs.isEmpty ? [] : [MapFigures(name: Yardstick.name, summary: try LocalisationSummary(theirs))])
  }

  /// The tables for a terminal.
  func text() throws -> String {
    let methods = try methods()
    let maps = try maps()
    var parts = [
      FigureTable.figures(of: methods).markdown, FigureTable.operatingPoints(of: Array(methods.prefix(1))).markdown,
    ]
    parts += try outcomes.compactMap { outcome in
      guard let interval = try Self.interval(of: main, in: outcome) else { return nil }
      return String(
        format: "Seed %d: AUROC %.3f, %.3f to %.3f with a confidence of %.0f %% over other test images (DeLong).",
        outcome.metadata.configuration.seed, outcome.test.figures[main]?.auroc ?? .nan, interval.lower, interval.upper,
        100 * interval.level)
    }
    if !maps.isEmpty { parts += ["Localisation:", FigureTable.localisation(of: maps).markdown] }
    parts.append(
      "Test images: \(first.test.labels.count { !$0 }) normal, \(first.test.labels.count { $0 }) abnormal. "
        + "Weights: \(first.metadata.origin.checkpointRule). Threshold: \(first.metadata.calibration.thresholdSource).")
    return parts.joined(separator: "\n\n")
  }

  /// One JSON object per trial and score, and one per trial and map where test images have masks.
  func printJSON() throws {
    for outcome in outcomes + yardstick {
      let configuration = outcome.metadata.configuration
      let trial: [String: Any] = ["method": configuration.detector.method.rawValue, "seed": configuration.seed]
      for (score, figures) in outcome.test.figures.sorted(by: { $0.key < $1.key }) {
        let line: [String: Any] = [
          "score": score, "isDefault": score == outcome.test.mainScore, "test": try Self.encoded(figures),
          "validationAUROC": outcome.validation?.figures[score]?.auroc as Any? ?? NSNull(),
          "aurocInterval": try Self.interval(of: score, in: outcome).map(Self.encoded) ?? NSNull(),
        ]
        try NormaCLI.printJSON(trial.merging(line) { $1 })
      }
      for (index, map) in outcome.localisation.maps.enumerated() {
        let line: [String: Any] = [
          "map": map.name, "isDefaultMap": index == 0, "localisation": try Self.encoded(map.figures),
        ]
        try NormaCLI.printJSON(trial.merging(line) { $1 })
      }
    }
  }

  /// Where a score's AUROC lies with 95 % confidence; nil where the test images cannot tell.
  private static func interval(of score: String, in outcome: Trials.Outcome) throws -> ConfidenceInterval? {
    let cases = try LabelledScores(
      scores: outcome.test.scores[score] ?? [], labels: outcome.test.labels, names: outcome.test.names)
    guard min(cases.normalCount, cases.abnormalCount) >= 2 else { return nil }
    return try DeLong(cases).interval()
  }

  private static func encoded(_ figures: some Encodable) throws -> Any {
    try JSONSerialization.jsonObject(with: JSONEncoder().encode(figures))
  }

  // MARK: The page

  func write(
    to file: URL, data: String, device: Device, showsNames: Bool
  ) async throws {
    let configuration = first.metadata.configuration
    let method = configuration.detector.method.rawValue
    var report = Report(
      title: "Anomaly detection with \(method)",
      subtitle:
        "\(first.test.labels.count) test images, \(outcomes.count == 1 ? "one trial" : "\(outcomes.count) trials"), "
        + "trained on \(first.metadata.origin.trainingImages) images.")
    report.methods = try methods()
    report.maps = try maps()
    report.headlines = headlines(report.methods[0].summary)
    try addCurves(to: &report)
    let cases = try await CasePictures.cases(of: first, data: data, device: device)
    report.cases = cases.cases
    report.mapLegend = cases.legend
    report.record = record()
    report.configuration = try ConfigurationFile.yaml(configuration)
    report.showsNames = showsNames
    try ReportPage(report).write(to: file)
  }

  private func headlines(_ summary: TrialSummary) -> [Report.Headline] {
    var headlines = [
      Report.Headline(name: "AUROC", statistic: summary.auroc, note: "score: \(main)"),
      Report.Headline(name: "Average precision", statistic: summary.averagePrecision, note: nil),
    ]
    if let point = summary.operatingPoint(Evaluator.calibratedRule) {
      let threshold = "threshold without labels of anomalies"
      if let value = point.sensitivity {
        headlines.append(.init(name: "Sensitivity", statistic: value, note: threshold))
      }
      if let value = point.specificity {
        headlines.append(.init(name: "Specificity", statistic: value, note: threshold))
      }
    }
    return headlines
  }

  private func addCurves(to report: inout Report) throws {
    func cases(_ outcome: Trials.Outcome) throws -> LabelledScores {
      try LabelledScores(scores: outcome.test.scores[outcome.test.mainScore] ?? [], labels: outcome.test.labels)
    }
    for outcome in outcomes {
      let name = outcomes.count == 1 ? main : "seed \(outcome.metadata.configuration.seed)"
      report.rocCurves.append((name, try ROCCurve(cases(outcome))))
      report.precisionRecallCurves.append((name, try PrecisionRecallCurve(cases(outcome))))
    }
    if let outcome = yardstick.first {
      report.rocCurves.append(("yardstick", try ROCCurve(cases(outcome))))
      report.precisionRecallCurves.append(("yardstick", try PrecisionRecallCurve(cases(outcome))))
    }
    report.histograms = [
      Histogram(
        title: "Scores", label: main, cases: try cases(first),
        threshold: first.test.figures[main]?.operatingPoint(Evaluator.calibratedRule))
    ]
    report.linePlots = learningCurves()
  }

  /// Test AUROC per epoch of the default score, and of the paper's: shown, never used to choose.
  private func learningCurves() -> [LinePlot] {
    let shown = [main, "reconstructionLogit"]
    let series = outcomes.flatMap { outcome in
      outcome.curves.filter { $0.set == "test" && shown.contains($0.score) }.map { curve in
        LinePlot.Series(
          name: "\(curve.score), seed \(outcome.metadata.configuration.seed)",
          points: curve.points.map { .init(x: Double($0.epoch), y: $0.auroc) })
      }
    }
    guard !series.isEmpty else { return [] }
    return [
      LinePlot(
        title: "Test AUROC per epoch, only to look at", x: .init(label: "Epoch"),
        y: .init(label: "AUROC", range: 0...1), series: series)
    ]
  }

  private func record() -> Report.Record {
    let origin = first.metadata.origin
    let seconds = outcomes.map(\.metadata.origin.seconds).reduce(0, +) / Double(outcomes.count)
    return Report.Record(
      version: first.metadata.version, date: Date().formatted(.iso8601.year().month().day()),
      seeds: outcomes.map { UInt64($0.metadata.configuration.seed) }, dataFingerprint: origin.dataFingerprint,
      hardware: origin.hardware, duration: .seconds(seconds), checkpointRule: origin.checkpointRule,
      more: [
        ("Epochs", "\(origin.epochs)"), ("Threshold", first.metadata.calibration.thresholdSource),
        ("Contamination", "\(origin.contamination)"),
        ("Scoring", String(format: "%.0f images per second", first.imagesPerSecond)),
      ])
  }
}
