import Foundation
import MedicalImaging
import Testing

@Suite("DICOM images")
struct DICOMImageTests {
  @Test("There are golden files of every kind of pixel")
  func kinds() {
    #expect(DICOMGolden.readable().count == 57)
  }

  @Test("Each kind of file stores the integers that pydicom finds", arguments: DICOMGolden.readable())
  func stored(_ name: String) throws {
    let expected = try #require(try DICOMGolden.load()[name])
    let image = try DICOMImage.read(DICOMGolden.path(name))
    let pixels = image.pixels
    #expect(pixels.columns == expected.columns && pixels.rows == expected.rows && pixels.frames == expected.frames)
    #expect(pixels.samplesPerPixel == expected.samples && pixels.bitsStored == expected.bits)
    #expect(pixels.isSigned == expected.signed && image.header.transferSyntax == expected.syntax)
    #expect((0..<pixels.frames).flatMap { pixels.stored(frame: $0) } == expected.stored)
    #expect(image.frames.count == expected.frames)
  }

  @Test(
    "Rescaling, modality tables and windows give the standard's values",
    arguments: DICOMGolden.readable { $0.levels != nil })
  func transformed(_ name: String) throws {
    let expected = try #require(try DICOMGolden.load()[name])
    let image = try DICOMImage.read(DICOMGolden.path(name))
    let (values, windows) = (image.values(), image.frames[0].windows)
    #expect(values == expected.values)
    let levels = try #require(expected.levels)
    #expect(windows.count == levels.count)
    for (window, levels) in zip(windows, levels) {
      let differences = zip(values, levels).map { abs(window($0) - $1) }
      #expect((differences.max() ?? 1) < 1e-6)
    }
    // Normalised by its range, the image is what its first window shows.
    let shown = try MedicalImage.image(image.image()).normalised()
    #expect((zip(shown, levels[0]).map { abs($0 - $1) }.max() ?? 1) < 2e-6)
  }

