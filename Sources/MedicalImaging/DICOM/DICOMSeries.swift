import Foundation

/// The slices of one series in the order in which they lie: single-frame files, or the frames of one file.
public struct DICOMSeries: Equatable, Sendable {
  /// The folder or file that the series was found in.
  public let path: String
  /// The slices' files from the lowest along the normal; the file of all where frames are the slices.
  public let files: [String]
  /// The header of the first file.
  public let header: DICOMHeader
  /// What standard uptake values follow from; nil for anything but PET.
  public let uptake: PETUptake?
  /// How the slices lie.
  public let stack: SliceStack
  /// The frame of each slice within its file, counted from 0.
  let frames: [Int]

  /// What is worth knowing although the volume can be used, one sentence each: a tilted gantry.
  public var remarks: [String] {
    [ImageGrid(extents: [files.count, header.rows, header.columns], affine: stack.affine).remark(about: path)]
      .compactMap { $0 }
  }

  /// A file of the series, without its pixels.
  private struct Slice {
    let path: String
    let header: DICOMHeader
    let places: [SlicePlace?]
    let uptake: PETUptake?

    init(_ file: DICOMFile) throws(ImageError) {
      path = file.path
      header = DICOMHeader(file)
      let count = max(1, Int(exactly: file.content.number(.frameCount) ?? 1) ?? 1)
      guard count <= ImageReader.maximumExtent else { throw .tooLarge(path: path, extent: "\(count) frames") }
      places = FrameGroups(file, header: header, count: count, isSigned: false).places()
      uptake = header.isPET ? PETUptake(file.content) : nil
    }
  }

  /// The series in a folder of slices, in a folder that a DICOMDIR lists, in a DICOMDIR, or in a file of many frames.
  ///
  /// Files in the folder that are no DICOM, or hold no pixels, are left out; folders below it are not searched.
  /// - Throws: `ImageError`, as `DICOMImage.read` does, `ImageError.otherKind` for a file of one frame, and
  ///   `ImageError.rejected` when there are several series, slices are missing, or they do not lie as a volume's do.
  public static func read(_ path: String) throws(ImageError) -> DICOMSeries {
    var slices: [Slice] = []
    for path in try files(at: path) {
      let slice = try Slice(DICOMFile(FileContents.read(path), path: path))
      if slice.header.rows > 0, slice.header.columns > 0 { slices.append(slice) }
    }
    guard let first = slices.first else { throw .rejected(path: path, reason: "it holds no DICOM images") }
    let names = Dictionary(grouping: slices) { $0.header.series ?? "" }.values.map {
      "\($0[0].header.seriesDescription ?? $0[0].header.modality ?? "unnamed") (\($0.count))"
    }
    guard names.count == 1 else {
      throw .rejected(
        path: path,
        reason:
          "it holds \(names.count) series, \(names.sorted().joined(separator: ", ")); put each into its own folder")
    }
    if let other = slices.first(where: {
      ($0.header.rows, $0.header.columns) != (first.header.rows, first.header.columns)
    }) {
      throw .rejected(
        path: path, reason: "\(name(first.path)) and \(name(other.path)) have different numbers of rows or columns")
    }
    let places = slices.flatMap { slice in
      slice.places.indices.map { (place: slice.places[$0], path: slice.path, frame: $0, count: slice.places.count) }
    }
    guard places.count > 1 || FolderListing.isFolder(path) else { throw .otherKind(path: path, isVolume: false) }
    let stack: SliceStack
    do throws(SliceStack.Disorder) {
      stack = try SliceStack(
        places.map(\.place), names: places.map { $0.count > 1 ? "frame \($0.frame + 1)" : name($0.path) },
        thickness: first.header.spacingBetweenSlices ?? first.header.sliceThickness)
    } catch {
      throw .rejected(path: path, reason: error.description)
    }
    let uptakes = slices.compactMap(\.uptake)
    return DICOMSeries(
      path: path, files: stack.order.map { places[$0].path }, header: first.header,
      uptake: uptakes.first.map { uptake in
        var whole = uptake  // values of all slices are corrected to the first one's time
        whole.scanStart = uptakes.compactMap(\.scanStart).min()
        return whole
      },
      stack: stack, frames: stack.order.map { places[$0].frame })
  }

