import Foundation
import Testing

@Suite("norma evaluate")
struct EvaluateTests {
  let folder: TemporaryFolder
  let trained: TrainedRun

  init() throws { (folder, trained) = (try TemporaryFolder(), try TrainedRun.shared.get()) }

  @Test("A checkpoint gives a table with the yardstick, and a page that needs nothing else and hides names")
  func report() throws {
    let page = folder.path("made/report.html")
    let run = try Program.run("evaluate", trained.data, "--checkpoint", trained.checkpoint, "--report", page)
    #expect(run.status == 0)
    #expect(run.errors == "report: \(page)\n")
    #expect(run.output.contains("| nearestNormals (default) | "))
    #expect(run.output.contains("| yardstick: band energy | "))
    #expect(run.output.contains("\nTest images: 6 normal, 6 abnormal. "))
    let interval = try #require(
      run.output.firstMatch(of: /Seed 1: AUROC ([0-9.]+), ([0-9.]+) to ([0-9.]+) with a confidence of 95 %/))
    let (auroc, lower, upper) = (
      try #require(Double(interval.1)), try #require(Double(interval.2)), try #require(Double(interval.3))
    )
    #expect(0 < lower && lower < auroc && auroc < upper && upper < 1)
    #expect(run.output.contains("| nearestNormals (default) | \(interval.1) |"))
    let html = try String(contentsOfFile: page, encoding: .utf8)
    // One bit each, so that a failure does not print the page.
    let (saysWhatItIsNot, embedsPictures) = (
      html.contains("not a medical device"), html.contains("data:image/png;base64,")
    )
    let loadsFromElsewhere = html.contains(/(src|href)="(?!data:|#)|url\((?!#)|@import/)
    let showsNames = html.contains("phantom-000")
    #expect(saysWhatItIsNot && embedsPictures)
    #expect(!loadsFromElsewhere)
    #expect(!showsNames)
  }

  @Test("File names are shown when asked for, the yardstick is left out when asked for")
  func options() throws {
    let page = folder.path("report.html")
    let run = try Program.run(
      "evaluate", trained.data, "--checkpoint", trained.checkpoint, "--report", page, "--show-names", "--no-yardstick")
    #expect(run.status == 0)
    #expect(!run.output.contains("yardstick"))
    let showsNames = try String(contentsOfFile: page, encoding: .utf8).contains("phantom-000")
    #expect(showsNames)
  }

  @Test("A test image that cannot be read is named, and the figures say how many were left")
  func skippedImage() throws {
    let copy = folder.path("data")
    try FileManager.default.copyItem(atPath: trained.data, toPath: copy)
    let images = try FileManager.default.contentsOfDirectory(atPath: "\(copy)/test/NORMAL").sorted()
    let broken = "\(copy)/test/NORMAL/\(images[0])"
    try Data("no image".utf8).write(to: URL(fileURLWithPath: broken))
    let run = try Program.run("evaluate", copy, "--checkpoint", trained.checkpoint, "--no-yardstick")
    #expect(run.status == 0)
    #expect(run.errorLines.count == 1)
    #expect(run.errors.hasPrefix("norma: warning: \(broken) ") && run.errors.hasSuffix(" (skipped)\n"))
    #expect(run.output.contains("\nTest images: 5 normal, 6 abnormal. "))
  }

  @Test("Where test images have masks, every map and the yardstick's has localisation figures: text, page and JSON")
  func localisation() throws {
    let page = folder.path("report.html")
    let arguments = ["evaluate", trained.data, "--checkpoint", trained.checkpoint]
    let run = try Program.run(arguments + ["--report", page])
    #expect(run.status == 0)
    let header = "| Map | Pixel AUROC | Pixel average precision | AUPRO | Best Dice | Trials |"
    let start = try #require(run.lines.firstIndex(of: header)) + 2
    let rows = run.lines[start...].prefix { $0.hasPrefix("| ") }
    let cells = rows.map { $0.components(separatedBy: " | ").map { $0.trimmingCharacters(in: ["|", " "]) } }
    #expect(
      cells.map { $0[0] } == [
        "nearestNormals (default)", "unexplainedEnergy", "difference", "gradCAM", "yardstick: band energy",
      ])
    let html = try String(contentsOfFile: page, encoding: .utf8)
    let hasSection = html.contains("<h2>Localisation</h2>") && html.contains("<td>\(cells[0][3])</td>")
    #expect(hasSection)

