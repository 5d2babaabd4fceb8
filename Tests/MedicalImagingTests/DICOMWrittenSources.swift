import Foundation

@testable import MedicalImaging

/// DICOM images, put together for tests, that results are written for.
enum DICOMWrittenSources {
  static let columns = 5, rows = 4, slices = 3
  static let study = "1.2.840.99999.1.7", series = "1.2.840.99999.1.7.3", frame = "1.2.840.99999.1.7.9"
  static let oblique = [0.8, 0.6, 0, -0.36, 0.48, 0.8]
  static let normal = SIMD3(0.48, -0.64, 0.6)

  /// Elements of patient, study and series.
  static func identified(_ writer: DICOMWriter, object: Int, sopClass: String) -> DICOMWriter {
    var writer = writer
    let texts: [(UInt32, String, String)] = [
      (0x0008_0005, "CS", "ISO_IR 192"), (0x0008_0016, "UI", sopClass), (0x0008_0018, "UI", "\(series).\(object)"),
      (0x0008_0020, "DA", "20250131"), (0x0008_0030, "TM", "235959.5"), (0x0008_0050, "SH", "A-17"),
      (0x0008_0090, "PN", "Referrer^Ann"), (0x0008_1030, "LO", "Thorax nativ"), (0x0010_0010, "PN", "Müller^Jörg=山田"),
      (0x0010_0020, "LO", "case 7"), (0x0010_0030, "DA", "19500229"), (0x0010_0040, "CS", "M"),
      (0x0010_1010, "AS", "074Y"), (0x0020_000D, "UI", study), (0x0020_000E, "UI", series),
      (0x0020_0010, "SH", "S1"), (0x0020_0011, "IS", "4"), (0x0020_0052, "UI", frame),
    ]
    for (tag, type, text) in texts { writer.set(tag, type, text) }
    return writer
  }

  static func place(_ slice: Int) -> SIMD3<Double> { SIMD3(-20.125, 35.5, 12) + normal * 2.5 * Double(slice) }

  /// Slices 2.5 mm apart along an oblique normal.
  static func slices(_ numbers: [Int], modality: String = "CT") -> [DICOMWriter] {
    let sopClass = modality == "PT" ? "1.2.840.10008.5.1.4.1.1.128" : "1.2.840.10008.5.1.4.1.1.2"
    return numbers.map { number in
      let (samples, place) = ((0..<columns * rows).map { 100 * number + $0 }, place(number))
      var writer = DICOMWriter.slice(
        samples, columns: columns, position: [place.x, place.y, place.z], orientation: oblique, modality: modality)
      writer.set(0x0018_0050, [2.5])
      if modality == "PT" {  // grams per millilitre are standard uptake values
        writer.set(0x0054_1001, "CS", "GML")
      }
      return identified(writer, object: number + 1, sopClass: sopClass)
    }
  }

  /// A radiograph: no place in the patient.
  static func radiograph(_ change: (inout DICOMWriter) -> Void = { _ in }) -> DICOMWriter {
    var writer = DICOMWriter.slice(
      (0..<columns * rows).map { 3 * $0 }, columns: columns, position: nil, spacing: [0.2, 0.2], modality: "DX")
    writer.elements[0x0020_0037] = nil
    writer.set(0x0020_0020, "CS", "L\\F")
    writer = identified(writer, object: 1, sopClass: "1.2.840.10008.5.1.4.1.1.1.1")
    writer.elements[0x0020_0052] = nil
    change(&writer)
    return writer
  }

  /// A file of three frames that do not lie in its order: 2, 0, 1.
  static func enhanced() -> DICOMWriter {
    var writer = slices([0])[0]
    for tag in [0x0020_0032, 0x0020_0037, 0x0028_0030] as [UInt32] { writer.elements[tag] = nil }
    func item(_ fill: (inout DICOMWriter) -> Void) -> [DICOMWriter] {
      var item = DICOMWriter()
      fill(&item)
      return [item]
    }
    writer.set(0x0008_0016, "UI", "1.2.840.10008.5.1.4.1.1.2.1")
    writer.set(0x0028_0008, "IS", "3")
    writer.set(
      0x5200_9229,
      items: item { shared in
        shared.set(0x0028_9110, items: item { $0.set(0x0028_0030, [0.75, 0.5]) })
        shared.set(0x0020_9116, items: item { $0.set(0x0020_0037, oblique) })
      })
    writer.set(
      0x5200_9230,
      items: [2, 0, 1].flatMap { number in
        item { group in
          let place = place(number)
          group.set(0x0020_9113, items: item { $0.set(0x0020_0032, [place.x, place.y, place.z]) })
        }
      })
    let samples = [2, 0, 1].flatMap { number in (0..<columns * rows).map { 100 * number + $0 } }
    writer.elements[0x7FE0_0010] = ("OW", samples.reduce(into: Data()) { $0 += DICOMWriter.bytes($1, 2) })
    return writer
  }

  static let equipment = DICOMArchiveWriter.Equipment(
    model: "Norma test", serialNumber: "0123abcd", version: "0.0.1", note: "Research only.")

  /// A map of numbers that no half precision holds.
  static func map(on grid: ImageGrid) -> MedicalImage {
    MedicalImage((0..<grid.count).map { Float($0 * 7 % 31) / 3 - 1.7 }, on: grid, range: 0...1)
  }

  /// A picture that is different in every channel, pixel and slice.
  static func picture(_ slice: Int) -> Image2D {
    Image2D(
      width: columns, height: rows, channels: 3,
      samples: (0..<3 * columns * rows).map { Float(($0 * 5 + slice * 11) % 256) }, range: 0...255)
  }
}

/// Programs that tests can do without.
enum Programs {
  /// What a program says, on both channels, and how it ends; nil where it is not installed.
  static func run(_ arguments: [String]) -> (status: Int32, text: String)? {
    let (process, pipe) = (Process(), Pipe())
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = arguments
    (process.standardOutput, process.standardError) = (pipe, pipe)
    process.standardInput = FileHandle.nullDevice
    guard (try? process.run()) != nil else { return nil }
    let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return process.terminationStatus == 127 ? nil : (process.terminationStatus, text)
  }
}
