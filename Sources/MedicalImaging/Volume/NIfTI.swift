import CMedicalImaging
import Foundation

/// Writes NIfTI-1 files.
public enum NIfTI {
  /// What a voxel is stored as.
  public enum Sample: Sendable {
    /// Its value, 32-bit floating point.
    case float32
    /// Its value rounded and limited to 0 ... 255, one byte: masks and labels.
    case uint8
  }

  /// Writes a volume under a temporary name that is then renamed, so that no half-written file remains. A path that ends in
  /// `.gz` is compressed.
  ///
  /// The affine is written as sform, and as qform as well where its axes are perpendicular.
  /// - Throws: `ImageError.notWritable`.
  public static func write(
    _ volume: Volume3D, to path: String, as sample: Sample = .float32
  ) throws(ImageError) {
    let file = URL(fileURLWithPath: path)
    let temporary = file.deletingLastPathComponent().appendingPathComponent(".\(UUID().uuidString).nii")
    defer { try? FileManager.default.removeItem(at: temporary) }
    var message = [CChar](repeating: 0, count: CMI_MESSAGE_CAPACITY)
    var samples = volume.samples
    let (x, y, z, origin) = (volume.affine.x, volume.affine.y, volume.affine.z, volume.affine.origin)
    let status = samples.withUnsafeMutableBufferPointer { samples in
      var content = cmi_volume(
        width: Int32(clamping: volume.width), height: Int32(clamping: volume.height),
        depth: Int32(clamping: volume.depth), bits_per_sample: sample == .uint8 ? 8 : 32,
        minimum: volume.range.lowerBound, maximum: volume.range.upperBound,
        affine: (x.x, y.x, z.x, origin.x, x.y, y.y, z.y, origin.y, x.z, y.z, z.z, origin.z),
        samples: samples.baseAddress)
      return cmi_write_nifti(temporary.path, path.lowercased().hasSuffix(".gz"), &content, &message)
    }
    guard status == CMI_OK else { throw .notWritable(path: path, reason: sentencePart(message)) }
    guard rename(temporary.path, path) == 0 else {
      throw .notWritable(path: path, reason: "it cannot be put in its place")
    }
  }
}
