import Foundation
import Testing

@Suite("norma sweep contamination")
struct SweepTests {
  let folder: TemporaryFolder
  /// Ten normal and ten abnormal training images, four and four test images with masks.
  let data: String
  /// The smallest autoencoder, known as `small`.
  let configuration: String

  init() throws {
    folder = try TemporaryFolder()
    data = folder.path("data")
    configuration = try folder.write(
      "small.yaml",
      """
      method: autoencoder
      training: {epochs: 2, batchSize: 4}
      detector: {imageSize: 32, channels: [2, 4], kernelSize: 3, codeWidth: 4}

      """)
    let drawn = try Program.run(
      "phantom", data, "--train", "10", "--train-abnormal", "10", "--test-normal", "4", "--test-abnormal", "4",
      "--size",
      "64")
    #expect(drawn.status == 0)
  }

  private func arguments(_ more: String...) -> [String] {
    ["sweep", "contamination", data, "--config", configuration, "--output", folder.path("runs")] + more
  }

  private func text(_ name: String) throws -> String {
    try String(contentsOfFile: folder.path("runs/\(name)"), encoding: .utf8)
  }

  /// The rows of the CSV by heading.
  private func rows() throws -> [[String: String]] {
    let lines = try text("contamination.csv").components(separatedBy: "\r\n").dropLast().map {
      $0.components(separatedBy: ",")
    }
    return lines.dropFirst().map { Dictionary(uniqueKeysWithValues: zip(lines[0], $0)) }
  }

