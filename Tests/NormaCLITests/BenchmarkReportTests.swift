import Evaluation
import Foundation
import Norma
import Testing

@testable import NormaCLI

@Suite("Tables and plots of benchmarks")
struct BenchmarkReportTests {
  /// A row with an AUROC, and figures that follow from it; 3 of 4 cases are called rightly.
  private func record(
    _ entry: String, _ seed: Int, _ auroc: Double, ablation: String? = nil, contamination: Double = 0,
    processorMinutes: Double? = 2
  ) -> RunRecord {
    var record = RunRecord(
      RunKey(dataSet: "lungs_1", entry: entry, ablation: ablation, contamination: contamination, seed: seed))
    record.method = "simsid"
    let point = OperatingPoint(
      rule: Evaluator.calibratedRule, threshold: 1,
      confusion: .init(truePositives: 2, falsePositives: 1, trueNegatives: 1, falseNegatives: 0))
    record.test = .init(
      mainScore: "s",
      figures: [
        "s": .init(
          auroc: auroc, averagePrecision: auroc - 0.1, normalCount: 2, abnormalCount: 2, operatingPoints: [point])
      ], intervals: ["s": .init(lower: auroc - 0.2, upper: auroc + 0.1)])
    (record.seconds, record.imagesPerSecond) = (600, 100)
    record.processorSeconds = processorMinutes.map { $0 * 60 }
    (record.checkpointRule, record.hardware, record.version) = ("last epoch", "a processor", "1.0.0")
    return record
  }

  private var records: [RunRecord] {
    [
      record("first", 1, 0.8), record("first", 2, 0.9), record("second", 1, 0.5, processorMinutes: 1),
      record("second", 2, 0.6, processorMinutes: 2), record("third", 1, 0.7, processorMinutes: 3),
    ]
  }

  private func cells(_ text: String, _ start: String) -> [[String]] {
    text.split(separator: "\n").filter { $0.hasPrefix("| \(start)") }.map {
      $0.dropFirst(2).dropLast(2).components(separatedBy: " | ")
    }
  }

