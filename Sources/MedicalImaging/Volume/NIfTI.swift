import CMedicalImaging
import Foundation

/// Reads NIfTI-1 and NIfTI-2 files and writes them.
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
  /// The affine is written as sform, and as qform as well where its axes are perpendicular. The file is NIfTI-1, or NIfTI-2
  /// where a side has more than 32767 voxels.
  /// - Throws: `ImageError.notWritable`.
  public static func write(
    _ volume: Volume3D, to path: String, as sample: Sample = .float32
  ) throws(ImageError) {
    try write(volume, to: path, as: sample, place: nil)
  }

  /// Writes a volume in the order of voxels that another file has, to lie over it in any viewer: the samples are put into
  /// that order, whatever theirs is, and where the other file is NIfTI its version, forms, codes, spacing and unit of length
  /// are repeated to the bit.
  /// - Parameter source: the path of a volume on the same grid, as `VolumeReader` reads it.
  /// - Throws: `ImageError`, when `source` cannot be read, lies elsewhere, or the file cannot be written.
  public static func write(
    _ volume: Volume3D, to path: String, onGridOf source: String, as sample: Sample = .float32
  ) throws(ImageError) {
    let (grid, place) = try grid(of: source)
    let oriented = volume.oriented(along: (grid.affine ?? volume.affine).anatomicalAxes)
    guard oriented.grid.coincides(with: grid) else {
      throw .notWritable(path: path, reason: "its \(oriented.grid) do not lie on the grid of \(source) (\(grid))")
    }
    try write(oriented, to: path, as: sample, place: place)
  }

  private static func write(
    _ volume: Volume3D, to path: String, as sample: Sample, place: cmi_nifti_place?
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
      let isCompressed = path.lowercased().hasSuffix(".gz")
      guard var place else { return cmi_write_nifti(temporary.path, isCompressed, nil, &content, &message) }
      return cmi_write_nifti(temporary.path, isCompressed, &place, &content, &message)
    }
    guard status == CMI_OK else { throw .notWritable(path: path, reason: sentencePart(message)) }
    guard rename(temporary.path, path) == 0 else {
      throw .notWritable(path: path, reason: "it cannot be put in its place")
    }
  }
}

extension NIfTI {
  /// The volume that a path names; see `ImagePath`.
  static func read(_ path: ImagePath) throws(ImageError) -> Volume3D {
    let (files, index) = (NIfTIFiles(path.file), try path.index())
    var volume = cmi_volume()
    var message = [CChar](repeating: 0, count: CMI_MESSAGE_CAPACITY)
    let status = cmi_read_nifti(files.header, files.voxels, Int64(index ?? -1), &volume, &message)
    defer { cmi_volume_free(&volume) }
    guard status == CMI_OK else {
      throw ImageError(status, reason: sentencePart(message), path: path.path, format: VolumeFormat.nifti.rawValue)
    }
    let read = UnsafeBufferPointer(
      start: volume.samples, count: Int(volume.width) * Int(volume.height) * Int(volume.depth))
    let samples = [Float](unsafeUninitializedCapacity: read.count) { samples, count in
      cmi_will_fill(samples.baseAddress, read.count * MemoryLayout<Float>.stride)
      count = samples.initialize(fromContentsOf: read)
    }
    return Volume3D(
      width: Int(volume.width), height: Int(volume.height), depth: Int(volume.depth), samples: samples,
      range: volume.minimum...volume.maximum,
      affine: Affine3D(rows: volume.affine),
      provenance: Provenance(
        path: path.path, format: VolumeFormat.nifti.rawValue, bitsPerSample: Int(volume.bits_per_sample)))
  }

  /// The grid of a volume, and what a NIfTI header says of it.
  private static func grid(of source: String) throws(ImageError) -> (ImageGrid, cmi_nifti_place?) {
    if DICOMSeries.isFolder(source) { return (try VolumeReader.read(source).grid, nil) }
    let header = NIfTIFiles(ImagePath(source).file).header
    guard VolumeFormat(signatureOf: try FileContents.head(header, count: 8)) == .nifti else {
      return (try VolumeReader.read(source).grid, nil)
    }
    var place = cmi_nifti_place()
    var message = [CChar](repeating: 0, count: CMI_MESSAGE_CAPACITY)
    let status = cmi_read_nifti_place(header, &place, &message)
    guard status == CMI_OK else {
      throw ImageError(status, reason: sentencePart(message), path: source, format: VolumeFormat.nifti.rawValue)
    }
    let (width, height, depth) = place.extents
    return (ImageGrid(extents: [depth, height, width].map(Int.init), affine: Affine3D(rows: place.affine)), place)
  }
}

extension Affine3D {
  /// Three rows of four numbers, as C has them.
  fileprivate init(
    rows a: (Double, Double, Double, Double, Double, Double, Double, Double, Double, Double, Double, Double)
  ) {
    self.init(
      x: SIMD3(a.0, a.4, a.8), y: SIMD3(a.1, a.5, a.9), z: SIMD3(a.2, a.6, a.10), origin: SIMD3(a.3, a.7, a.11))
  }
}
