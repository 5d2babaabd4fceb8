import Foundation
import MedicalImaging
import Norma

/// Anomaly maps over their images, as PNG files.
enum MapFiles {
  /// A file name for each image's path: the path below the folder that holds all of them, without its ending unless two
  /// images differ in nothing else.
  static func names(of items: [DataItem]) -> [String: String] {
    let parts = items.map { URL(fileURLWithPath: $0.path).standardizedFileURL.pathComponents }
    var shared = parts.first.map { $0.count - 1 } ?? 0
    for path in parts { shared = min(shared, zip(path.dropLast(), parts[0]).prefix { $0 == $1 }.count) }
    let names = parts.map { $0.dropFirst(shared).joined(separator: "/") }
    let short = names.map { ($0 as NSString).deletingPathExtension }
    let uses = Dictionary(grouping: short) { $0 }.mapValues(\.count)
    var found: [String: String] = [:]
    for (index, item) in items.enumerated() { found[item.path] = uses[short[index]] == 1 ? short[index] : names[index] }
    return found
  }

  /// Writes every map of a result over its image: the default one as `name.png`, others with their own name behind.
  static func write(_ result: AnomalyResult, named name: String, to folder: String, calibration: Calibration) throws {
    let image = try ImageReader.read(result.item.path).grey
    for (index, map) in result.maps.enumerated() {
      let shown = CasePictures.displayRange(of: map.name, map.map, calibration)
      let overlay = try CasePictures.overlay(map.map, on: image, range: shown, item: result.item)
      let file = URL(fileURLWithPath: folder).appendingPathComponent(name + (index == 0 ? "" : "-\(map.name)") + ".png")
      try OutputFolder.make(for: file)
      try PNG.write(overlay, to: file.path)
    }
  }
}
