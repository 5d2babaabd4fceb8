import Foundation
import MedicalImaging
import Norma

/// Anomaly maps as files: over their images as PNG, of volumes the maps themselves as NIfTI.
enum MapFiles {
  /// A file name for each image's path: the path below the folder that holds all of them, without its ending unless two
  /// images differ in nothing else.
  static func names(of items: [DataItem]) -> [String: String] {
    let parts = items.map { URL(fileURLWithPath: $0.path).standardizedFileURL.pathComponents }
    var shared = parts.first.map { $0.count - 1 } ?? 0
    for path in parts { shared = min(shared, zip(path.dropLast(), parts[0]).prefix { $0 == $1 }.count) }
    let names = parts.map { $0.dropFirst(shared).joined(separator: "/") }
    let short = names.map { MedicalImage.stem(of: $0) }
    let uses = Dictionary(grouping: short) { $0 }.mapValues(\.count)
    var found: [String: String] = [:]
    for (index, item) in items.enumerated() { found[item.path] = uses[short[index]] == 1 ? short[index] : names[index] }
    return found
  }

  /// Writes every map of a result: the default one as `name.png` over the image, of a volume as `name.nii.gz` with the map's
  /// values in the volume's own order and geometry; others with their own name behind.
  static func write(_ result: AnomalyResult, named name: String, to folder: String, from reading: Scorer.Reading) throws
  {
    let view = try reading.specification.isVolume ? nil : CaseView(of: result, specification: reading.specification)
    for (index, map) in result.maps.enumerated() {
      let file = URL(fileURLWithPath: folder).appendingPathComponent(name + (index == 0 ? "" : "-\(map.name)"))
      try OutputFolder.make(for: file)
      if case .volume(let volume) = map.map.image {
        try NIfTI.write(volume, to: file.path + ".nii.gz", onGridOf: result.item.path)
      } else if let view {
        let range = CasePictures.displayRange(of: map.name, map.map, reading.calibration)
        try PNG.write(view.overlay(map.map, range: range), to: file.path + ".png")
      }
    }
  }
}
