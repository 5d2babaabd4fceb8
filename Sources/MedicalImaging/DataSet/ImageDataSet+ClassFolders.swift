import Foundation

extension ImageDataSet {
  /// The data set in a folder with `train/<class>/…` and usually `test/<class>/…`, `val/<class>/…`; the splits' folders
  /// may also be called `training`, `testing`, `valid` and `validation`, in any case. Class folders are searched with all
  /// folders below them; patients are told from file names (see `PatientName`).
  ///
  /// The normal class is the one called normal, good, healthy, negative, control, no finding or no tumour (in any case,
  /// with or without plural, spaces, `-` or `_`); every other class is abnormal. A file below `masks/` with an image's
  /// name (`masks/test/<class>/<file>`) is its mask, one below `paired/` the image of another modality on the same grid.
  /// - Parameter normalClass: the name of the normal class, in any case, where its name does not tell.
  /// - Throws: `DataSetError`, when the folder is missing or laid out in another way, or the normal class is unclear.
  public static func classFolders(at root: String, normalClass: String? = nil) throws(DataSetError) -> ImageDataSet {
    var items: [DataItem] = []
    for (split, folder) in try splitFolders(in: root) {
      let listing = try FolderListing(FolderListing.join(root, folder))
      guard listing.images.isEmpty else { throw .noClasses(path: listing.path) }
      for className in listing.folders {
        let classFolder = FolderListing.join(listing.path, className)
        items += try FolderListing.imagesBelow(classFolder).map { image in
          let name = "\(folder)/\(className)/\(image)"
          return DataItem(
            name: name, path: FolderListing.join(classFolder, image), className: className, split: split,
            patient: PatientName.patient(inFileName: (image as NSString).lastPathComponent),
            maskPath: companion(of: name, below: "masks", in: root),
            pairedPath: companion(of: name, below: pairedFolder, in: root))
        }
      }
    }
    guard !items.isEmpty else { throw .noImages(path: root) }
    let classes = Set(items.compactMap(\.className)).sorted()
    let normal = try normalClasses(among: classes, named: normalClass, root: root)
    for index in items.indices {
      items[index].label = normal.contains(items[index].className ?? "") ? .normal : .abnormal
    }
    return ImageDataSet(layout: .classFolders, items: items.sorted(by: DataItem.inOrder))
  }

  static let pairedFolder = "paired"

  /// The file below a folder of the data set that has an image's name; nil where there is none.
  static func companion(of name: String, below folder: String, in root: String) -> String? {
    let path = FolderListing.join(FolderListing.join(root, folder), name)
    return FileManager.default.fileExists(atPath: path) ? path : nil
  }

  private static func splitFolders(in root: String) throws(DataSetError) -> [(DataItem.Split, String)] {
    let listing = try FolderListing(root)
    var found: [(DataItem.Split, String)] = []
    for split in DataItem.Split.allCases {
      let folders = listing.folders.filter { split.spellings.contains($0.lowercased()) }
      guard folders.count <= 1 else { throw .repeatedSplit(path: root, folders: folders) }
      found += folders.map { (split, $0) }
    }
    guard !found.isEmpty else { throw .noSplits(path: root, found: listing.folders) }
    return found
  }

  /// The folders' names that mean the normal class: one name, but possibly spelled differently in train and test.
  private static func normalClasses(
    among classes: [String], named name: String?, root: String
  ) throws(DataSetError) -> Set<String> {
    if let name {
      let matching = classes.filter { $0.lowercased() == name.lowercased() }
      guard !matching.isEmpty else { throw .noSuchClass(path: root, name: name, classes: classes) }
      return Set(matching)
    }
    let matching = classes.filter { normalNames.contains(plain($0)) }
    guard Set(matching.map(plain)).count == 1 else { throw .normalClassUnclear(path: root, classes: classes) }
    return Set(matching)
  }

  private static let normalNames: Set<String> = [
    "normal", "normals", "good", "healthy", "negative", "negatives", "control", "controls", "nofinding", "nofindings",
    "notumor", "notumour",
  ]

  private static func plain(_ name: String) -> String {
    name.lowercased().filter { $0 != " " && $0 != "_" && $0 != "-" }
  }
}
