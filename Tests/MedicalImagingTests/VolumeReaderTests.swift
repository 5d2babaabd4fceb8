import Foundation
import MedicalImaging
import Testing

/// What Scripts/golden/volumes.py wrote: NIfTI files, and what nibabel finds in them.
struct VolumeGolden: Decodable, Sendable {
  /// Samples as numbers, or their hash.
  struct Content: Decodable, Sendable {
    let samples: [Float]?
    let hash: String?
  }

  let extents: [Int]
  let bits: Int
  let affine: [[Double]]
  let samples: [Float]?
  let hash: String?
  let canonical: Content
  let canonicalExtents: [Int]
  let canonicalAffine: [[Double]]

  static func load(_ name: String = "volumes") throws -> [String: VolumeGolden] {
    let file = Golden.folder.appendingPathComponent("\(name).json")
    return try JSONDecoder().decode([String: VolumeGolden].self, from: Data(contentsOf: file))
  }

  /// Compares a volume, as it is stored and in the order closest to RAS.
  func compare(_ volume: Volume3D, tolerance: Float = 0, _ name: String) {
    let stored = Content(samples: samples, hash: hash)
    let parts = [(volume, stored, extents, affine), (volume.canonical, canonical, canonicalExtents, canonicalAffine)]
    for (volume, expected, extents, affine) in parts {
      #expect([volume.width, volume.height, volume.depth] == extents, "\(name)")
      if let samples = expected.samples {
        #expect(volume.samples.count == samples.count, "\(name)")
        #expect((zip(volume.samples, samples).map { abs($0 - $1) }.max() ?? .infinity) <= tolerance, "\(name)")
      } else {
        let bytes = volume.samples.withUnsafeBytes { Data($0) }
        #expect(ContentHash(of: bytes).description == expected.hash, "\(name)")
      }
      let differences = zip(volume.affine.matrix.joined(), affine.joined()).map { abs($0 - $1) }
      #expect((differences.max() ?? .infinity) < 1e-5, "\(name)")
    }
  }

  static func path(_ name: String) -> String { Golden.folder.appendingPathComponent("volumes/\(name)").path }

  /// Names of the files that can be read.
  static let readable = ((try? load().keys.sorted()) ?? [])
  /// Those of one volume, each order of axes left out.
  static let files = readable.filter { !$0.contains("#") && !$0.contains("/") }
}

@Suite("VolumeReader")
struct VolumeReaderTests {
  @Test("There are golden files of every type of sample")
  func kinds() {
    #expect(VolumeGolden.files.count == 34)
    #expect(VolumeGolden.readable.count == 34 + 48 + 2 + 6)
  }