  @Test("Table, figures and plot tell the same of every configuration and level")
  func files() throws {
    let run = try Program.run(
      arguments(
        "--preset", "band-energy", "--levels", "1, 0,0.5", "--trials", "2", "--set", "data.validationNormal=0", "--set",
        "data.validationAbnormal=0"))
    #expect(run.status == 0)
    #expect(run.errors == "table and plot: \(folder.path("runs/contamination")).csv, .md and .svg\n")
    let rows = try rows()
    // Two scores and a map, and one of each: three levels, two seeds.
    #expect(rows.count == 6 * 3 + 6 * 2)
    for row in rows {
      let level = try #require(row["contamination"].flatMap(Double.init))
      #expect(row["trainingImages"] == "10" && row["abnormalTrainingImages"] == "\(Int(level * 10))")
      #expect(row["testNormal"] == "4" && row["testAbnormal"] == "4")
      #expect(row["score"]?.isEmpty == row["auroc"]?.isEmpty && row["map"]?.isEmpty == row["dice"]?.isEmpty)
      #expect(row["score"]?.isEmpty != row["map"]?.isEmpty)
    }
    #expect(run.output == (try text("contamination.md")))
    let table = run.lines.filter { $0.hasPrefix("| ") }.map {
      $0.components(separatedBy: " | ").map { $0.trimmingCharacters(in: ["|", " "]) }
    }
    #expect(
      table[0] == [
        "Configuration", "Contamination", "AUROC", "Average precision", "Pixel AUROC", "Pixel average precision",
        "AUPRO",
        "Best Dice", "Training images", "Abnormal ones", "Trials",
      ])
    #expect(
      table.dropFirst(2).map { Array($0.prefix(2)) } == [
        ["band-energy", "0.0"], ["band-energy", "0.5"], ["band-energy", "1.0"], ["small", "0.0"], ["small", "0.5"],
        ["small", "1.0"],
      ])
    for cells in table.dropFirst(2) {
      let own = rows.filter {
        $0["configuration"] == cells[0] && $0["contamination"] == cells[1] && $0["isDefault"] == "1"
      }
      let columns = ["auroc", "averagePrecision", "pixelAUROC", "pixelAveragePrecision", "aupro", "dice"]
      for (column, cell) in zip(columns, cells[2...]) {
        let values = own.compactMap { $0[column].flatMap(Double.init) }
        try #require(values.count == 2)
        let (mean, deviation) = ((values[0] + values[1]) / 2, abs(values[0] - values[1]) / 2.squareRoot())
        #expect(cell == String(format: "%.3f ± %.3f", mean, deviation), "\(column)")
      }
      #expect(cells[8...] == ["10", "\(Int((Double(cells[1]) ?? 0) * 10))", "2"])
    }
    let svg = try text("contamination.svg")
    #expect(svg.hasPrefix("<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"plot\" viewBox=\"0 0 1380 "))
    for (mark, count) in [("dot series-1", 9), ("dot series-2", 9), ("band series-1", 3), ("line reference", 2)] {
      #expect(svg.components(separatedBy: "class=\"\(mark)\"").count - 1 == count, "\(mark)")
    }
    let named = ["band-energy", "small", "AUROC, mean ± sd", "Average precision, mean ± sd"].allSatisfy(svg.contains)
    #expect(named)
  }

  @Test(
    "A sweep of one seed and level on images without masks has no deviations and no pixel figures; JSON has its rows")
  func plain() throws {
    try FileManager.default.removeItem(atPath: folder.path("data/masks"))
    let run = try Program.run(arguments("--levels", "0.3", "--trials", "1", "--json"))
    #expect(run.status == 0)
    let objects = try run.objects()
    #expect(objects.map { $0["score"] as? String } == ["reconstructionError", "topPercent"])
    #expect(objects.map { $0["isDefault"] as? Bool } == [true, false])
    #expect(objects.allSatisfy { $0["contamination"] as? Double == 0.3 && $0["abnormalTrainingImages"] as? Int == 3 })
    #expect(try rows().map { $0["auroc"] } == objects.map { ($0["auroc"] as? Double).map { "\($0)" } })
    let (table, svg) = (try text("contamination.md"), try text("contamination.svg"))
    #expect(table.contains("One seed.") && !table.contains("±") && !table.contains("Dice"))
    #expect(svg.contains("viewBox=\"0 0 460 ") && !svg.contains("class=\"band") && !svg.contains("±"))
  }

  @Test("MVTec's layout: half of the abnormal test images are lent when asked for, and nothing is trained otherwise")
  func mvtec() throws {
    let object = folder.path("object")
    for (from, to) in [
      ("train/NORMAL", "train/good"), ("test/NORMAL", "test/good"), ("test/ABNORMAL", "test/cut"),
      ("masks/test/ABNORMAL", "ground_truth/cut"),
    ] {
      for name in try FileManager.default.contentsOfDirectory(atPath: "\(data)/\(from)") {
        let ending = to.hasPrefix("ground") ? "_mask.png" : ".png"
        try folder.copy(
          "\(data)/\(from)/\(name)", to: "object/\(to)/\((name as NSString).deletingPathExtension)\(ending)")
      }
    }
    func run(_ pool: String) throws -> Program.Run {
      try Program.run(
        "sweep", "contamination", object, "--preset", "band-energy", "--levels", "0,0.2", "--trials", "1", "--json",
        "--set", "data.validationNormal=0", "--set", "data.validationAbnormal=0", "--set", "data.abnormalPool=\(pool)",
        "--output", folder.path("runs"))
    }
    let refused = try run("train")
    #expect(refused.status == 65 && refused.errors.contains("(data.abnormalPool=half-test)"), "\(refused.errors)")
    let found = try run("half-test")
    #expect(found.status == 0, "\(found.errors)")
    let rows = try rows().filter { $0["map"]?.isEmpty == true }
    #expect(
      rows.map { $0["abnormalTrainingImages"] } == ["0", "2"] && rows.map { $0["trainingImages"] } == ["10", "10"])
    #expect(rows.allSatisfy { $0["testAbnormal"] == "2" && $0["testNormal"] == "4" })
    #expect(try run("halftest").status == 64)
  }

  @Test("Ctrl-C ends with 130 and keeps what is done; the same command goes on to the end")
  func interruption() throws {
    let arguments = arguments("--levels", "0,1", "--trials", "1", "--set", "training.epochs=60")
    let log = folder.path("runs/small/contamination-1.0/seed-1/log.jsonl")
    let interrupted = try Program.run(arguments) { process in
      while process.isRunning, (try? String(contentsOfFile: log, encoding: .utf8))?.contains("\"epoch\"") != true {
        Thread.sleep(forTimeInterval: 0.01)
      }
      process.interrupt()
    }
    #expect(interrupted.status == 130)
    #expect(interrupted.output.isEmpty)
    #expect(interrupted.errors == "norma: interrupted with 1 of 2 runs done; the same command continues\n")
    #expect(!exists(folder.path("runs/contamination.csv")))
    let first = URL(fileURLWithPath: folder.path("runs/small/contamination-0.0/seed-1/model.safetensors"))
    let before = try Data(contentsOf: first)

    let resumed = try Program.run(arguments)
    #expect(resumed.status == 0)
    #expect(try Data(contentsOf: first) == before)
    let events = try String(contentsOfFile: log, encoding: .utf8)
    #expect(events.components(separatedBy: "\"event\":\"start\"").count == 3)
    #expect(events.components(separatedBy: "\"event\":\"epoch\"").count == 61)
    #expect(try rows().count == 2 * 3)
  }

  @Test("Too few abnormal training images end with 65 before anything is trained, and other settings with 64")
  func refusals() throws {
    let few = try Program.run(arguments("--set", "data.validationAbnormal=3"))
    #expect(few.status == 65)
    #expect(
      few.errors
        == "norma: A contamination of 0.8 asks for 8 abnormal among 10 training images, but train has 7; add abnormal images "
        + "to train, or ask for a smaller share or for at most 8 training images.\n")
    #expect(!exists(folder.path("runs/small")))
    #expect(try Program.run(arguments("--levels", "0", "--trials", "1")).status == 0)
    let other = try Program.run(arguments("--levels", "0", "--trials", "1", "--set", "training.batchSize=5"))
    #expect(other.status == 64)
    #expect(other.errors.contains("/small/contamination-0.0/seed-1 was made with other settings; "))
  }
}
