import Foundation

/// VinDr-CXR: Nguyen, Lam, Le et al., "VinDr-CXR: an open dataset of chest X-rays with radiologist's annotations", Scientific
/// Data 9, 2022; PhysioNet vindr-cxr 1.0.0, and the copy of the VinBigData challenge on Kaggle.
///
/// | copy | layout |
/// |---|---|
/// | PhysioNet | `annotations/image_labels_train.csv`, `…_test.csv` (image_id, rad_id, findings 0 or 1), `annotations_train.csv`, `…_test.csv` (boxes), `train/*.dicom`, `test/*.dicom` |
/// | Kaggle | `train.csv` (image_id, class_name, class_id, rad_id, x_min, y_min, x_max, y_max), `train/*.dicom` |
///
/// Normal: all of an image's readers report No finding (three in train, their consensus in test). All other images are
/// abnormal, which gives the 10,606 and 4,394 of Cai et al. (MICCAI 2022). The publisher's test images are the test split;
/// in the challenge's copy they have no labels, and 1,000 + 1,000 images, or a fifth of a smaller copy, are drawn from
/// train by seed. The publisher tells no patients: each image counts as one.
///
/// Boxes of all readers stand for masks (`DataItem.boxes`), drawn where they are needed: what one reader marks is abnormal. As
/// the table has them they are kept in the attribute `boxes` (`x_min y_min x_max y_max`, pixels, with `;` between).
enum VinDrCXR: PublishedLayout {
  static let title = "VinDr-CXR"
  static let source = "Nguyen et al., Scientific Data 9, 2022"
  static let files =
    "annotations/image_labels_train.csv, annotations/annotations_train.csv, the same for test, train/*.dicom and "
    + "test/*.dicom; or Kaggle's train.csv and train/*.dicom"
  static let protocolNote =
    "normal: No finding by all readers, abnormal: all others; the publisher's test images, of Kaggle's copy 1,000 + 1,000 "
    + "drawn by seed (Cai et al. 2022)"

  private static let corners = ["x_min", "y_min", "x_max", "y_max"]

  static func isRecognised(at root: String) -> Bool {
    annotations(in: root) != nil
      || PublishedTable.isThere(FolderListing.join(root, "train.csv"), columns: ["image_id", "class_name", "rad_id"])
  }

  static func dataSet(at root: String, _ choices: DataSetChoices) throws(DataSetError) -> ImageDataSet {
    guard let folder = annotations(in: root) else {
      let path = FolderListing.join(root, "train.csv")
      guard FileManager.default.fileExists(atPath: path) else {
        throw mistake(root, "neither annotations/image_labels_train.csv nor \(path) exists; it holds \(files)")
      }
      let table = try PublishedTable(path, columns: ["image_id", "class_name", "rad_id"] + corners)
      let images = try read(table, boxes: table) { row throws(DataSetError) in
        table.text(row, "class_name") == "No finding"
      }
      return try dataSet(of: items(images, in: .train, of: table, root: root), at: root).settingAsideTest(upTo: 1000)
    }
    var all: [DataItem] = []
    for split in [DataItem.Split.train, .test] {
      let name = FolderListing.join(folder, "image_labels_\(split.rawValue).csv")
      guard FileManager.default.fileExists(atPath: name) else {
        throw mistake(root, "\(name) does not exist; it holds \(files)")
      }
      let table = try PublishedTable(name, columns: ["image_id", "No finding"])
      let boxes = FolderListing.join(folder, "annotations_\(split.rawValue).csv")
      let boxTable =
        FileManager.default.fileExists(atPath: boxes)
        ? try PublishedTable(boxes, columns: ["image_id", "class_name"] + corners) : nil
      let images = try read(table, boxes: boxTable) { row throws(DataSetError) in
        try table.number(row, "No finding") == 1
      }
      all += try items(images, in: split, of: table, root: root)
    }
    return try dataSet(of: all, at: root)
  }

  /// What the readers say of an image.
  private struct Image {
    var row: ManifestTable.Row
    var isNormal = true
    var boxes: [(box: LesionBox, text: String)] = []
  }

  private static func read(
    _ table: PublishedTable, boxes: PublishedTable?, isNormal: (ManifestTable.Row) throws(DataSetError) -> Bool
  ) throws(DataSetError) -> [String: Image] {
    var images: [String: Image] = [:]
    for row in table.rows {
      let identifier = try table.filled(row, "image_id")
      let normal = try isNormal(row)
      var image = images[identifier] ?? Image(row: row)
      image.isNormal = image.isNormal && normal
      images[identifier] = image
    }
    guard let boxes else { return images }
    for row in boxes.rows where boxes.text(row, "class_name") != "No finding" && !boxes.text(row, "x_min").isEmpty {
      let identifier = try boxes.filled(row, "image_id")
      let text = corners.map { boxes.text(row, $0) }.joined(separator: " ")
      images[identifier]?.boxes.append((try boxes.box(row, corners, givesSides: false), text))
    }
    return images
  }

  private static func items(
    _ images: [String: Image], in split: DataItem.Split, of table: PublishedTable, root: String
  ) throws(DataSetError) -> [DataItem] {
    var items: [DataItem] = []
    for (identifier, image) in images.sorted(by: { $0.key < $1.key }) {
      let name = "\(split.rawValue)/\(identifier).dicom"
      items.append(
        DataItem(
          name: name, path: try table.file(image.row, "image_id", at: FolderListing.join(root, name)),
          label: image.isNormal ? .normal : .abnormal, className: image.isNormal ? "No finding" : "finding",
          split: split, boxes: image.isNormal || image.boxes.isEmpty ? nil : image.boxes.map(\.box),
          attributes: image.boxes.isEmpty ? [:] : ["boxes": image.boxes.map(\.text).joined(separator: ";")]))
    }
    return items
  }

  /// The folder of PhysioNet's tables.
  private static func annotations(in root: String) -> String? {
    [FolderListing.join(root, "annotations"), root].first {
      FileManager.default.fileExists(atPath: FolderListing.join($0, "image_labels_train.csv"))
    }
  }
}
