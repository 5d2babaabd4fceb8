import Foundation

/// MVTec AD: Bergmann, Fauser, Sattlegger & Steger, "MVTec AD: a comprehensive real-world dataset for unsupervised anomaly
/// detection", CVPR 2019.
///
/// Layout: a folder for each of 15 objects and textures, with `train/good`, `test/good`, `test/<defect>` and
/// `ground_truth/<defect>/<name>_mask.png`. One object is one data set: `data.part` chooses it, or its own folder is given
/// (`ImageDataSet.mvtec`). The publisher's folders are the splits.
enum MVTecAD: PublishedLayout {
  static let title = "MVTec AD"
  static let source = "Bergmann et al., CVPR 2019"
  static let files = "<object>/train/good, test/good, test/<defect> and ground_truth/<defect>, for each object"
  static let protocolNote = "normal: good; the publisher's folders are the splits; masks of all defects"
  static let parts: String? = "the object, for example bottle; needed unless the object's own folder is given"

  static func isRecognised(at root: String) -> Bool {
    !isObject(root) && !objects(in: root).isEmpty
  }

  static func dataSet(at root: String, _ choices: DataSetChoices) throws(DataSetError) -> ImageDataSet {
    guard !isObject(root) || choices.part != nil else { return try ImageDataSet.mvtec(at: root) }
    let objects = objects(in: root)
    guard !objects.isEmpty else { throw mistake(root, "it has no objects; it should hold \(files)") }
    guard let part = choices.part, objects.contains(part) else {
      let found = choices.part.map { "\($0) is none of its objects" } ?? "one object is a data set"
      throw mistake(root, "\(found); choose with data.part: \(objects.joined(separator: ", "))")
    }
    return try ImageDataSet.mvtec(at: FolderListing.join(root, part))
  }

  private static func isObject(_ path: String) -> Bool {
    ["train/good", "test", "ground_truth"].allSatisfy { FolderListing.isFolder(FolderListing.join(path, $0)) }
  }

  private static func objects(in root: String) -> [String] {
    ((try? FolderListing(root))?.folders ?? []).filter { isObject(FolderListing.join(root, $0)) }
  }
}
