import Foundation
import MedicalImaging
import Norma
import Reporting

/// One picture with a row per image: what went in, what the method made of it, and every map.
struct CaseSheet {
  /// Rows that a sheet holds; further images are left out.
  private static let mostRows = 40
  private var sheet = ContactSheet(columns: [], rows: [], cellExtent: 160)

  /// Adds a row for a result that was explained.
  mutating func add(_ result: AnomalyResult, named name: String, calibration: Calibration) throws {
    guard sheet.rows.count < Self.mostRows else { return }
    let image = try ImageReader.read(result.item.path).grey
    var pictures = CasePictures.unmapped(result, input: image)
    for map in result.maps {
      let range = CasePictures.displayRange(of: map.name, map.map, calibration)
      pictures.append(
        .init(
          caption: map.name,
          image: try CasePictures.overlay(map.map, on: image, range: range, item: result.item)))
    }
    sheet.columns = pictures.map(\.caption)
    let score = String(format: "%@   score %.2f", name, result.standardised ?? result.score)
    sheet.rows.append(.init(caption: score, pictures: pictures.map(\.image)))
  }

  /// Writes the sheet.
  /// - Throws: `ReportingError`, or what the file system says.
  func write(to file: URL) throws {
    try Data(sheet.svg().utf8).write(to: file, options: .atomic)
  }
}
