import Foundation
import MedicalImaging

/// Miniature copies of published data sets, as their publishers lay them out.
extension TemporaryFolder {
  /// A small image whose pixels follow from a seed.
  @discardableResult
  func picture(_ name: String, seed: Int = 0, side: Int = 4) throws -> String {
    var random = SeededGenerator(seed: UInt64(seed))
    let samples = (0..<side * side).map { _ in Float(random.index(below: 256)) }
    return try write(name, PNG.encode(Image2D(width: side, height: side, samples: samples, range: 0...255)))
  }

  /// A table or list.
  @discardableResult
  func table(_ name: String, _ lines: [String]) throws -> String {
    try write(name, Data((lines + [""]).joined(separator: "\n").utf8))
  }

  /// A DICOM file of 2 × 2 pixels.
  @discardableResult
  func radiograph(_ name: String, seed: Int = 0) throws -> String {
    let samples = [seed, seed + 1, seed + 2, seed + 3]
    return try write(name, DICOMWriter.slice(samples, columns: 2, position: nil, modality: "DX").file)
  }

  /// A volume of the given samples, x first.
  @discardableResult
  func volume(
    _ name: String, _ samples: [Float], width: Int = 2, height: Int = 2, affine: Affine3D = Affine3D(spacing: .one)
  ) throws -> String {
    let file = path + "/" + name
    try FileManager.default.createDirectory(
      atPath: (file as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
    let depth = samples.count / (width * height)
    try NIfTI.write(
      Volume3D(width: width, height: height, depth: depth, samples: samples, affine: affine), to: file)
    return file
  }
}

/// CheXpert's tables.
enum CheXpertFixture {
  static let columns =
    "Path,Sex,Age,Frontal/Lateral,AP/PA,No Finding,Enlarged Cardiomediastinum,Cardiomegaly,Lung Opacity,Lung Lesion,Edema,"
    + "Consolidation,Pneumonia,Atelectasis,Pneumothorax,Pleural Effusion,Pleural Other,Fracture,Support Devices"

  /// A row: `findings` by the number of their column behind No Finding, from 0; 12 are Support Devices.
  static func row(
    _ path: String, view: String = "Frontal,PA", noFinding: String = "", _ findings: [Int: String] = [:]
  ) -> String {
    "CheXpert-v1.0-small/\(path),Female,61,\(view),\(noFinding),"
      + (0..<13).map { findings[$0] ?? "" }.joined(separator: ",")
  }
}
