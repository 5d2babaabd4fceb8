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

  @Test("Figures as JSON: one object per score, the yardstick's among them")
  func json() throws {
    let run = try Program.run("evaluate", trained.data, "--checkpoint", trained.checkpoint, "--json")
    #expect(run.status == 0)
    #expect(run.errors.isEmpty)
    let objects = try run.objects()
    #expect(Set(objects.compactMap { $0["method"] as? String }) == ["simsid", "band-energy"])
    #expect(objects.count { $0["isDefault"] as? Bool == true } == 2)
    for object in objects {
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
}
