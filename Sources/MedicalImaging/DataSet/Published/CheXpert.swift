import Foundation

/// CheXpert v1.0 and v1.0-small: Irvin, Rajpurkar, Ko et al., "CheXpert: a large chest radiograph dataset with uncertainty
/// labels and expert comparison", AAAI 2019.
///
/// Layout: `train.csv` and `valid.csv` with the columns Path, Frontal/Lateral, AP/PA, No Finding and 13 findings, each 1, 0,
/// −1 (uncertain) or nothing; Path begins with the name of the folder that holds the tables.
///
/// Frontal PA views alone, as SimSID has it (Xiang et al. 2024, §4.1). Normal: No Finding is 1 and no finding is 1 or −1.
/// Abnormal: one of the 12 findings, all but Support Devices, is 1. Images whose findings are −1 at most follow
/// `UncertainFindings`; images without any mention are left out. Patients are the folders `patient…`. valid.csv is the
/// validation split. The publisher keeps the test set to itself: 250 normal and 250 abnormal images of train.csv, or a
/// fifth of a smaller copy, are drawn by seed, patient by patient, with at least ten images of each of the 12 findings, or a fifth
/// of those that a smaller copy has (SimSID draws as many; its list is not published).
enum CheXpert: PublishedLayout {
  static let title = "CheXpert"
  static let source = "Irvin et al., AAAI 2019"
  static let files = "train.csv, valid.csv, train/patient*/study*/*.jpg and valid/…"
  static let protocolNote =
    "frontal PA views; normal: No Finding, abnormal: any of 12 findings, uncertain ones as data.uncertain says; valid.csv "
    + "validates, 250 + 250 test images drawn by patient (SimSID)"

  private static let view = (projection: "Frontal/Lateral", direction: "AP/PA")
  private static let noFinding = "No Finding"
  private static let separator = "; "
  private static let findings = [
    "Enlarged Cardiomediastinum", "Cardiomegaly", "Lung Opacity", "Lung Lesion", "Edema", "Consolidation", "Pneumonia",
    "Atelectasis", "Pneumothorax", "Pleural Effusion", "Pleural Other", "Fracture",
  ]

  static func isRecognised(at root: String) -> Bool {
    PublishedTable.isThere(FolderListing.join(root, "train.csv"), columns: ["Path", view.projection, noFinding])
  }

  static func dataSet(at root: String, _ choices: DataSetChoices) throws(DataSetError) -> ImageDataSet {
    var items: [DataItem] = []
    var patients = PatientSplits()
    for (name, split) in [("train.csv", DataItem.Split.train), ("valid.csv", .validation)] {
      let path = FolderListing.join(root, name)
      guard FileManager.default.fileExists(atPath: path) else {
        throw mistake(root, "\(path) does not exist; it holds \(files)")
      }
      let table = try PublishedTable(path, columns: ["Path", view.projection, view.direction, noFinding] + findings)
      for row in table.rows {
        guard table.text(row, view.projection) == "Frontal", table.text(row, view.direction) == "PA",
          let label = try label(of: row, in: table, choices.uncertain)
        else { continue }
        let shipped = try table.filled(row, "Path")
        let parts = shipped.split(separator: "/").map(String.init)
        guard let place = parts.firstIndex(where: { $0.hasPrefix("patient") }), place > 0 else {
          throw table.mistake(row, "Path", "\(shipped) has no folder patient…")
        }
        let image = parts[(place - 1)...].joined(separator: "/")
        let file = try table.file(row, "Path", at: FolderListing.join(root, image))
        if let reason = patients.add(parts[place], split, place: "line \(row.line) of \(name)") {
          throw table.mistake(row, "Path", reason)
        }
        items.append(
          DataItem(
            name: image, path: file, label: label.label, className: label.findings.first ?? noFinding, split: split,
            patient: parts[place],
            attributes: label.findings.isEmpty ? [:] : ["findings": label.findings.joined(separator: separator)]))
      }
    }
    return try dataSet(of: items, at: root).settingAsideTest(upTo: 250, with: 10) { item in
      item.attributes["findings"]?.components(separatedBy: separator) ?? []
    }
  }

  /// Normal or abnormal, and the findings that make it so; nil for images that are left out.
  private static func label(
    of row: ManifestTable.Row, in table: PublishedTable, _ uncertain: UncertainFindings
  ) throws(DataSetError) -> (label: DataItem.Label, findings: [String])? {
    var (present, possible): ([String], [String]) = ([], [])
    for finding in findings {
      switch try table.number(row, finding) {
      case 1: present.append(finding)
      case -1: possible.append(finding)
      case 0, nil: break
      case .some: throw table.mistake(row, finding, "\(table.text(row, finding)) is none of 1, 0, -1 and nothing")
      }
    }
    guard present.isEmpty else { return (.abnormal, present) }
    guard possible.isEmpty else {
      switch uncertain {
      case .ignore: return nil
      case .zeros: return (.normal, [])
      case .ones: return (.abnormal, possible)
      }
    }
    return try table.number(row, noFinding) == 1 ? (.normal, []) : nil
  }
}
