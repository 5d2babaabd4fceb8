import Foundation

/// ZhangLab's (Kermany's) paediatric chest radiographs: Kermany, Goldbaum, Cai et al., "Identifying medical diagnoses and
/// treatable diseases by image-based deep learning", Cell 172(5), 2018; Mendeley Data rscbjbr9sj.
///
/// Layout: `train|test/NORMAL|PNEUMONIA/*.jpeg`. Normal: NORMAL. The publisher's test folder is the test split. The copy on
/// Kaggle puts 16 of the training images into a folder `val`; they are put back, as the paper trains on them. Patients are
/// told from file names (`PatientName`). SimSID (Xiang et al. 2024, §4.1) sets 100 + 100 training images aside for validation
/// (`data.validationNormal`, `data.validationAbnormal`).
enum ZhangLab: PublishedLayout {
  static let title = "ZhangLab chest X-ray"
  static let source = "Kermany et al., Cell 172(5), 2018"
  static let files = "train/NORMAL, train/PNEUMONIA, test/NORMAL and test/PNEUMONIA with *.jpeg"
  static let protocolNote =
    "normal: NORMAL; the publisher's test folder; the 16 images in val of the Kaggle copy go back to train"

  /// Never: class folders read the same files.
  static func isRecognised(at root: String) -> Bool { false }

  static func dataSet(at root: String, _ choices: DataSetChoices) throws(DataSetError) -> ImageDataSet {
    for split in ["train", "test"] {
      for name in ["NORMAL", "PNEUMONIA"] {
        let folder = FolderListing.join(root, "\(split)/\(name)")
        guard FolderListing.isFolder(folder) else { throw mistake(root, "\(folder) does not exist; it holds \(files)") }
      }
    }
    var items = try ImageDataSet.classFolders(at: root, normalClass: "NORMAL").items
    for index in items.indices where items[index].split == .validation { items[index].split = .train }
    return try dataSet(of: items, at: root)
  }
}