  /// The volume of the modality's values; of PET, standard uptake values by body weight.
  /// - Throws: `ImageError`, as `DICOMImage.read` does, for colours, for volumes that are too large, and, of PET, where the
  ///   standard uptake value cannot be told and why.
  public func volume() throws(ImageError) -> Volume3D {
    var factor: Float = 1
    if let uptake {
      do throws(PETUptake.Missing) {
        factor = Float(try uptake.factor())
      } catch {
        throw .rejected(
          path: path, reason: "its standard uptake values cannot be told, because \(error.description)")
      }
    }
    let (width, height) = (header.columns, header.rows)
    guard width * height <= ImageReader.maximumSamples / files.count else {
      throw .tooLarge(path: path, extent: "\(width) x \(height) x \(files.count) voxels")
    }
    var samples: [Float] = []
    var bits = 0
    var image: DICOMImage?
    for (file, frame) in zip(files, frames) {
      if image?.path != file { image = try DICOMImage.read(file) }
      guard let image, !image.isColour, frame < image.pixels.frames,
        (image.pixels.columns, image.pixels.rows) == (width, height)
      else {
        throw .rejected(path: file, reason: "its pixels have colours, or it has changed; a volume has grey slices")
      }
      bits = max(bits, image.pixels.bitsStored)
      let values = image.values(frame: frame)
      samples += factor == 1 ? values : values.map { $0 * factor }
    }
    return Volume3D(
      width: width, height: height, depth: files.count, samples: samples, affine: stack.affine,
      provenance: Provenance(path: path, format: DICOMFile.format, bitsPerSample: bits, remarks: remarks))
  }

  private static func name(_ path: String) -> String { (path as NSString).lastPathComponent }

  // MARK: Files

  /// The DICOM files that a path leads to.
  private static func files(at path: String) throws(ImageError) -> [String] {
    guard FolderListing.isFolder(path) else {
      let file = try DICOMFile(FileContents.read(path), path: path)
      let records = file.content.items(.directoryRecords)
      return records.isEmpty ? [path] : try files(listedIn: records, of: path)
    }
    guard let listing = try? FolderListing(path) else {
      throw .notReadable(path: path, reason: "the folder cannot be listed")
    }
    if listing.files.contains("DICOMDIR") { return try files(at: FolderListing.join(path, "DICOMDIR")) }
    return listing.files.map { FolderListing.join(path, $0) }.filter(DICOMSeries.isDICOM)
  }

  private static func files(listedIn records: [DICOMItem], of path: String) throws(ImageError) -> [String] {
    let folder = (path as NSString).deletingLastPathComponent
    return records.compactMap { record in
      let parts = record.texts(.referencedFile)
      return parts.isEmpty || parts.contains("..")
        ? nil : ([folder.isEmpty ? "." : folder] + parts).joined(separator: "/")
    }
  }

  /// Whether a file is DICOM, told from its content.
  static func isDICOM(_ path: String) -> Bool {
    (try? FileContents.head(path, count: 132)).map { ImageFormat(signatureOf: $0) == .dicom } ?? false
  }

  /// Whether a file is an image of one frame.
  static func isSlice(_ path: String) -> Bool {
    guard let bytes = try? FileContents.read(path), let file = try? DICOMFile(bytes, path: path) else { return false }
    return DICOMHeader(file).rows > 0 && (file.content.number(.frameCount) ?? 1) <= 1
  }

  /// Whether a folder holds DICOM files.
  static func isFolder(_ path: String) -> Bool {
    guard FolderListing.isFolder(path), let listing = try? FolderListing(path) else { return false }
    return listing.files.contains { isDICOM(FolderListing.join(path, $0)) }
  }
}
