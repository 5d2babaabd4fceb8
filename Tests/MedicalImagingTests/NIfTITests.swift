import Foundation
import MedicalImaging
import Testing

@Suite("Writing NIfTI")
struct NIfTITests {
  private let turned = Affine3D(
    x: SIMD3(0, 1.5, 0), y: SIMD3(-2, 0, 0), z: SIMD3(0, 0, 4), origin: SIMD3(10.5, -20, 3.75))

  private func volume(_ samples: [Float]? = nil, affine: Affine3D) -> Volume3D {
    Volume3D(
      width: 4, height: 3, depth: 2, samples: samples ?? (0..<24).map { Float($0 * $0) / 7 - 3 }, affine: affine)
  }

  /// A number of the header.
  private func field<Number: FixedWidthInteger>(_ header: Data, at offset: Int, as: Number.Type) -> Number {
    (0..<MemoryLayout<Number>.size).reduce(0) { $0 | Number(header[header.startIndex + offset + $1]) << (8 * $1) }
  }

  private func float(_ header: Data, at offset: Int) -> Float {
    Float(bitPattern: field(header, at: offset, as: UInt32.self))
  }

  @Test(
    "What is written is read back to the bit, compressed or not", arguments: ["scan.nii", "scan.nii.gz", "SCAN.NII.GZ"])
  func roundTrip(_ name: String) throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/" + name
    let sheared = Affine3D(x: SIMD3(2, 0, 0), y: SIMD3(0.5, 2, 0), z: SIMD3(0, 0, 3), origin: SIMD3(1, 2, 3))
    for affine in [turned, sheared] {
      let written = volume(affine: affine)
      try NIfTI.write(written, to: path)
      let read = try VolumeReader.read(path)
      #expect(read.samples == written.samples && read.grid == written.grid && read.range == written.range)
      #expect(read.provenance.bitsPerSample == 32)
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == [name])
    let magic = try Data(contentsOf: URL(fileURLWithPath: path)).prefix(2)
    #expect((magic == Data([0x1F, 0x8B])) == name.lowercased().hasSuffix(".gz"))
  }

  @Test("Masks become bytes, rounded and limited")
  func bytes() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/mask.nii.gz"
    let samples: [Float] = [0, 1, 0.4, 0.6, -3, 254.5, 255, 300] + Array(repeating: 1, count: 16)
    try NIfTI.write(volume(samples, affine: turned), to: path, as: .uint8)
    let read = try VolumeReader.read(path)
    #expect(Array(read.samples.prefix(8)) == [0, 1, 0, 1, 0, 255, 255, 255])
    #expect(read.provenance.bitsPerSample == 8)
    #expect(Array(read.markedVoxels.prefix(8)) == [false, true, false, true, false, true, true, true])
  }

  @Test("The header says what the standard asks for, and the qform the same as the sform where it can")
  func header() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/scan.nii"
    try NIfTI.write(volume(affine: turned), to: path)
    let header = try Data(contentsOf: URL(fileURLWithPath: path))
    #expect(header.count == 352 + 24 * 4)
    #expect(field(header, at: 0, as: Int32.self) == 348)
    #expect((0..<5).map { field(header, at: 40 + 2 * $0, as: Int16.self) } == [3, 4, 3, 2, 1])
    #expect(field(header, at: 70, as: Int16.self) == 16 && field(header, at: 72, as: Int16.self) == 32)
    #expect((1...3).map { float(header, at: 76 + 4 * $0) } == [1.5, 2, 4])
    #expect(float(header, at: 108) == 352 && float(header, at: 112) == 1 && float(header, at: 116) == 0)
    #expect(header[header.startIndex + 123] & 7 == 2)  // millimetres
    #expect(field(header, at: 252, as: Int16.self) == 1 && field(header, at: 254, as: Int16.self) == 1)
    let rows = (0..<12).map { Double(float(header, at: 280 + 4 * $0)) }
    #expect(rows == Array(turned.matrix.joined().prefix(12)))
    #expect(header[344..<348] == Data("n+1\0".utf8))

    // Without its sform the file still lies where it lay.
    var bytes = header
    bytes.replaceSubrange(254..<256, with: [0, 0])
    try bytes.write(to: URL(fileURLWithPath: path))
    let matrix = try VolumeReader.read(path).affine.matrix
    #expect((zip(matrix.joined(), turned.matrix.joined()).map { abs($0 - $1) }.max() ?? 1) < 1e-5)

    let sheared = Affine3D(x: SIMD3(2, 0, 0), y: SIMD3(0.5, 2, 0), z: SIMD3(0, 0, 3))
    try NIfTI.write(volume(affine: sheared), to: path)
    #expect(field(try Data(contentsOf: URL(fileURLWithPath: path)), at: 252, as: Int16.self) == 0)
  }

  @Test("A side of more than 32767 voxels makes it NIfTI-2")
  func secondVersion() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/long.nii.gz"
    let long = Volume3D(
      width: 40_000, height: 1, depth: 2, samples: (0..<80_000).map { Float($0 % 977) }, affine: turned)
    try NIfTI.write(long, to: path)
    let read = try VolumeReader.read(path)
    #expect(read.samples == long.samples && read.grid == long.grid)
    try NIfTI.write(long, to: folder.path + "/long.nii")
    let header = try Data(contentsOf: URL(fileURLWithPath: folder.path + "/long.nii"))
    #expect(field(header, at: 0, as: Int32.self) == 540 && header.count == 544 + 80_000 * 4)
    #expect(header[4..<12] == Data("n+2\0\r\n\u{1A}\n".utf8) && field(header, at: 168, as: Int64.self) == 544)
    #expect((0..<5).map { field(header, at: 16 + 8 * $0, as: Int64.self) } == [3, 40_000, 1, 2, 1])
  }

  /// Version, extents, codes, unit, and the numbers of spacing, qform and sform of a header of either version, to the bit.
  private func place(_ path: String) throws -> [UInt64] {
    let file = try Data(contentsOf: URL(fileURLWithPath: path))
    let isFirst = [348, 0x5C01_0000].contains(field(file, at: 0, as: UInt32.self))
    let isSwapped = ![348, 540].contains(field(file, at: 0, as: UInt32.self))
    func number(_ offset: Int, _ width: Int) -> UInt64 {
      let bytes = file[offset..<offset + width]
      return (isSwapped ? Array(bytes) : bytes.reversed()).reduce(0) { $0 << 8 | UInt64($1) }
    }
    func numbers(_ offset: Int, _ count: Int, _ width: Int) -> [UInt64] {
      (0..<count).map { number(offset + $0 * width, width) }
    }
    return isFirst
      ? [1, number(123, 1) & 7] + numbers(42, 3, 2) + numbers(76, 4, 4) + numbers(252, 2, 2) + numbers(256, 18, 4)
      : [2, number(500, 4) & 7] + numbers(24, 3, 8) + numbers(104, 4, 8) + numbers(344, 2, 4) + numbers(352, 18, 8)
  }

  @Test(
    "A map made in RAS is written in the order and geometry of its source, to the bit",
    arguments: VolumeGolden.readable.filter { !$0.contains("#") })
  func ontoSource(_ name: String) throws {
    let folder = try TemporaryFolder()
    let source = VolumeGolden.path(name)
    let stored = try VolumeReader.read(source)
    let map = stored.canonical.samples.enumerated().map { Float($0.offset) }
    let canonical = stored.canonical
    let made = Volume3D(
      width: canonical.width, height: canonical.height, depth: canonical.depth, samples: map, affine: canonical.affine)
    let path = folder.path + "/map.nii"
    try NIfTI.write(made, to: path, onGridOf: source)
    let written = try VolumeReader.read(path)
    #expect(written.affine == stored.affine && written.grid == stored.grid)
    #expect(written.canonical.samples == map && written.canonical.grid == canonical.grid)
    #expect(written.samples == made.oriented(along: stored.affine.anatomicalAxes).samples)
    if !name.hasSuffix(".gz") { #expect(try place(path) == place(source)) }
  }

  @Test("A map that does not lie on its source's grid is refused, and one of a NumPy volume keeps its order")
  func ontoOthers() throws {
    let folder = try TemporaryFolder()
    let source = VolumeGolden.path("both.nii")
    let path = folder.path + "/map.nii"
    #expect(
      message { try NIfTI.write(volume(affine: turned), to: path, onGridOf: source) }
        == "\(path) cannot be written: its 4×3×2 voxels do not lie on the grid of \(source) (5×4×3 voxels).")
    #expect(
      message { try NIfTI.write(volume(affine: turned), to: path, onGridOf: path) }
        == "\(path) does not exist; check the path.")
    let text = "{'descr': '|u1', 'fortran_order': False, 'shape': (2, 3, 4), }"
    let header = [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(text.utf8.count), 0] + Array(text.utf8)
    let stack = try folder.write("stack.npy", Data(header + (0..<24)))
    try NIfTI.write(VolumeReader.read(stack), to: path, onGridOf: stack)
    #expect(try VolumeReader.read(path).samples == (0..<24).map(Float.init))
  }

  @Test("The same volume gives the same bytes")
  func reproducible() throws {
    let folder = try TemporaryFolder()
    for name in ["a.nii.gz", "b.nii.gz"] { try NIfTI.write(volume(affine: turned), to: folder.path + "/" + name) }
    let files = try ["a.nii.gz", "b.nii.gz"].map { try Data(contentsOf: URL(fileURLWithPath: folder.path + "/" + $0)) }
    #expect(files[0] == files[1])
  }

  @Test("What cannot be written says why and leaves nothing behind")
  func notWritable() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/none/scan.nii.gz"
    #expect(
      message { try NIfTI.write(volume(affine: turned), to: path) }
        == "\(path) cannot be written: No such file or directory.")
    try folder.write("taken/file")
    #expect(
      message { try NIfTI.write(volume(affine: turned), to: folder.path + "/taken") }
        == "\(folder.path)/taken cannot be written: it cannot be put in its place.")
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["taken"])
  }
}
