import Foundation

extension ImageDataSet {
  static let groundTruthFolder = "ground_truth"

  /// The data set in a folder laid out like one object of MVTec AD (Bergmann et al., CVPR 2019): `train/good`,
  /// `test/good`, `test/<defect>`, and for each abnormal test image its mask in `ground_truth/<defect>/<name>_mask.png`,
  /// for a volume `<name>_mask.nii.gz`. Normal images have no mask.
  /// - Throws: `DataSetError`, when the folder is missing or laid out in another way, or a mask is missing.
  public static func mvtec(at root: String, normalClass: String = "good") throws(DataSetError) -> ImageDataSet {
    var items = try classFolders(at: root, normalClass: normalClass).items
    for index in items.indices where items[index].split == .test && items[index].label == .abnormal {
      let image = items[index].name.split(separator: "/").dropFirst().joined(separator: "/")
      let ending = VolumeFormat.isNamed(image) ? "nii.gz" : "png"
      let name = "\(groundTruthFolder)/\(MedicalImage.stem(of: image))_mask.\(ending)"
      let mask = FolderListing.join(root, name)
      guard FileManager.default.fileExists(atPath: mask) else {
        throw .missingMask(image: items[index].path, mask: mask)
      }
      items[index].maskPath = mask
    }
    return ImageDataSet(layout: .mvtec, items: items)
  }
}
