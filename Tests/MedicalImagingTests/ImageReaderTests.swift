import Foundation
import MedicalImaging
import Testing

@Suite("ImageReader")
struct ImageReaderTests {
  @Test("There are golden files of every format")
  func formats() {
    for ending in [".png", ".jpg", ".tif"] { #expect(Golden.readable.count { $0.hasSuffix(ending) } >= 14) }
  }

  @Test("Each kind of file has the samples that were written, or that Pillow finds", arguments: Golden.readable)
  func samples(_ name: String) throws {
    let expected = try #require(try Golden.load().images[name])
    let image = try ImageReader.read(Golden.image(name))
    #expect(image.width == expected.width)
    #expect(image.height == expected.height)
    #expect(image.channels == expected.channels)
    #expect(image.range == expected.minimum...expected.maximum)
    #expect(image.provenance.bitsPerSample == expected.bits)
    #expect(image.provenance.path == Golden.image(name))
    #expect(image.spacing == nil)
    // JPEG decoders may round differently; everything else is exact.
    let tolerance: Float = image.provenance.format == "JPEG" || name == "colour-jpeg.tif" ? 1 : 0
    let differences = zip(image.samples, expected.samples).map { abs($0 - $1) }
    #expect(differences.count == expected.samples.count)
    #expect((differences.max() ?? .infinity) <= tolerance)
  }

  @Test("The content tells the format, not the name")
  func misleadingExtension() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write("picture.tif", Data(contentsOf: URL(fileURLWithPath: Golden.image("grey8.png"))))
    #expect(try ImageReader.read(path).provenance.format == "PNG")
  }

  @Test("A file that ends early is damaged wherever it ends", arguments: Golden.readable)
  func truncated(_ name: String) throws {
    let whole = try Data(contentsOf: URL(fileURLWithPath: Golden.image(name)))
    for length in stride(from: 16, to: whole.count - 1, by: max(1, whole.count / 23)) {
      do {
        let image = try ImageReader.decode(whole.prefix(length), path: "scan")
        // TIFF may keep tags behind the pixels, so that nothing but padding is lost; then the image must be whole.
        #expect(try name.hasSuffix(".tif") && image.samples == ImageReader.read(Golden.image(name)).samples)
      } catch ImageError.corrupt(let path, _, let reason) {
        #expect(path == "scan" && !reason.isEmpty)
      }
    }
  }

  @Test("Damaged bytes never crash the reader", arguments: Golden.readable)
  func damaged(_ name: String) throws {
    let whole = try Data(contentsOf: URL(fileURLWithPath: Golden.image(name)))
    var generator = SeededGenerator(seed: 5)
    for _ in 0..<40 {
      var bytes = whole
      for _ in 0..<3 { bytes[generator.index(below: bytes.count)] = UInt8(truncatingIfNeeded: generator.next()) }
      _ = try? ImageReader.decode(bytes, path: "scan")
    }
  }

  @Test("A flipped bit in PNG pixels is found by a checksum")
  func checksum() throws {
    var bytes = try Data(contentsOf: URL(fileURLWithPath: Golden.image("grey8.png")))
    bytes[60] ^= 1
    let sentence = try #require(message { try ImageReader.decode(bytes, path: "scan") })
    #expect(sentence.hasPrefix("scan is a damaged PNG file: IDAT: "))
  }

  @Test(
    "Each refusal is one sentence",
    arguments: [
      ("animation.png", "PNG that is not supported: it is an animation of 3 frames; give one image per file."),
      ("pages.tif", "TIFF that is not supported: it has 3 pages; give one image per file."),
      ("cmyk.tif", "TIFF that is not supported: its colour space (CMYK) is not read; store it as grey or RGB."),
      (
        "signed.tif",
        "TIFF that is not supported: its 16-bit signed samples are not read; store it as 8 or 16 bit unsigned, or grey "
          + "as 32-bit floating point."
      ),
      (
        "double.tif",
        "TIFF that is not supported: its 64-bit floating-point samples are not read; store it as 8 or 16 bit unsigned, "
          + "or grey as 32-bit floating point."
      ),
      ("not-finite.tif", "TIFF that is not supported: it holds samples that are not finite numbers."),
    ])
  func refusals(_ name: String, _ sentence: String) throws {
    let path = Golden.image(name)
    #expect(message { try ImageReader.read(path) } == "\(path) is a kind of \(sentence)")
  }

