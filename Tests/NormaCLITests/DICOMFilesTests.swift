import Foundation
import MedicalImaging
import Testing

@Suite("norma score --dicom")
struct DICOMFilesTests {
  let folder: TemporaryFolder
  let trained: TrainedRun

  init() throws { (folder, trained) = (try TemporaryFolder(), try TrainedRun.shared.get()) }

  private func write(_ slice: DICOMSlice, to name: String) throws {
    let file = folder.url.appendingPathComponent(name)
    try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try slice.file.write(to: file)
  }

  @Test("Each DICOM image gets an overlay and a map of its size that name it; other files are named: 65")
  func images() throws {
    let samples = (0..<64 * 64).map { UInt16($0 * 37 % 4096) }
    try write(DICOMSlice(samples: samples, position: nil, number: 1), to: "images/a/one.dcm")
    try write(DICOMSlice(samples: samples.reversed(), position: [-3, 5, 12.5], number: 2), to: "images/two.dcm")
    let odd = String(repeating: "x", count: 70)
    try write(DICOMSlice(samples: samples, position: nil, number: 3, patient: odd), to: "images/three.dcm")
    let picture = try folder.copy(trained.images("NORMAL")[0], to: "images/four.png")
    let run = try Program.run(
      "score", folder.path("images"), "--checkpoint", trained.checkpoint, "--dicom", folder.path("results"))
    #expect(run.status == 65)
    #expect(run.lines.count == 5)
    #expect(
      run.errorLines == [
        "norma: \(picture) cannot be used: it is no DICOM, and what goes to an archive belongs to something that is.",
        "norma: \(folder.path("images/three.dcm")): patient's identifier (0010,0020) cannot be repeated as DICOM and is left empty.",
      ])
    let files = try FileManager.default.subpathsOfDirectory(atPath: folder.path("results")).filter {
      $0.hasSuffix(".dcm")
    }
    #expect(
      files.contains("a/one-overlay.dcm") && files.contains("two-map.dcm") && !files.contains { $0.contains("four") })
    for name in ["a/one", "two", "three"] {
      let source = try ImageReader.read(folder.path("images/\(name).dcm"))
      let overlay = try DICOMImage.read(folder.path("results/\(name)-overlay.dcm"))
      let map = try DICOMImage.read(folder.path("results/\(name)-map.dcm"))
      #expect(overlay.isColour && overlay.pixels.columns == source.width && overlay.pixels.rows == source.height)
      #expect(map.pixels.columns == 64 && map.pixels.rows == 64 && Set(map.values()).count > 10)
      #expect(overlay.header.study == "1.2.3.4" && map.header.study == "1.2.3.4")
      #expect(map.patientIdentifier == (name == "three" ? nil : "case 7"))
      #expect(map.header.sopClass == "1.2.840.10008.5.1.4.1.1.\(name == "two" ? "30" : "7")")
      #expect(map.header.sopInstance?.hasPrefix("2.25.") == true && map.header.series != overlay.header.series)
      // Grey, where the map leaves it, is the image's own; somewhere the map has coloured it.
      let colours = try overlay.image()
      let plane = 64 * 64
      let greys = (0..<plane).filter {
        colours.samples[$0] == colours.samples[$0 + plane] && colours.samples[$0] == colours.samples[$0 + 2 * plane]
      }
      for pixel in greys.prefix(50) {
        let level =
          (source.samples[pixel] - source.range.lowerBound) / (source.range.upperBound - source.range.lowerBound)
        #expect(abs(colours.samples[pixel] - 255 * level) <= 1)
      }
    }
  }

  @Test("The help says that these files carry the patient's identity")
  func help() throws {
    let text = try Program.run("score", "--help").output.split(separator: "\n").joined(separator: " ")
    #expect(text.split(separator: " ").joined(separator: " ").contains("carry the patient's identity"))
  }
}
