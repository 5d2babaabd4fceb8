import Foundation
import MedicalImaging
import Testing

/// The DICOM files that pydicom and nibabel carry for their own tests, against pydicom, and GDCM where that refuses.
@Suite("Corpora of DICOM files", .enabled(if: ReferencePython.isInstalled, Comment(rawValue: ReferencePython.absence)))
struct DICOMCorpusTests {
  private struct Entry: Decodable {
    let corpus: String
    let path: String
    let name: String
    let samples: String?
    let width: Int?
    let levels: Levels?
  }

  private struct Levels: Decodable {
    let file: String
    let frames: [Int]
    let step: Int
    let windowed: [Bool]
  }

  private struct Counts: CustomStringConvertible {
    var (same, nearly, alone, refused, windowed) = (0, 0, 0, 0, 0)

    var description: String {
      """
      \(same + nearly + alone + refused) files; \(same) decoded to the same integers, \(nearly) of lossy JPEG to within 1, \
      \(alone) that the peers do not decode, \(refused) refused with a reason; of \(windowed) values, windows and palettes are the same
      """
    }
  }

  private static let lossyJPEG = ["1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51"]

  @Test("Each file is decoded to the peers' integers and windowed to their grey levels, or refused with a reason")
  func corpora() throws {
    let folder = try TemporaryFolder()
    try ReferencePython.run(script: "dicom_corpus.py", folder.path)
    let index = URL(fileURLWithPath: folder.path + "/index.json")
    let entries = try JSONDecoder().decode([Entry].self, from: Data(contentsOf: index))
    var counts: [String: Counts] = [:]
    for entry in entries {
      let image: DICOMImage
      do throws(ImageError) {
        image = try DICOMImage.read(entry.path)
      } catch {
        counts[entry.corpus, default: Counts()].refused += 1
        #expect(entry.samples == nil, "\(error)")
        continue
      }
      guard let samples = entry.samples else {
        counts[entry.corpus, default: Counts()].alone += 1
        continue
      }
      let expected = try Data(contentsOf: URL(fileURLWithPath: samples))
      if Self.holds(image.pixels, expected) {
        counts[entry.corpus, default: Counts()].same += 1
        if try compareLevels(of: image, entry) { counts[entry.corpus, default: Counts()].windowed += 1 }
      } else {
        counts[entry.corpus, default: Counts()].nearly += 1
        try compareNearly(image, entry, expected)
      }
    }
    for (corpus, counts) in counts.sorted(by: { $0.key < $1.key }) { print("\(corpus)'s corpus: \(counts)") }
    let all = counts.values
    #expect(entries.count > 230)
    #expect(all.reduce(0) { $0 + $1.same } >= 150 && all.reduce(0) { $0 + $1.windowed } >= 80)
  }

  private static func holds(_ pixels: DICOMPixels, _ expected: Data) -> Bool {
    pixels.withUnsafeBytes { mine in
      mine.count == expected.count
        && expected.withUnsafeBytes { peer in
          guard let first = mine.baseAddress, let other = peer.baseAddress else { return mine.isEmpty }
          return memcmp(first, other, mine.count) == 0
        }
    }
  }

  /// Decoders of JPEG with 8 or 12 bits round the cosine transform differently. Compares a frame of the middle.
  private func compareNearly(_ image: DICOMImage, _ entry: Entry, _ expected: Data) throws {
    #expect(Self.lossyJPEG.contains(image.header.transferSyntax), "\(entry.name)")
    let count = image.pixels.columns * image.pixels.rows * image.pixels.samplesPerPixel
    let frame = image.pixels.frames / 2
    let width = try #require(entry.width)
    try #require(expected.count == image.pixels.frames * count * width, "\(entry.name)")
    let part = Data(expected[frame * count * width..<(frame + 1) * count * width])
    let peers = width == 1 ? part.numbers(UInt8.self).map(Int.init) : part.numbers(Int16.self).map(Int.init)
    let away = zip(image.pixels.stored(frame: frame), peers).reduce(0) { max($0, abs($1.0 - $1.1)) }
    #expect(away <= 1, "\(entry.name)")
  }

  /// Whether there are values and levels to compare.
  private func compareLevels(of image: DICOMImage, _ entry: Entry) throws -> Bool {
    guard let levels = entry.levels else { return false }
    var numbers = try Data(contentsOf: URL(fileURLWithPath: levels.file)).numbers(Double.self)[...]
    for (frame, isWindowed) in zip(levels.frames, levels.windowed) {
      guard !image.isColour else {
        let colours = try image.image(frame: frame).samples
        let count = colours.count / 3
        let chosen = (0..<3).flatMap { channel in
          stride(from: channel * count, to: (channel + 1) * count, by: levels.step)
        }
        let expected = Array(numbers.prefix(chosen.count))
        numbers = numbers.dropFirst(chosen.count)
        let others = zip(chosen, expected).count { Double(colours[$0.0]) != $0.1 }
        #expect(others == 0, "colours of \(entry.name)")
        continue
      }
      let values = image.values(frame: frame)
      let chosen = Array(stride(from: 0, to: values.count, by: levels.step))
      let expected = Array(numbers.prefix(chosen.count))
      numbers = numbers.dropFirst(chosen.count)
      let extent = (expected.max() ?? 0) - (expected.min() ?? 0)
      let away = zip(chosen, expected).reduce(0) { max($0, abs(Double(values[$1.0]) - $1.1)) }
      #expect(away <= 1e-6 * extent, "values of \(entry.name)")
      guard isWindowed else { continue }
      let greys = numbers.prefix(chosen.count)
      numbers = numbers.dropFirst(chosen.count)
      let window = try #require(image.frames[frame].windows.first, "window of \(entry.name)")
      let shown = MedicalImage.image(try image.image(frame: frame)).normalised()
      let isInverted = image.header.photometricInterpretation == "MONOCHROME1"
      let (mine, seen) = zip(chosen, greys).reduce(into: (0.0, 0.0)) { worst, pixel in
        worst.0 = max(worst.0, abs(Double(window(values[pixel.0])) - pixel.1))
        worst.1 = max(worst.1, abs(Double(shown[pixel.0]) - (isInverted ? 1 - pixel.1 : pixel.1)))
      }
      #expect(mine <= 1e-6 && seen <= 1e-6, "window of \(entry.name): \(mine), \(seen)")
    }
    #expect(numbers.isEmpty, "\(entry.name)")
    return true
  }
}
