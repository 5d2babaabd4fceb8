import Foundation
import MedicalImaging
import Testing

@Suite("PNG")
struct PNGTests {
  private func image(_ samples: [Float], channels: Int = 1, range: ClosedRange<Float>) -> Image2D {
    Image2D(
      width: samples.count / channels, height: 1, channels: channels, samples: samples, range: range)
  }

  @Test("What was read is written unchanged at its own depth", arguments: Golden.readable)
  func roundTrip(_ name: String) throws {
    let read = try ImageReader.read(Golden.image(name))
    let bits = try #require(read.provenance.bitsPerSample)
    guard bits <= 16 else { return }
    let again = try ImageReader.decode(PNG.encode(read, bitsPerSample: bits == 16 ? 16 : 8), path: "again")
    #expect(again.samples == read.samples)
    #expect(again.channels == read.channels)
    #expect(again.range == read.range)
  }

  @Test("The range is spread over the full depth, rounded and limited")
  func scaling() throws {
    let signal = image([-1, -0.5, 0, 0.25, 1, 7, -9, .nan], range: -1...1)
    let eight = try ImageReader.decode(PNG.encode(signal), path: "eight")
    #expect(eight.samples == [0, 64, 128, 159, 255, 255, 0, 0])  // 63.75, 127.5, 159.375
    let sixteen = try ImageReader.decode(PNG.encode(signal, bitsPerSample: 16), path: "sixteen")
    #expect(sixteen.samples == [0, 16384, 32768, 40959, 65535, 65535, 0, 0])  // 16383.75, 32767.5, 40959.375
    #expect(try ImageReader.decode(PNG.encode(image([3, 3], range: 3...3)), path: "flat").samples == [0, 0])
  }

  @Test("A written file opens, and leaves no temporary file")
  func file() throws {
    let folder = try TemporaryFolder()
    let colour = image([1, 2, 3, 4, 5, 6], channels: 3, range: 0...255)
    try PNG.write(colour, to: folder.path + "/colour.png")
    try PNG.write(colour, to: folder.path + "/colour.png")
    #expect(try ImageReader.read(folder.path + "/colour.png").samples == colour.samples)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["colour.png"])
    let nowhere = folder.path + "/none/colour.png"
    #expect(message { try PNG.write(colour, to: nowhere) } == "\(nowhere) cannot be written: no such file or folder.")
  }

  @Test("What PNG cannot hold is refused")
  func refusals() {
    let grey = image([1], range: 0...1)
    #expect(
      message { try PNG.encode(grey, bitsPerSample: 12) }
        == "The image cannot be written as PNG: 12 bits per sample were asked for; 8 and 16 are possible.")
    #expect(
      message { try PNG.encode(image([1, 2], channels: 2, range: 0...1)) }
        == "The image cannot be written as PNG: it has 2 channels; 1 and 3 are possible.")
    #expect(
      message { try PNG.encode(image([Float](repeating: 0, count: 65536), range: 0...1)) }
        == "The image cannot be written as PNG: 65536 x 1 pixels are more than 65535 a side or 268435456 samples.")
  }
}
