import Evaluation
import Foundation
import Norma
import Reporting

/// A benchmark as tables in Markdown, LaTeX and CSV.
struct BenchmarkReport {
  /// The files' name, without extension.
  static let name = "benchmark"

  /// Rows in the order of the runs.
  let records: [RunRecord]

  private var sections: [BenchmarkSection] { BenchmarkSection.sections(of: records) }

  /// Writes `benchmark.md`, `.tex` and `.csv` into a folder, and plots into those of the data sets.
  /// - Throws: `OutputError`.
  func write(to folder: URL) throws {
    var files = [("\(Self.name).md", markdown()), ("\(Self.name).tex", latex()), ("\(Self.name).csv", csv())]
    files += BenchmarkPlots(sections: sections).files()
    for (name, text) in files {
      let file = folder.appendingPathComponent(name)
      try OutputFolder.make(for: file)
      do { try Data(text.utf8).write(to: file, options: .atomic) } catch {
        throw OutputError(path: file.path, reason: error.localizedDescription)
      }
    }
  }

  // MARK: Markdown

  /// Tables of every data set and level, what they stand on, and runs that failed.
  func markdown() -> String {
    var text = ""
    for section in sections {
      text +=
        "## \(title(of: section))\n\n\(section.table().markdown)\n\(notes(of: section).joined(separator: "\n"))\n\n"
      for (method, whole, switches) in section.ablations {
        text += "### Switches of \(method)\n\n\(section.table(of: whole, switches: switches).markdown)\n"
        text += explained(switches, of: method).map { "- \($0)\n" }.joined() + "\n"
      }
    }
    let failures = records.filter { $0.failure != nil }
    if !failures.isEmpty {
      text += "## Runs that failed\n\n"
      text += failures.map { "- \($0.key.folder): \($0.failure ?? "")\n" }.joined() + "\n"
    }
    return text.isEmpty ? "No run is finished yet.\n" : text
  }

  private func title(of section: BenchmarkSection) -> String {
    let levels = Set(sections.filter { $0.dataSet == section.dataSet }.map(\.contamination))
    return section.dataSet
      + (levels.count > 1 || section.contamination > 0 ? ", contamination \(section.contamination)" : "")
  }

  private func explained(_ switches: [BenchmarkEntry], of method: String) -> [String] {
    switches.compactMap { entry in
      guard let record = entry.records.first, let known = try? DetectionMethod(named: record.method),
        let ablation = try? known.ablation(named: entry.name)
      else { return nil }
      let source = ablation.source.isEmpty ? "" : " (\(ablation.source))"
      return "\(entry.name)\(source): \(ablation.summary) `\(ablation.settings.joined(separator: "`, `"))`"
    }
  }

  /// What the figures are of.
  private func notes(of section: BenchmarkSection) -> [String] {
    let all = section.entries.flatMap(\.records)
    let tests = Set(all.compactMap { $0.test?.main.map { "\($0.normalCount) normal, \($0.abnormalCount) abnormal" } })
    let machines = Set(all.map { "Norma \($0.version); \($0.hardware)" }).sorted()
    return [
      "Mean ± standard deviation over trials of different seeds. Interval: 95 % of AUROC after DeLong, its ends averaged over "
        + "the trials. F1 and accuracy at the threshold that was learnt from normal images. p: Welch's t-test of AUROC "
        + "against the best. Training: minutes of the processor, all threads together, where they were counted.", "",
    ] + section.entries.compactMap { entry in entry.records.first.map { "- \(entry.name): \(Self.basis(of: $0))" } } + [
      "- Test images: \(tests.sorted().joined(separator: "; "))."
    ] + machines.map { "- \($0)." }
  }

  /// What an entry's figures are of.
  private static func basis(of record: RunRecord) -> String {
    let score = record.test.map { "score `\($0.mainScore)`" } ?? ""
    let map = record.maps.first.map { ", map `\($0.name)`" } ?? ""
    guard let fusion = record.fusion else { return "\(score)\(map); weights: \(record.checkpointRule)." }
    let made = "the \(fusion.fusion) of \(fusion.members.joined(separator: ", "))"
    guard let count = fusion.combinations, let auroc = fusion.validationAUROC else { return "\(made); \(score)\(map)." }
    return "\(made), the best of \(count) combinations on the labelled validation images (AUROC "
      + "\(FigureFormat.rate(auroc)), mean over seeds); no test label was looked at; \(score)\(map)."
  }

  // MARK: LaTeX

  /// The tables, each as a `table` with caption and label.
  func latex() -> String {
    func table(_ table: FigureTable, _ caption: String, _ label: String) -> String {
      """
      \\begin{table}
      \\centering
      \\caption{\(latexEscaped(caption))}
      \\label{tab:\(label)}
      \(table.latex)\\end{table}


      """
    }
    return "% Needs \\usepackage{booktabs}.\n\n"
      + sections.map { section in
        let place = "\(section.dataSet)-\(section.contamination)"
        return table(section.table(), title(of: section), place)
          + section.ablations.map { method, whole, switches in
            table(
              section.table(of: whole, switches: switches), "\(title(of: section)): switches of \(method)",
              "\(place)-\(method)")
          }.joined()
      }.joined()
  }

  // MARK: CSV

  private static let columns =
    [BenchmarkColumn.auroc] + BenchmarkColumn.scores + BenchmarkColumn.maps + BenchmarkColumn.costs

  /// One row per method, ensemble and switch, with numbers that read back exactly.
  func csv() -> String {
    let heads = ["dataSet", "contamination", "entry", "ablation", "trials", "score", "lower", "upper", "p", "clock"]
    var text = CommaSeparatedValues.line(heads + Self.columns.flatMap { [$0.key, "\($0.key)SD"] })
    for section in sections {
      func add(_ entry: BenchmarkEntry, _ ablation: String, of method: String, against other: BenchmarkEntry?) {
        let own: [String] = [
          section.dataSet, "\(section.contamination)", method, ablation, "\(entry.records.count)",
          entry.records.first?.test?.mainScore ?? "", entry.interval.map { "\($0.lowerBound)" } ?? "",
          entry.interval.map { "\($0.upperBound)" } ?? "", other.flatMap { entry.p(against: $0) }.map { "\($0)" } ?? "",
          entry.hasProcessorTime ? "processor" : "wall",
        ]
        let figures = Self.columns.flatMap { column -> [String] in
          let statistic = column.statistic(entry)
          return [statistic?.mean, statistic?.standardDeviation].map { $0.map { "\($0)" } ?? "" }
        }
        text += CommaSeparatedValues.line(own + figures)
      }
      let best = section.best
      for entry in section.entries { add(entry, "", of: entry.name, against: entry.name == best?.name ? nil : best) }
      for (method, whole, switches) in section.ablations {
        for entry in switches { add(entry, entry.name, of: method, against: whole) }
      }
    }
    return text
  }
}
