import CMedicalImaging

/// Reads files that hold one volume. The format is told from the file's content, never from its name.
///
/// Samples are the file's numbers with slope and intercept applied. Volumes keep the order of their voxels; `Volume3D.affine`
/// tells how they lie in the patient: NIfTI's sform, its qform where there is none, the spacing alone where there is neither.
public enum VolumeReader {
  /// The volume in a file.
  /// - Throws: `ImageError`, for a path that is missing, a folder or unreadable, and for a file of another format, damaged
  ///   (a truncated one counts), of an unsupported kind (several volumes, colours, complex numbers, numbers that are not
  ///   finite), or too large.
  public static func read(_ path: String) throws(ImageError) -> Volume3D {
    let head = try FileContents.head(path, count: 8)
    guard ImageFormat(signatureOf: head) == nil else { throw .otherKind(path: path, isVolume: false) }
    guard let format = VolumeFormat(signatureOf: head) else { throw .unknownVolumeFormat(path: path) }
    var volume = cmi_volume()
    var message = [CChar](repeating: 0, count: CMI_MESSAGE_CAPACITY)
    let status =
      switch format {
      case .nifti: cmi_read_nifti(path, &volume, &message)
      }
    defer { cmi_volume_free(&volume) }
    guard status == CMI_OK else {
      throw ImageError(status, reason: sentencePart(message), path: path, format: format.rawValue)
    }
    let count = Int(volume.width) * Int(volume.height) * Int(volume.depth)
    let (a, samples) = (volume.affine, UnsafeBufferPointer(start: volume.samples, count: count))
    return Volume3D(
      width: Int(volume.width), height: Int(volume.height), depth: Int(volume.depth), samples: Array(samples),
      range: volume.minimum...volume.maximum,
      affine: Affine3D(
        x: SIMD3(a.0, a.4, a.8), y: SIMD3(a.1, a.5, a.9), z: SIMD3(a.2, a.6, a.10), origin: SIMD3(a.3, a.7, a.11)),
      provenance: Provenance(path: path, format: format.rawValue, bitsPerSample: Int(volume.bits_per_sample)))
  }
}
