import Foundation

/// What lies in a folder, sorted by name, without hidden files. Links are followed.
struct FolderListing {
  let path: String
  /// Names of the folders in it.
  let folders: [String]
  /// Names of the other files in it, whatever they are.
  let files: [String]

  init(_ path: String) throws(DataSetError) {
    guard Self.isFolder(path) else { throw .noFolder(path: path) }
    guard let names = try? FileManager.default.contentsOfDirectory(atPath: path) else {
      throw .notListable(path: path)
    }
    let visible = names.filter { !$0.hasPrefix(".") }.sorted()
    self.path = path
    folders = visible.filter { Self.isFolder(Self.join(path, $0)) }
    files = visible.filter { !Self.isFolder(Self.join(path, $0)) }
  }

  /// Names of the files with an extension of a format of images or volumes, and of DICOM files without one, whose names
  /// often are numbers with points between them.
  var images: [String] {
    files.filter { name in
      let ending = (name as NSString).pathExtension
      return MedicalImage.isNamed(name)
        || ending.allSatisfy(\.isNumber) && name != "DICOMDIR" && DICOMSeries.isDICOM(Self.join(path, name))
    }
  }

  /// Paths of the images in a folder and all folders below it, relative to it, sorted. A folder that is reached again
  /// through a link to one of its parents is not entered.
  static func imagesBelow(_ path: String) throws(DataSetError) -> [String] {
    try imagesBelow(path, within: []).sorted()
  }

  private static func imagesBelow(_ path: String, within parents: Set<String>) throws(DataSetError) -> [String] {
    let place = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
    guard !parents.contains(place) else { return [] }
    let listing = try FolderListing(path)
    var found = listing.images
    for folder in listing.folders {
      found += try imagesBelow(join(path, folder), within: parents.union([place])).map { join(folder, $0) }
    }
    return found
  }

  static func isFolder(_ path: String) -> Bool {
    var isFolder: ObjCBool = false
    return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder.boolValue
  }

  static func join(_ folder: String, _ name: String) -> String {
    folder.hasSuffix("/") ? folder + name : folder + "/" + name
  }
}
