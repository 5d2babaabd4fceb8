import Foundation

/// The RSNA pneumonia detection challenge (stage 2): Shih, Wu, Halabi et al., "Augmenting the National Institutes of Health
/// chest radiograph dataset with expert annotations of possible pneumonia", Radiology: Artificial Intelligence 1(1), 2019.
///
/// Layout: `stage_2_detailed_class_info.csv` (patientId, class), `stage_2_train_labels.csv` (patientId, x, y, width, height,
/// Target; a row per box) and `stage_2_train_images/<patientId>.dcm`. The test images of the challenge have no labels and are
/// not read.
///
/// Normal: class Normal. Abnormal: Lung Opacity. Images of No Lung Opacity / Not Normal are left out, as in the protocol of
/// Cai et al. (Dual-distribution discrepancy, MICCAI 2022) and BMAD (Bao et al. 2024). There is no published test split of
/// them: 1,000 normal and 1,000 abnormal images, or a fifth of a smaller copy, are drawn by seed. patientId names an image;
/// the publisher tells no patients beyond it.
///
/// Boxes of opacities stand for masks (`DataItem.boxes`), drawn where they are needed; their corners count as lesion, which
/// they often are not. As the table has them they are kept in the attribute `boxes` (`x y width height`, with `;` between).
enum RSNAPneumonia: PublishedLayout {
  static let title = "RSNA pneumonia"
  static let source = "Shih et al., Radiology: AI 1(1), 2019"
  static let files =
    "stage_2_detailed_class_info.csv, stage_2_train_labels.csv and stage_2_train_images/*.dcm"
  static let protocolNote =
    "normal: Normal, abnormal: Lung Opacity, other images left out; 1,000 + 1,000 test images drawn by seed (Cai et al. 2022)"

  private static let classes = "stage_2_detailed_class_info.csv"
  private static let boxes = "stage_2_train_labels.csv"

  static func isRecognised(at root: String) -> Bool {
    PublishedTable.isThere(FolderListing.join(root, classes), columns: ["patientId", "class"])
  }

  static func dataSet(at root: String, _ choices: DataSetChoices) throws(DataSetError) -> ImageDataSet {
    for name in [classes, boxes] where !FileManager.default.fileExists(atPath: FolderListing.join(root, name)) {
      throw mistake(root, "\(FolderListing.join(root, name)) does not exist; it holds \(files)")
    }
    let boxes = try boxes(in: FolderListing.join(root, boxes))
    let table = try PublishedTable(FolderListing.join(root, classes), columns: ["patientId", "class"])
    var items: [DataItem] = []
    var lines: [String: (line: Int, className: String)] = [:]
    for row in table.rows {
      let (identifier, className) = (try table.filled(row, "patientId"), try table.filled(row, "class"))
      if let first = lines[identifier] {  // an image has a row per box
        guard first.className == className else {
          throw table.mistake(row, "class", "the image is \(first.className) on line \(first.line)")
        }
        continue
      }
      lines[identifier] = (row.line, className)
      let label: DataItem.Label
      switch className {
      case "Normal": label = .normal
      case "Lung Opacity": label = .abnormal
      case "No Lung Opacity / Not Normal": continue
      default:
        throw table.mistake(
          row, "class", "\(className) is none of Normal, Lung Opacity and No Lung Opacity / Not Normal")
      }
      let name = "stage_2_train_images/\(identifier).dcm"
      items.append(
        DataItem(
          name: name, path: try table.file(row, "patientId", at: FolderListing.join(root, name)), label: label,
          className: className, split: .train, patient: identifier, boxes: boxes[identifier]?.map(\.box),
          attributes: boxes[identifier].map { ["boxes": $0.map(\.text).joined(separator: ";")] } ?? [:]))
    }
    return try dataSet(of: items, at: root).settingAsideTest(upTo: 1000)
  }

  private static func boxes(in path: String) throws(DataSetError) -> [String: [(box: LesionBox, text: String)]] {
    let sides = ["x", "y", "width", "height"]
    let table = try PublishedTable(path, columns: ["patientId"] + sides + ["Target"])
    var boxes: [String: [(box: LesionBox, text: String)]] = [:]
    for row in table.rows where try table.number(row, "Target") == 1 {
      let text = sides.map { table.text(row, $0) }.joined(separator: " ")
      let box = try table.box(row, sides, givesSides: true)
      boxes[try table.filled(row, "patientId"), default: []].append((box, text))
    }
    return boxes
  }
}
