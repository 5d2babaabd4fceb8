import Foundation
import Testing

@Suite("Failures")
struct FailureTests {
  let folder: TemporaryFolder
  let trained: TrainedRun

  init() throws { (folder, trained) = (try TemporaryFolder(), try TrainedRun.shared.get()) }

  private func expect(_ status: Int32, _ sentence: String, _ arguments: [String]) throws {
    let run = try Program.run(arguments)
    #expect(run.status == status)
    #expect(run.errors == "norma: \(sentence)\n")
    #expect(run.output.isEmpty)
  }

  // MARK: 66, missing input

  @Test("A data folder that is missing ends with 66")
  func noData() throws {
    let data = folder.path("nowhere")
    let sentence =
      "\(data) is not a folder; give the folder that holds the data set, its manifest (.csv, .tsv) or a NumPy archive (.npz)."
    try expect(66, sentence, ["train", data, "--output", folder.path("run")])
    try expect(66, sentence, ["evaluate", data, "--checkpoint", trained.checkpoint])
    #expect(!exists(folder.path("run")))
  }

  @Test("Images that are missing end with 66")
  func noImages() throws {
    let image = folder.path("image.png")
    try expect(66, "\(image) does not exist; check the path.", ["score", image, "--checkpoint", trained.checkpoint])
  }

  @Test("A checkpoint that is missing ends with 66 in every command that reads one")
  func noCheckpoint() throws {
    let file = folder.path("model.safetensors")
    let sentence = "the checkpoint \(file) does not exist; check the path, or train one with 'norma train'"
    try expect(66, sentence, ["score", trained.test, "--checkpoint", file])
    try expect(66, sentence, ["evaluate", trained.data, "--checkpoint", file])
    try expect(66, sentence, ["info", file])
  }

  @Test("A configuration file that is missing ends with 66")
  func noConfiguration() throws {
    let file = folder.path("run.yaml")
    try expect(
      66, "the configuration \(file) cannot be read; check the path",
      ["train", trained.data, "--output", folder.path("run"), "--config", file])
  }

  @Test("There is nothing to resume in an empty folder: 66")
  func nothingToResume() throws {
    try expect(
      66, "\(folder.url.path) holds no run to resume; give the folder of a run that was interrupted",
      ["train", trained.data, "--resume", "--output", folder.url.path])
  }

  @Test("Official weights that are missing end with 66")
  func noWeights() throws {
    let (model, discriminator) = (folder.path("model.pth"), folder.path("discriminator.pth"))
    try expect(
      66, "\(model) does not exist; check the path.",
      ["import", model, discriminator, "--output", folder.path("official.safetensors")])
  }

  // MARK: 65, bad data

  @Test("A checkpoint that was cut short ends with 65")
  func cutCheckpoint() throws {
    let file = folder.path("model.safetensors")
    try Data(contentsOf: URL(fileURLWithPath: trained.checkpoint)).prefix(1000).write(to: URL(fileURLWithPath: file))
    for arguments in [["info", file], ["score", trained.test, "--checkpoint", file]] {
      let run = try Program.run(arguments)
      #expect(run.status == 65)
      #expect(run.errors.hasPrefix("norma: \(file) declares a header of "))
      #expect(run.errors.hasSuffix("check that it is a safetensors file and that it was copied whole.\n"))
    }
  }

  @Test("A safetensors file of somebody else ends with 65 and points to the import")
  func notOurs() throws {
    let header = "{}"
    let file = folder.path("other.safetensors")
    let length = withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Data($0) }
    try (length + Data(header.utf8)).write(to: URL(fileURLWithPath: file))
    try expect(
      65, "\(file) is a safetensors file but no checkpoint of Norma's; official weights come in with 'norma import'",
      ["info", file])
  }

  @Test("Weights that are none end the import with 65")
  func notWeights() throws {
    let file = try folder.write("model.pth", "no weights")
    let output = folder.path("official.safetensors")
    let run = try Program.run("import", file, file, "--output", output)
    #expect(run.status == 65)
    #expect(
      run.errors
        == "norma: \(file) is no file written by torch.save; check that it is a .pth or .pt file and that it was copied "
        + "whole.\n")
    #expect(!exists(output))
  }

  @Test("A folder of images without splits ends with 65")
  func noSplits() throws {
    let run = try Program.run("train", trained.test, "--output", folder.path("run"))
    #expect(run.status == 65)
    #expect(run.errors.hasPrefix("norma: \(trained.test) is not a data set: it needs the folder train with "))
  }

  @Test("A run is not resumed with other images: 65")
  func otherImages() throws {
    for image in try trained.images("NORMAL") {
      try folder.copy(image, to: "data/train/NORMAL/\(URL(fileURLWithPath: image).lastPathComponent)")
    }
    try expect(
      65,
      "the training images are not those that \(trained.output) was trained on; give the same data folder, or start a "
        + "new run", ["train", folder.path("data"), "--resume", "--output", trained.output])
  }

  // MARK: 1, everything else

  @Test("A folder that holds a run is not written over: 1")
  func folderInUse() throws {
    let before = try Data(contentsOf: URL(fileURLWithPath: trained.checkpoint))
    try expect(
      1, "\(trained.output) already holds a run; resume it with --resume, or choose another --output",
      ["train", trained.data, "--output", trained.output] + TrainedRun.tiny)
    #expect(try Data(contentsOf: URL(fileURLWithPath: trained.checkpoint)) == before)
  }

  @Test("A place that cannot be written to is noticed before any work: 1")
  func notWritable() throws {
    let file = try folder.write("file", "")
    let inputs = ["score", trained.test, "--checkpoint", trained.checkpoint]
    let page = ["evaluate", trained.data, "--checkpoint", trained.checkpoint, "--report", file + "/report.html"]
    for (arguments, path) in [
      (inputs + ["--csv", file + "/scores.csv"], file + "/scores.csv"), (page, file + "/report.html"),
    ] {
      let run = try Program.run(arguments)
      #expect(run.status == 1)
      #expect(run.errors.hasPrefix("norma: \(path) cannot be written: "))
      #expect(run.errors.hasSuffix("; give another path\n"))
      #expect(run.errorLines.count == 1)
      #expect(run.output.isEmpty)
    }
    let run = try Program.run(["train", trained.data, "--output", file + "/run"] + TrainedRun.tiny)
    #expect(run.status == 1)
    #expect(run.errors.hasPrefix("norma: \(file)/run cannot be written: "))
  }
}
