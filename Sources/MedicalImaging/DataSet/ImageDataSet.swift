/// A list of image files with labels and splits, recognised from how folders are laid out, always in the same order.
///
/// Opening a data set only lists files. No image is read, so a damaged one shows up in the `DecodingReport`.
public struct ImageDataSet: Codable, Equatable, Sendable {
  /// How the files lie.
  public enum Layout: String, Codable, Sendable {
    /// `train/<class>/…`, `test/<class>/…` and possibly `val/<class>/…`.
    case classFolders
    /// Class folders with `train/good` and masks in `ground_truth/<defect>/<name>_mask.png` (Bergmann 2019).
    case mvtec
    /// Any files and folders, without labels.
    case files
  }

  /// How the files lie.
  public let layout: Layout
  /// The files: by split (train, validation, test), then by name; for `files`, in the order they were given.
  public var items: [DataItem]

  /// Creates a data set from its list.
  public init(layout: Layout, items: [DataItem]) {
    self.layout = layout
    self.items = items
  }

  /// The data set in a folder: MVTec where it has `ground_truth`, class folders otherwise.
  /// - Parameter normalClass: the name of the class that is normal, in any case; nil lets the name tell (see
  ///   `classFolders`).
  /// - Throws: `DataSetError`, when the folder is missing or laid out in another way.
  public static func open(_ root: String, normalClass: String? = nil) throws(DataSetError) -> ImageDataSet {
    try FolderListing(root).folders.contains(groundTruthFolder)
      ? mvtec(at: root, normalClass: normalClass ?? "good") : classFolders(at: root, normalClass: normalClass)
  }

  /// The items of one split, of one label if given, in order.
  public func items(in split: DataItem.Split, label: DataItem.Label? = nil) -> [DataItem] {
    items.filter { $0.split == split && (label == nil || $0.label == label) }
  }
}
