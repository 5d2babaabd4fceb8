import Foundation

extension ImageDataSet {
  /// Files and folders to be scored: without labels, in the split `test`.
  ///
  /// The paths are taken in the order given. A file is taken whatever its name; a folder is searched with all folders
  /// below it for files with an image format's extension (`ImageFormat.fileExtensions`), sorted by path, without hidden
  /// ones. A file that is reached twice is listed once.
  /// - Throws: `DataSetError`, for a path that does not exist and for a folder without images.
  public static func files(at paths: [String]) throws(DataSetError) -> ImageDataSet {
    var items: [DataItem] = []
    var seen: Set<String> = []
    for path in paths {
      for file in try files(at: path) where seen.insert(URL(fileURLWithPath: file).standardizedFileURL.path).inserted {
        let patient = PatientName.patient(inFileName: (file as NSString).lastPathComponent)
        items.append(DataItem(name: file, path: file, patient: patient))
      }
    }
    return ImageDataSet(layout: .files, items: items)
  }

  private static func files(at path: String) throws(DataSetError) -> [String] {
    guard FileManager.default.fileExists(atPath: path) else { throw .missing(path: path) }
    guard FolderListing.isFolder(path) else { return [path] }
    let images = try FolderListing.imagesBelow(path)
    guard !images.isEmpty else { throw .noImages(path: path) }
    return images.map { FolderListing.join(path, $0) }
  }
}
