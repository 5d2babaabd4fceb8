import Foundation

/// HyperKvasir: Borgli, Thambawita, Smedsrud et al., "HyperKvasir, a comprehensive multi-class image and video dataset for
/// gastrointestinal endoscopy", Scientific Data 7, 2020.
///
/// Layout: `labeled-images/lower-gi-tract/<kind>/<class>/*.jpg`, and masks of polyps in `segmented-images/masks`, named as
/// their images.
///
/// Normal: cecum, ileum and bbps-2-3; abnormal: polyps (Tian et al., "Constrained contrastive distribution learning",
/// MICCAI 2021: 1,600 normal images to train on, 500 normal and 1,000 with polyps to test). All polyps are test images; 500
/// normal ones, or a fifth of a smaller copy, are drawn by seed, and the rest is trained on. The publisher tells no
/// patients: each image counts as one, and frames of one examination may lie on both sides, as in the published protocol.
enum HyperKvasir: PublishedLayout {
  static let title = "HyperKvasir"
  static let source = "Borgli et al., Scientific Data 7, 2020"
  static let files = "labeled-images/lower-gi-tract/<kind>/<class>/*.jpg and segmented-images/masks/*.jpg"
  static let protocolNote =
    "normal: cecum, ileum, bbps-2-3, abnormal: polyps, all of them and 500 normal images to test (Tian et al. 2021); no "
    + "patients are told"

  private static let tract = "lower-gi-tract"
  private static let folders: [(path: String, label: DataItem.Label)] = [
    ("anatomical-landmarks/cecum", .normal), ("anatomical-landmarks/ileum", .normal),
    ("quality-of-mucosal-views/bbps-2-3", .normal), ("pathological-findings/polyps", .abnormal),
  ]

  static func isRecognised(at root: String) -> Bool {
    tractFolder(in: root).map { FolderListing.isFolder(FolderListing.join($0.path, "pathological-findings")) } ?? false
  }

  static func dataSet(at root: String, _ choices: DataSetChoices) throws(DataSetError) -> ImageDataSet {
    guard let (tract, prefix) = tractFolder(in: root) else {
      throw mistake(root, "labeled-images/\(tract) does not exist in it; it holds \(files)")
    }
    let masks = [root, (root as NSString).deletingLastPathComponent].map {
      FolderListing.join($0, "segmented-images/masks")
    }.first(where: FolderListing.isFolder)
    let maskNames = try masks.map { folder throws(DataSetError) in try FolderListing(folder).images } ?? []
    let maskOfStem = Dictionary(maskNames.map { (MedicalImage.stem(of: $0), $0) }) { first, _ in first }
    var items: [DataItem] = []
    for (folder, label) in folders {
      let path = FolderListing.join(tract, folder)
      guard FolderListing.isFolder(path) else { throw mistake(root, "\(path) does not exist; it holds \(files)") }
      for image in try FolderListing(path).images {
        let mask = label == .abnormal ? maskOfStem[MedicalImage.stem(of: image)] : nil
        items.append(
          DataItem(
            name: "\(prefix)\(folder)/\(image)", path: FolderListing.join(path, image), label: label,
            className: (folder as NSString).lastPathComponent, split: label == .normal ? .train : .test,
            maskPath: mask.flatMap { name in masks.map { FolderListing.join($0, name) } }))
      }
    }
    return try dataSet(of: items, at: root).settingAsideTest(upTo: 500)
  }

  /// The folder of the lower tract, below the data set's folder or that of its labelled images, and its name below the root.
  private static func tractFolder(in root: String) -> (path: String, name: String)? {
    for name in ["labeled-images/\(tract)", tract] {
      let path = FolderListing.join(root, name)
      if FolderListing.isFolder(path) { return (path, name + "/") }
    }
    return nil
  }
}