  @Test("Paths that lead to no image say so")
  func paths() throws {
    let folder = try TemporaryFolder()
    let text = try folder.write("notes.png", Data("patient walks".utf8))
    let empty = try folder.write("empty.jpeg")
    let missing = folder.path + "/none.png"
    #expect(message { try ImageReader.read(missing) } == "\(missing) does not exist; check the path.")
    #expect(message { try ImageReader.read(folder.path) } == "\(folder.path) is a folder; name an image file in it.")
    for path in [text, empty] {
      #expect(
        message { try ImageReader.read(path) }
          == "\(path) is not an image in a format that is read (PNG, JPEG, TIFF, DICOM, NumPy).")
    }
  }

  @Test("A file without read permission says so", .enabled(if: geteuid() != 0, "the superuser may read everything"))
  func permission() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write("secret.png", Data([1]))
    try FileManager.default.setAttributes([.posixPermissions: 0], ofItemAtPath: path)
    #expect(message { try ImageReader.read(path) } == "\(path) cannot be read: permission denied.")
  }

  @Test("A TIFF file without a directory holds no image")
  func noDirectory() {
    let header = Data([0x49, 0x49, 42, 0, 0, 0, 0, 0])
    #expect(
      message { try ImageReader.decode(header, path: "scan") } == "scan is a damaged TIFF file: it holds no image.")
  }

  @Test("Sizes beyond the limits, or beyond what the file can hold, are refused before memory is taken")
  func sizes() throws {
    let whole = try Data(contentsOf: URL(fileURLWithPath: Golden.image("grey8.png")))
    func declaring(width: UInt32, height: UInt32) -> Data {
      var header = Data("IHDR".utf8)
      for extent in [width, height] { header.append(contentsOf: (0..<4).map { UInt8(extent >> (24 - 8 * $0) & 255) }) }
      header.append(whole[24..<29])
      let checksum = crc32(header)
      header.append(contentsOf: (0..<4).map { UInt8(checksum >> (24 - 8 * $0) & 255) })
      return whole[..<12] + header + whole[33...]
    }
    #expect(
      message { try ImageReader.decode(declaring(width: 70000, height: 3), path: "wide.png") }
        == "wide.png is too large (70000 x 3 pixels); at most 65535 pixels a side and 268435456 samples are read.")
    #expect(
      message { try ImageReader.decode(declaring(width: 60000, height: 60000), path: "large.png") }
        == "large.png is too large (60000 x 60000 pixels); at most 65535 pixels a side and 268435456 samples are read.")
    #expect(
      message { try ImageReader.decode(declaring(width: 16000, height: 16000), path: "bomb.png") }
        == "bomb.png is a damaged PNG file: it declares 16000 x 16000 pixels, more than its \(whole.count) bytes can "
        + "hold.")
  }
}

/// The sentence of the error that `action` throws; nil when it throws none.
func message(_ action: () throws -> some Any) -> String? {
  do {
    _ = try action()
    return nil
  } catch {
    return "\(error)"
  }
}

/// The checksum of PNG chunks (ISO 3309), bit by bit.
private func crc32(_ bytes: Data) -> UInt32 {
  ~bytes.reduce(UInt32.max) { checksum, byte in
    (0..<8).reduce(checksum ^ UInt32(byte)) { rest, _ in rest & 1 == 1 ? rest >> 1 ^ 0xEDB8_8320 : rest >> 1 }
  }
}
