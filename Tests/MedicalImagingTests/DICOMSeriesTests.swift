import Foundation
import MedicalImaging
import Testing

@Suite("DICOM series")
struct DICOMSeriesTests {
  private static let columns = 4, rows = 3
  private static let oblique = [0.8, 0.6, 0, -0.36, 0.48, 0.8]
  private static let normal = SIMD3(0.48, -0.64, 0.6)

  private static func samples(_ slice: Int) -> [Int] { (0..<columns * rows).map { 100 * slice + $0 } }

  /// Slices 2.5 mm apart along the normal, shifted by `shear` from one to the next.
  private static func slices(_ numbers: [Int], shear: SIMD3<Double> = .zero) -> [DICOMWriter] {
    numbers.map { number in
      let position = SIMD3(-20, 35.5, 12) + (normal * 2.5 + shear) * Double(number)
      return .slice(
        samples(number), columns: columns, position: [position.x, position.y, position.z], orientation: oblique)
    }
  }

  /// A folder with the slices under names that say nothing about their order.
  private static func write(_ slices: [DICOMWriter], to folder: TemporaryFolder) throws {
    for (index, slice) in slices.enumerated() { try folder.write("\(index * 7 % 13)-slice", slice.file) }
  }

  @Test(
    "Slices in any order become one volume, sorted along the normal, each voxel where the standard's equation puts it")
  func volume() throws {
    let folder = try TemporaryFolder()
    try Self.write(Self.slices([3, 0, 5, 1, 4, 2]), to: folder)
    try folder.write("notes.txt", Data("nothing".utf8))
    let volume = try VolumeReader.read(folder.path)
    #expect(volume.grid.extents == [6, Self.rows, Self.columns])
    #expect(volume.samples == (0..<6).flatMap { Self.samples($0).map(Float.init) })
    #expect(volume.provenance == Provenance(path: folder.path, format: "DICOM", bitsPerSample: 16))
    // PS3.3, C.7.6.2.1.1: P = S + X Δi i + Y Δj j, towards left, back and head.
    let (x, y) = (SIMD3(0.8, 0.6, 0), SIMD3(-0.36, 0.48, 0.8))
    for (column, row, slice) in [(0, 0, 0), (3, 0, 0), (0, 2, 0), (0, 0, 5), (2, 1, 4)] {
      let place =
        SIMD3(-20, 35.5, 12) + x * 0.5 * Double(column) + y * 0.75 * Double(row) + Self.normal * 2.5 * Double(slice)
      let found = volume.affine.position(of: SIMD3(Double(column), Double(row), Double(slice)))
      let difference = found - place * SIMD3(-1, -1, 1)
      #expect((difference * difference).sum() < 1e-20)
    }
    let series = try DICOMSeries.read(folder.path)
    #expect(series.stack.tilt < 1e-6 && series.remarks.isEmpty && series.header.modality == "CT")
    #expect(try MedicalImage.read(folder.path, isVolume: true) == .volume(volume.canonical))
  }

