import Foundation
import MedicalImaging
import Testing

/// What readers that are not ours make of the DICOM files that are written: pydicom, dciodvfy of the package dicom3tools, and
/// dcmdump of dcmtk. `make test` fetches them where it can.
@Suite("Results as DICOM, read by others")
struct DICOMReadersTests {
  private typealias Sources = DICOMWrittenSources

  private struct Found: Decodable {
    let name: String
    let sopClass: String
    let pixels: [Float]
    let shape: [Int]
    let values: [Float]?
    let sources: [[Reference]]
    let referencedSeries: String
    let referenced: [String]
    let patient: [String]
    let study: [String]
    let uids: [String]
    let imageType: [String]
    let burnedIn: String
    let frameOfReference: String
    let affine: [[Double]]?
  }

  /// A UID or a number of a frame.
  private enum Reference: Decodable, Equatable {
    case uid(String)
    case frame(Int)

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      self = try (try? container.decode(String.self)).map(Self.uid) ?? .frame(container.decode(Int.self))
    }
  }

  /// Files of a CT and a PET series, of one file of frames, of a slice and of a radiograph.
  private static func write(to folder: TemporaryFolder) throws -> [String: DICOMSource] {
    for (name, modality) in [("ct", "CT"), ("pet", "PT")] {
      for (index, slice) in Sources.slices([2, 0, 1], modality: modality).enumerated() {
        try folder.write("sources/\(name)/\(index)", slice.file)
      }
    }
    try folder.write("sources/frames", Sources.enhanced().file)
    try folder.write("sources/slice", Sources.slices([1])[0].file)
    try folder.write("sources/radiograph", Sources.radiograph { $0.set(0x0018_0015, "CS", "CHEST") }.file)
    var writer = DICOMArchiveWriter(equipment: Sources.equipment)
    var sources: [String: DICOMSource] = [:]
    for name in ["ct", "pet", "frames", "slice", "radiograph"] {
      let source = try DICOMSource.read(
        "\(folder.path)/sources/\(name)", isVolume: ["ct", "pet", "frames"].contains(name))
      sources[name] = source
      try writer.writeOverlay(
        named: "residual", of: source, to: "\(folder.path)/\(name)-overlay.dcm", picture: Sources.picture)
      try writer.writeMap(
        Sources.map(on: source.grid), named: "residual", displayRange: -1...3, of: source,
        to: "\(folder.path)/\(name)-map.dcm")
    }
    return sources
  }

  @Test(
    "pydicom finds valid elements, the same pixels, places, references and identity",
    .enabled(if: ReferencePython.isInstalled, Comment(rawValue: ReferencePython.absence)))
  func pydicom() throws {
    let folder = try TemporaryFolder()
    let sources = try Self.write(to: folder)
    try ReferencePython.run(script: "dicom_written.py", folder.path)
    let index = URL(fileURLWithPath: folder.path + "/written.json")
    let found = try JSONDecoder().decode([Found].self, from: Data(contentsOf: index))
    #expect(found.count == 10)
    for file in found {
      let parts = file.name.dropLast(4).split(separator: "-").map(String.init)
      let source = try #require(sources[parts[0]])
      let isVolume = source.grid.isVolume
      if parts[1] == "overlay" {
        let pictures = (0..<source.grid.depth).map { Sources.picture($0).samples }
        let plane = Sources.rows * Sources.columns
        let expected = pictures.flatMap { picture in (0..<3 * plane).map { picture[$0 % 3 * plane + $0 / 3] } }
        #expect(file.pixels == expected, "\(file.name)")
        #expect(file.sopClass == "1.2.840.10008.5.1.4.1.1.7\(isVolume ? ".4" : "")")
        #expect(file.imageType == ["DERIVED", "SECONDARY"])
      } else {
        let expected = Sources.map(on: source.grid).samples
        let values = file.values ?? file.pixels
        let step: Float = parts[0] == "radiograph" ? 10 / 131070 + 1e-6 : 0
        #expect(
          zip(values, expected).allSatisfy { abs($0 - $1) <= step } && values.count == expected.count, "\(file.name)")
      }
      if isVolume {
        let own = try VolumeReader.read(source.path).affine.matrix.prefix(3).joined()
        let affine = try #require(file.affine)
        #expect(zip(affine.joined(), own).allSatisfy { abs($0 - $1) < 1e-9 }, "\(file.name)")
      }
      let objects =
        switch parts[0] {
        case "ct", "pet": ["1", "2", "3"]
        case "slice": ["2"]
        default: ["1"]
        }
      let frames = parts[0] == "frames" ? [2, 3, 1] : objects.map { _ in 0 }
      let uids = objects.map { "\(Sources.series).\($0)" }
      let references: [[Reference]] = frames.enumerated().map { index, frame in
        [.uid(uids[uids.count > 1 ? index : 0]), .frame(frame)]
      }
      #expect(file.sources == references, "\(file.name)")
      #expect(file.referencedSeries == Sources.series && file.referenced == uids)
      #expect(file.patient == ["Müller^Jörg=山田", "case 7", "19500229", "M"] && file.burnedIn == "NO")
      #expect(file.study == [Sources.study, "20250131", "235959.5", "S1", "A-17"])
      #expect(file.frameOfReference == (parts[0] == "radiograph" ? "" : Sources.frame))
    }
    #expect(Set(found.map { $0.uids[0] }).count == 10 && Set(found.map { $0.uids[1] }).count == 2)
  }

  @Test(
    "dciodvfy finds no errors against the standard's definitions",
    .enabled(if: Programs.run(["dciodvfy", "-version"]) != nil, "dicom3tools are not installed"))
  func dciodvfy() throws {
    let folder = try TemporaryFolder()
    for name in try Self.write(to: folder).keys.sorted() {
      for kind in ["overlay", "map"] {
        let run = try #require(Programs.run(["dciodvfy", "-new", "\(folder.path)/\(name)-\(kind).dcm"]))
        let kinds = [
          "MultiframeTrueColorSCImage", "SCImage", "ParametricMap",
        ]
        #expect(kinds.contains { run.text.contains($0) }, "\(name)-\(kind): \(run.text)")
        let errors = run.text.split(separator: "\n").filter { $0.contains("Error") }
        #expect(errors.isEmpty, "\(name)-\(kind): \(errors)")
      }
    }
  }

  @Test(
    "dcmdump takes every file apart",
    .enabled(if: Programs.run(["dcmdump", "--version"]) != nil, "dcmtk is not installed"))
  func dcmdump() throws {
    let folder = try TemporaryFolder()
    for name in try Self.write(to: folder).keys.sorted() {
      for kind in ["overlay", "map"] {
        let run = try #require(Programs.run(["dcmdump", "-q", "\(folder.path)/\(name)-\(kind).dcm"]))
        #expect(run.status == 0 && !run.text.contains("E:") && !run.text.contains("W:"), "\(run.text)")
        #expect(run.text.contains("(0010,0020) LO [case 7]"))
      }
    }
  }
}
