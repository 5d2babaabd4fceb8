import Foundation
import MedicalImaging
import Testing

/// What Scripts/golden/volumes.py wrote: NIfTI files, and what nibabel finds in them.
struct VolumeGolden: Decodable, Sendable {
  let extents: [Int]
  let bits: Int
  let affine: [[Double]]
  let samples: [Float]

  static func load() throws -> [String: VolumeGolden] {
    let file = Golden.folder.appendingPathComponent("volumes.json")
    return try JSONDecoder().decode([String: VolumeGolden].self, from: Data(contentsOf: file))
  }

  static func path(_ name: String) -> String { Golden.folder.appendingPathComponent("volumes/\(name)").path }

  /// Names of the files that can be read.
  static let readable = ((try? load().keys.sorted()) ?? [])
}

@Suite("VolumeReader")
struct VolumeReaderTests {
  @Test("There are golden files of every type of sample")
  func kinds() {
    #expect(VolumeGolden.readable.count == 24)
  }

  @Test(
    "Each kind of file has the samples and the place in the patient that nibabel finds",
    arguments: VolumeGolden.readable)
  func samples(_ name: String) throws {
    let expected = try #require(try VolumeGolden.load()[name])
    let volume = try VolumeReader.read(VolumeGolden.path(name))
    #expect([volume.width, volume.height, volume.depth] == expected.extents)
    // nibabel scales in single precision where an unscaled file would do; slope and intercept themselves are single.
    let tolerance: Float = name == "fine.nii" ? 1e-3 : 0
    #expect(volume.samples.count == expected.samples.count)
    #expect((zip(volume.samples, expected.samples).map { abs($0 - $1) }.max() ?? .infinity) <= tolerance)
    #expect(volume.range == (volume.samples.min() ?? 0)...(volume.samples.max() ?? 0))
    let differences = zip(volume.affine.matrix.joined(), expected.affine.joined()).map { abs($0 - $1) }
    #expect((differences.max() ?? .infinity) < 1e-5)
    #expect(
      volume.provenance == Provenance(path: VolumeGolden.path(name), format: "NIfTI", bitsPerSample: expected.bits))
  }

  @Test("The content tells the format, not the name")
  func misleadingExtension() throws {
    let folder = try TemporaryFolder()
    let content = try Data(contentsOf: URL(fileURLWithPath: VolumeGolden.path("int16.nii.gz")))
    let path = try folder.write("scan.nii", content)
    #expect(try VolumeReader.read(path).samples == VolumeReader.read(VolumeGolden.path("int16.nii.gz")).samples)
  }

  @Test("A file that ends early is damaged wherever it ends", arguments: VolumeGolden.readable)
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

  @Test("Damaged bytes never crash the reader", arguments: VolumeGolden.readable)
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
        "a kind of NIfTI that is not supported: it holds 2 volumes (dimension 4); give one volume per file."
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
      ("second.nii.gz", "a kind of NIfTI that is not supported: it is NIfTI-2; store it as NIfTI-1."),
      (
        "pair.hdr",
        "a kind of NIfTI that is not supported: its voxels lie in a file of their own; store header and voxels in one .nii."
      ),
      ("not-finite.nii.gz", "a kind of NIfTI that is not supported: it holds samples that are not finite numbers."),
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
      #expect(message { try VolumeReader.read(path) } == "\(path) is not a volume in a format that is read (NIfTI).")
    }
    let (image, volume) = (Golden.image("grey8.png"), VolumeGolden.path("uint8.nii.gz"))
    #expect(
      message { try VolumeReader.read(image) }
        == "\(image) is a two-dimensional image where a volume (NIfTI) is expected; choose a method for images, or give "
        + "volumes.")
    for path in [volume, VolumeGolden.path("float32-big-endian.nii")] {
      #expect(
        message { try ImageReader.read(path) }
          == "\(path) is a volume where a two-dimensional image is expected; choose a method for volumes, or give images."
      )
    }
    #expect(try MedicalImage.read(image, isVolume: false).grid == ImageGrid(width: 13, height: 11))
    #expect(try MedicalImage.read(volume, isVolume: true).grid.extents == [3, 4, 5])
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
