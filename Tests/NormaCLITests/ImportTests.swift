import Foundation
import Testing

@Suite("norma import and norma bench")
struct ImportTests {
  let folder: TemporaryFolder
  let trained: TrainedRun

  init() throws { (folder, trained) = (try TemporaryFolder(), try TrainedRun.shared.get()) }

  /// A small network in the format of the authors' program.
  private func official(_ name: String) -> String {
    let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    return tests.appendingPathComponent("NormaTests/Golden/SimSID/matrix-grid4/\(name).pth").path
  }

  @Test("Official weights score at once; with images they are calibrated too, and the score stays the same")
  func official() throws {
    var scores: [[String: Any]] = []
    for (name, data) in [("plain", []), ("calibrated", ["--data", trained.data])] {
      let file = folder.path("made/\(name).safetensors")
      let run = try Program.run(["import", official("model"), official("discriminator"), "--output", file] + data)
      #expect(run.status == 0)
      #expect(run.output == "imported: \(file)\n")
      #expect(run.errors.isEmpty)
      let info = try Program.run("info", file)
      #expect(info.lines.contains { $0.wholeMatch(of: /imported from +model\.pth, discriminator\.pth/) != nil })
      let image = try trained.images("NORMAL")[0]
      scores += try Program.run("score", image, "--checkpoint", file, "--json").objects()
    }
    #expect(scores[0]["score"] as? Double != nil)
    #expect(scores[0]["score"] as? Double == scores[1]["score"] as? Double)
    #expect(scores[0]["probability"] is NSNull && scores[0]["abnormal"] is NSNull)
    #expect((0...1).contains(try #require(scores[1]["probability"] as? Double)))
  }

  @Test("The two files in the wrong order end with 65 and the right order")
  func wrongOrder() throws {
    let run = try Program.run(
      "import", official("discriminator"), official("model"), "--output", folder.path("official.safetensors"))
    #expect(run.status == 65)
    #expect(run.errors.hasPrefix("norma: \(official("discriminator")) has no entry "))
    #expect(run.errors.hasSuffix("; give model.pth and discriminator.pth of SimSID or SQUID, in this order\n"))
  }

  // MARK: Bench

  private static let once = ["bench", "--rounds", "1", "--repeats", "1"]

  @Test("Without a peer the bench prints our own images per second")
  func bench() throws {
    let run = try Program.run(Self.once + TrainedRun.tiny)
    #expect(run.status == 0)
    #expect(run.errors.isEmpty)
    #expect(run.lines[0].hasPrefix("simsid, side 64, batch ") && run.lines[0].contains(", medians of 1 round, "))
    #expect(
      run.lines.dropFirst().map { $0.prefix { $0 != " " } } == ["Work", "train", "score", "score-one", "score-default"])
    for line in run.lines.dropFirst(2) { #expect(line.prefixMatch(of: /[a-z-]+ +[0-9.,]+/) != nil, "\(line)") }
  }

  @Test("A peer's images per second stand beside ours with the ratio")
  func peer() throws {
    let script = try folder.write(
      "peer.sh",
      "while read work count; do [ $work = quit ] && exit; echo '{\"seconds\": 0.5, \"images\": 10, \"peakBytes\": 7}'; done\n"
    )
    let run = try Program.run(Self.once + ["--folder", trained.test, "--peer", "sh \(script)", "--json"])
    #expect(run.status == 0)
    let object = try #require(try run.objects().first)
    #expect(object["work"] as? String == "load")
    #expect(object["peerImagesPerSecond"] as? Double == 20)
    #expect(object["peerPeakBytes"] as? Int == 7)
    #if os(Linux)
      #expect(try #require(object["peakBytes"] as? Int) > 10_000_000)
    #endif
    let ours = try #require(object["imagesPerSecond"] as? Double)
    #expect(abs(try #require(object["ratio"] as? Double) - ours / 20) < 1e-9 * ours)
  }

  @Test("One kind of work alone, and one that there is not: 64 and the names")
  func tasks() throws {
    let run = try Program.run(Self.once + ["--task", "score"] + TrainedRun.tiny)
    #expect(run.status == 0 && run.lines.count == 3 && run.lines[2].hasPrefix("score "))
    let wrong = try Program.run(Self.once + ["--task", "lunch"] + TrainedRun.tiny)
    #expect(wrong.status == 64)
    #expect(wrong.errors.contains("--task 'lunch' is none of train, score, score-one, score-default."))
  }

  @Test("A peer that ends without an answer is told: 1")
  func deadPeer() throws {
    let run = try Program.run(Self.once + ["--folder", trained.test, "--peer", "true"] + TrainedRun.tiny)
    #expect(run.status == 1)
    #expect(
      run.errors
        == "norma: the peer 'true' failed: it ended without an answer; run 'make bench', which sets it up\n")
  }
}
