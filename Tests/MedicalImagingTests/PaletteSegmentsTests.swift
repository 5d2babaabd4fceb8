import Foundation
import Testing

@testable import MedicalImaging

/// Against the rules of DICOM PS3.3, C.7.9.2, by hand; whole files are compared with pydicom in DICOMCorpusTests.
@Suite("Palettes in segments")
struct PaletteSegmentsTests {
  private func values(_ segments: [UInt16], count: Int, bits: Int = 16) -> [UInt16]? {
    LookupTable(descriptor: [UInt16(count), 0, UInt16(bits)], segments: segments)?.values
  }

  @Test(
    "Lists are taken over, lines go in equal steps to their end, repetitions give the segments at their place again")
  func segments() {
    #expect(values([0, 3, 7, 8, 9], count: 3) == [7, 8, 9])
    #expect(values([0, 1, 10, 1, 4, 20], count: 5) == [10, 12, 15, 18, 20])  // 12.5 and 17.5 to the even neighbour
    #expect(values([0, 1, 20, 1, 2, 0], count: 3) == [20, 10, 0])
    // The list and the line once more: a line begins at the value before it.
    #expect(values([0, 2, 1, 5, 1, 2, 9, 2, 2, 0, 0], count: 8) == [1, 5, 7, 9, 1, 5, 7, 9])
    #expect(values([0, 2, 1, 5, 1, 2, 9, 2, 1, 8, 0], count: 6) == [1, 5, 7, 9, 9, 9])
    #expect(values([0, 3, 7, 8, 9], count: 2) == [7, 8])
  }

  @Test("Entries of eight bits lie two in a word, the lower first")
  func bytes() {
    let bytes: [UInt16] = [0, 2, 1, 5, 1, 2, 9, 2, 2, 0, 0, 0, 0, 0]
    let words = stride(from: 0, to: bytes.count, by: 2).map { bytes[$0] | bytes[$0 + 1] << 8 }
    #expect(values(words, count: 8, bits: 8) == [1, 5, 7, 9, 1, 5, 7, 9])
  }

  @Test(
    "Segments that are none, end early, begin without a value, repeat repetitions or make too few values are refused",
    arguments: [
      [3, 1, 1], [0, 4, 1, 2], [1, 2, 9], [0, 1, 1], [], [0], [0, 1, 1, 2, 1, 6, 0], [0, 1, 1, 2, 1, 0xFFFF, 0xFFFF],
      [0, 0, 1], [0, 1, 4, 1, 0, 5],
    ] as [[UInt16]])
  func damaged(_ segments: [UInt16]) {
    #expect(values(segments, count: 3) == nil)
  }
}
