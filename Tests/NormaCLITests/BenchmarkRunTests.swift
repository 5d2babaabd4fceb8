import Foundation
import Testing

@Suite("norma benchmark and norma ablate")
struct BenchmarkRunTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// A benchmark of the smallest autoencoder and of the yardstick on ten normal images; the file's path.
  private func benchmark(_ more: String = "") throws -> String {
    let drawn = try Program.run(
      "phantom", folder.path("data"), "--train", "10", "--test-normal", "4", "--test-abnormal", "4", "--size", "64")
    #expect(drawn.status == 0)
    return try folder.write(
      "bench.yaml",
      """
      output: \(folder.path("runs"))
      datasets: [{name: lungs, path: elsewhere}]
      methods:
        - name: small
          method: autoencoder
          set: {training: {epochs: 1, batchSize: 4}, detector: {imageSize: 32, channels: [2, 4], kernelSize: 3, codeWidth: 4}}
        - {name: yardstick, method: band-energy}
      \(more)

      """)
  }

  private func run(_ file: String, _ more: String...) throws -> Program.Run {
    try Program.run(["benchmark", file, "--data", "lungs=" + folder.path("data")] + more)
  }

  @Test("Runs are listed, done one by one, and leave tables, rows and plots")
  func whole() throws {
    let file = try benchmark()
    let listed = try run(file, "--dry-run")
    #expect(listed.status == 0)
    #expect(
      listed.lines == [
        "lungs/small/contamination-0.0/seed-1: to do", "lungs/yardstick/contamination-0.0/seed-1: to do",
        "0 of 2 runs are done",
      ])
    #expect(!exists(folder.path("runs")))
    let part = try run(file, "--only", "yardstick")
    #expect(part.status == 0 && part.lines.contains { $0.hasPrefix("| yardstick | ") })
    #expect(!part.output.contains("| small |"))
    #expect(
      try run(file, "--dry-run").lines == [
        "lungs/small/contamination-0.0/seed-1: to do", "lungs/yardstick/contamination-0.0/seed-1: done",
        "1 of 2 runs are done",
      ])
    let whole = try run(file)
    #expect(
      whole.status == 0 && whole.errors.hasPrefix("tables: \(folder.path("runs/benchmark")).md, .tex and .csv; rows: "))
    #expect(
      whole.lines.contains { $0.hasPrefix("| small | ") } && whole.lines.contains { $0.hasPrefix("| yardstick | ") })
    #expect(whole.lines[1].contains(" | Pixel AP | AUPRO | "))
    #expect(try String(contentsOfFile: folder.path("runs/benchmark.md"), encoding: .utf8) == whole.output)
    for name in ["benchmark.tex", "benchmark.csv", "lungs/auroc.svg", "lungs/time.svg", "results.jsonl"] {
      #expect(exists(folder.path("runs/\(name)")), "\(name)")
    }
    let again = try run(file, "--json")
    let rows = try again.objects()
    #expect(again.status == 0 && rows.map { $0["entry"] as? String } == ["small", "yardstick"])
    #expect(
      try String(contentsOfFile: folder.path("runs/results.jsonl"), encoding: .utf8).split(separator: "\n").count == 2)
  }

  @Test("A run that fails ends with 65 after the others are done; wrong files and names with 64 and 66")
  func mistakes() throws {
    let file = try benchmark("contamination: [0, 1]")
    let failed = try run(file, "--only", "small")
    #expect(failed.status == 65)
    #expect(
      failed.errorLines.last?.hasPrefix(
        "norma: lungs/small/contamination-1.0/seed-1 failed: A contamination of 1.0 asks for 10 abnormal among ")
        == true)
    #expect(failed.output.contains("| small | ") && failed.output.contains("## Runs that failed\n"))
    #expect(try run(file, "--only", "large", "--dry-run").status == 64)
    #expect(try Program.run("benchmark", file, "--data", "lung=x", "--dry-run").status == 64)
    #expect(try Program.run("benchmark", folder.path("none.yaml"), "--dry-run").status == 66)
  }

  @Test("Switches are listed with their settings")
  func ablate() throws {
    let text = try Program.run("ablate", "simsid")
    #expect(text.status == 0)
    #expect(
      text.output.contains(
        """
          no-skips (Table II, w/o skip connection)
            The decoder receives the bottleneck alone.
            --set 'detector.skips=false'

        """))
    let rows = try Program.run("ablate", "--json").objects()
    #expect(Set(rows.compactMap { $0["method"] as? String }).isSuperset(of: ["simsid", "memmc-mae", "token-masking"]))
    #expect(rows.allSatisfy { ($0["settings"] as? [String])?.isEmpty == false })
    #expect(try Program.run("ablate", "simsad").status == 64)
  }
}
