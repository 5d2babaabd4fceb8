import Foundation

extension ImageDataSet {
  /// Files and folders to be scored: without labels, in the split `test`.
  ///
  /// The paths are taken in the order given. A file is taken whatever its name; a folder is searched with all folders
  /// below it for files with an extension of images or volumes (`MedicalImage.fileExtensions`), sorted by path, without
  /// hidden ones. A file that is reached twice is listed once. The paired image of `A/B` is `paired/B` in any folder `A` above
  /// it.
  /// - Throws: `DataSetError`, for a path that does not exist and for a folder without images.
  public static func files(at paths: [String]) throws(DataSetError) -> ImageDataSet {
    var items: [DataItem] = []
    var seen: Set<String> = []
    for path in paths {
      for file in try files(at: path) where seen.insert(URL(fileURLWithPath: file).standardizedFileURL.path).inserted {
        let patient = PatientName.patient(inFileName: (file as NSString).lastPathComponent)
        items.append(DataItem(name: file, path: file, patient: patient, pairedPath: pairedPath(of: file)))
      }
    }
    return ImageDataSet(layout: .files, items: items)
  }

  /// The paired image below the nearest folder that has one for this file; nil where none has.
  private static func pairedPath(of file: String) -> String? {
    var parts = (file as NSString).pathComponents
    var name: [String] = []
    while let last = parts.popLast(), last != "/" {
      name.insert(last, at: 0)
      let root = parts.isEmpty ? "." : NSString.path(withComponents: parts)
      let paired = companion(of: name.joined(separator: "/"), below: pairedFolder, in: root)
      if let paired { return paired }
    }
    return nil
  }

  private static func files(at path: String) throws(DataSetError) -> [String] {
    guard FileManager.default.fileExists(atPath: path) else { throw .missing(path: path) }
    guard FolderListing.isFolder(path) else { return [path] }
    let images = try FolderListing.imagesBelow(path)
    guard !images.isEmpty else { throw .noImages(path: path) }
    return images.map { FolderListing.join(path, $0) }
  }
}
