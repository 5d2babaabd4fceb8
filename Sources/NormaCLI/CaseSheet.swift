import Foundation
import MedicalImaging
import Norma
import Reporting

/// One picture with a row per image: what went in, what the method made of it, and every map.
struct CaseSheet {
  /// Rows that a sheet holds; further images are left out.
  private static let mostRows = 40
  /// The width of three slices side by side.
  private static let slicesExtent = 320
  private var sheet = ContactSheet(columns: [], rows: [], cellExtent: 160)

  /// Adds a row for a result that was explained.
  mutating func add(_ result: AnomalyResult, named name: String, from reading: Scorer.Reading) throws {
    guard sheet.rows.count < Self.mostRows else { return }
    let view = try CaseView(of: result, specification: reading.specification)
    var pictures = CasePictures.unmapped(result, view)
    for map in result.maps {
      let range = CasePictures.displayRange(of: map.name, map.map, reading.calibration)
      pictures.append(.init(caption: map.name, image: try view.overlay(map.map, range: range)))
    }
    sheet.columns = pictures.map(\.caption)
    if reading.specification.isVolume {
      sheet.cellExtent = Self.slicesExtent
      let height = Self.slicesExtent * view.input.height / view.input.width
      sheet.cellHeight = min(max(sheet.cellHeight ?? 0, height), Self.slicesExtent)
    }
    let score = String(format: "%@   score %.2f", name, result.standardised ?? result.score)
    sheet.rows.append(.init(caption: score, pictures: pictures.map(\.image)))
  }

  /// Writes the sheet.
  /// - Throws: `ReportingError`, or what the file system says.
  func write(to file: URL) throws {
    try Data(sheet.svg().utf8).write(to: file, options: .atomic)
  }
}
