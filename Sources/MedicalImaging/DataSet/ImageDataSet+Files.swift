import Foundation

extension ImageDataSet {
  /// Files and folders to be scored: without labels, in the split `test`.
  ///
  /// The paths are taken in the order given. A file is taken whatever its name; a folder is searched with all folders
  /// below it for files with an extension of images or volumes (`MedicalImage.fileExtensions`), sorted by path, without
  /// hidden ones. A manifest (`.csv`, `.tsv`) stands for its images, with all that it tells of them, and a NumPy archive
  /// (`.npz`) for those of its arrays that are called `images` or end in `_images`; a part of a file is named behind a `#`
  /// (`archive.npz#test_images`, `archive.npz#test_images/12`, `scan.nii.gz#2`). A file that is reached twice is listed once.
  /// The paired image of a file `A/B` is `A/paired/B`, for any folder `A` above it.
  /// - Throws: `DataSetError`, for a path that does not exist and for a folder without images.
  public static func files(at paths: [String]) throws(DataSetError) -> ImageDataSet {
    var items: [DataItem] = []
    var seen: Set<String> = []
    for path in paths {
      if ManifestTable.isNamed(path), FileManager.default.fileExists(atPath: path), !FolderListing.isFolder(path) {
        items += try manifest(at: path).items.filter { seen.insert($0.path).inserted }
        continue
      }
      for file in try files(at: path) where seen.insert(URL(fileURLWithPath: file).standardizedFileURL.path).inserted {
        let patient = PatientName.patient(inFileName: (file as NSString).lastPathComponent)
        items.append(DataItem(name: file, path: file, patient: patient, pairedPath: pairedPath(of: file)))
      }
    }
    return ImageDataSet(layout: .files, items: items)
  }

  /// The paired image below the nearest folder that has one for this file; nil where none has.
  static func pairedPath(of file: String) -> String? {
    let parts = file.split(separator: "/", omittingEmptySubsequences: false)
    for count in parts.indices.reversed() where count > 0 || parts[0] != "" {
      let folder = count == 0 ? "." : parts[..<count].joined(separator: "/")
      let name = parts[count...].joined(separator: "/")
      if let paired = companion(of: name, below: pairedFolder, in: folder.isEmpty ? "/" : folder) { return paired }
    }
    return nil
  }

  private static func files(at path: String) throws(DataSetError) -> [String] {
    let place = ImagePath(path)
    guard FileManager.default.fileExists(atPath: place.file) else { throw .missing(path: path) }
    guard FolderListing.isFolder(place.file) else {
      return NumPyFile.isArchiveNamed(place.file) ? try arrayImages(in: place) : [path]
    }
    let images = try FolderListing.imagesBelow(path)
    guard !images.isEmpty else { throw .noImages(path: path) }
    return images.map { FolderListing.join(path, $0) }
  }
}