  @Test("Windows keep their names and kinds")
  func windows() throws {
    func windows(_ name: String) throws -> [DICOMWindow] {
      try DICOMImage.read(DICOMGolden.path("\(name).dcm")).frames[0].windows
    }
    #expect(
      try windows("window-linear") == [
        DICOMWindow(.linear(center: 40, width: 400), name: "SOFT"),
        DICOMWindow(.linear(center: 600, width: 2800), name: "BONE"),
        DICOMWindow(.linear(center: -400.5, width: 1500.25), name: "LUNG"),
      ])
    #expect(try windows("window-sigmoid")[1] == DICOMWindow(.sigmoid(center: 600, width: 2800), name: "BONE"))
    #expect(try windows("tables").map(\.name) == ["FIRST", nil])
    #expect(try windows("uint8").isEmpty)
    #expect(DICOMWindow(.linear(center: 40, width: 400)).range == -160...239)
    #expect(DICOMWindow(.linearExact(center: 40, width: 400)).range == -160...240)
    #expect(DICOMWindow(.sigmoid(center: 40, width: 400)).range == nil)
    let threshold = DICOMWindow(.linear(center: 10, width: 1))
    #expect(threshold(9) == 0 && threshold(9.5) == 0 && threshold(10) == 1)
  }

  @Test(
    "Colours become the red, green and blue that pydicom finds", arguments: DICOMGolden.readable { $0.colours != nil })
  func colours(_ name: String) throws {
    let expected = try #require(try DICOMGolden.load()[name]?.colours)
    let image = try ImageReader.read(DICOMGolden.path(name))
    #expect(image.channels == 3)
    #expect(image.range == 0...(name.contains("16") ? 65535 : 255))
    // Chroma is turned into colours in whole numbers, which pydicom rounds from coefficients of its own.
    let tolerance: Float = name.contains("ybr") || name == "jpeg-rgb.dcm" ? 1 : 0
    #expect((zip(image.samples, expected).map { abs($0 - $1) }.max() ?? 256) <= tolerance)
    #expect(image.samples.count == expected.count)
  }

  @Test("MONOCHROME1 is turned around within its window, so that bright is large")
  func inverted() throws {
    let path = DICOMGolden.path("monochrome1.dcm")
    let image = try ImageReader.read(path)
    let stored = try DICOMImage.read(path).pixels.stored(frame: 0)
    #expect(image.range == 200...799)
    #expect(image.samples == stored.map { 999 - Float($0) })
    #expect(image.provenance == Provenance(path: path, format: "DICOM", bitsPerSample: 10))
  }

  @Test("Without a window the range is the format's up to 8 bits, and what the values span beyond")
  func ranges() throws {
    #expect(try ImageReader.read(DICOMGolden.path("uint8.dcm")).range == 0...255)
    #expect(try ImageReader.read(DICOMGolden.path("int12.dcm")).range == -2048...2047)
    #expect(try ImageReader.read(DICOMGolden.path("uint12.dcm")).range == 0...4095)
  }

  @Test("The header tells what lies where, and keeps the patient apart")
  func header() throws {
    var writer = DICOMWriter.slice([1, 2, 3, 4, 5, 6], columns: 3, position: [1.5, -2, 30])
    writer.set(0x0008_0016, "UI", "1.2.840.10008.5.1.4.1.1.2")
    writer.set(0x0008_0018, "UI", "1.2.3.4")
    writer.set(0x0010_0020, "LO", "patient 9")
    writer.set(0x0018_0050, [2.5])
    writer.set(0x0020_000D, "UI", "1.2")
    writer.set(0x0020_0013, "IS", "17")
    writer.set(0x0020_0052, "UI", "1.2.9")
    let image = try DICOMImage.decode(writer.file, path: "scan")
    let header = image.header
    #expect(header.sopClass == "1.2.840.10008.5.1.4.1.1.2" && header.sopInstance == "1.2.3.4")
    #expect(header.study == "1.2" && header.series == "1.2.3" && header.frameOfReference == "1.2.9")
    #expect(header.modality == "CT" && header.photometricInterpretation == "MONOCHROME2")
    #expect(header.instanceNumber == 17 && header.sliceThickness == 2.5 && header.spacingBetweenSlices == nil)
    #expect(header.pixelSpacing == PixelSpacing(row: 0.75, column: 0.5) && header.imagerPixelSpacing == nil)
    #expect(image.patientIdentifier == "patient 9" && !"\(header)".contains("patient 9"))
    #expect(image.frames[0].place?.position == SIMD3(1.5, -2, 30))
    #expect(try image.image().spacing == PixelSpacing(row: 0.75, column: 0.5))
  }

  @Test("Tags that are missing or odd do no harm where they are not needed")
  func odd() throws {
    var writer = DICOMWriter.slice([1, 2, 3, 4, 5, 6], columns: 3, position: nil)
    for tag in [0x0028_0002, 0x0028_0004, 0x0028_0101, 0x0028_0102, 0x0028_0103, 0x0028_0030] {
      writer.elements[UInt32(tag)] = nil
    }
    writer.set(0x0018_0050, "DS", "thick")
    writer.set(0x0028_1050, "DS", "40")  // a centre without a width
    writer.elements[0x0009_0010] = ("ZZ", Data("odd".utf8 + [0]))
    let image = try DICOMImage.decode(writer.file, path: "scan")
    #expect(image.pixels.stored(frame: 0) == [1, 2, 3, 4, 5, 6] && image.header.sliceThickness == nil)
    #expect(image.frames[0].place == nil && image.frames[0].windows.isEmpty && image.header.pixelSpacing == nil)
    writer.elements[0x0028_0010] = nil
    #expect(
      message { try DICOMImage.decode(writer.file, path: "scan") }
        == "scan is a damaged DICOM file: it does not tell its number of rows.")
  }

  @Test("A file is DICOM by its content, whatever its name")
  func names() throws {
    let folder = try TemporaryFolder()
    let file = try Data(contentsOf: URL(fileURLWithPath: DICOMGolden.path("uint8.dcm")))
    let path = try folder.write("1.2.840.113", file)
    #expect(try ImageReader.read(path).samples == ImageReader.read(DICOMGolden.path("uint8.dcm")).samples)
    try folder.write("notes")
    #expect(try ImageDataSet.files(at: [folder.path]).items.map(\.path) == [path])
  }

  @Test("A file that ends early is refused wherever it ends", arguments: DICOMGolden.readable())
  func truncated(_ name: String) throws {
    let whole = try Data(contentsOf: URL(fileURLWithPath: DICOMGolden.path(name)))
    for length in Set(stride(from: 16, to: whole.count, by: 37)).union([whole.count - 2, whole.count - 9]).sorted() {
      #expect(throws: ImageError.self, "\(length) bytes") {
        try DICOMImage.decode(whole.prefix(length), path: name)
      }
    }
  }

  @Test("Damaged bytes never crash the reader", arguments: DICOMGolden.readable())
  func damaged(_ name: String) throws {
    let whole = try Data(contentsOf: URL(fileURLWithPath: DICOMGolden.path(name)))
    var generator = SeededGenerator(seed: 13)
    for _ in 0..<60 {
      var bytes = whole
      for _ in 0..<3 {
        bytes[generator.index(below: bytes.count)] = UInt8(truncatingIfNeeded: generator.next())
      }
      _ = try? DICOMImage.decode(bytes, path: name)
    }
  }

  @Test(
    "Each refusal is one sentence",
    arguments: [
      (
        "mpeg",
        "a kind of DICOM that is not supported: its pixels are compressed as MPEG2 Main Level (transfer syntax "
          + "1.2.840.10008.1.2.4.100); convert it to one that is not compressed."
      ),
      (
        "size",
        "a damaged DICOM file: a compressed frame has 16 x 16 pixels of 1 samples where the header declares 16 x 32 of 1."
      ),
      ("empty", "a kind of DICOM that is not supported: it holds no pixels."),
      ("double", "a kind of DICOM that is not supported: its pixels are floating-point numbers of double precision."),
      ("short", "a damaged DICOM file: its pixel data end early: 114 of 120 bytes."),
      ("four", "a kind of DICOM that is not supported: it has 4 samples per pixel."),
      ("frames", "a kind of DICOM that is not supported: it holds 2 frames; store one image per file."),
    ])
  func refusals(_ name: String, _ sentence: String) {
    let path = DICOMGolden.path("refused-\(name).dcm")
    #expect(message { try ImageReader.read(path) } == "\(path) is \(sentence)")
  }

  @Test("Floating-point pixels are read as they are; what is not finite, or no grey of 32 bits, is refused")
  func reals() throws {
    func file(_ samples: [Float], bits: Int = 32, photometric: String = "MONOCHROME2") -> Data {
      var writer = DICOMWriter.slice([0, 0, 0, 0], columns: 2, position: nil)
      writer.elements[0x7FE0_0010] = nil
      writer.set(0x0028_0100, word: bits)
      writer.elements[0x0028_0101] = nil
      writer.set(0x0028_0004, "CS", photometric)
      writer.elements[0x7FE0_0008] = ("OW", samples.withUnsafeBytes { Data($0) })
      return writer.file
    }
    let samples: [Float] = [-1.5, 1e-30, 3e38, 0.1]
    let image = try DICOMImage.decode(file(samples), path: "map")
    #expect(image.values() == samples && image.pixels.reals(frame: 0) == samples)
    #expect(try image.image().range == -1.5...3e38)
    #expect(image.pixels.stored(frame: 0) == [-2, 0, 1 << 53, 0])
    for (bytes, reason) in [
      (file([1, .nan, 2, 3]), "it holds numbers that are not finite"),
      (file([1, 2, -.infinity, 3]), "it holds numbers that are not finite"),
      (file(samples, bits: 16), "its pixels are floating-point numbers, but not grey ones of 32 bits"),
      (
        file(samples, photometric: "PALETTE COLOR"),
        "its pixels are floating-point numbers, but not grey ones of 32 bits"
      ),
    ] {
      #expect(
        message { try DICOMImage.decode(bytes, path: "map") }
          == "map is a kind of DICOM that is not supported: \(reason).")
    }
    #expect(
      message { try DICOMImage.decode(file([1, 2]), path: "map") }
        == "map is a damaged DICOM file: its pixel data end early: 8 of 16 bytes.")
  }

  @Test("Sizes beyond the limits, or beyond what the file can hold, are refused before memory is taken")
  func sizes() throws {
    var writer = DICOMWriter.slice([1, 2, 3, 4, 5, 6], columns: 3, position: nil)
    writer.set(0x0028_0008, "IS", "2000000000")
    #expect(
      message { try DICOMImage.decode(writer.file, path: "scan") }
        == "scan is too large (2000000000 frames of 3 x 2 pixels); at most 65535 pixels a side and 268435456 samples are read."
    )
    writer.set(0x0028_0008, "IS", "40000000")
    #expect(
      message { try DICOMImage.decode(writer.file, path: "scan") }
        == "scan is a damaged DICOM file: its pixel data end early: 12 of 480000000 bytes.")
  }
}