  @Test(
    "Each kind of file has the samples and the place in the patient that nibabel finds",
    arguments: VolumeGolden.readable)
  func samples(_ name: String) throws {
    let expected = try #require(try VolumeGolden.load()[name])
    let volume = try VolumeReader.read(VolumeGolden.path(name))
    // nibabel scales in single precision where an unscaled file would do; slope and intercept themselves are single.
    let tolerance: Float = name == "fine.nii" ? 1e-3 : 0
    expected.compare(volume, tolerance: tolerance, name)
    #expect(volume.range == (volume.samples.min() ?? 0)...(volume.samples.max() ?? 0))
    #expect(
      volume.provenance == Provenance(path: VolumeGolden.path(name), format: "NIfTI", bitsPerSample: expected.bits))
  }

  @Test(
    "nibabel's own test files have nibabel's samples and affines; small ones are at hand",
    arguments: ["standard.nii.gz", "example_nifti2.nii.gz"])
  func copiedFromNibabel(_ name: String) throws {
    try compareWithNibabel(in: Golden.folder.appendingPathComponent("volumes/nibabel").path) { $0.hasPrefix(name) }
  }

  private static let nibabelData = ProcessInfo.processInfo.environment["NIBABEL_DATA"]

  @Test(
    "The large ones too",
    .enabled(if: nibabelData != nil, "NIBABEL_DATA does not name the folder nibabel/tests/data of a nibabel"))
  func allOfNibabel() throws {
    let folder = Self.nibabelData ?? ""
    try compareWithNibabel(in: folder) { _ in true }
    for (name, reason) in [
      ("resampled_anat_moved.nii", "153 of its 1071 samples are not finite numbers"),
      ("row_major.dconn.nii", "it is CIFTI"),
      ("analyze.hdr", "its header is Analyze's"), ("nifti1.hdr", "its voxels lie in a file of their own"),
    ] {
      #expect(message { try VolumeReader.read("\(folder)/\(name)") }?.contains(reason) == true, "\(name)")
    }
  }

  private func compareWithNibabel(in folder: String, _ isWanted: (String) -> Bool) throws {
    let expected = try VolumeGolden.load("nibabel").filter { isWanted($0.key) }
    #expect(!expected.isEmpty)
    for (name, expected) in expected {
      expected.compare(try VolumeReader.read("\(folder)/\(name)"), name)
    }
  }

  @Test("Whatever the order and directions of its axes, a volume becomes RAS, and goes back to what it was")
  func orientations() throws {
    let names = VolumeGolden.readable.filter { $0.hasPrefix("orientations/") }
    #expect(names.count == 48)
    var orders: Set<[Int]> = []
    for name in names {
      let stored = try VolumeReader.read(VolumeGolden.path(name))
      let canonical = stored.canonical
      #expect(canonical.affine.anatomicalAxes == .canonical)
      guard case .volume(let read) = try MedicalImage.read(VolumeGolden.path(name), isVolume: true) else {
        Issue.record("\(name) is no volume")
        continue
      }
      #expect(read == canonical)
      let axes = stored.affine.anatomicalAxes
      let back = canonical.oriented(along: axes)
      #expect(back.samples == stored.samples && back.grid.coincides(with: stored.grid) && back.range == stored.range)
      orders.insert(axes.axes + axes.ascends.map { $0 ? 1 : 0 })
      // Where a value lies in the patient does not change.
      let (x, y, z) = (1, 2, 3)
      let place = stored.affine.position(of: SIMD3(Double(x), Double(y), Double(z)))
      let nearest = (0..<canonical.samples.count).min { first, second in
        distance(first, canonical, place) < distance(second, canonical, place)
      }
      let index = try #require(nearest)
      #expect(distance(index, canonical, place) < 1e-12)
      #expect(canonical.samples[index] == stored.samples[(z * stored.height + y) * stored.width + x])
    }
    #expect(orders.count == 48)
  }

  /// The square of the distance of a voxel from a place in the patient.
  private func distance(_ index: Int, _ volume: Volume3D, _ place: SIMD3<Double>) -> Double {
    let (x, y, z) = (
      index % volume.width, index / volume.width % volume.height, index / (volume.width * volume.height)
    )
    let way = volume.affine.position(of: SIMD3(Double(x), Double(y), Double(z))) - place
    return (way * way).sum()
  }

  @Test("A header and its voxels are one volume under either name, compressed or not")
  func pairs() throws {
    for name in ["pair", "pair-big-endian", "second-pair"] {
      let header = try VolumeReader.read(VolumeGolden.path(name + ".hdr"))
      let voxels = try VolumeReader.read(VolumeGolden.path(name + ".img"))
      #expect(header.samples == voxels.samples && header.grid == voxels.grid)
    }
    let folder = try TemporaryFolder()
    func copy(_ name: String, as other: String) throws -> String {
      try folder.write(other, Data(contentsOf: URL(fileURLWithPath: VolumeGolden.path(name))))
    }
    let header = try copy("pair.hdr", as: "SCAN.HDR")
    #expect(
      message { try VolumeReader.read(header) }
        == "\(header) is a damaged NIfTI file: its voxels lie in a file of their own, .img beside it, which is missing."
    )
    _ = try copy("pair-compressed.img.gz", as: "SCAN.IMG.GZ")
    #expect(try VolumeReader.read(header).samples == VolumeReader.read(VolumeGolden.path("pair.hdr")).samples)
    let whole = try Data(contentsOf: URL(fileURLWithPath: VolumeGolden.path("pair.img")))
    try folder.write("SCAN.IMG", whole.dropLast())
    #expect(message { try VolumeReader.read(header) } == "\(header) is a damaged NIfTI file: the file ends early.")
  }

  @Test("One of several volumes is named by its number; what follows it is not looked at")
  func severalVolumes() throws {
    let path = VolumeGolden.path("times.nii.gz")
    #expect(
      message { try VolumeReader.read(path + "#2") }
        == "\(path)#2 is a kind of NIfTI that is not supported: it holds no volume #2; its last one is #1.")
    #expect(
      message { try VolumeReader.read(path + "#last") }
        == "\(path)#last names no image: what stands behind # must be a number, counted from 0.")
    let single = VolumeGolden.path("uint8.nii.gz")
    #expect(try VolumeReader.read(single + "#0").samples == VolumeReader.read(single).samples)
    let vectors = try Data(contentsOf: URL(fileURLWithPath: VolumeGolden.path("vectors.nii")))
    let folder = try TemporaryFolder()
    let cut = try folder.write("scan.nii", vectors.prefix(352 + 2 * 60))
    #expect(
      try VolumeReader.read(cut + "#1").samples == VolumeReader.read(VolumeGolden.path("vectors.nii") + "#1").samples)
    #expect(message { try VolumeReader.read(cut + "#2") } == "\(cut)#2 is a damaged NIfTI file: the file ends early.")
    // A file whose name holds the mark is that file.
    let marked = try folder.write("scan#1", Data(contentsOf: URL(fileURLWithPath: single)))
    #expect(try VolumeReader.read(marked).samples == VolumeReader.read(single).samples)
  }

  @Test("The content tells the format, not the name")
  func misleadingExtension() throws {
    let folder = try TemporaryFolder()
    let content = try Data(contentsOf: URL(fileURLWithPath: VolumeGolden.path("int16.nii.gz")))
    let path = try folder.write("scan.nii", content)
    #expect(try VolumeReader.read(path).samples == VolumeReader.read(VolumeGolden.path("int16.nii.gz")).samples)
  }

  @Test("A file that ends early is damaged wherever it ends", arguments: VolumeGolden.files)
  func truncated(_ name: String) throws {
    let folder = try TemporaryFolder()
    let whole = try Data(contentsOf: URL(fileURLWithPath: VolumeGolden.path(name)))
    for length in Set(stride(from: 8, to: whole.count, by: 13)).union([whole.count - 1, 347, 348, 351]).sorted()
    where length < whole.count {
      let path = try folder.write("scan.nii", whole.prefix(length))
      guard case .corrupt(path, "NIfTI", _)? = error(of: path) else {
        Issue.record("\(name) cut to \(length) bytes: \(error(of: path)?.description ?? "read")")
        continue
      }
    }
  }

  @Test("Damaged bytes never crash the reader", arguments: VolumeGolden.files)
  func damaged(_ name: String) throws {
    let folder = try TemporaryFolder()
    let whole = try Data(contentsOf: URL(fileURLWithPath: VolumeGolden.path(name)))
    var generator = SeededGenerator(seed: 11)
    for round in 0..<60 {
      var bytes = whole
      // Half of the rounds hit the header, where the numbers are that others depend on.
      let end = round % 2 == 0 ? bytes.count : min(352, bytes.count)
      for _ in 0..<3 { bytes[generator.index(below: end)] = UInt8(truncatingIfNeeded: generator.next()) }
      _ = error(of: try folder.write("scan.nii", bytes))
    }
  }

  @Test(
    "A changed checksum is found, also where the last voxel ends a chunk of decompressed bytes", arguments: [5, 64])
  func checksum(_ width: Int) throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/scan.nii.gz"
    let samples = (0..<width * 32 * 32).map { Float($0 * 7919 % 1009) }
    try NIfTI.write(Volume3D(width: width, height: 32, depth: 32, samples: samples), to: path)
    #expect(try VolumeReader.read(path).samples == samples)
    var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
    bytes[bytes.count - 6] ^= 1
    try bytes.write(to: URL(fileURLWithPath: path))
    #expect(
      message { try VolumeReader.read(path) } == "\(path) is a damaged NIfTI file: its compressed data are damaged.")
  }

  @Test(
    "Each refusal is one sentence",
    arguments: [
      (
        "times.nii.gz",
        "a kind of NIfTI that is not supported: it holds 2 volumes; name one by its number behind the path, from #0 to #1."
      ),
      ("flat.nii.gz", "a kind of NIfTI that is not supported: it has 2 dimensions; a volume has three."),
      (
        "colour.nii.gz",
        "a kind of NIfTI that is not supported: its samples (type 128, NIFTI_TYPE_RGB24) are not read; store one real "
          + "number a voxel."
      ),
      (
        "complex.nii.gz",
        "a kind of NIfTI that is not supported: its samples (type 32, NIFTI_TYPE_COMPLEX64) are not read; store one real "
          + "number a voxel."
      ),
      (
        "surface.nii",
        "a kind of NIfTI that is not supported: it is CIFTI, which holds values of surfaces; give a volume."
      ),
      ("text.nii", "a damaged NIfTI file: its header was changed as if it were text."),
      (
        "analyze.hdr",
        "a kind of NIfTI that is not supported: its header is Analyze's or has lost its mark; store it as NIfTI-1."
      ),
      (
        "alone.hdr",
        "a damaged NIfTI file: its voxels lie in a file of their own, .img beside it, which is missing."
      ),
      (
        "not-finite.nii.gz",
        "a kind of NIfTI that is not supported: 1 of its 60 samples are not finite numbers; replace them by the value that "
          + "its background has."
      ),
      ("singular.nii", "a damaged NIfTI file: the matrix that places its voxels in the patient is singular."),
    ])
  func refusals(_ name: String, _ sentence: String) throws {
    let path = VolumeGolden.path(name)
    #expect(message { try VolumeReader.read(path) } == "\(path) is \(sentence)")
  }

  @Test("Sizes beyond the limits, or beyond what the file can hold, are refused before memory is taken")
  func sizes() throws {
    let folder = try TemporaryFolder()
    let whole = try Data(contentsOf: URL(fileURLWithPath: VolumeGolden.path("both.nii")))
    func declaring(_ extents: Int16...) throws -> String {
      var bytes = whole
      for (axis, extent) in extents.enumerated() {
        withUnsafeBytes(of: extent.littleEndian) { bytes.replaceSubrange(42 + 2 * axis..<44 + 2 * axis, with: $0) }
      }
      return try folder.write("scan.nii", bytes)
    }
    let large = try declaring(2000, 2000, 2000)
    #expect(
      message { try VolumeReader.read(large) }
        == "\(large) is too large (2000 x 2000 x 2000 voxels); at most 65535 pixels a side and 268435456 samples are read."
    )
    let bomb = try declaring(500, 500, 500)
    #expect(
      message { try VolumeReader.read(bomb) }
        == "\(bomb) is a damaged NIfTI file: it declares 500 x 500 x 500 voxels, more than its \(whole.count) bytes can hold."
    )
    let negative = try declaring(5, -4, 3)
    #expect(
      message { try VolumeReader.read(negative) }
        == "\(negative) is a damaged NIfTI file: it declares 5 x -4 x 3 voxels.")
  }

  @Test("Images and volumes are told apart, and paths that lead to neither say so")
  func paths() throws {
    let folder = try TemporaryFolder()
    let text = try folder.write("notes.nii", Data("patient walks".utf8))
    let short = try folder.write("short.nii", Data([1]))
    let missing = folder.path + "/none.nii"
    #expect(message { try VolumeReader.read(missing) } == "\(missing) does not exist; check the path.")
    #expect(message { try VolumeReader.read(folder.path) } == "\(folder.path) is a folder; name an image file in it.")
    for path in [text, short] {
      #expect(
        message { try VolumeReader.read(path) }
          == "\(path) is not a volume in a format that is read (NIfTI, DICOM, NumPy).")
    }
    let (image, volume) = (Golden.image("grey8.png"), VolumeGolden.path("uint8.nii.gz"))
    #expect(
      message { try VolumeReader.read(image) }
        == "\(image) is a two-dimensional image where a volume (NIfTI, DICOM, NumPy) is expected; choose a method for images, or give "
        + "volumes.")
    for path in [volume, VolumeGolden.path("float32-big-endian.nii")] {
      #expect(
        message { try ImageReader.read(path) }
          == "\(path) is a volume where a two-dimensional image is expected; choose a method for volumes, or give images."
      )
    }
    #expect(try MedicalImage.read(image, isVolume: false).grid == ImageGrid(width: 13, height: 11))
    #expect(try MedicalImage.read(volume, isVolume: true).grid.extents == [3, 5, 4])  // in RAS
  }

  /// Why a file cannot be read; nil when it can.
  private func error(of path: String) -> ImageError? {
    do throws(ImageError) {
      _ = try VolumeReader.read(path)
      return nil
    } catch {
      return error
    }
  }
}
