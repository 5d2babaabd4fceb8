import Foundation
import Testing

@Suite("norma ensemble")
struct EnsembleTests {
  let folder: TemporaryFolder
  let trained: TrainedRun

  init() throws { (folder, trained) = (try TemporaryFolder(), try TrainedRun.shared.get()) }

  @Test("Two detectors become one file that is inspected, scored and evaluated like any other")
  func whole() throws {
    let yardstick = folder.path("yardstick")
    let settings = ["--set", "data.validationNormal=4", "--set", "detector.imageSize=64"]
    #expect(
      try Program.run(["train", trained.data, "--method", "band-energy", "--output", yardstick] + settings).status == 0)
    let fused = folder.path("made/fused.safetensors")
    let run = try Program.run(
      "ensemble", trained.checkpoint, "\(yardstick)/model.safetensors", trained.data, "--fusion", "rank", "--output",
      fused, "--device", "cpu")
    #expect(run.status == 0 && run.errors.isEmpty)
    #expect(run.output == "fused: \(fused)\n")
    try FileManager.default.removeItem(atPath: yardstick)

    let info = try Program.run("info", fused)
    for line in [
      "method +ensemble", "weights +rank of run, yardstick", "member run +simsid, seed 1, 20 images .*",
      "member yardstick +band-energy, seed 1, 20 images .*", "    fusion|  fusion: rank", "score ensembleRank +mean .*",
      "thresholds from +95.0 % of 20 training images, as fewer than 20 normal images are left .*",
    ] {
      let pattern = try Regex(line)
      #expect(info.lines.contains { $0.wholeMatch(of: pattern) != nil }, "\(line)")
    }

    let scored = try Program.run(
      "score", trained.test, "--checkpoint", fused, "--json", "--maps", folder.path("maps"))
    let objects = try scored.objects()
    #expect(scored.status == 0 && objects.count == 12)
    let names = ["ensembleMaximum", "ensembleMean", "ensembleRank", "run", "yardstick"]
    #expect(objects.allSatisfy { ($0["scores"] as? [String: Double])?.keys.sorted() == names })

    let page = folder.path("report.html")
    let evaluated = try Program.run(
      "evaluate", trained.data, "--checkpoint", fused, "--no-yardstick", "--report", page)
    #expect(evaluated.status == 0)
    for name in ["ensembleRank (default)"] + names.filter({ $0 != "ensembleRank" }) {
      #expect(evaluated.lines.contains { $0.hasPrefix("| \(name)") }, "\(name)")
    }
    #expect(try String(contentsOfFile: page, encoding: .utf8).contains("ensembleRank"))
  }

  @Test("What cannot be fused is refused with the house's exit codes")
  func refusals() throws {
    let output = ["--output", folder.path("x.safetensors"), "--device", "cpu"]
    let twice = try Program.run(["ensemble", trained.checkpoint, trained.checkpoint, trained.data] + output)
    #expect(twice.status == 64)
    #expect(twice.errors == "norma: \(trained.checkpoint) is given twice; give each checkpoint once\n")
    let missing = folder.path("no.safetensors")
    let none = try Program.run(["ensemble", missing, trained.data] + output)
    #expect(none.status == 66 && none.errors.contains("the checkpoint \(missing) does not exist"))
    #expect(try Program.run(["ensemble", trained.data] + output).status == 64)
    #expect(!exists(folder.path("x.safetensors")))
  }
}
