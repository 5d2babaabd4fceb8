import Foundation
import MedicalImaging
import Testing

@Suite("norma data")
struct DataTests {
  let folder: TemporaryFolder
  let trained: TrainedRun

  init() throws { (folder, trained) = (try TemporaryFolder(), try TrainedRun.shared.get()) }

  @Test("list names every published data set, as text and for machines")
  func list() throws {
    let text = try Program.run("data", "list")
    #expect(text.status == 0 && text.errors.isEmpty)
    let objects = try Program.run("data", "list", "--json").objects()
    #expect(objects.compactMap { $0["name"] as? String } == PublishedDataSet.allCases.map(\.rawValue))
    for set in PublishedDataSet.allCases {
      #expect(text.lines.contains(set.rawValue) && text.output.contains(set.title))
    }
  }

  @Test("inspect tells what is there, without names unless asked for, and ends with 65 where a file cannot be read")
  func inspect() throws {
    let data = try folder.copy(trained.data, to: "data")
    let first = try #require(FileManager.default.contentsOfDirectory(atPath: data + "/test/NORMAL").sorted().first)
    try folder.copy("\(data)/test/NORMAL/\(first)", to: "data/test/ABNORMAL/copy.png")
    let sheet = folder.path("sheets/sheet.png")
    let run = try Program.run("data", "inspect", data, "--contact-sheet", sheet)
    #expect(run.status == 0)
    #expect(run.lines.first?.hasPrefix("37 images, laid out as class folders; fingerprint ") == true)
    #expect(run.lines.contains { $0.hasPrefix("train, normal") && $0.contains("  24  ") })
    #expect(run.lines.contains { $0.hasPrefix("sizes") && $0.hasSuffix("64×64") })
    #expect(
      run.lines.contains(
        "! 1 images repeat another's content (1 groups); 0 groups lie in several splits, 1 under several labels"))
    #expect(!run.output.contains(first) && run.lines.contains("· all files can be read"))
    #expect(run.errors == "contact sheet: \(sheet); its rows: train, normal; test, normal; test, abnormal\n")
    let picture = try ImageReader.read(sheet)
    #expect(picture.channels == 3 && picture.width == 14 + 12 * 132 && picture.height == 4 + 3 * 132)

    try folder.write("data/test/ABNORMAL/broken.png", "no picture")
    let broken = try Program.run("data", "inspect", data, "--show-names", "--json")
    #expect(broken.status == 65)
    let object = try #require(broken.objects().first)
    #expect(object["images"] as? Int == 38 && object["unreadable"] as? Int == 1)
    let names = try #require(object["names"] as? [String: Any])
    #expect((names["duplicates"] as? [[String]])?.first?.contains("test/NORMAL/\(first)") == true)
    #expect((names["unreadable"] as? [String])?.first?.contains("broken.png") == true)
  }

  @Test("inspect takes folders without a layout, and says what a published data set lacks")
  func otherFolders() throws {
    let run = try Program.run("data", "inspect", trained.test + "/NORMAL")
    #expect(run.status == 0 && run.lines.first?.hasPrefix("6 images, laid out as files without labels") == true)
    let missing = try Program.run("data", "inspect", trained.data, "--as", "chexpert")
    #expect(missing.status == 65)
    #expect(
      missing.errors.hasPrefix(
        "norma: \(trained.data) cannot be read as CheXpert: \(trained.data)/train.csv does not exist"))
    let unknown = try Program.run("data", "inspect", trained.data, "--as", "chexprt")
    #expect(
      unknown.status == 64 && unknown.errors.hasPrefix("norma: there is no data set 'chexprt'; choose one of zhanglab,")
    )
    #expect(try Program.run("data", "inspect", folder.path("nothing")).status == 66)
  }

  @Test("A detector trained from a prepared file scores as one trained from the folder; other settings end with 64")
  func prepare() throws {
    let file = folder.path("data.safetensors")
    let run = try Program.run(["data", "prepare", trained.data, "--output", file] + TrainedRun.tiny)
    #expect(run.status == 0 && run.errors.isEmpty)
    #expect(run.output.hasPrefix("prepared: \(file) (36 images, ") && run.lines.count == 1)
    #expect(!exists(folder.path(".data.safetensors.partial")))
    let output = folder.path("run")
    let training = try Program.run(["train", file, "--output", output] + TrainedRun.tiny)
    #expect(training.status == 0 && training.output == "trained: \(output)/model.safetensors\n")
    let scores = try [trained.checkpoint, output + "/model.safetensors"].map {
      try Program.run("score", trained.test, "--checkpoint", $0).output
    }
    #expect(scores[0] == scores[1] && !scores[0].isEmpty)
    let figures = try [trained.data, file].map {
      try Program.run("evaluate", $0, "--checkpoint", trained.checkpoint, "--no-yardstick", "--json").objects().first
    }
    #expect((figures[0]?["figures"] as? NSObject) == (figures[1]?["figures"] as? NSObject) && figures[0] != nil)

    let report = folder.path("report.html")
    let page = try Program.run("evaluate", file, "--checkpoint", trained.checkpoint, "--report", report)
    #expect(page.status == 0 && exists(report))
    #expect(page.errorLines.first?.hasPrefix("norma: the yardstick is left out: \(file)") == true)

    let refused = try Program.run(
      ["train", file, "--output", folder.path("other")] + TrainedRun.tiny + ["--set", "input.window=[0,9]"])
    #expect(refused.status == 64 && refused.errorLines.count == 1)
    #expect(refused.errors.contains("was prepared with other settings (input.window is empty in the file and"))
    let checkpoint = try Program.run(
      ["train", trained.checkpoint, "--output", folder.path("other")] + TrainedRun.tiny)
    #expect(checkpoint.status == 65 && checkpoint.errors.contains("is no prepared data set: it holds something else"))
  }
}
