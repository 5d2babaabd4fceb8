import Foundation
import MedicalImaging
import Testing

@Suite("norma with series of a tilted gantry")
struct TiltTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// A series of four slices, 2 mm apart, each shifted backwards by `shift` millimetres more than the one below.
  private func series(_ name: String, seed: Int, shift: Double = 0, bright: Bool = false) throws -> String {
    var random = SeededGenerator(seed: UInt64(seed))
    for number in 1...4 {
      let samples = (0..<32 * 32).map { pixel in
        UInt16(500 + random.index(below: 200) + (bright && (pixel / 32 + pixel) % 2 == 0 ? 3000 : 0))
      }
      let slice = DICOMSlice(
        columns: 32, samples: samples, position: [0, shift * Double(number), 2 * Double(number)],
        number: 10 * seed + number)
      let file = folder.url.appendingPathComponent("\(name)/\(number).dcm")
      try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try slice.file.write(to: file)
    }
    return folder.path(name)
  }

  @Test("Training, evaluation and scoring name them, once each, and the maps keep the tilt")
  func tilted() throws {
    let data = folder.path("data")
    var seed = 0
    for (name, count) in [("train/NORMAL", 3), ("test/NORMAL", 2), ("test/ABNORMAL", 2)] {
      for number in 0..<count {
        seed += 1
        let isTilted = number == 1 && name != "test/NORMAL"
        _ = try series(
          "data/\(name)/scan\(seed)", seed: seed, shift: isTilted ? 0.5 : 0,
          bright: name.hasSuffix("ABNORMAL") && number == 0)
      }
    }
    func sentence(_ path: String) -> String {
      "norma: warning: \(path): the slices are tilted by 14.0° against the direction in which they follow each other; they are "
        + "used as they are stored, and the geometry of what is written keeps the tilt."
    }
    let (trained, tested) = (sentence(data + "/train/NORMAL/scan2"), sentence(data + "/test/ABNORMAL/scan7"))
    let training = try Program.run(
      "train", data, "--output", folder.path("run"), "--method", "band-energy", "--set", "input.views=slices", "--set",
      "input.window=[0, 4000]", "--set", "detector.imageSize=32", "--set", "detector.neighbours=2", "--set",
      "data.validationNormal=0", "--set", "data.validationAbnormal=0")
    #expect(training.status == 0, "\(training.errors)")
    #expect(training.errorLines.filter { $0.contains("tilted") } == [trained, tested])
    let checkpoint = folder.path("run/model.safetensors")
    let scoring = try Program.run(
      "score", data + "/test", "--checkpoint", checkpoint, "--maps", folder.path("maps"))
    #expect(scoring.status == 0, "\(scoring.errors)")
    #expect(scoring.errorLines == [tested])
    let map = try VolumeReader.read(folder.path("maps/ABNORMAL/scan7.nii.gz"))
    let source = try VolumeReader.read(data + "/test/ABNORMAL/scan7")
    #expect(map.grid.coincides(with: source.grid) && abs(map.affine.tilt - atan2(0.5, 2) * 180 / .pi) < 1e-3)
    let evaluation = try Program.run("evaluate", data, "--checkpoint", checkpoint)
    #expect(evaluation.status == 0, "\(evaluation.errors)")
    #expect(evaluation.errorLines.filter { $0.contains("tilted") } == [tested])
  }
}
