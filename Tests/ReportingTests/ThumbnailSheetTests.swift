import MedicalImaging
import Reporting
import Testing

@Suite("ThumbnailSheet")
struct ThumbnailSheetTests {
  @Test("Pictures stand in the middle of their places, over their own range, a stripe before each row")
  func layout() {
    let stripe = Colour(red: 10, green: 20, blue: 30)
    let grey = Image2D(width: 2, height: 2, samples: [100, 200, 100, 200], range: 100...200)
    let colour = Image2D(
      width: 8, height: 4, channels: 3, samples: (0..<3).flatMap { Array(repeating: Float($0) / 2, count: 32) })
    let sheet = ThumbnailSheet(
      rows: [.init(stripe: stripe, pictures: [grey, colour]), .init(stripe: stripe, pictures: [grey])], cellExtent: 4)
    let picture = sheet.picture
    #expect((picture.width, picture.height, picture.channels) == (10 + 4 + 2 * 8, 2 * 8 + 4, 3))
    func pixel(_ x: Int, _ y: Int) -> [Float] {
      (0..<3).map { picture.samples[($0 * picture.height + y) * picture.width + x] }
    }
    #expect(pixel(0, 4) == [10, 20, 30] && pixel(9, 7) == [10, 20, 30] && pixel(0, 8) == [24, 24, 24])
    #expect(pixel(15, 5) == [0, 0, 0] && pixel(16, 5) == [255, 255, 255] && pixel(14, 4) == [24, 24, 24])
    #expect(pixel(22, 5) == [0, 127.5, 255] && pixel(25, 6) == [0, 127.5, 255])  // reduced to 4 × 2, in the middle
    #expect(pixel(22, 4) == [24, 24, 24] && pixel(15, 13) == [0, 0, 0] && pixel(22, 13) == [24, 24, 24])
  }

  @Test("An empty sheet is a picture still")
  func empty() { #expect(ThumbnailSheet(rows: [], cellExtent: 8).picture.samples.allSatisfy { $0 == 24 }) }
}
