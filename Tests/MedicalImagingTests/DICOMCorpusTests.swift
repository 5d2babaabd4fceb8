import Foundation
import MedicalImaging
import Testing

/// The files that pydicom carries for its own tests. NORMA_PYTHON names the Python that has pydicom; `python3` is the default.
@Suite("pydicom's corpus")
struct DICOMCorpusTests {
  private struct Entry: Decodable {
    let path: String
    let name: String
    let samples: String?
    let reason: String?
  }

  private static let python = ProcessInfo.processInfo.environment["NORMA_PYTHON"] ?? "python3"
  private static let isInstalled = run(["-c", "import pydicom, numpy, pylibjpeg, openjpeg, libjpeg"])

  private static func run(_ arguments: [String]) -> Bool {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [python] + arguments
    process.standardError = FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    guard (try? process.run()) != nil else { return false }
    process.waitUntilExit()
    return process.terminationStatus == 0
  }

  @Test(
    "Each file is decoded to pydicom's integers, or refused with a reason",
    .enabled(if: isInstalled, "pydicom with pylibjpeg is not installed; NORMA_PYTHON can name a Python that has them"))
  func corpus() throws {
    let folder = try TemporaryFolder()
    let script = Golden.folder.deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("Scripts/golden/dicom_corpus.py")
    try #require(Self.run([script.path, folder.path]))
    let index = URL(fileURLWithPath: folder.path + "/index.json")
    let entries = try JSONDecoder().decode([Entry].self, from: Data(contentsOf: index))
    #expect(entries.count > 150)
    var (same, nearly, alone, refused) = (0, 0, 0, 0)
    for entry in entries {
      let image: DICOMImage
      do throws(ImageError) {
        image = try DICOMImage.read(entry.path)
      } catch {
        refused += 1
        #expect(entry.samples == nil, "\(error)")
        continue
      }
      guard let samples = entry.samples else {
        alone += 1
        continue
      }
      let expected = try Data(contentsOf: URL(fileURLWithPath: samples)).withUnsafeBytes {
        $0.bindMemory(to: Int64.self).map { Int($0) }
      }
      let stored = (0..<image.pixels.frames).flatMap { image.pixels.stored(frame: $0) }
      if stored == expected {
        same += 1
      } else {
        // Decoders of JPEG with 8 or 12 bits round the cosine transform differently.
        nearly += 1
        #expect(stored.count == expected.count, "\(entry.name)")
        let isLossy = ["1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51"].contains(image.header.transferSyntax)
        #expect(isLossy && zip(stored, expected).allSatisfy { abs($0 - $1) <= 1 }, "\(entry.name)")
      }
    }
    print(
      "pydicom's corpus: \(entries.count) files; \(same) decoded to the same integers, \(nearly) of lossy JPEG to within 1, "
        + "\(alone) that pydicom does not decode, \(refused) refused with a reason")
    #expect(same >= 80)
  }
}
