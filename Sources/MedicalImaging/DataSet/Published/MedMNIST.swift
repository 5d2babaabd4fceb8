import Foundation

/// MedMNIST v2: Yang, Shi, Wei et al., "MedMNIST v2", Scientific Data 10, 2023; also the larger sizes of MedMNIST+.
///
/// Layout: one archive, `<name>.npz` or `<name>_<size>.npz`, read as `ImageDataSet.arrays` does. The publisher's splits
/// stay. Normal is the class that the publisher's `info.py` calls so: normal colon mucosa of pathmnist, no finding of
/// chestmnist, normal of octmnist, pneumoniamnist and adrenalmnist3d, normal or benign of breastmnist, grade 0 of
/// retinamnist, benign of nodulemnist3d, vessels without aneurysm of vesselmnist3d. The others have no such class;
/// `data.normalClass` names one. No patients are told.
enum MedMNIST: PublishedLayout {
  static let title = "MedMNIST"
  static let source = "Yang et al., Scientific Data 10, 2023"
  static let files = "<name>.npz or <name>_<size>.npz, as pneumoniamnist.npz"
  static let protocolNote =
    "normal: the class that the publisher calls so, otherwise data.normalClass; the publisher's splits; no patients are told"
  static let takesNormalClass = true

  /// The labels that are normal; empty where images have findings, or none.
  private static let normalLabels = [
    "pathmnist": "6", "chestmnist": "", "octmnist": "3", "pneumoniamnist": "0", "retinamnist": "0",
    "breastmnist": "1", "nodulemnist3d": "0", "adrenalmnist3d": "0", "vesselmnist3d": "0",
  ]

  static func isRecognised(at root: String) -> Bool {
    NumPyFile.isArchiveNamed(root) && !FolderListing.isFolder(root) && normalLabels[name(of: root)] != nil
  }

  static func dataSet(at root: String, _ choices: DataSetChoices) throws(DataSetError) -> ImageDataSet {
    guard NumPyFile.isArchiveNamed(root) else { throw mistake(root, "it is no archive; give \(files)") }
    return try ImageDataSet.arrays(at: root, normalLabels: choices.normalClass ?? normalLabels[name(of: root)])
  }

  /// The name without size and ending, in lower case.
  private static func name(of path: String) -> String {
    let stem = ((path as NSString).lastPathComponent as NSString).deletingPathExtension.lowercased()
    guard let mark = stem.lastIndex(of: "_"), stem[stem.index(after: mark)...].allSatisfy(\.isNumber) else {
      return stem
    }
    return String(stem[..<mark])
  }
}