  @Test("Means, deviations, intervals, p values and the best of each column are those of a hand calculation")
  func table() throws {
    let text = BenchmarkReport(records: records).markdown()
    #expect(text.hasPrefix("## lungs_1\n\n| Method | AUROC | 95 % interval | AP | F1 | Accuracy | Training, min | "))
    // Means 0.85 and 0.55, deviations 0.1 / √2; F1 = 4 / 5, accuracy 3 / 4.
    #expect(
      cells(text, "first") == [
        [
          "first", "**0.850 ± 0.071**", "0.650–0.950", "**0.750 ± 0.071**", "**0.800 ± 0.000**", "**0.750 ± 0.000**",
          "2.0 ± 0.0", "**100**", "2", "best",
        ]
      ])
    // t = 0.3 / √(0.005 / 2 · 2) = 4.2426 with 2 degrees of freedom: p = 1 − t / √(2 + t²) = 0.0513.
    #expect(
      cells(text, "second") == [
        [
          "second", "0.550 ± 0.071", "0.350–0.650", "0.450 ± 0.071", "**0.800 ± 0.000**", "**0.750 ± 0.000**",
          "**1.5 ± 0.7**", "**100**", "2", "0.051",
        ]
      ])
    #expect(
      cells(text, "third").map { [$0[1], $0[6], $0[8], $0[9]] } == [["0.700", "3.0", "1", "–"]])
    #expect(text.contains("\n- first: score `s`; weights: last epoch.\n"))
    #expect(text.contains("\n- Test images: 2 normal, 2 abnormal.\n- Norma 1.0.0; a processor.\n"))
  }

  @Test("Where the processor's time was not counted, the clock's stands there and nothing is compared")
  func clock() {
    let text = BenchmarkReport(records: [record("a", 1, 0.8, processorMinutes: nil), record("b", 1, 0.7)]).markdown()
    #expect(cells(text, "a")[0][6] == "10.0 (clock)" && cells(text, "b")[0][6] == "2.0")
  }

  @Test("Switches are compared with the whole method")
  func switches() throws {
    let all = records + [record("first", 1, 0.6, ablation: "no-skips"), record("first", 2, 0.7, ablation: "no-skips")]
    let text = BenchmarkReport(records: all).markdown()
    #expect(
      text.contains("### Switches of first\n\n| Switch | AUROC | Difference | p | AP | F1 | Accuracy | Trials |\n"))
    #expect(cells(text, "whole")[0].prefix(4) == ["whole method", "**0.850 ± 0.071**", "", ""])
    // t = 0.2 / 0.0707 = 2.8284 with 2 degrees of freedom: p = 1 − t / √(2 + t²) = 0.1056.
    #expect(cells(text, "no-skips")[0].prefix(4) == ["no-skips", "0.650 ± 0.071", "−0.200", "0.106"])
    #expect(
      text.contains(
        "- no-skips (Table II, w/o skip connection): The decoder receives the bottleneck alone. `detector.skips=false`\n"
      ))
    let plot = try #require(
      BenchmarkPlots(sections: BenchmarkSection.sections(of: all)).files().first {
        $0.0 == "lungs_1/switches-first.svg"
      })
    #expect(plot.1.components(separatedBy: "class=\"dot series-1\"").count == 3)
    #expect(plot.1.contains("difference to the whole method of the same seed −0.2000"))
  }

  @Test("Levels of contamination have tables of their own, and a plot together")
  func contaminations() {
    let all = records + [record("first", 1, 0.4, contamination: 0.5), record("first", 2, 0.5, contamination: 0.5)]
    let text = BenchmarkReport(records: all).markdown()
    #expect(text.contains("## lungs_1, contamination 0.0\n") && text.contains("## lungs_1, contamination 0.5\n"))
    let files = BenchmarkPlots(sections: BenchmarkSection.sections(of: all)).files().map(\.0)
    #expect(
      files == [
        "lungs_1/auroc-0.0.svg", "lungs_1/time-0.0.svg", "lungs_1/auroc-0.5.svg", "lungs_1/time-0.5.svg",
        "lungs_1/contamination.svg",
      ])
  }

  @Test("An ensemble says how it was chosen, and failed runs are named with their reasons")
  func notes() {
    var fused = record("best", 1, 0.9)
    fused.fusion = .init(members: ["first", "third"], fusion: "mean", combinations: 20, validationAUROC: 0.9123)
    var failed = RunRecord(RunKey(dataSet: "lungs_1", entry: "fourth", contamination: 0, seed: 1))
    failed.failure = "the disk is full"
    let text = BenchmarkReport(records: records + [fused, failed]).markdown()
    #expect(
      text.contains(
        "- best: the mean of first, third, the best of 20 combinations on the labelled validation images (AUROC 0.912, mean "
          + "over seeds); no test label was looked at; score `s`.\n"))
    #expect(text.hasSuffix("## Runs that failed\n\n- lungs_1/fourth/contamination-0.0/seed-1: the disk is full\n\n"))
    #expect(BenchmarkReport(records: []).markdown() == "No run is finished yet.\n")
  }

  @Test("LaTeX has the same cells, escaped")
  func latex() {
    let text = BenchmarkReport(records: records).latex()
    #expect(text.contains("\\caption{lungs\\_1}\n\\label{tab:lungs_1-0.0}\n\\begin{tabular}{lrrrrrrrrr}\n\\toprule\n"))
    #expect(text.contains("first & \\textbf{0.850 $\\pm$ 0.071} & 0.650--0.950 & "))
    #expect(text.contains("Method & AUROC & 95 \\% interval & "))
  }

  @Test("The CSV has the numbers unrounded")
  func csv() throws {
    let lines = BenchmarkReport(records: records).csv().components(separatedBy: "\r\n").map {
      $0.components(separatedBy: ",")
    }
    let rows = lines.dropFirst().dropLast().map { Dictionary(uniqueKeysWithValues: zip(lines[0], $0)) }
    #expect(rows.map { $0["entry"] } == ["first", "second", "third"])
    #expect(rows[0]["auroc"].flatMap(Double.init) == (0.8 + 0.9) / 2)
    #expect(abs((rows[0]["aurocSD"].flatMap(Double.init) ?? 0) - 0.1 / 2.squareRoot()) < 1e-12)
    #expect(rows[0]["p"] == "" && rows[2]["p"] == "" && rows[2]["aurocSD"] == "")
    #expect(abs((rows[1]["p"].flatMap(Double.init) ?? 0) - (1 - 18.squareRoot() / 20.squareRoot())) < 1e-9)
    #expect(rows[1]["minutes"] == "1.5" && rows[1]["clock"] == "processor")
  }
}
