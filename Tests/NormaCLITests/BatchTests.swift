import Foundation
import Testing

@Suite("norma train --batch and norma score --batch")
struct BatchTests {
  let folder: TemporaryFolder
  let trained: TrainedRun

  init() throws { (folder, trained) = (try TemporaryFolder(), try TrainedRun.shared.get()) }

  @Test("auto is told and stored; a number is stored")
  func training() throws {
    for (given, stored) in [("auto", 2), ("6", 6)] {  // 24 images − 4 set aside leave 16 steps to batches of one
      let output = folder.path(given)
      let run = try Program.run(["train", trained.data, "--output", output, "--batch", given] + TrainedRun.tiny)
      #expect(run.status == 0)
      #expect(run.errors.hasPrefix("norma: --batch auto: 2 images (") == (given == "auto"))
      let info = try #require(try Program.run("info", output + "/model.safetensors", "--json").objects().first)
      let training = (info["configuration"] as? [String: Any])?["training"] as? [String: Any]
      #expect(training?["batchSize"] as? Int == stored)
    }
  }

  @Test("Scores are the same at any batch size but for their last digits, and auto tells its choice")
  func scoring() throws {
    var usual: [[String]] = []
    for (options, words) in [([], ""), (["--batch", "5"], ""), (["--batch", "auto"], "norma: --batch auto: ")] {
      let run = try Program.run(["score", trained.test, "--checkpoint", trained.checkpoint] + options)
      #expect(run.status == 0 && (words.isEmpty ? run.errors.isEmpty : run.errors.hasPrefix(words)))
      let rows = run.output.split(separator: "\n").dropFirst().map { $0.split(separator: ",").map(String.init) }
      if usual.isEmpty { usual = rows }
      #expect(rows.map(\.[0]) == usual.map(\.[0]) && rows.count == 12)
      for (row, other) in zip(rows, usual) {
        let (score, expected) = (try #require(Double(row[1])), try #require(Double(other[1])))
        #expect(abs(score - expected) < 1e-3 * max(1, abs(expected)))
      }
    }
  }

  @Test("A wrong size is a usage error, as is one for a resumed run or for a method that has no use for it")
  func usage() throws {
    for size in ["0", "many"] {
      let run = try Program.run("train", trained.data, "--output", folder.path("x"), "--batch", size)
      #expect(run.status == 64 && run.errors.contains("'\(size)' is invalid for '--batch"))
    }
    let resumed = try Program.run("train", trained.data, "--output", trained.output, "--resume", "--batch", "4")
    #expect(resumed.status == 64 && resumed.errors.contains("--seed and --batch"))
    let fitted = try Program.run(
      "train", trained.data, "--output", folder.path("y"), "--method", "band-energy", "--batch", "4")
    #expect(fitted.status == 64)
    #expect(fitted.errors == "norma: band-energy is fitted to all images, not trained in batches; leave --batch out\n")
  }

  @Test("Maps that cannot be written end the run with the reason, after the scores that were made are told")
  func failingWrite() throws {
    let blocked = try folder.write("blocked", "a file")
    let run = try Program.run(
      "score", trained.test, "--checkpoint", trained.checkpoint, "--maps", blocked + "/maps", "--json")
    #expect(run.status == 1 && run.errors.contains("cannot be written"))
    #expect(run.errors.split(separator: "\n").count == 1)
    #expect(try !run.objects().isEmpty)
  }
}
