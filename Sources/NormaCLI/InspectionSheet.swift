import Foundation
import MedicalImaging
import Reporting

/// Small pictures of a data set: a row per split and label, images spread evenly over each.
struct InspectionSheet {
  /// Pictures in a row.
  private static let mostPictures = 12
  private static let normal = Colour(red: 42, green: 120, blue: 214)
  private static let abnormal = Colour(red: 235, green: 104, blue: 52)
  private static let unknown = Colour(red: 128, green: 128, blue: 128)

  private let rows: [(name: String, row: ThumbnailSheet.Row)]

  /// Reads the images that are shown; those that cannot be read are left out.
  init(of inspection: DataInspection) {
    let read = zip(inspection.set.items, inspection.facts).filter { (try? $0.1.get()) != nil }.map(\.0)
    rows = inspection.groups.compactMap { group in
      let items = read.filter { $0.split == group.split && $0.label == group.label }
      let count = min(items.count, Self.mostPictures)
      let pictures = (0..<count).compactMap { Self.picture(of: items[$0 * items.count / count]) }
      guard !pictures.isEmpty else { return nil }
      let stripe =
        switch group.label {
        case .normal: Self.normal
        case .abnormal: Self.abnormal
        case nil: Self.unknown
        }
      return (InspectionReport.name(of: group), ThumbnailSheet.Row(stripe: stripe, pictures: pictures))
    }
  }

  /// Writes the sheet.
  /// - Returns: what the rows show, from top to bottom.
  func write(to file: URL) throws -> [String] {
    try PNG.write(ThumbnailSheet(rows: rows.map(\.row)).picture, to: file.path)
    return rows.map(\.name)
  }

  /// An image as it is; of a volume three slices through its middle.
  private static func picture(of item: DataItem) -> Image2D? {
    if let image = try? ImageReader.read(item.path) { return image }
    guard let volume = try? VolumeReader.read(item.path) else { return nil }
    let middle = SIMD3(volume.width / 2, volume.height / 2, volume.depth / 2)
    return OrthogonalView(of: volume.grid, through: middle).picture(of: volume.samples, window: volume.range)
  }
}