    let objects = try Program.run(arguments + ["--json"]).objects().filter { $0["map"] != nil }
    #expect(
      objects.map { $0["map"] as? String } == cells.dropLast().map { $0[0].components(separatedBy: " ")[0] }
        + ["bandEnergy"])
    #expect(objects.map { $0["isDefaultMap"] as? Bool } == [true, false, false, false, true])
    for (object, cells) in zip(objects, cells) {
      let figures = try #require(object["localisation"] as? [String: Any])
      let dice = (figures["bestDice"] as? [String: Any])?["f1"]
      let values = [figures["auroc"], figures["averagePrecision"], figures["aupro"], dice].map { $0 as? Double ?? .nan }
      #expect(values.map { String(format: "%.3f", $0) } + ["1"] == Array(cells.dropFirst()))
      #expect(object["method"] as? String == (cells[0].hasPrefix("yardstick") ? "band-energy" : "simsid"))
      #expect(object["seed"] as? Int == 1)
    }
  }

  @Test("A missing mask is named; without any mask there are no localisation figures")
  func masksMissing() throws {
    let copy = folder.path("data")
    try FileManager.default.copyItem(atPath: trained.data, toPath: copy)
    let images = try FileManager.default.contentsOfDirectory(atPath: "\(copy)/test/ABNORMAL").sorted()
    try FileManager.default.removeItem(atPath: "\(copy)/masks/test/ABNORMAL/\(images[2])")
    let arguments = ["evaluate", copy, "--checkpoint", trained.checkpoint, "--no-yardstick"]
    let some = try Program.run(arguments)
    #expect(some.status == 0 && some.errorLines.count == 1)
    #expect(some.errors.hasPrefix("norma: warning: \(copy)/test/ABNORMAL/\(images[2]) has no mask; "))
    #expect(some.output.contains("AUPRO"))

    try FileManager.default.removeItem(atPath: "\(copy)/masks")
    let page = folder.path("report.html")
    let none = try Program.run(arguments + ["--report", page])
    #expect(none.status == 0 && none.errors == "report: \(page)\n")
    #expect(none.output.contains("Test images: ") && !none.output.contains("AUPRO"))
    let hasSection = try String(contentsOfFile: page, encoding: .utf8).contains("Localisation")
    #expect(!hasSection)
    #expect(try Program.run(arguments + ["--json"]).objects().allSatisfy { $0["map"] == nil })
  }

  @Test("Figures as JSON: one object per score, the yardstick's among them")
  func json() throws {
    let run = try Program.run("evaluate", trained.data, "--checkpoint", trained.checkpoint, "--json")
    #expect(run.status == 0)
    #expect(run.errors.isEmpty)
    let objects = try run.objects()
    #expect(Set(objects.compactMap { $0["method"] as? String }) == ["simsid", "band-energy"])
    #expect(objects.count { $0["isDefault"] as? Bool == true } == 2)
    for object in objects where object["score"] != nil {
      let auroc = try #require((object["test"] as? [String: Any])?["auroc"] as? Double)
      #expect((0...1).contains(auroc))
      #expect(object["seed"] as? Int == 1)
    }
  }

  @Test("Two trials are trained once; the same command evaluates them again to the same table")
  func trials() throws {
    let arguments = ["evaluate", trained.data, "--trials", "2", "--output", folder.path("runs")] + TrainedRun.tiny
    let first = try Program.run(arguments)
    #expect(first.status == 0)
    let models = [1, 2].map { URL(fileURLWithPath: folder.path("runs/seed-\($0)/model.safetensors")) }
    let before = try models.map { try Data(contentsOf: $0) }
    #expect(before[0] != before[1])
    let logs = [1, 2].map { URL(fileURLWithPath: folder.path("runs/seed-\($0)/log.jsonl")) }
    let events = try logs.map { try Data(contentsOf: $0) }
    #expect(exists(folder.path("runs/report.html")))
    for name in ["nearestNormals (default)", "yardstick: band energy"] {
      let row = try #require(first.lines.first { $0.hasPrefix("| \(name) | ") })
      #expect(row.contains(" ± ") && row.hasSuffix(" | 2 |"))
    }
    #expect(first.output.contains("| simsid, 2 seeds | yardstick: band energy, 2 seeds | Welch | "))
    let page = try String(contentsOfFile: folder.path("runs/report.html"), encoding: .utf8)
    let saysWhose = page.contains("Calls and cases are those of simsid, seed 1.")
    #expect(saysWhose)

    let second = try Program.run(arguments)
    #expect(second.status == 0)
    #expect(second.output == first.output)
    #expect(try models.map { try Data(contentsOf: $0) } == before)
    #expect(try logs.map { try Data(contentsOf: $0) } == events)
  }

  @Test("The yardstick is trained and evaluated like any method, and not set beside itself")
  func bandEnergy() throws {
    let output = folder.path("run")
    let training = try Program.run(
      "train", trained.data, "--preset", "band-energy", "--set", "data.validationNormal=4", "--set",
      "data.validationAbnormal=0", "--output", output)
    #expect(training.status == 0)
    let run = try Program.run("evaluate", trained.data, "--checkpoint", output + "/model.safetensors")
    #expect(run.status == 0)
    #expect(!run.output.contains("yardstick"))
    #expect(run.output.contains("Weights: fitted, not trained."))
  }

  @Test("A column that no test image has is named before anything is scored")
  func unknownSubgroup() throws {
    let data = try CohortRun.shared.get().data
    let run = try Program.run("evaluate", data, "--checkpoint", trained.checkpoint, "--subgroup", "gender")
    #expect(run.status == 64 && run.output.isEmpty)
    #expect(
      run.errors == "norma: \(data) tells nothing by 'gender' of its test images; columns: age, scanner, sex\n")
    let folder = try Program.run("evaluate", trained.data, "--checkpoint", trained.checkpoint, "--subgroup", "sex")
    #expect(folder.status == 64)
    #expect(folder.errors.hasSuffix("of its test images; its test images have no columns; give a manifest\n"))
  }

  @Test("Without a bootstrap subgroups have none of its intervals either")
  func subgroupsWithoutBootstrap() throws {
    let run = try Program.run(
      "evaluate", CohortRun.shared.get().data, "--checkpoint", trained.checkpoint, "--subgroup", "sex", "--bootstrap",
      "0", "--no-yardstick", "--json")
    #expect(run.status == 0)
    let groups = try run.objects().filter { $0["subgroup"] != nil }
    #expect(groups.map { $0["group"] as? String } == ["all", "F", "M"])
    for group in groups {
      let figures = group["figures"] as? [[String: Any]] ?? []
      let precision = try #require(figures.first { $0["name"] as? String == "average precision" })
      #expect(precision["value"] is Double && precision["interval"] == nil)
      let sensitivity = try #require(figures.first { $0["name"] as? String == "sensitivity" })
      #expect(sensitivity["interval"] is [String: Any])
    }
  }

  @Test("Two methods are set side by side and compared; a score that is no number is an error that names the image")
  func twoMethods() throws {
    let output = folder.path("run")
    let training = try Program.run(
      "train", trained.data, "--preset", "band-energy", "--set", "data.validationNormal=4", "--set",
      "data.validationAbnormal=0", "--output", output)
    #expect(training.status == 0)
    let model = output + "/model.safetensors"
    let run = try Program.run(
      "evaluate", trained.data, "--checkpoint", trained.checkpoint, "--checkpoint", model, "--bootstrap", "0")
    #expect(run.status == 0 && !run.output.contains("yardstick"))
    #expect(run.output.contains("| Figure | simsid, seed 1 | band-energy, seed 1 |"))
    #expect(run.output.contains("| simsid: nearestNormals (default) | "))
    #expect(run.output.contains("| band-energy: bandEnergy (default) | "))
    #expect(run.output.contains("| simsid, seed 1 | band-energy, seed 1 | DeLong | "))
    let precision = try #require(run.lines.first { $0.hasPrefix("| Average precision | ") })
    #expect(!precision.contains(" to "))

    // All that was learned becomes NaN: tensors begin after a length of 8 bytes and a header of that length.
    var file = try Data(contentsOf: URL(fileURLWithPath: model))
    let start = 8 + Int(file.prefix(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
    for index in stride(from: start, to: file.count - 3, by: 4) {
      file.replaceSubrange(index..<index + 4, with: [0, 0, 0xC0, 0x7F])
    }
    let broken = folder.path("broken.safetensors")
    try file.write(to: URL(fileURLWithPath: broken))
    let failing = try Program.run("evaluate", trained.data, "--checkpoint", broken)
    #expect(failing.status == 1 && failing.output.isEmpty)
    #expect(failing.errors.contains("/phantom-") && failing.errors.contains(") is not a finite number; "))
  }
}
