import Foundation
import Norma
import Testing

@Suite("norma phantom and norma train")
struct TrainTests {
  let folder: TemporaryFolder
  let trained: TrainedRun

  init() throws { (folder, trained) = (try TemporaryFolder(), try TrainedRun.shared.get()) }

  @Test("Away from a terminal only the result is printed")
  func quiet() {
    #expect(trained.drawing == "wrote 36 images to \(trained.data)\n")
    #expect(trained.training == "trained: \(trained.checkpoint)\n")
  }

  @Test("A run leaves a detector, its log and its state")
  func files() throws {
    let names = try FileManager.default.contentsOfDirectory(atPath: trained.output).sorted()
    #expect(names == ["log.jsonl", "model.safetensors", "resume.safetensors"])
    #expect(try events(in: trained.output) == ["start", "epoch", "epoch", "finished"])
  }

  @Test("Phantoms of the same seed are the same, of another seed are not")
  func seeds() throws {
    var images: [Data] = []
    for (name, seed) in [("a", "7"), ("b", "7"), ("c", "8")] {
      let path = folder.path(name)
      let run = try Program.run(
        "phantom", path, "--train", "1", "--test-normal", "0", "--test-abnormal", "0", "--size", "64", "--seed", seed)
      #expect(run.status == 0)
      let normal = URL(fileURLWithPath: path + "/train/NORMAL")
      let file = try #require(FileManager.default.contentsOfDirectory(atPath: normal.path).first)
      images.append(try Data(contentsOf: normal.appendingPathComponent(file)))
    }
    #expect(images[0] == images[1])
    #expect(images[0] != images[2])
  }

  @Test("A run that a process works on is left alone, by training and by trials")
  func lock() throws {
    let (run, trials) = (folder.url.appendingPathComponent("run"), folder.url.appendingPathComponent("trials"))
    let locks = try [run, trials.appendingPathComponent("seed-3")].map { try RunLock.taken(in: $0) }
    defer { withExtendedLifetime(locks) {} }
    let here = "is being worked on by process \(ProcessInfo.processInfo.processIdentifier)"
    let training = try Program.run(["train", trained.data, "--output", run.path] + TrainedRun.tiny)
    #expect(training.status == 1)
    #expect(training.errors == "norma: \(run.path) \(here); wait until it is done, or choose another --output\n")
    let evaluation = try Program.run(
      ["evaluate", trained.data, "--trials", "1", "--seed", "3", "--output", trials.path] + TrainedRun.tiny)
    #expect(evaluation.status == 1 && evaluation.errors.contains("seed-3 \(here)"))
    let left = [run, trials.appendingPathComponent("seed-3")].map {
      try? FileManager.default.contentsOfDirectory(atPath: $0.path)
    }
    #expect(left == [["run.lock"], ["run.lock"]])
  }

  @Test("With --json the checkpoint is named in an object; the same seed gives the same scores")
  func json() throws {
    let output = folder.path("run")
    let run = try Program.run(["train", trained.data, "--output", output, "--json"] + TrainedRun.tiny)
    #expect(run.status == 0)
    #expect(try run.objects() as? [[String: String]] == [["checkpoint": output + "/model.safetensors"]])
    let image = try trained.images("ABNORMAL")[0]
    let scores = try [trained.checkpoint, output + "/model.safetensors"].map {
      try Program.run("score", image, "--checkpoint", $0).output
    }
    #expect(scores[0] == scores[1])
  }

  @Test("A configuration file says what differs from the published preset")
  func configurationFile() throws {
    let file = try folder.write("run.yaml", "method: band-energy\ndata: {validationNormal: 5}\n")
    let output = folder.path("run")
    let run = try Program.run("train", trained.data, "--output", output, "--config", file, "--seed", "3")
    #expect(run.status == 0)
    let info = try #require(try Program.run("info", output + "/model.safetensors", "--json").objects().first)
    let configuration = try #require(info["configuration"] as? [String: Any])
    #expect(configuration["method"] as? String == "band-energy")
    #expect(configuration["seed"] as? Int == 3)
    #expect((info["origin"] as? [String: Any])?["trainingImages"] as? Int == 19)
  }

  @Test("Ctrl-C ends with 130 and says how to go on; --resume goes on to the end")
  func interruption() throws {
    let output = folder.path("run")
    let log = output + "/log.jsonl"
    let longer = TrainedRun.tiny + ["--set", "training.epochs=40"]
    let interrupted = try Program.run(["train", trained.data, "--output", output] + longer) { process in
      while process.isRunning, (try? String(contentsOfFile: log, encoding: .utf8))?.contains("\"epoch\"") != true {
        Thread.sleep(forTimeInterval: 0.01)
      }
      process.interrupt()
    }
    #expect(interrupted.status == 130)
    #expect(interrupted.output.isEmpty)
    #expect(
      interrupted.errors
        == "norma: interrupted; continue with: norma train \(trained.data) --resume --output \(output)\n")
    #expect(exists(output + "/resume.safetensors"))
    #expect(!exists(output + "/model.safetensors"))
    #expect(try events(in: output).last == "interrupted")

    let resumed = try Program.run("train", trained.data, "--resume", "--output", output)
    #expect(resumed.status == 0)
    #expect(resumed.output == "trained: \(output)/model.safetensors\n")
    #expect(resumed.errors.isEmpty)
    let all = try events(in: output)
    #expect(all.count { $0 == "start" } == 2)
    #expect(all.count { $0 == "epoch" } == 40)
    #expect(all.last == "finished")
  }

  /// The events of a run's log.
  private func events(in output: String) throws -> [String] {
    try String(contentsOfFile: output + "/log.jsonl", encoding: .utf8).split(separator: "\n").map { line in
      let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
      return try #require(object?["event"] as? String)
    }
  }
}
