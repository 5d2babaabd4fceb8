import MedicalImaging
import Testing

@Suite("Image2D, grey and normalised")
struct GreyTests {
  @Test("Three equal channels give exactly that channel")
  func equalChannels() {
    let channel: [Float] = [0.1, 77, 254.9]
    let colour = Image2D(width: 3, height: 1, channels: 3, samples: channel + channel + channel, range: 0...255)
    #expect(colour.grey.samples == channel)
    #expect(colour.grey.channels == 1)
    #expect(colour.grey.grey == colour.grey)
  }

  @Test("Colours give the luma of Rec. 601, which Pillow rounds")
  func luma() throws {
    let colour = try ImageReader.read(Golden.image("rgb8.png"))
    let expected = try Golden.load().luma
    #expect(colour.grey.samples.count == expected.count)
    for (ours, pillows) in zip(colour.grey.samples, expected) { #expect(abs(ours - pillows) <= 0.501) }
    let red = Image2D(width: 1, height: 1, channels: 3, samples: [100, 0, 0], range: 0...255)
    #expect(abs(red.grey.samples[0] - 29.9) < 1e-4)
    #expect(colour.grey.range == colour.range)
    #expect(colour.grey.provenance == colour.provenance)
  }

  @Test("The range becomes 0...1")
  func normalised() {
    let image = Image2D(width: 3, height: 1, samples: [-2, 0, 6], range: -2...6)
    #expect(image.normalised.samples == [0, 0.25, 1])
    #expect(image.normalised.range == 0...1)
    #expect(Image2D(width: 1, height: 1, samples: [5], range: 5...5).normalised.samples == [0])
  }

  @Test("A mask marks what is brighter than the middle of its range, whatever the range")
  func mask() {
    let grey = Image2D(width: 4, height: 1, samples: [0, 127, 128, 255], range: 0...255)
    #expect(grey.markedPixels == [false, false, true, true])
    let shifted = Image2D(width: 3, height: 1, samples: [10, 15, 20], range: 10...20)
    #expect(shifted.markedPixels == [false, false, true])
    let colour = Image2D(width: 2, height: 1, channels: 3, samples: [0, 255, 0, 255, 0, 255], range: 0...255)
    #expect(colour.markedPixels == [false, true])
  }
}
