import Foundation
import MedicalImaging
import Testing

@Suite("norma with images that are not square")
struct PreprocessingRunTests {
  let folder: TemporaryFolder
  let trained: TrainedRun

  init() throws { (folder, trained) = (try TemporaryFolder(), try TrainedRun.shared.get()) }

  /// The upper 40 rows of the phantoms, in the same class folders.
  private func wide() throws -> String {
    for split in ["train/NORMAL", "test/NORMAL", "test/ABNORMAL"] {
      let target = folder.path("wide/\(split)")
      try FileManager.default.createDirectory(atPath: target, withIntermediateDirectories: true)
      for name in try FileManager.default.contentsOfDirectory(atPath: "\(trained.data)/\(split)") {
        let image = try ImageReader.read("\(trained.data)/\(split)/\(name)")
        let upper = Image2D(
          width: 64, height: 40, samples: Array(image.grey.samples.prefix(64 * 40)), range: image.range)
        try PNG.write(upper, to: "\(target)/\(name)")
      }
    }
    return folder.path("wide")
  }

  @Test("Training, scoring, maps and what is told of a checkpoint follow the input's keys")
  func run() throws {
    let (data, run) = (try wide(), folder.path("run"))
    let training = try Program.run(
      "train", data, "--output", run, "--preset", "band-energy", "--set", "detector.imageSize=64", "--set",
      "data.validationNormal=0", "--set", "data.validationAbnormal=0", "--set", "input.aspect=pad", "--set",
      "input.percentiles=[1, 99]", "--set", "input.clahe.clipLimit=0.02")
    #expect(training.status == 0, "\(training.errors)")
    let checkpoint = run + "/model.safetensors"
    let info = try Program.run("info", checkpoint).output
    for line in ["  aspect: pad", "    clipLimit: 0.02", "    tiles: 8", "  percentiles: [1.0, 99.0]", "  crop: none"] {
      #expect(info.split(separator: "\n").contains { $0 == line }, "\(line)")
    }
    let scoring = try Program.run(
      "score", data + "/test", "--checkpoint", checkpoint, "--maps", folder.path("maps"), "--sheet",
      folder.path("sheet.svg"))
    #expect(scoring.status == 0 && scoring.errors.isEmpty, "\(scoring.errors)")
    let maps = try FileManager.default.subpathsOfDirectory(atPath: folder.path("maps")).filter { $0.hasSuffix(".png") }
    #expect(maps.count == 12)
    for map in maps {
      let picture = try ImageReader.read(folder.path("maps/\(map)"))
      #expect(picture.width == 64 && picture.height == 40)
    }
    #expect(exists(folder.path("sheet.svg")))
    let wrong = try Program.run(
      "train", data, "--output", folder.path("other"), "--preset", "band-energy", "--set", "input.percentiles=[1, 99]",
      "--set", "input.window=[0, 255]")
    #expect(wrong.status == 64)
    #expect(wrong.errors.contains("configuration key 'input.percentiles' is [1.0, 99.0]; it may be empty while"))
  }
}
