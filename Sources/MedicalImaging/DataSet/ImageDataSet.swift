/// A list of images with labels and splits, recognised from how folders are laid out, from the names of the arrays in an
/// archive, or told by a manifest; always in the same order.
///
/// Opening a data set only lists images. No image is read, so a damaged one shows up in the `DecodingReport`.
public struct ImageDataSet: Codable, Equatable, Sendable {
  /// How the files lie.
  public enum Layout: String, Codable, Sendable {
    /// `train/<class>/…`, `test/<class>/…` and possibly `val/<class>/…`.
    case classFolders
    /// Class folders with `train/good` and masks in `ground_truth/<defect>/<name>_mask.png` (Bergmann 2019).
    case mvtec
    /// One NumPy archive with `train_images`, `train_labels` and so on (MedMNIST).
    case arrays
    /// A table of paths, labels and splits.
    case manifest
    /// As the publisher of a data set ships it (`PublishedDataSet`).
    case published
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

  /// The data set at a path: a manifest where it is a CSV or TSV file, arrays where it is a NumPy archive; of a folder,
  /// MVTec where it has `ground_truth`, class folders otherwise. Published data sets are recognised where their layout is
  /// theirs alone.
  /// - Parameters:
  ///   - published: the data set that lies there as its publisher ships it; nil: told from the layout.
  ///   - normalClass: the name of the class that is normal, in any case; nil lets the name tell (see
  ///     `classFolders`). Of arrays, the labels that are normal; manifests and most published data sets tell themselves.
  ///   - part: which part of a published data set is used (`PublishedDataSet.parts`).
  ///   - uncertain: what images with uncertain findings are (CheXpert).
  /// - Throws: `DataSetError`, when there is nothing at the path, or it is laid out in another way.
  public static func open(
    _ root: String, as published: PublishedDataSet? = nil, normalClass: String? = nil, part: String? = nil,
    uncertain: UncertainFindings = .ignore
  ) throws(DataSetError) -> ImageDataSet {
    if let published = published ?? .recognised(at: root) {
      return try published.dataSet(at: root, DataSetChoices(normalClass: normalClass, part: part, uncertain: uncertain))
    }
    guard part == nil else { throw .noParts(path: root) }
    if !FolderListing.isFolder(root) {
      if ManifestTable.isNamed(root) { return try manifest(at: root) }
      if NumPyFile.isArchiveNamed(root) { return try arrays(at: root, normalLabels: normalClass) }
    }
    return try FolderListing(root).folders.contains(groundTruthFolder)
      ? mvtec(at: root, normalClass: normalClass ?? "good") : classFolders(at: root, normalClass: normalClass)
  }

  /// The items of one split, of one label if given, in order.
  public func items(in split: DataItem.Split, label: DataItem.Label? = nil) -> [DataItem] {
    items.filter { $0.split == split && (label == nil || $0.label == label) }
  }

  /// The items of one split of which it is known whether they are normal, in order.
  public func labelledItems(in split: DataItem.Split) -> [DataItem] {
    items.filter { $0.split == split && $0.label != nil }
  }
}
