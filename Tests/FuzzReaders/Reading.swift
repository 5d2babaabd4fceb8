import CAllocations
import Foundation
import MedicalImaging

/// What became of a damaged file.
struct Outcome: Equatable {
  /// Whether any of the readers took the file; else all refused it with a reason.
  var isRead = false
  /// Most bytes held at once; nil without the address sanitizer, which tells.
  var peak: Int?
  /// What the file's claim justifies.
  var allowance: Int
}

/// Gives damaged files to every reader of images and volumes.
struct Reading {
  let folder: String

  /// Reads a damaged file, as `norma` would: as an image, as a volume, as a slice among others.
  func read(_ bytes: [UInt8], of origin: Seeds.File) throws -> Outcome {
    var outcome = Outcome(allowance: Claim(bytes).allowance + Claim(origin.bytes).allowance)
    let path = folder + "/damaged-" + origin.name
    try Data(bytes).write(to: URL(fileURLWithPath: path))
    defer { try? FileManager.default.removeItem(atPath: path) }
    if origin.name.hasSuffix(".hdr") {  // the voxels lie beside it
      let voxels = String(origin.name.dropLast(4)) + ".img"
      try? FileManager.default.copyItem(
        atPath: (origin.path as NSString).deletingLastPathComponent + "/" + voxels,
        toPath: folder + "/damaged-" + voxels)
    }
    defer { try? FileManager.default.removeItem(atPath: folder + "/damaged-" + origin.name.dropLast(4) + ".img") }
    let isDICOM = VolumeFormat(signatureOf: Data(origin.bytes)) == .dicom
    let isCounted = callocations_begin()
    for attempt in attempts(path, isDICOM: isDICOM) {
      do {
        try attempt()
        outcome.isRead = true
      } catch let error as ImageError {
        guard error.description.count > 10 else { throw error }
      }
    }
    if isCounted { outcome.peak = Int(callocations_peak()) }
    return outcome
  }

  private func attempts(_ path: String, isDICOM: Bool) -> [() throws -> Void] {
    var attempts: [() throws -> Void] = [
      { _ = try MedicalImage.read(path, isVolume: false).normalised() },
      { _ = try MedicalImage.read(path, isVolume: true).normalised() },
    ]
    if isDICOM {
      attempts.append {
        let image = try DICOMImage.read(path)
        for frame in image.frames.indices.prefix(3) { _ = try image.image(frame: frame) }
      }
      attempts.append { _ = try DICOMSeries.read(folder).volume() }
    } else {
      attempts.append { _ = try VolumeReader.read(path + "#1") }
      attempts.append {
        let volume = try VolumeReader.read(path).canonical
        try NIfTI.write(volume, to: folder + "/again.nii", onGridOf: path)
        try? FileManager.default.removeItem(atPath: folder + "/again.nii")
      }
    }
    return attempts
  }
}
