import Foundation
import MedicalImaging
import Testing

@Suite("DataInspection")
struct DataInspectionTests {
  private func constant(_ value: Float, side: Int = 4) -> Image2D {
    Image2D(width: side, height: side, samples: Array(repeating: value, count: side * side), range: 0...255)
  }

  @Test("Counts, kinds, intensities and every mistake are found")
  func everything() async throws {
    let folder = try TemporaryFolder()
    try folder.write("train/NORMAL/person1_virus_1.png", PNG.encode(constant(0)))
    try folder.write("train/NORMAL/person1_virus_2.png", PNG.encode(constant(255)))
    try folder.write("test/SICK/person1_virus_3.png", PNG.encode(constant(255)))
    let halves = Image2D(width: 4, height: 4, samples: (0..<16).map { $0 < 4 ? 0 : 200 }, range: 0...255)
    try folder.write("test/NORMAL/person2_virus_1.png", PNG.encode(halves, bitsPerSample: 16))
    try folder.write("test/NORMAL/broken.png", Data("no picture".utf8))
    let slice = DICOMWriter.slice([1, 2, 3, 4, 5, 6], columns: 3, position: nil, spacing: [0.75, 0.5])
    try folder.write("test/NORMAL/scan.dcm", slice.file)
    try folder.write("masks/test/SICK/person1_virus_3.png", PNG.encode(constant(255, side: 2)))
    let inspection = try await DataInspection(of: ImageDataSet.open(folder.path))

    let groups = inspection.groups
    #expect(groups.map(\.split) == [.train, .test, .test] && groups.map(\.label) == [.normal, .normal, .abnormal])
    #expect(groups.map(\.images) == [2, 3, 1] && groups.map(\.unreadable) == [0, 1, 0])
    #expect(groups.map(\.patients) == [1, 1, 1] && groups.map(\.masks) == [0, 0, 1])
    #expect(groups[0].mean == 127.5 && groups[0].histogram[0] == 0.5 && groups[0].histogram[31] == 0.5)
    #expect(abs(groups[2].histogram.reduce(0, +) - 1) < 1e-12 && groups[2].histogram[31] == 1)
    #expect(inspection.sizes == [.init(value: "4×4", files: 4), .init(value: "3×2", files: 1)])
    #expect(inspection.formats == [.init(value: "PNG", files: 4), .init(value: "DICOM", files: 1)])
    #expect(inspection.bitDepths == [.init(value: "8 bit", files: 3), .init(value: "16 bit", files: 2)])
    #expect(inspection.spacings == [.init(value: "not told", files: 4), .init(value: "0.5×0.75 mm", files: 1)])
    #expect(inspection.transferSyntaxes == [.init(value: "explicit little endian", files: 1)])
    #expect(inspection.failures.map(\.item.name) == ["test/NORMAL/broken.png"])
    #expect(inspection.duplicates.map { $0.map(\.split) } == [[.train, .test]])
    #expect(inspection.patientsInSeveralSplits.map(\.patient) == ["person1"])
    #expect(inspection.patientsInSeveralSplits.map(\.splits) == [[.train, .test]])
    #expect(inspection.constantImages.count == 3)
    #expect(
      inspection.companionMistakes
        == ["\(folder.path)/masks/test/SICK/person1_virus_3.png has 2×2 pixels and its image 4×4 pixels."])
  }

  @Test("Volumes, and grey that is stored as colour, are told apart")
  func kinds() async throws {
    let folder = try TemporaryFolder()
    try folder.volume(
      "train/NORMAL/scan.nii.gz", (0..<8).map(Float.init), affine: Affine3D(spacing: SIMD3(2, 2, 3.0004)))
    let plane = (0..<4).map(Float.init)
    try folder.write(
      "train/NORMAL/grey.png",
      PNG.encode(Image2D(width: 2, height: 2, channels: 3, samples: plane + plane + plane, range: 0...255)))
    try folder.write(
      "train/NORMAL/red.png",
      PNG.encode(Image2D(width: 2, height: 2, channels: 3, samples: plane + [0, 0, 0, 0] + plane, range: 0...255)))
    let inspection = try await DataInspection(of: ImageDataSet.open(folder.path))
    #expect(inspection.sizes.map(\.value).sorted() == ["2×2", "2×2×2"])
    #expect(inspection.spacings.map(\.value).contains("2×2×3 mm"))
    #expect(inspection.channels.map(\.value).sorted() == ["colour", "grey", "grey stored as colour"])
    #expect(inspection.bitDepths.map(\.value).contains("32 bit"))
    let volume = try FileFacts(of: inspection.set.items[2])
    #expect(volume.grid.isVolume && volume.extremes == 0...7 && volume.mean == 3.5)
  }
}
