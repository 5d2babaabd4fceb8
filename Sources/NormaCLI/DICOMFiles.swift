import Foundation
import MedicalImaging
import Norma
import Reporting

/// Results as DICOM, to go back to the archive that the images came from: of every map an overlay and the values.
struct DICOMFiles {
  private let folder: String
  private var writer: DICOMArchiveWriter

  /// Files in a folder, as made by a trained detector.
  init(folder: String, detector: Checkpoint.Metadata) {
    let (method, origin) = (detector.configuration.detector.method.rawValue, detector.origin)
    self.folder = folder
    writer = DICOMArchiveWriter(
      equipment: .init(
        model: "Norma \(method)", serialNumber: origin.dataFingerprint.isEmpty ? "unknown" : origin.dataFingerprint,
        version: Norma.version, note: Norma.researchNote))
  }

  /// Writes every map of a result: the default one as `name-overlay.dcm` and `name-map.dcm`, others with their own name behind.
  /// - Returns: what is worth knowing about the files, a sentence each.
  /// - Throws: `ImageError`, of a source that is no DICOM, or that does not tell what it is, `ImageError.rejected`.
  mutating func write(_ result: AnomalyResult, named name: String, from reading: Scorer.Reading) throws -> [String] {
    let isVolume = reading.specification.isVolume
    let source = try DICOMSource.read(result.item.path, isVolume: isVolume)
    let image = try result.source ?? MedicalImage.read(result.item.path, isVolume: isVolume)
    let ground = try Self.slices(of: image, in: source, window: reading.specification.window(of: image))
    for (index, map) in result.maps.enumerated() {
      let file = URL(fileURLWithPath: folder).appendingPathComponent(name + (index == 0 ? "" : "-\(map.name)"))
      try OutputFolder.make(for: file)
      let range = CasePictures.displayRange(of: map.name, map.map, reading.calibration)
      let heat = Self.slices(of: map.map.image, in: source, window: range)
      try writer.writeOverlay(named: map.name, of: source, to: file.path + "-overlay.dcm") { slice in
        let picture = heat(slice)
        return try HeatMap(values: picture.samples, width: picture.width, height: picture.height)
          .overlaid(on: ground(slice), in: range)
      }
      try writer.writeMap(
        map.map.image, named: map.name, displayRange: range, of: source, to: file.path + "-map.dcm")
    }
    guard !source.omitted.isEmpty else { return [] }
    return [
      "\(source.path): \(source.omitted.joined(separator: ", ")) cannot be repeated as DICOM and \(source.omitted.count == 1 ? "is" : "are") left empty."
    ]
  }

  /// An image, or the slices of a volume in the order and orientation of its source, in grey.
  private static func slices(
    of image: MedicalImage, in source: DICOMSource, window: ClosedRange<Float>
  ) -> (Int) -> Image2D {
    switch image {
    case .image(let image):
      let grey = image.grey
      return { _ in Image2D(width: grey.width, height: grey.height, samples: grey.samples, range: window) }
    case .volume(let volume):
      let volume = volume.oriented(along: (source.grid.affine ?? volume.affine).anatomicalAxes)
      let plane = volume.width * volume.height
      return { slice in
        Image2D(
          width: volume.width, height: volume.height,
          samples: Array(volume.samples[slice * plane..<(slice + 1) * plane]), range: window)
      }
    }
  }
}