  @Test("A tilted gantry is named, and the affine follows the slices")
  func tilt() throws {
    let folder = try TemporaryFolder()
    let shear = SIMD3(0.8, 0.6, 0.0) * 2.5 * tan(12 * Double.pi / 180)
    try Self.write(Self.slices([2, 1, 0, 3], shear: shear), to: folder)
    let series = try DICOMSeries.read(folder.path)
    #expect(abs(series.stack.tilt - 12) < 1e-6)
    #expect(
      series.remarks == [
        "\(folder.path): the slices are tilted by 12.0° against the direction in which they follow each other; they are used "
          + "as they are stored, and the geometry of what is written keeps the tilt."
      ])
    #expect(try FileFacts(of: DataItem(name: "series", path: folder.path)).remarks == series.remarks)
    let step = try series.volume().affine.z - (Self.normal * 2.5 + shear) * SIMD3(-1, -1, 1)
    #expect((step * step).sum() < 1e-20)
    // Every slice lies where its file says, in the order closest to the patient's axes as well, and after NIfTI and back.
    let volume = try series.volume()
    let file = folder.path + "/written.nii"
    try NIfTI.write(volume.canonical, to: file)
    #expect(abs(volume.affine.tilt - 12) < 1e-6 && abs(volume.canonical.affine.tilt - 12) < 1e-6)
    let written = try VolumeReader.read(file)
    #expect(written.grid.coincides(with: volume.canonical.grid) && abs(written.affine.tilt - 12) < 1e-3)
    #expect(try FileFacts(of: DataItem(name: "written", path: file)).remarks.count == 1)
  }

  @Test("Missing, doubled, turned, uneven and placeless slices are named")
  func disorder() throws {
    func reason(_ slices: [DICOMWriter]) throws -> String {
      let folder = try TemporaryFolder()
      try Self.write(slices, to: folder)
      let sentence = try #require(message { try VolumeReader.read(folder.path) })
      #expect(sentence.hasPrefix("\(folder.path) cannot be used: ") && sentence.hasSuffix("."))
      return String(sentence.dropFirst("\(folder.path) cannot be used: ".count).dropLast())
    }
    #expect(try reason(Self.slices([0, 1, 2, 5, 6])) == "2 slices are missing, the first after 1-slice")
    #expect(try reason(Self.slices([0, 1, 3])) == "1 slice is missing, the first after 7-slice")
    #expect(try reason(Self.slices([0, 1, 2, 1])) == "7-slice and 8-slice lie at the same place")
    var slices = Self.slices([0, 1, 2])
    slices[2].set(0x0020_0037, [1, 0, 0, 0, 1, 0])
    #expect(try reason(slices) == "0-slice and 1-slice are turned differently")
    slices = Self.slices([0, 1, 2])
    slices[1].elements[0x0020_0032] = nil
    #expect(try reason(slices) == "7-slice does not tell where it lies in the patient")
    slices[1].set(0x0020_0032, [0, 0, 1e300])
    #expect(try reason(slices) == "7-slice does not tell where it lies in the patient")
    slices[1].set(0x0020_0032, [0, 0, 9e8])
    #expect(try reason(slices).contains("slices are missing, the first after "))
    slices = Self.slices([0, 1, 2])
    slices[1].set(0x0028_0030, [0.75, 0.75])
    #expect(try reason(slices).contains("have different distances between pixels"))
    slices = Self.slices([0, 1]) + Self.slices([2], shear: SIMD3(0.8, 0.6, 0) * 0.2)
    #expect(try reason(slices).contains("its slices are not evenly apart"))
    slices = Self.slices([0, 1, 2])
    slices[2].set(0x0020_000E, "UI", "1.2.99")
    #expect(try reason(slices) == "it holds 2 series, CT (1), CT (2); put each into its own folder")
    slices = Self.slices([0])
    #expect(try reason(slices) == "0-slice is a single slice that does not tell its thickness")
    slices[0].set(0x0018_0050, [4])
    let folder = try TemporaryFolder()
    try Self.write(slices, to: folder)
    #expect(abs(try VolumeReader.read(folder.path).spacing.z - 4) < 1e-12)
  }

  @Test("A DICOMDIR leads to the slices in the folders below it")
  func directory() throws {
    let folder = try TemporaryFolder()
    var records: [DICOMWriter] = [DICOMWriter()]
    records[0].set(0x0004_1430, "CS", "PATIENT")
    for (index, slice) in Self.slices([1, 0, 2]).enumerated() {
      try folder.write("A/B/IM\(index)", slice.file)
      var record = DICOMWriter()
      record.set(0x0004_1500, "CS", "A\\B\\IM\(index)")
      records.append(record)
    }
    var directory = DICOMWriter()
    directory.set(0x0004_1220, items: records)
    let path = try folder.write("DICOMDIR", directory.file)
    for place in [path, folder.path] {
      #expect(try VolumeReader.read(place).samples == (0..<3).flatMap { Self.samples($0).map(Float.init) })
    }
  }

  @Test("In a data set of volumes the folder of a series is one item, with its mask and its paired series")
  func items() throws {
    let folder = try TemporaryFolder()
    for (index, slice) in Self.slices([1, 0, 2]).enumerated() {
      for place in ["train/normal/one", "test/normal/two", "test/abnormal/three", "paired/test/abnormal/three"] {
        try folder.write("\(place)/\(index).dcm", slice.file)
      }
    }
    try folder.write("train/normal/four.nii.gz")
    try folder.write("train/normal/five.dcm", Data(contentsOf: URL(fileURLWithPath: DICOMGolden.path("enhanced.dcm"))))
    let mask = try folder.write("masks/test/abnormal/three.nii.gz")
    let set = try ImageDataSet.open(folder.path)
    #expect(set.items.count == 11)
    let items = set.gatheringSeries().items
    #expect(
      items.map(\.name) == [
        "train/normal/five.dcm", "train/normal/four.nii.gz", "train/normal/one", "test/abnormal/three",
        "test/normal/two",
      ])
    #expect(items.map(\.maskPath) == [nil, nil, nil, mask, nil])
    #expect(items[3].pairedPath == folder.path + "/paired/test/abnormal/three" && items[3].label == .abnormal)
    #expect(
      try items.filter { $0.name != "train/normal/four.nii.gz" }.map { try VolumeReader.read($0.path).depth } == [
        3, 3, 3, 3,
      ])
    let scored = try ImageDataSet.files(at: [folder.path + "/test/normal/two"]).gatheringSeries()
    #expect(scored.items.map(\.path) == [folder.path + "/test/normal/two"])
  }

  @Test("A changed slice changes the fingerprint of its series")
  func fingerprint() async throws {
    let folder = try TemporaryFolder()
    try Self.write(Self.slices([0, 1]), to: folder)
    let item = DataItem(name: "scan", path: folder.path)
    let before = try await ContentIndex(of: [item])
    try folder.write("0-slice", Self.slices([5])[0].file)
    let after = try await ContentIndex(of: [item])
    #expect(before.entries[0].hash != nil && before.entries[0].size == after.entries[0].size)
    #expect(before.fingerprint != after.fingerprint)
  }

  @Test("The frames of an enhanced file are sorted like slices, each with its own slope")
  func enhanced() throws {
    let path = DICOMGolden.path("enhanced.dcm")
    let volume = try VolumeReader.read(path)
    let pixels = try DICOMImage.read(path).pixels
    // Along the normal, (1, 0, 0) × (0, 0, −1) = (0, 1, 0): frames at −2, 1 and 4 mm.
    let order: [(frame: Int, slope: Float)] = [(1, 2), (2, 0.5), (0, 1)]
    #expect(
      volume.samples == order.flatMap { part in pixels.stored(frame: part.frame).map { Float($0) * part.slope - 1000 } }
    )
    #expect(volume.affine.x == SIMD3(-0.5, 0, 0) && volume.affine.y == SIMD3(0, 0, -0.75))
    #expect(volume.affine.z == SIMD3(0, -3, 0) && volume.affine.origin == SIMD3(-10, 2, 30))
    #expect(
      message { try ImageReader.read(path) }
        == "\(path) is a volume where a two-dimensional image is expected; choose a method for volumes, or give images."
    )
    #expect(throws: ImageError.otherKind(path: DICOMGolden.path("uint8.dcm"), isVolume: false)) {
      try VolumeReader.read(DICOMGolden.path("uint8.dcm"))
    }
  }

  @Test("PET becomes standard uptake values, or a sentence says why not")
  func uptake() throws {
    func slices(_ change: (inout DICOMWriter) -> Void) throws -> TemporaryFolder {
      let folder = try TemporaryFolder()
      for var slice in Self.slices([0, 1]) {
        slice.set(0x0008_0060, "CS", "PT")
        slice.set(0x0008_0021, "DA", "20250131")
        slice.set(0x0008_0031, "TM", "000500")
        slice.set(0x0010_1030, [70])
        var drug = DICOMWriter()
        drug.set(0x0018_1072, "TM", "231500.00")
        drug.set(0x0018_1074, [350e6])
        drug.set(0x0018_1075, [6000])
        slice.set(0x0054_0016, items: [drug])
        slice.set(0x0054_1001, "CS", "BQML")
        slice.set(0x0054_1102, "CS", "START")
        change(&slice)
        try folder.write(UUID().uuidString, slice.file)
      }
      return folder
    }
    // Injected 50 minutes before the scan, on the evening before: half of a half-life.
    let folder = try slices { _ in }
    let factor = 70_000 / (350e6 * exp2(-0.5))
    let volume = try VolumeReader.read(folder.path)
    for (value, stored) in zip(volume.samples, Self.samples(0) + Self.samples(1)) {
      #expect(abs(Double(value) - Double(stored) * factor) <= 1e-6 * Double(stored) * factor)
    }
    let administered = try slices { $0.set(0x0054_1102, "CS", "ADMIN") }
    #expect(abs(try VolumeReader.read(administered.path).samples[1] - Float(70_000 / 350e6)) < 1e-10)
    let ready = try slices { $0.set(0x0054_1001, "CS", "GML") }
    #expect(try VolumeReader.read(ready.path).samples[5] == 5)
    let counts = try slices { $0.set(0x0054_1001, "CS", "CNTS") }
    #expect(
      message { try VolumeReader.read(counts.path) }
        == "\(counts.path) cannot be used: its standard uptake values cannot be told, because its units are CNTS, not BQML or GML."
    )
  }

  @Test("What is missing for standard uptake values is named")
  func missing() {
    let whole = PETUptake(
      units: "BQML", decayCorrection: "START", bodyWeight: 70, totalDose: 350e6, halfLife: 6000, injection: 0,
      scanStart: 6000)
    func reason(_ change: (inout PETUptake) -> Void) -> String? {
      var uptake = whole
      change(&uptake)
      return message { try uptake.factor() }
    }
    #expect(throws: Never.self) { try whole.factor() }
    #expect((try? whole.factor()) == 2 * 70_000 / 350e6)
    #expect(reason { $0.units = nil } == "it does not tell its units")
    #expect(reason { $0.bodyWeight = 0 } == "the patient's weight is missing")
    #expect(reason { $0.totalDose = nil } == "the injected dose is missing")
    #expect(reason { $0.halfLife = nil } == "the half-life is missing")
    #expect(reason { $0.injection = nil } == "the time of the injection is missing")
    #expect(reason { $0.scanStart = -1 } == "the scan began before the injection")
    #expect(reason { $0.halfLife = 1e-3 } == "weight, dose and times together give a factor of inf")
    #expect(reason { $0.decayCorrection = "NONE" } == "its decay correction is NONE, not START or ADMIN")
  }
}
