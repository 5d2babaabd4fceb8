import Evaluation
import Foundation
import MedicalImaging
import Testing
import Torch

@testable import Norma
@testable import NormaCLI

@Suite("Files and pictures of volumes")
struct VolumeFilesTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// The map is the volume itself, and so is the reconstruction.
  private final class Mirror: AnomalyDetector {
    let network = Module()
    let stages: [TrainingStage] = []
    let scoreNames = ["brightness"]
    func losses(of update: TrainingUpdate, on batch: Tensor, step: TrainingStep) throws -> Losses {
      throw TorchError("mirror", "nothing is trained")
    }
    func scores(_ batch: Tensor, named names: Set<String>, areReferences: ReferenceMatch) throws -> [String: Tensor] {
      ["brightness": try batch.mean([1, 2, 3, 4])]
    }
    func explanation(of batch: Tensor) throws -> Explanation {
      let map = try batch.selected(0, axis: 1)
      return Explanation(maps: [("brightness", map), ("darkness", try map * -1)], reconstruction: batch)
    }
  }

  private let grid = ImageGrid(extents: [4, 5, 6], affine: Affine3D(spacing: SIMD3(2, 2, 4), origin: SIMD3(1, 2, 3)))

  /// A volume of 0 ... 10 with its brightest voxel at (4, 1, 2) and, if asked for, a mask of two voxels elsewhere.
  private func scored(
    masked: Bool, on affine: Affine3D? = nil
  ) async throws -> (scorer: Scorer, result: AnomalyResult, samples: [Float]) {
    var samples = (0..<120).map { Float($0 % 17) / 4 }
    samples[(2 * 5 + 1) * 6 + 4] = 10
    let path = folder.path("case.nii.gz")
    func volume(_ samples: [Float]) -> Volume3D {
      Volume3D(
        width: 6, height: 5, depth: 4, samples: samples, affine: affine ?? grid.affine ?? Affine3D(spacing: .one))
    }
    try NIfTI.write(volume(samples), to: path)
    if masked {
      let mask = (0..<120).map { [(1 * 5 + 3) * 6 + 1, (1 * 5 + 3) * 6 + 2].contains($0) ? Float(1) : 0 }
      try NIfTI.write(volume(mask), to: folder.path("mask.nii.gz"), as: .uint8)
    }
    var intensity = InputConfiguration()
    (intensity.intensity, intensity.window) = (.unit, [0, 10])
    let item = DataItem(
      name: "case.nii.gz", path: path, label: .normal, maskPath: masked ? folder.path("mask.nii.gz") : nil)
    let images = try await PreparedImages([item], for: InputSpecification(extents: [4, 5, 6], intensity: intensity))
    let configuration = RunConfiguration(detector: DetectorSettings(.bandEnergy))
    let scorer = try Scorer.fitted(Mirror(), to: images, configuration: configuration, device: .cpu)
    var results: [AnomalyResult] = []
    try scorer.score(images, explains: true) { results.append($0) }
    return (scorer, results[0], samples)
  }

  @Test(
    "Maps are written as NIfTI in the volume's own order and place, the default one under the case's name",
    arguments: [
      Affine3D(spacing: SIMD3(2, 2, 4), origin: SIMD3(1, 2, 3)),
      Affine3D(x: SIMD3(-2, 0, 0), y: SIMD3(0, -2, 0), z: SIMD3(0, 0, 4), origin: SIMD3(1, 2, 3)),
    ])
  func maps(_ affine: Affine3D) async throws {
    let (scorer, result, samples) = try await scored(masked: false, on: affine)
    try MapFiles.write(result, named: "deep/case", to: folder.path("maps"), from: scorer.reading)
    let files = try FileManager.default.contentsOfDirectory(atPath: folder.path("maps/deep")).sorted()
    #expect(files == ["case-darkness.nii.gz", "case.nii.gz"])
    let map = try VolumeReader.read(folder.path("maps/deep/case.nii.gz"))
    #expect(map.affine == affine && map.grid.extents == grid.extents && map.samples == samples.map { $0 / 10 })
  }

  @Test("As DICOM, overlay and map have a frame for each slice of the series, in its order and orientation")
  func dicom() async throws {
    // Columns towards the left, rows to the back, slices to the head: all of the grid's axes but the last turned around.
    let (scorer, scored, samples) = try await scored(masked: false)
    for slice in 0..<4 {
      var image = DICOMSlice(columns: 6, samples: [], position: [-11, -10, 3 + 4 * Double(slice)], number: slice + 1)
      (image.spacing, image.slope) = ([2, 2], 0.25)
      image.samples = (0..<30).map { UInt16(4 * samples[slice * 30 + 29 - $0]) }
      let file = folder.url.appendingPathComponent("series/\(3 - slice)")
      try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try image.file.write(to: file)
    }
    let result = AnomalyResult(
      item: DataItem(name: "series", path: folder.path("series")), scores: scored.scores, score: scored.score,
      standardised: nil, probability: nil, isAbnormal: nil, maps: scored.maps, reconstruction: nil, steps: [])
    let configuration = RunConfiguration(detector: DetectorSettings(.bandEnergy))
    var files = DICOMFiles(
      folder: folder.path("results"),
      detector: .init(configuration: configuration, calibration: scorer.calibration, origin: .init()))
    #expect(try files.write(result, named: "case", from: scorer.reading) == [])
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path("results")).sorted()
    #expect(names == ["case-darkness-map.dcm", "case-darkness-overlay.dcm", "case-map.dcm", "case-overlay.dcm"])
    let map = try VolumeReader.read(folder.path("results/case-map.dcm"))
    #expect(map.grid.coincides(with: try VolumeReader.read(folder.path("series")).grid))
    #expect(map.canonical.samples == samples.map { $0 / 10 })
    func turned(_ frame: Int, _ pixel: Int) -> Float { samples[frame * 30 + 29 - pixel] }
    #expect(map.samples == (0..<4).flatMap { frame in (0..<30).map { turned(frame, $0) / 10 } })
    let overlay = try DICOMImage.read(folder.path("results/case-overlay.dcm"))
    #expect(overlay.pixels.frames == 4)
    try MapFiles.write(result, named: "case", to: folder.path("maps"), from: scorer.reading)
    let values = try VolumeReader.read(folder.path("maps/case.nii.gz"))
    #expect(values.samples == map.samples && values.grid.coincides(with: map.grid))
    // Below the map's range a pixel is the volume's own grey, 0 ... 10; above it is not.
    let low = CasePictures.displayRange(of: "brightness", scored.maps[0].map, scorer.calibration).lowerBound
    for frame in 0..<4 {
      let pixels = overlay.pixels.stored(frame: frame)
      for pixel in 0..<30 {
        let sample = turned(frame, pixel)
        let grey = Int((25.5 * sample).rounded())
        let isPlain = Array(pixels[3 * pixel..<3 * pixel + 3]) == [grey, grey, grey]
        #expect(isPlain == (sample / 10 <= low), "frame \(frame), pixel \(pixel)")
      }
    }
  }

  @Test("Names of volumes lose both of their endings")
  func names() {
    let items = ["/a/b/x.nii.gz", "/a/c/y.nii", "/a/c/z.png"].map { DataItem(name: $0, path: $0) }
    #expect(MapFiles.names(of: items) == ["/a/b/x.nii.gz": "b/x", "/a/c/y.nii": "c/y", "/a/c/z.png": "c/z"])
  }

  @Test("A case is shown through the largest value of its map, or the middle of its lesion")
  func views() async throws {
    for masked in [false, true] {
      let (scorer, result, _) = try await scored(masked: masked)
      let view = try CaseView(of: result, specification: scorer.specification)
      #expect(view.input.range == 0...10)
      // 6 × 5 voxels of 2 mm axially, 4 slices of 4 mm: 8 rows high.
      #expect(view.input.width == 6 + 1 + 6 + 1 + 5 && view.input.height == 8)
      // The brightest voxel lies on all three slices, or, where these go through the lesion, on none.
      #expect(view.input.samples.count { $0 == 10 } == (masked ? 0 : 1 + 2 + 2))
      let reconstruction = try #require(result.reconstruction)
      #expect(view.picture(of: reconstruction).samples == view.input.samples.map { $0 / 10 })
      let overlay = try view.overlay(result.maps[0].map, range: 0...1)
      #expect(overlay.width == view.input.width && overlay.height == view.input.height && overlay.channels == 3)
      let outline = (0..<overlay.width * overlay.height).count { pixel in
        (0..<3).map { overlay.samples[$0 * overlay.width * overlay.height + pixel] } == [90, 220, 255]
      }
      #expect(outline == (masked ? 2 + 4 + 2 : 0))
    }
  }

  @Test("A sheet has a row of pictures that are wider than high")
  func sheet() async throws {
    let (scorer, result, _) = try await scored(masked: true)
    var sheet = CaseSheet()
    try sheet.add(result, named: "case", from: scorer.reading)
    let file = URL(fileURLWithPath: folder.path("sheet.svg"))
    try sheet.write(to: file)
    let svg = try String(contentsOf: file, encoding: .utf8)
    #expect(svg.components(separatedBy: "<image").count == 5)
    #expect(svg.contains("width=\"320\" height=\"134\""))
    for caption in ["Input", "Reconstruction", "brightness", "darkness"] { #expect(svg.contains(">\(caption)<")) }
  }

  @Test("A detector of images that is given a volume says so, as does one that is given a data set of volumes")
  func refusals() throws {
    let trained = try TrainedRun.shared.get()
    let volume = Volume3D(width: 2, height: 2, depth: 2, samples: [0, 1, 2, 3, 4, 5, 6, 7])
    for name in ["train/NORMAL", "test/NORMAL", "test/LESION"] {
      try FileManager.default.createDirectory(atPath: folder.path("set/" + name), withIntermediateDirectories: true)
      for letter in "abcdef" { try NIfTI.write(volume, to: folder.path("set/\(name)/\(letter).nii.gz")) }
    }
    func sentence(_ name: String) -> String {
      "norma: \(folder.path("set/\(name).nii.gz")) is a volume where a two-dimensional image is expected; choose a method for "
        + "volumes, or give images.\n"
    }
    let scoring = try Program.run(["score", folder.path("set/test"), "--checkpoint", trained.checkpoint])
    #expect(scoring.status == 65 && scoring.errors == sentence("test/LESION/a") && scoring.output == "")
    let evaluation = try Program.run(["evaluate", folder.path("set"), "--checkpoint", trained.checkpoint])
    #expect(evaluation.status == 65 && "abcdef".contains { evaluation.errors == sentence("train/NORMAL/\($0)") })
    let training = try Program.run(["train", folder.path("set"), "--output", folder.path("run")] + TrainedRun.tiny)
    #expect(training.status == 65 && "abcdef".contains { training.errors == sentence("train/NORMAL/\($0)") })
  }
}
