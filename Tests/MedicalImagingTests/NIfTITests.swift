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
    let long = Volume3D(width: 40_000, height: 1, depth: 1, samples: [Float](repeating: 0, count: 40_000))
    let other = folder.path + "/scan.nii.gz"
    #expect(
      message { try NIfTI.write(long, to: other) }
        == "\(other) cannot be written: NIfTI-1 holds at most 32767 voxels a side.")
    try folder.write("taken/file")
    #expect(
      message { try NIfTI.write(volume(affine: turned), to: folder.path + "/taken") }
        == "\(folder.path)/taken cannot be written: it cannot be put in its place.")
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["taken"])
  }
}
