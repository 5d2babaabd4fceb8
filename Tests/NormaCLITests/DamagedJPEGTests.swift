import Foundation
import Testing

// Elsewhere GDCM's libraries find their own functions before the program's, and print what they like.
#if os(Linux)
  @Suite("DICOM files with damaged JPEG frames")
  struct DamagedJPEGTests {
    /// What happens to the data of a scan: they end early, are all zeros or all ones, or name a table that is not there.
    private enum Damage: String, CaseIterable { case cut, zeros, ones, table }

    /// A copy of a file of one component, its last frame damaged.
    private func damaged(_ file: Data, _ damage: Damage) throws -> Data {
      // The header of the scan has ten bytes with its marker; then come the data up to the end of the image.
      let header = try #require(file.range(of: Data([0xFF, 0xDA]), options: .backwards)).lowerBound
      let end = try #require(file.range(of: Data([0xFF, 0xD9]), options: .backwards)).lowerBound
      let places = header + 18..<end
      var bytes = file
      switch damage {
      case .cut: bytes.replaceSubrange(places.prefix(2), with: [0xFF, 0xD9])
      case .zeros: bytes.replaceSubrange(places, with: Data(count: places.count))
      case .ones: bytes.replaceSubrange(places, with: places.map { $0 % 2 == places.lowerBound % 2 ? 0xFF : 0 })
      case .table: bytes[header + 6] = 0x33
      }
      return bytes
    }

    /// A file of 8 bits as one of 12, which takes another process than the baseline's: 4, extended.
    private func extended(_ file: Data) throws -> Data {
      var bytes = file
      // Bits allocated, bits stored and high bit, each "US" of two bytes.
      for (element, value) in [UInt8(0), 1, 2].map({ ($0, [UInt8(16), 12, 11][Int($0)]) }) {
        let header = Data([0x28, 0, element, 1, 0x55, 0x53, 2, 0])
        bytes[try #require(bytes.range(of: header)).upperBound] = value
      }
      let syntax = try #require(bytes.range(of: Data("1.2.840.10008.1.2.4.50".utf8)))
      bytes.replaceSubrange(syntax, with: Data("1.2.840.10008.1.2.4.51".utf8))
      let frame = try #require(bytes.range(of: Data([0xFF, 0xC0]))).lowerBound
      (bytes[frame + 1], bytes[frame + 4]) = (0xC1, 12)
      return bytes
    }

    @Test("What GDCM's three JPEG libraries find wrong is told in our sentences, and they print nothing")
    func quiet() throws {
      let golden = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("MedicalImagingTests/Golden/dicom")
      func file(_ name: String) throws -> Data { try Data(contentsOf: golden.appendingPathComponent(name)) }
      let files = [
        "8": try file("jpeg-8.dcm"), "12": try extended(file("jpeg-8.dcm")),
        "lossless-8": try file("jpeg-lossless-8.dcm"), "lossless-12": try file("jpeg-lossless-12.dcm"),
      ]
      let folder = try TemporaryFolder()
      for (name, whole) in files {
        for damage in Damage.allCases {
          let bytes = try damaged(whole, damage)
          #expect(bytes.count == whole.count && bytes != whole)
          try bytes.write(to: folder.url.appendingPathComponent("\(name)-\(damage).dcm"))
        }
      }
      let run = try Program.run("data", "inspect", folder.url.path, "--show-names", "--quiet")
      #expect(run.status == 65 && run.errors == "")
      for name in files.keys {
        #expect(run.output.contains("/\(name)-ones.dcm is a damaged DICOM file: a compressed frame cannot be decoded."))
        #expect(
          run.output.contains("/\(name)-table.dcm is a damaged DICOM file: a compressed frame cannot be decoded."))
      }
    }
  }
#endif
