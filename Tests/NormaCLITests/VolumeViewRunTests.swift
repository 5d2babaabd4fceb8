import Foundation
import MedicalImaging
import Testing

@Suite("norma with volumes that are seen slice by slice")
struct VolumeViewRunTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  @Test("Training, scores, maps, sheets, figures and the yardstick are the volumes'")
  func slices() throws {
    let (data, run) = (folder.path("bodies"), folder.path("run"))
    let drawing = try Program.run(
      "phantom", data, "--kind", "pet", "--grid", "16x18x20", "--train", "4", "--test-normal", "2", "--test-abnormal",
      "2", "--lesion-contrast", "4", "--quiet")
    #expect(drawing.status == 0, "\(drawing.errors)")
    let slicewise = [
      "--set", "input.views=slices", "--set", "input.plane=coronal", "--set", "input.window=[0, 15]",
    ]
    let training = try Program.run(
      [
        "train", data, "--output", run, "--method", "autoencoder", "--set", "detector.imageSize=32", "--set",
        "detector.channels=[4]", "--set", "training.epochs=1", "--set", "training.batchSize=8",
      ] + slicewise)
    #expect(training.status == 0, "\(training.errors)")
    let checkpoint = run + "/model.safetensors"
    let info = try Program.run("info", checkpoint).output
    for line in ["  views: slices", "  plane: coronal", "  gather: max"] {
      #expect(info.split(separator: "\n").contains { $0 == line }, "\(line)")
    }
    let scoring = try Program.run(
      "score", data + "/test", "--checkpoint", checkpoint, "--maps", folder.path("maps"), "--sheet",
      folder.path("sheet.svg"), "--json")
    #expect(scoring.status == 0 && scoring.errors.isEmpty, "\(scoring.errors)")
    #expect(try scoring.objects().count == 4)
    let maps = try FileManager.default.subpathsOfDirectory(atPath: folder.path("maps")).filter { $0.hasSuffix(".gz") }
    #expect(maps.count % 4 == 0 && maps.count >= 4)
    for map in maps where !map.contains("-") {
      let (read, source) = try (
        VolumeReader.read(folder.path("maps/\(map)")), VolumeReader.read(data + "/test/\(map)")
      )
      #expect(read.grid.extents == [16, 18, 20] && read.grid.coincides(with: source.grid))
      #expect(Set(read.samples).count > 100)
    }
    #expect(exists(folder.path("sheet.svg")))
    let evaluation = try Program.run(
      "evaluate", data, "--checkpoint", checkpoint, "--report", folder.path("report.html"))
    #expect(evaluation.status == 0, "\(evaluation.errors)")
    #expect(evaluation.output.contains("yardstick: band energy") && evaluation.output.contains("AUPRO"))
    #expect(exists(folder.path("report.html")))
  }

  @Test(
    "What does not go together is refused in one sentence before anything is read",
    arguments: [
      (
        ["--preset", "token-masking-volume-48", "--set", "input.views=slices"],
        "configuration key 'input.views' is slices; it may be whole or patches, as the method takes volumes"
      ),
      (
        ["--preset", "band-energy", "--set", "input.views=patches"],
        "configuration key 'input.views' is patches; it may be whole, or slices of volumes, as the method takes images"
      ),
      (
        ["--preset", "band-energy", "--set", "input.views=slices", "--set", "input.plane=axiel"],
        "configuration key 'input.plane' is axiel; it may be axial, coronal or sagittal"
      ),
    ])
  func refused(_ options: [String], _ message: String) throws {
    let run = try Program.run(["train", folder.path("none"), "--output", folder.path("run")] + options)
    #expect(run.status == 64 && run.errorLines.count == 1, "\(run.errors)")
    #expect(run.errors.contains(message), "\(run.errors)")
  }

  @Test("Images where volumes are cut into slices are refused")
  func images() throws {
    let trained = try TrainedRun.shared.get()
    let run = try Program.run(
      "train", trained.data, "--output", folder.path("run"), "--method", "band-energy", "--set", "input.views=slices")
    #expect(run.status == 65, "\(run.errors)")
    #expect(run.errors.contains("is a two-dimensional image where a volume"), "\(run.errors)")
  }
}
